"""`python -m voiceforge_site.daphne_server`: daphne, with some things put right.

It takes a request of any size to its end before anybody can refuse it. It reads every form itself, for
nobody, and refuses one that is broken without a word. And where an answer fails half-way it tries to begin
another, which ends its watch over all requests, and leaves the client waiting. A socket it closes with 1011
for every code of the protocol's own that it is given, and without any where a message is too large. That
somebody is gone who is sent something it tells by an exception of its library's own.
"""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus
from typing import Any

from daphne import http_protocol, server, ws_protocol
from daphne.cli import CommandLineInterface

from . import request_ids
from .csp import POLICY

LARGEST_BODY = 36 * 2**20  # bytes; what the site itself takes is less
_PROBLEM = {  # as `mlservices.api.answers.refusal` makes it; nothing of Django's is loaded yet
    "title": HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase,
    "status": 413,
    "detail": f"The request is larger than {LARGEST_BODY // 2**20} MB.",
}
_TEXT = json.dumps(_PROBLEM)
_HEADERS = {  # of every answer of ours; `too_large` has them of the middleware
    "Content-Type": "application/problem+json",
    "Content-Length": str(len(_TEXT)),
    "Cache-Control": "no-store",
    "Connection": "close",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

log = logging.getLogger(__name__)


class Request(http_protocol.WebRequest):
    _received = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, parsePOSTFormSubmission=False)

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length and length > LARGEST_BODY:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        if self._received <= LARGEST_BODY:
            super().handleContentChunk(data)
        elif self._received - len(data) <= LARGEST_BODY:
            self._refuse()

    def handle_exception(self, exception: Any) -> None:
        if not self._response_started:
            super().handle_exception(exception)
        elif self.channel is not None:
            self.channel.loseConnection()

    def _refuse(self) -> None:
        name = secrets.token_hex(6)
        log.warning("Content Too Large: more than %s MB were sent (request %s)", LARGEST_BODY // 2**20, name)
        lines = [f"{header}: {value}" for header, value in {**_HEADERS, request_ids.HEADER: name}.items()]
        answer = "\r\n".join(["HTTP/1.1 413 Content Too Large", *lines, "", _TEXT])
        self.channel.transport.write(answer.encode())
        self.channel.loseConnection()


class Socket(ws_protocol.WebSocketProtocol):
    def serverClose(self, code: int | None = None) -> None:
        self.sendCloseFrame(code=code or 1000)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        if self.state in (self.STATE_CLOSING, self.STATE_CLOSED):
            raise ConnectionAbortedError("The peer is gone.")  # an OSError, as ASGI has it
        super().serverSend(content, binary)


class Sockets(ws_protocol.WebSocketFactory):
    protocol = Socket

    def resetProtocolOptions(self) -> None:
        super().resetProtocolOptions()
        self.failByDrop = False  # but by a close that says why


if __name__ == "__main__":
    http_protocol.WebRequest = Request  # which its factory looks up for each connection
    server.WebSocketFactory = Sockets
    CommandLineInterface.entrypoint()
