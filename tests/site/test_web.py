"""The three web servers, each really started, on the same ASGI application."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import websockets

from .ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ("daphne", "uvicorn", "granian")
GUARDS = (
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
)


@asynccontextmanager
async def served_by(server: str, **variables: str) -> AsyncIterator[tuple[int, int]]:
    """Its port and its process id."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "web"),
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "voiceforge_site.settings", "PORT": str(port), "WEB_SERVER": server}
        | variables,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/health/", timeout=20)
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        async with asyncio.timeout(20):
            await process.wait()


@pytest.mark.parametrize("server", SERVERS)
async def test_pages_are_served_and_sockets_are_never_compressed(server: str) -> None:
    async with (
        served_by(server) as (port, _),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert (await client.get("/health/")).json()["database"] == "ok"
        refused = await client.get("/health/", headers={"Host": "elsewhere.example.org"})
        assert refused.status_code == 400
        with pytest.raises(websockets.InvalidStatus) as elsewhere:
            await websockets.connect(
                f"ws://127.0.0.1:{port}/ws/live/", origin="https://elsewhere.example.org"
            )
        assert elsewhere.value.response.status_code == 403
        with pytest.raises(websockets.InvalidStatus) as nowhere:
            await websockets.connect(f"ws://127.0.0.1:{port}/ws/nowhere")
        assert nowhere.value.response.status_code == 403
        async with websockets.connect(
            f"ws://127.0.0.1:{port}/ws/media/twilio/", compression="deflate"
        ) as socket_of_a_provider:
            assert socket_of_a_provider.protocol.extensions == []


async def test_the_server_is_reached_from_this_machine_only_unless_told_otherwise() -> None:
    async with served_by("daphne") as (port, _):
        listening = Path("/proc/net/tcp").read_text()
        assert f"0100007F:{port:04X}" in listening
        assert f"00000000:{port:04X}" not in listening


@pytest.mark.parametrize(
    ("server", "megabytes", "sent"),
    [("daphne", 60, 0), ("daphne", 34, 34), ("uvicorn", 34, 0)],  # daphne asks nobody before it has all
    ids=["daphne", "daphne, of the site's own", "uvicorn"],
)
async def test_a_body_that_is_too_large_is_a_problem_like_all_others(
    server: str, megabytes: int, sent: int
) -> None:
    head = [
        "POST /api/agents HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {megabytes * 2**20}",
        "Connection: close",
    ]
    async with served_by(server) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write("\r\n".join([*head, "", ""]).encode() + bytes(sent * 2**20))
        async with asyncio.timeout(20):
            told = await reader.readuntil(b"\r\n\r\n")
            body = await reader.read(1000)
        writer.close()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            usual = (await client.get("/api/agents")).headers
    assert told.startswith(b"HTTP/1.1 413 ") and b"application/problem+json" in told.lower(), told
    problem = json.loads(body)
    assert (problem["status"], "larger than" in problem["detail"]) == (413, True)
    headers = {
        name.lower(): value
        for name, _, value in (line.partition(": ") for line in told.decode().splitlines())
    }
    assert len(headers["x-request-id"]) == 12
    for name in GUARDS:
        assert headers[name] == usual[name], name


async def test_a_burst_of_connections_waits_until_it_is_taken() -> None:
    async with served_by("daphne") as (port, pid):
        os.kill(pid, signal.SIGSTOP)
        try:
            connecting = [asyncio.open_connection("127.0.0.1", port) for _ in range(230)]
            async with asyncio.timeout(10):
                opened = await asyncio.gather(*connecting)
        finally:
            os.kill(pid, signal.SIGCONT)
        for _, writer in opened:
            writer.close()
