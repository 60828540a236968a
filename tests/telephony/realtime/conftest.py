"""A program that talks over the realtime API, before the site's own door."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.routing import URLRouter

from telephony.providers.realtime.messages import FROM_SERVER, RATE
from telephony.realtime import following
from telephony.routing import api_sockets
from telephony.switchboard import Switchboard
from tests.fakes.exchange import FakeSuppliers
from voiceforge_site.access import key_actions
from voiceforge_site.access.gate import admit, guarded
from voiceforge_site.models import User

FRAME = RATE // 50 * 2
SILENCE = bytes(FRAME)
VOICE = (1000).to_bytes(2, "little") * (FRAME // 2)
ECHO = {"agentMode": "echo"}
MODELS = {model.model_fields["type"].default: model for model in FROM_SERVER}
FOLLOWED = {model.model_fields["type"].default: model for model in following.FROM_SERVER}


class Program:
    """Its side of one WebSocket. All that it is told is held against the models that describe it."""

    def __init__(
        self, board: Switchboard, path: str = "/ws/realtime", headers: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        self.told: list[dict[str, Any]] = []
        self.code: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self._models = MODELS if path == "/ws/realtime" else FOLLOWED
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._happened = asyncio.Event()
        self._names = itertools.count(1)
        scope = {"type": "websocket", "path": path, "headers": headers or [], "client": ["127.0.0.1", 1]}
        self._to_app.put_nowait({"type": "websocket.connect"})
        application = URLRouter(guarded(api_sockets(board, admit)))
        self.task = asyncio.create_task(application(scope, self._to_app.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        if message["type"] == "websocket.close":
            self.code = message["code"]
            self._to_app.put_nowait({"type": "websocket.disconnect", "code": self.code})
        elif message["type"] == "websocket.send":
            told = json.loads(message["text"])
            self._models[told["type"]].model_validate(told, strict=True, extra="forbid")
            self.told.append(told)
        self._happened.set()

    def say(self, type: str, **content: Any) -> str:
        """Answers the message's eventId."""
        name = f"mine-{next(self._names)}"
        self.say_text(json.dumps({"type": type, "eventId": name, **content}))
        return name

    def say_text(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def init(self, key: str, **config: Any) -> str:
        return self.say("init", apiKey=key, config=config)

    def chunk(self, pcm: bytes, **more: Any) -> str:
        return self.say("audio_chunk", chunk=base64.b64encode(pcm).decode(), **more)

    async def speak(self, *frames: bytes) -> None:
        """At the pace of speech."""
        began = asyncio.get_running_loop().time()
        for number, frame in enumerate(frames, 1):
            self.chunk(frame)
            await asyncio.sleep(max(0.0, began + number * 0.02 - asyncio.get_running_loop().time()))

    def leave(self, code: int = 1000) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code})

    def of(self, type: str) -> list[dict[str, Any]]:
        return [message for message in self.told if message["type"] == type]

    async def until(self, condition: Callable[[], Any], seconds: float = 15.0) -> Any:
        async with asyncio.timeout(seconds):
            while not (answer := condition()):
                self._happened.clear()
                await self._happened.wait()
        return answer

    async def told_of(self, type: str, count: int = 1) -> dict[str, Any]:
        """The message of this type that is the `count`-th."""
        return (await self.until(lambda: len(self.of(type)) >= count and self.of(type)))[count - 1]

    async def until_closed(self) -> int:
        await self.until(lambda: self.code)
        async with asyncio.timeout(10):
            await self.task
        assert self.code
        return self.code


Script = Callable[[Program], Awaitable[Any]]


def talking(script: Script, board: Switchboard | None = None, **how: Any) -> Program:
    """Run the script with one program; whatever it leaves open is closed, and no call is left."""
    board = board or exchange()

    async def run() -> Program:
        program = Program(board, **how)
        await script(program)
        if not program.task.done():
            program.leave()
            async with asyncio.timeout(15):
                await program.task
        await all_ended(board)
        return program

    return asyncio.run(run())


async def all_ended(board: Switchboard) -> None:
    async with asyncio.timeout(10):
        while board.calls:
            await asyncio.sleep(0.02)


def exchange(*words: str) -> Switchboard:
    return Switchboard(FakeSuppliers(words or ("what are your opening hours?",)))


@pytest.fixture
def key(bob: User) -> str:
    return key_actions.create("a test", bob)[1]
