"""One worker process: holds the engine of one model and serves one request at a time, or many as one.

`python -m mlservices.service.worker FD` speaks `wire.py` over the inherited socket FD. First comes
{"op": "load", "model": {...}, "models_dir": ...}; then {"op": "run", "task", "jobs": [{"id", "params",
"bytes"}]} with the payloads of the jobs one after the other, and {"op": "cancel", "id"}, which ends a
request at its next piece. It answers with {"event": "state" | "piece" | "beat" | "done" | "error", ...} (a
beat: still at work) and ends itself when the socket or its parent is gone.
Django is not loaded here.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import engines
from ..catalog import Kind, Model, Source
from ..errors import EngineError
from ..wire import Message, Unpacker, pack
from .tasks import MANY, TASKS

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however that ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def warm_engine(fields: Mapping[str, Any], models_dir: str) -> Any:
    """The engine of a model, which `asdict` has taken apart, ready to serve."""
    model = Model(**{**fields, "kind": Kind(fields["kind"]), "source": Source()})
    engine = engines.load(model, Path(models_dir))
    engine.warm()
    return engine


class Server:
    """Has one engine do what requests ask for; `tell` gets its messages, each a head and a payload."""

    def __init__(self, engine: Any, tell: Callable[[dict[str, Any], bytes], None]) -> None:
        self.cancelled: set[int] = set()  # requests that end at their next piece; any thread may add to it
        self._engine, self._tell = engine, tell

    def serve(self, head: dict[str, Any], payload: bytes) -> None:
        """What {"op": "run"} asks for, until it is done."""
        jobs, task = head["jobs"], head["task"]
        self.cancelled &= {job["id"] for job in jobs}  # the others came when they were served already
        if len(jobs) == 1:
            self._answer(task, jobs[0]["id"], jobs[0]["params"], payload)
        else:
            self._answer_together(task, jobs, payload)

    def _answer(self, task: str, request: int, params: dict[str, Any], payload: bytes) -> None:
        try:
            with contextlib.closing(TASKS[task][1](self._engine, params, payload)) as pieces:
                for piece in pieces:
                    if request in self.cancelled:
                        break
                    if piece is None:
                        self._tell({"event": "beat", "id": request}, b"")
                    else:
                        answer, sound = piece
                        self._tell({"event": "piece", "id": request, "answer": answer}, sound)
        except Exception as error:
            self._fail(task, request, error)
        else:
            self._tell({"event": "done", "id": request}, b"")

    def _answer_together(self, task: str, jobs: list[dict[str, Any]], payload: bytes) -> None:
        """All in one run of the model; where that fails, each alone, so that one bad request fails alone."""
        start, payloads = 0, []
        for job in jobs:
            payloads.append(payload[start : start + job["bytes"]])
            start += job["bytes"]
        try:
            answers = MANY[task](self._engine, [job["params"] for job in jobs], payloads)
        except Exception:
            logger.exception("%s of %d requests at once failed", task, len(jobs))
            for job, part in zip(jobs, payloads, strict=True):
                self._answer(task, job["id"], job["params"], part)
            return
        for job, (answer, sound) in zip(jobs, answers, strict=True):
            self._tell({"event": "piece", "id": job["id"], "answer": answer}, sound)
            self._tell({"event": "done", "id": job["id"]}, b"")

    def _fail(self, task: str, request: int, error: Exception) -> None:
        known = isinstance(error, EngineError)
        if not known:
            logger.error("%s failed", task, exc_info=error)
        permanent = isinstance(error, EngineError) and error.permanent
        message = str(error) if known else repr(error)
        self._tell({"event": "error", "id": request, "message": message, "permanent": permanent}, b"")


class Worker:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._server: Server

    def run(self) -> None:
        """Serve until the parent closes the socket."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        head, _ = self._requests.get()
        try:
            self._load(head)
        except Exception as error:  # too little memory, a file that is none: whoever waits is told
            known = isinstance(error, EngineError)
            if not known:
                logger.exception("The model could not be loaded")
            reason = str(error) if known else f"it could not be loaded: {error!r}"
            self._tell({"event": "state", "state": "failed", "reason": reason})
            return
        while True:
            self._server.serve(*self._requests.get())

    def _listen(self) -> None:
        """Read while the main thread computes, so that a cancellation is seen at the next piece."""
        unpacker = Unpacker()
        try:
            while data := self._connection.recv(1 << 18):
                for head, payload in unpacker.feed(data):
                    if head["op"] == "cancel":
                        self._server.cancelled.add(head["id"])
                    else:
                        self._requests.put((head, payload))
        except Exception:
            logger.exception("what the service sent cannot be read")
            os._exit(1)  # deaf, we would be of no use to it
        os._exit(0)

    def _load(self, head: dict[str, Any]) -> None:
        self._tell({"event": "state", "state": "loading"})
        engine = warm_engine(head["model"], head["models_dir"])
        self._server = Server(engine, self._tell)
        self._tell({"event": "state", "state": "ready", "at_once": getattr(engine, "at_once", 1)})

    def _tell(self, head: dict[str, Any], payload: bytes = b"") -> None:
        self._connection.sendall(pack(head, payload))


def main() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        Worker(connection).run()


if __name__ == "__main__":
    main()
