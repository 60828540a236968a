"""What daphne does with too large a request, and with an answer that fails half-way."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import websockets

from .ports import free_port, until_listened_on

MEGABYTE = 2**20


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of what it was sent; `/half` fails in the middle. A socket is closed with the
    code that its first message asks for."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        asked = (await receive()).get("text")
        if asked:
            await send({"type": "websocket.close", "code": int(asked)})
        return
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message["body"])
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode(), "more_body": True})
    if scope["path"] == "/half":
        raise ValueError("the rest is missing")
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def url() -> AsyncIterator[str]:
    port = free_port()
    command = ["-m", "voiceforge_site.daphne_server", "--port", str(port), "--verbosity", "0"]
    command += ["--websocket-max-message-size", "1000"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, f"{__name__}:application", env=os.environ, stderr=asyncio.subprocess.DEVNULL
    )
    await until_listened_on(port)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    await process.wait()


async def test_half_an_answer_ends_in_a_broken_connection_and_too_much_is_not_read(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        for _ in range(2):  # daphne watches on
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
                await client.get("/half")
        whole = await client.post("/", content=bytes(MEGABYTE))
        assert whole.text == str(MEGABYTE)
    length = b"Content-Length: 99000000\r\n\r\nabc"
    assert await answer_to(url, [length]) == b"HTTP/1.1 413 Content Too Large"
    chunk = b"%x\r\n%s\r\n" % (MEGABYTE, bytes(MEGABYTE))
    endless = [b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 37]
    assert await answer_to(url, endless) == b"HTTP/1.1 413 Content Too Large"


async def test_a_form_that_is_broken_is_the_sites_to_refuse_who_says_why(url: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
    body = b"no part of a form"
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        answer = await client.post("/", content=body, headers=headers)
        assert (answer.status_code, answer.text) == (200, str(len(body)))


@pytest.mark.parametrize("code", [1000, 1008, 1009, 1011, 1012, 4001])
async def test_a_socket_is_closed_with_the_code_that_the_site_gives(url: str, code: int) -> None:
    async with websockets.connect(url.replace("http", "ws")) as socket:
        await socket.send(str(code))
        async with asyncio.timeout(5):
            await socket.wait_closed()
    assert socket.close_code == code


async def test_a_message_that_is_too_large_closes_the_socket_with_a_word(url: str) -> None:
    async with websockets.connect(url.replace("http", "ws")) as socket:
        await socket.send(bytes(100_000))
        async with asyncio.timeout(5):
            await socket.wait_closed()
    assert socket.close_code == 1009
    assert "1000 octets" in (socket.close_reason or "")


async def answer_to(url: str, parts: list[bytes]) -> bytes:
    """The first line of what a request is answered that never ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\n")
    for part in parts:
        writer.write(part)
    async with asyncio.timeout(20):
        line = await reader.readline()
    writer.close()
    return line.strip()
