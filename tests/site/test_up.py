"""`manage.py up` as a person starts and stops it, with somebody else's ML service."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from voiceforge_site import serving

from .ports import free_port

ROOT = Path(__file__).resolve().parents[2]
HEALTHY = json.dumps({"status": "healthy", "models": {"whisper": "loaded"}})


@pytest.fixture
async def ml_service() -> AsyncIterator[str]:
    """Says that its models are loaded."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(HEALTHY)}\r\nConnection: close\r\n\r\n"
        writer.write((head + HEALTHY).encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def start(var: Path, port: int, **variables: str) -> Process:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "voiceforge_site.settings",
        "ENV_FILE": "",
        "VAR_DIR": str(var),
        "PORT": str(port),
        "ML_PORT": str(free_port()),
        "HF_HOME": os.environ.get("HF_HOME", str(ROOT / "var" / "models")),
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "up"),
        cwd=ROOT,
        env=environment | variables,
        stdout=PIPE,
        stderr=STDOUT,
    )


async def lines_until(process: Process, words: str) -> list[str]:
    assert process.stdout
    lines: list[str] = []
    async with asyncio.timeout(90):
        async for line in process.stdout:
            lines.append(line.decode().rstrip())
            if words in lines[-1]:
                return lines
    pytest.fail("\n".join(["It ended before it said so:", *lines]))


def processes_of(var: Path) -> set[int]:
    """Whoever was started with this VAR_DIR."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"VAR_DIR={var}\0".encode() in (folder / "environ").read_bytes():
                found.add(int(folder.name))
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_it_says_when_all_is_ready_and_how_to_sign_in_and_stops_without_a_trace(
    how: signal.Signals, ml_service: str, tmp_path: Path
) -> None:
    port = free_port()
    process = await start(tmp_path, port, HF_ML_API_URL=ml_service)
    try:
        lines = await lines_until(process, "Ctrl-C stops everything")
        assert f"VoiceForge is ready: http://127.0.0.1:{port}/" in lines
        assert any("password" in line for line in lines)
        assert len(processes_of(tmp_path)) > 2
        process.send_signal(how)
        await lines_until(process, "Everything is stopped.")
        async with asyncio.timeout(10):
            assert await process.wait() == 0
            while processes_of(tmp_path):
                await asyncio.sleep(0.05)
    finally:
        if process.returncode is None:
            process.kill()


async def test_a_web_server_that_is_killed_is_started_again(ml_service: str, tmp_path: Path) -> None:
    process = await start(tmp_path, free_port(), HF_ML_API_URL=ml_service)
    try:
        await lines_until(process, "Ctrl-C stops everything")
        (web,) = (
            pid for pid in processes_of(tmp_path) if b"daphne" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(web, signal.SIGKILL)
        lines = await lines_until(process, "starting it again")
        assert lines[-1] == "web    | was ended by SIGKILL; starting it again in 1 s"
    finally:
        process.terminate()
        await process.communicate()


async def test_commands_find_it_on_ports_that_they_were_not_told(ml_service: str, tmp_path: Path) -> None:
    port = free_port()
    process = await start(tmp_path, port, HF_ML_API_URL=ml_service)
    try:
        await lines_until(process, "Ctrl-C stops everything")
        assert serving.noted(tmp_path)["PORT"] == str(port)
    finally:
        process.terminate()
        await process.communicate()
    assert serving.noted(tmp_path) == {}


@pytest.mark.parametrize("name", ["PORT", "ML_PORT"])
async def test_a_taken_port_is_one_line_that_says_what_to_run(name: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await start(tmp_path, free_port(), **{name: str(port)})
        said, _ = await process.communicate()
    assert re.fullmatch(rf"CommandError: Port {port} is taken. Run: {name}=\d+ make run\n", said.decode())


async def test_an_address_of_another_machine_cannot_be_listened_on(tmp_path: Path) -> None:
    process = await start(tmp_path, free_port(), HOST="192.0.2.1")
    said, _ = await process.communicate()
    assert len(said.splitlines()) == 1
    assert b"192.0.2.1" in said
