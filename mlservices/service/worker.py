"""One worker process: holds the engine of one model and serves one request at a time, or many as one.

`python -m mlservices.service.worker FD` speaks `wire.py` over the inherited socket FD. First comes
{"op": "load", "model": {...}, "models_dir": ...}; then {"op": "run", "task", "jobs": [{"id", "params",
"bytes"}]} with the payloads of the jobs one after the other, and {"op": "cancel", "id"}, which ends a
request at its next piece, or at once where its engine may end it by itself beside the next. It answers with
{"event": "state" | "begun" | "piece" | "beat" | "done" | "error", ...} (a beat: still at work) and ends
itself when the socket or its parent is gone. What it is asked while it is at work goes before that, from its
next piece or beat on.
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

Tell = Callable[[dict[str, Any], bytes], None]  # a message: its head and its payload

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
    """Has one engine do what requests ask for. `on_rest` is called between two pieces: the engine may serve
    another request there.

    A call into a library cannot be stopped. Where the engine bears a second one at its side, the call of a
    request that nobody wants any more is left to end by itself, and the next request is served meanwhile.
    """

    def __init__(self, engine: Any, on_rest: Callable[[], None] = lambda: None) -> None:
        self._engine, self._on_rest = engine, on_rest
        self._may_leave = getattr(engine, "side_by_side", 1) > 1
        self._cancelled: set[int] = set()  # requests that end at their next piece
        self._under_way: set[int] = set()
        self._left = (0, threading.Thread())  # request and thread of the call that was left last
        self._messages: dict[int, queue.SimpleQueue[Message | None]] = {}  # of requests that may be left

    def cancel(self, request: int) -> None:
        """Nobody wants the rest of it; any thread may say so."""
        self._cancelled.add(request)
        if messages := self._messages.get(request):
            messages.put(None)

    def serve(self, head: dict[str, Any], payload: bytes, tell: Tell) -> None:
        """What {"op": "run"} asks for, until it is done; `tell` gets its messages."""
        jobs, task = head["jobs"], head["task"]
        ids = {job["id"] for job in jobs}
        self._under_way |= ids
        self._cancelled &= {self._left[0], *self._under_way}  # the others came when they were served already
        for id in ids:
            tell({"event": "begun", "id": id}, b"")
        if len(jobs) > 1:
            self._answer_together(task, jobs, payload, tell)
        elif self._may_leave:
            self._answer_or_leave(task, jobs[0], payload, tell)
        else:
            self._answer(task, jobs[0]["id"], jobs[0]["params"], payload, tell)
        self._under_way -= ids

    def _answer_or_leave(self, task: str, job: dict[str, Any], payload: bytes, tell: Tell) -> None:
        """In a thread of its own. One is left at the most: where that still runs, this is waited for."""
        request, messages = job["id"], queue.SimpleQueue[Message | None]()
        self._messages[request] = messages

        def pass_on(head: dict[str, Any], sound: bytes) -> None:
            messages.put((head, sound))

        if request in self._cancelled:  # before there was anybody to be told
            messages.put(None)
        how = (task, request, job["params"], payload, pass_on)
        thread = threading.Thread(target=self._answer, args=how, name="answer", daemon=True)
        thread.start()
        is_over = False
        while not is_over:
            message = messages.get()
            if message is not None:
                tell(*message)
                is_over = message[0]["event"] in ("done", "error")
            elif request in self._cancelled and not self._left[1].is_alive():
                self._left = request, thread
                tell({"event": "done", "id": request}, b"")
                is_over = True
        del self._messages[request]

    def _answer(self, task: str, request: int, params: dict[str, Any], payload: bytes, tell: Tell) -> None:
        if request in self._cancelled:  # while it waited for another's next piece
            tell({"event": "done", "id": request}, b"")
            return
        try:
            with contextlib.closing(TASKS[task][1](self._engine, params, payload)) as pieces:
                for piece in pieces:
                    if request in self._cancelled:
                        break
                    if piece is None:
                        tell({"event": "beat", "id": request}, b"")
                    else:
                        answer, sound = piece
                        tell({"event": "piece", "id": request, "answer": answer}, sound)
                    self._on_rest()
        except Exception as error:
            tell(_failure(task, request, error), b"")
        else:
            tell({"event": "done", "id": request}, b"")

    def _answer_together(self, task: str, jobs: list[dict[str, Any]], payload: bytes, tell: Tell) -> None:
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
                self._answer(task, job["id"], job["params"], part, tell)
            return
        for job, (answer, sound) in zip(jobs, answers, strict=True):
            tell({"event": "piece", "id": job["id"], "answer": answer}, sound)
            tell({"event": "done", "id": job["id"]}, b"")


def _failure(task: str, request: int, error: Exception) -> dict[str, Any]:
    known = isinstance(error, EngineError)
    if not known:
        logger.error("%s failed", task, exc_info=error)
    permanent = isinstance(error, EngineError) and error.permanent
    message = str(error) if known else repr(error)
    return {"event": "error", "id": request, "message": message, "permanent": permanent}


class Worker:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._is_hosting = False
        self._telling = threading.Lock()
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
            self._server.serve(*self._requests.get(), self._tell)

    def _host(self) -> None:
        """Serve those who came in the middle of a request, one after the other."""
        if not self._is_hosting:
            self._is_hosting = True
            while not self._requests.empty():
                self._server.serve(*self._requests.get(), self._tell)
            self._is_hosting = False

    def _listen(self) -> None:
        """Read while the main thread computes, so that a cancellation is seen at the next piece."""
        unpacker = Unpacker()
        try:
            while data := self._connection.recv(1 << 18):
                for head, payload in unpacker.feed(data):
                    if head["op"] == "cancel":
                        self._server.cancel(head["id"])
                    else:
                        self._requests.put((head, payload))
        except Exception:
            logger.exception("what the service sent cannot be read")
            os._exit(1)  # deaf, we would be of no use to it
        os._exit(0)

    def _load(self, head: dict[str, Any]) -> None:
        self._tell({"event": "state", "state": "loading"})
        engine = warm_engine(head["model"], head["models_dir"])
        self._server = Server(engine, self._host)
        self._tell({"event": "state", "state": "ready", "at_once": getattr(engine, "at_once", 1)})

    def _tell(self, head: dict[str, Any], payload: bytes = b"") -> None:
        with self._telling:
            self._connection.sendall(pack(head, payload))


def main() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        Worker(connection).run()


if __name__ == "__main__":
    main()
