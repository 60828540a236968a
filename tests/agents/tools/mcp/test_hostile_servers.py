"""Servers that mean harm, or are broken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from agents.models import Tool, ToolServer
from agents.outside import Refused, Unanswered
from agents.tools.answers import HIDDEN
from agents.tools.calling import Exchange, exchange
from agents.tools.mcp import offers
from mlservices.secret_box import sealed
from tests.fakes.another_system import Other

BEGUN = {"protocolVersion": "2025-06-18", "serverInfo": {"name": "Evil"}, "capabilities": {}}


def answering(number: int, result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": result}


def begun(other: Other, **headers: str) -> None:
    """It answers the first two messages as it should."""
    other.answer("/mcp", answering(1, BEGUN), **headers)
    other.answer("/mcp", b"", status=202)


async def called(url: str, **more: Any) -> Exchange:
    server = ToolServer(name="Evil", url=url, secret_headers=sealed('{"X-Key": "swordfish"}'))
    tool = Tool(name="evil", server=server, server_tool="evil", method="POST", seconds=0.5, **more)
    return await exchange(tool, {})


async def test_a_slow_one_is_given_up_in_time(other):
    begun(other)
    other.seconds = 0.4  # each of four
    done = await called(f"{other.url}/mcp")
    assert done.result.reason == "There was no answer within 0.5 seconds." and done.seconds < 1.5


async def test_one_that_never_tells_its_tools_is_given_up(other, monkeypatch):
    begun(other)
    other.seconds = 0.2
    monkeypatch.setattr(offers, "READING_SECONDS", 0.3)
    with pytest.raises(Unanswered, match=r"did not tell its tools within 0\.3 seconds"):
        await offers.read(f"{other.url}/mcp", {})


async def test_pages_of_tools_end(other):
    begun(other)
    for number in range(2, 30):
        other.answer("/mcp", answering(number, {"tools": [{"name": f"t{number}"}], "nextCursor": "more"}))
    reading = await offers.read(f"{other.url}/mcp", {})
    assert len(reading.offers) == 20


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"x" * 10_000_000, "larger than 256,000 bytes"),
        (json.dumps(answering(7, {})).encode(), "is no MCP"),
        (b"[" * 100_000, "is no MCP"),
        (json.dumps({"id": 2, "error": {"message": "Give swordfish!"}}).encode(), f"refused: Give {HIDDEN}!"),
        (json.dumps({"id": 2, "error": {"message": "\x1b[31m" + "x" * 5_000}}).encode(), "refused: [31mxxx"),
    ],
)
async def test_what_is_no_answer_is_told_as_it_is(other, body, reason):
    begun(other)
    other.answer("/mcp", body)
    done = await called(f"{other.url}/mcp")
    assert not done.result.ok and reason in done.result.reason and len(done.result.reason) <= 400
    assert "swordfish" not in f"{done.result}{done.answer}"


async def test_a_secret_is_hidden_however_it_is_written(other):
    begun(other)
    told = answering(2, {"content": [{"type": "text", "text": r'{"k": "\u0073wordfish"}'}]})
    other.answer("/mcp", event(told).encode(), Content_Type="text/event-stream")
    done = await called(f"{other.url}/mcp", results={"key": "k"})
    assert done.result.values == {"key": HIDDEN} and "swordfish" not in f"{done.result}{done.answer}"


async def test_a_stream_that_ends_too_soon_has_answered(other):
    begun(other)
    told = event(answering(2, {"structuredContent": {"guest": "Anna"}}))
    other.answer("/mcp", told.rstrip().encode(), Content_Type="text/event-stream")
    assert (await called(f"{other.url}/mcp", results={"guest": "guest"})).result.values == {"guest": "Anna"}


async def test_what_it_says_when_it_is_connected_tells_no_secret(other):
    other.answer("/mcp", {"id": 1, "error": {"message": "Not swordfish!"}})
    with pytest.raises(Unanswered) as caught:
        await offers.read(f"{other.url}/mcp", {"X-Key": "swordfish"})
    assert "swordfish" not in str(caught.value)


async def test_a_version_that_is_not_known_is_refused(other):
    other.answer("/mcp", answering(1, {**BEGUN, "protocolVersion": "1999-01-01"}))
    with pytest.raises(Unanswered, match="version 1999-01-01"):
        await offers.read(f"{other.url}/mcp", {})


@pytest.mark.parametrize("named", ["a" * 1_001, "caf\xe9"])
async def test_a_session_that_cannot_be_named_is_refused(other, named):
    begun(other, Mcp_Session_Id=named)
    with pytest.raises(Unanswered, match="cannot be named again"):
        await offers.read(f"{other.url}/mcp", {})


@pytest.mark.parametrize("status", [302, 307])
async def test_a_redirect_to_where_clouds_keep_their_keys_is_not_followed(other, status):
    other.answer("/mcp", status=status, Location="http://169.254.169.254/latest/meta-data")
    with pytest.raises((Refused, Unanswered), match=r"169\.254\.169\.254"):
        await offers.read(f"{other.url}/mcp", {"X-Key": "swordfish"})
    assert len(other.asked) == 1


async def test_one_of_a_private_network_is_not_asked(other, settings):
    settings.TOOL_PRIVATE_HOSTS = []
    done = await called(f"{other.url}/mcp")
    assert "TOOL_PRIVATE_HOSTS" in done.result.reason and not other.asked


async def test_a_call_that_may_have_been_made_is_not_made_again(other):
    begun(other)
    other.answer("/mcp", status=503)
    done = await called(f"{other.url}/mcp")
    assert done.attempts == 1 and done.result.reason == "127.0.0.1 answered 503."


async def test_one_that_may_be_repeated_is(other):
    for answer in (b"", answering(2, {"content": [{"type": "text", "text": "done"}]})):
        begun(other)
        other.answer("/mcp", answer, status=200 if answer else 503)
    done = await called(f"{other.url}/mcp", repeatable=True)
    assert (done.attempts, done.result.text) == (2, "done")


@asynccontextmanager
async def streaming(*events: str, then: str) -> AsyncGenerator[str, None]:
    """It answers what begins a session; then come these events, and `then` again and again."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        message = json.loads(await reader.readexactly(length))
        body, kind = json.dumps(answering(1, BEGUN)), "application/json"
        if message.get("method") == "tools/call":
            body, kind = "".join(events), "text/event-stream"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n{body}".encode())
        try:
            while kind == "text/event-stream":
                writer.write(then.encode() * 1_000)
                await writer.drain()
                await asyncio.sleep(0 if then else 0.05)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"


def event(content: Any) -> str:
    return f"data: {json.dumps(content)}\n\n"


@pytest.mark.parametrize(
    "events, then, reason",
    [
        ([], ": still here\n\n", "larger than 256,000 bytes"),
        ([], "data: x", "larger than 256,000 bytes"),
        ([event(answering(3, {}))], "", "no answer within 0.5 seconds"),
    ],
)
async def test_a_stream_that_never_answers_ends(settings, events: Sequence[str], then: str, reason: str):
    settings.TOOL_PRIVATE_HOSTS = ["127.0.0.1"]
    async with streaming(*events, then=then) as url:
        done = await called(url)
    assert reason in done.result.reason and done.seconds < 2


async def test_a_stream_that_goes_on_after_its_answer_is_left(settings):
    settings.TOOL_PRIVATE_HOSTS = ["127.0.0.1"]
    answer = answering(2, {"structuredContent": {"guest": "Anna"}})
    before = monotonic()
    async with streaming(event(answer), then="") as url:
        done = await called(url, results={"guest": "guest"})
    assert done.result.values == {"guest": "Anna"} and monotonic() - before < 0.4
