"""A server of another system, real and on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from typing import Any


@dataclass
class Other:
    """What it is to answer at each path, as (seconds to think, status, headers, body) in turn, the last of
    them for ever; and what it was asked, as (method, path, headers, body)."""

    url: str = ""
    answers: dict[str, list[tuple[float, int, dict[str, str], bytes]]] = field(default_factory=dict)
    seconds: float = 0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(
        self, path: str, content: Any = None, *, status: int = 200, after: float = 0, **headers: str
    ) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(path, []).append((after, status, named, body))


@contextmanager
def another_system() -> Iterator[Other]:
    other = Other()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            other.asked.append((self.command, self.path, dict(self.headers.items()), sent))
            answers = other.answers.get(self.path.partition("?")[0], [(0, 404, {}, b"{}")])
            after, status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
            sleep(other.seconds + after)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):  # who asked has given up
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    other.url = f"http://127.0.0.1:{server.server_port}"
    yield other
    server.shutdown()
    server.server_close()
