"""The benches' site, which dates all sound on the SIP gateway's sockets. Its folder: BENCH_SOUNDS."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from tests.bench.asgi import application as site
from tests.bench.sip_far_end import is_loud

FOLDER = Path(os.environ["BENCH_SOUNDS"])


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket" and scope["path"] == "/ws/media/sip/":
        await Dated(receive, send).serve(scope)
    else:
        await site(scope, receive, send)


class Dated:
    def __init__(self, receive: Any, send: Any) -> None:
        self._receive, self._send = receive, send
        self._call = ""
        self._heard: list[tuple[float, bytes]] = []
        self._said: list[tuple[float, bytes]] = []

    async def serve(self, scope: Any) -> None:
        try:
            await site(scope, self.receive, self.send)
        finally:
            sounds = {
                name: [(at, len(pcm), is_loud(pcm)) for at, pcm in pieces]
                for name, pieces in (("heard", self._heard), ("said", self._said))
            }
            (FOLDER / f"web-{self._call.partition('-')[0]}.json").write_text(json.dumps(sounds))

    async def receive(self) -> Any:
        message = await self._receive()
        if pcm := message.get("bytes"):
            self._heard.append((time.time(), pcm))
        elif not self._call and (text := message.get("text")):
            self._call = json.loads(text)["provider_call_id"]
        return message

    async def send(self, message: Any) -> None:
        if pcm := message.get("bytes"):
            self._said.append((time.time(), pcm))
        await self._send(message)
