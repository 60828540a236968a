"""One worker process: holds the engines of one pool and serves one request at a time.

`python -m mlservices.service.worker FD` speaks `wire.py` over the inherited socket FD. First comes
{"op": "load", "models": [...], "models_dir": ...}; then requests {"op": "run", "id", "task", "params"} with
their payload, and {"op": "cancel", "id"}, which ends a request at its next piece. It answers with
{"event": "state" | "piece" | "beat" | "done" | "error", ...} (a beat: still at work) and ends itself when the
socket or its parent is gone.
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
import time
from pathlib import Path
from typing import Any

from .. import engines
from ..catalog import Kind, Model, Source
from ..errors import EngineError
from ..wire import Message, Unpacker, pack
from .tasks import TASKS

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however that ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Worker:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._engines: dict[Kind, Any] = {}

    def run(self) -> None:
        """Serve until the parent closes the socket."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        head, _ = self._requests.get()
        try:
            self._load(head)
        except EngineError as error:
            self._tell({"event": "state", "state": "failed", "reason": str(error)})
            return
        while True:
            self._serve(*self._requests.get())

    def _listen(self) -> None:
        """Read while the main thread computes, so that a cancellation is seen at the next piece."""
        unpacker = Unpacker()
        try:
            while data := self._connection.recv(1 << 18):
                for head, payload in unpacker.feed(data):
                    if head["op"] == "cancel":
                        self._cancelled.add(head["id"])
                    else:
                        self._requests.put((head, payload))
        except Exception:
            logger.exception("what the service sent cannot be read")
            os._exit(1)  # deaf, we would be of no use to it
        os._exit(0)

    def _load(self, head: dict[str, Any]) -> None:
        self._tell({"event": "state", "state": "loading"})
        for fields in head["models"]:
            model = Model(**{**fields, "kind": Kind(fields["kind"]), "source": Source()})
            engine = engines.load(model, Path(head["models_dir"]))
            engine.warm()
            self._engines[model.kind] = engine
        self._tell({"event": "state", "state": "ready"})

    def _serve(self, head: dict[str, Any], payload: bytes) -> None:
        request = head["id"]
        self._cancelled &= {request}  # the others came when they were served already
        started = time.monotonic()
        kind, task = TASKS[head["task"]]
        try:
            with contextlib.closing(task(self._engines[kind], head["params"], payload)) as pieces:
                for piece in pieces:
                    if request in self._cancelled:
                        break
                    if piece is None:
                        self._tell({"event": "beat", "id": request})
                    else:
                        answer, sound = piece
                        self._tell({"event": "piece", "id": request, "answer": answer}, sound)
        except EngineError as error:
            self._tell({"event": "error", "id": request, "message": str(error), "permanent": error.permanent})
        except Exception as error:
            logger.exception("%s failed", head["task"])
            self._tell({"event": "error", "id": request, "message": repr(error), "permanent": False})
        else:
            seconds = time.monotonic() - started
            self._tell({"event": "done", "id": request, "compute_seconds": seconds})

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
