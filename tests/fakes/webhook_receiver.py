"""A receiver of webhooks, real and on this machine. It checks each message with the package of Standard
Webhooks, remembers it, and answers as it is told to."""

from __future__ import annotations

import json
import socket
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Answer:
    """`closes`: the connection breaks off in place of an answer."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    closes: bool = False


@dataclass(frozen=True)
class Received:
    """`genuine`: one of the receiver's secrets has signed it. `begun` and `ended` by one clock."""

    headers: dict[str, str]
    body: str
    genuine: bool
    begun: float
    ended: float

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def kind(self) -> str:
        return str(self.told["type"])


@dataclass
class Receiver:
    """`answers` are given in turn, then `answer` for ever."""

    url: str = ""
    secrets: list[str] = field(default_factory=list)
    answer: Answer = field(default_factory=Answer)
    answers: deque[Answer] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: Any = field(default_factory=Lock)

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.received]

    def knows(self, headers: dict[str, str], body: str) -> bool:
        for secret in self.secrets:
            with suppress(WebhookVerificationError):
                Webhook(secret).verify(body, headers)
                return True
        return False


@contextmanager
def webhook_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            begun = monotonic()
            with receiver.lock:
                receiver.at_once += 1
                receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
                answer = receiver.answers.popleft() if receiver.answers else receiver.answer
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            sleep(answer.seconds)
            with receiver.lock:
                receiver.at_once -= 1
                genuine = receiver.knows(headers, body)
                receiver.received.append(Received(headers, body, genuine, begun, monotonic()))
            self.give(answer)

        def do_GET(self) -> None:  # whoever followed a redirect
            receiver.received.append(Received({}, '{"type": "GET"}', False, 0, 0))
            self.give(Answer(200))

        def give(self, answer: Answer) -> None:
            if answer.closes:
                self.close_connection = True
                hard = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
                self.connection.close()
                return
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked has given up
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in answer.headers and answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            pass

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    yield receiver
    server.shutdown()
    server.server_close()
