"""Somebody leaves a socket that is being written to, with each of the web servers."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from voiceforge_site.asgi import sockets
from voiceforge_site.management.commands.web import arguments
from voiceforge_site.parting import Gone, MayLeave

from .ports import free_port, until_listened_on

PIECE = "x" * 50_000
MOST_PIECES = 500
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MASK = bytes(4)  # of zeros: it changes nothing
CLOSING = b"\x88\x82" + MASK + (1000).to_bytes(2)


async def talk(scope: Any, receive: Any, send: Any) -> None:
    """Says much, and hears whether its peer leaves where the first message is "listen"."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    listens = (await receive())["text"] == "listen"
    left = asyncio.create_task(receive()) if listens else asyncio.create_task(asyncio.sleep(60))
    try:
        for _ in range(MOST_PIECES):
            await send({"type": "websocket.send", "text": PIECE})
            await asyncio.wait([left], timeout=0.002)
    finally:
        left.cancel()
        sys.stderr.write("It is over.\n")
        await send({"type": "websocket.close"})


application = MayLeave(talk)


@asynccontextmanager
async def served_by(server: str) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
    """Its port, and what it writes."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments(server, port=port, application=f"{__name__}:application")),
        env=os.environ,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    assert process.stderr
    try:
        await until_listened_on(port)
        yield port, process.stderr
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("server", ["daphne", "uvicorn", "granian"])
async def test_who_leaves_while_they_are_told_something_is_no_fault(server: str) -> None:
    async with served_by(server) as (port, log):
        for wish, goodbye in ((b"talk", CLOSING), (b"talk", b""), (b"listen", CLOSING), (b"listen", b"")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
            writer.write(UPGRADE)
            async with asyncio.timeout(10):
                await reader.readuntil(b"\r\n\r\n")
            writer.write(bytes([0x81, 0x80 + len(wish)]) + MASK + wish + goodbye)
            await asyncio.sleep(0.3)  # nothing is read: what is said piles up
            writer.transport.abort()
            async with asyncio.timeout(20):
                assert await log.readline() == b"It is over.\n"


async def test_what_else_fails_is_not_hidden_and_a_socket_of_ours_may_be_left_too() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionError("the database is away")

    async def leaves(message: Any) -> None:
        raise OSError

    async def connects() -> Any:
        return {"type": "websocket.connect"}

    with pytest.raises(ConnectionError, match="the database is away"):
        await MayLeave(fails)({"type": "websocket"}, connects, leaves)
    await sockets({"type": "websocket", "path": "/ws/nowhere", "headers": []}, connects, leaves)


async def test_what_is_said_after_the_end_was_told_is_dropped() -> None:
    sent = []

    async def talks_on(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "text": "Hello?"})

    async def ends() -> Any:
        return {"type": "websocket.disconnect"}

    async def put(message: Any) -> None:
        sent.append(message["type"])

    await MayLeave(talks_on)({"type": "websocket"}, ends, put)
    assert sent == ["websocket.accept"]


async def test_who_could_not_be_told_is_told_nothing_more_though_something_of_theirs_is_read_yet() -> None:
    tried = []

    async def talks_on(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(Gone):
            await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "text": "Hello?"})

    async def says() -> Any:
        return {"type": "websocket.receive", "text": "Good day."}

    async def put(message: Any) -> None:
        tried.append(message["type"])
        raise OSError

    await MayLeave(talks_on)({"type": "websocket"}, says, put)
    assert tried == ["websocket.accept"]
