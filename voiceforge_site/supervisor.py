"""Runs several programs as one: their lines in one log, restarted when they die, stopped together.

Each program leads a process group of its own, so whatever it starts ends with it, and a Ctrl-C at the
terminal reaches only us.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

STOP_SECONDS = 7.0  # a program's time to stop by itself, then it is killed
QUICK_SECONDS = 30.0  # a program that died sooner than this after its start died quickly
QUICK_DEATHS = 5  # in a row, and we give up
LONGEST_WAIT_SECONDS = 16.0  # before a restart
ASK_SECONDS = 3.0  # between two questions whether a program is wanted by now
LONGEST_LINE = 1 << 20  # bytes
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>

Say = Callable[[str, str], None]  # whose line, and the line


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    command: tuple[str, ...]
    wanted: Callable[[], Awaitable[bool]] | None = None  # asked until it says yes; None: from the beginning


def read_procfile(path: Path) -> list[Program]:
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    named = [line.partition(":") for line in lines]
    return [Program(name.strip(), tuple(shlex.split(command))) for name, _, command in named]


class GaveUp(Exception):
    """A program dies again and again; the message says which and how."""


class Supervisor:
    def __init__(self, programs: Sequence[Program], *, say: Say, first_wait_seconds: float = 1.0) -> None:
        self.programs = programs
        self.say = say
        self.first_wait_seconds = first_wait_seconds
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stopping` is set. Raises GaveUp; either way nothing is left running."""
        keepers = [asyncio.create_task(self._keep(program)) for program in self.programs]
        stop = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait([stop, *keepers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stopping.set()
            results = await asyncio.gather(*keepers, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _keep(self, program: Program) -> None:
        clock = asyncio.get_running_loop().time
        quick_deaths = 0
        while program.wanted and not self.stopping.is_set() and not await program.wanted():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), ASK_SECONDS)
        while not self.stopping.is_set():
            started = clock()
            code = await self._run_once(program)
            if self.stopping.is_set():
                return
            quick_deaths = quick_deaths + 1 if clock() - started < QUICK_SECONDS else 1
            how = describe_exit(code)
            if quick_deaths >= QUICK_DEATHS:
                raise GaveUp(
                    f"{program.name} {how}, the {quick_deaths}th time in a row within "
                    f"{QUICK_SECONDS:.0f} s of its start. Its lines above say why."
                )
            wait = min(self.first_wait_seconds * 2 ** (quick_deaths - 1), LONGEST_WAIT_SECONDS)
            self.say(program.name, f"{how}; starting it again in {wait:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), wait)

    async def _run_once(self, program: Program) -> int:
        """Its exit code (negative: the signal that ended it), once its whole group is gone."""
        # A pipe of our own: with asyncio's a program is not over before its children have closed theirs.
        reads, writes = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writes,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        except OSError as error:
            os.close(reads)
            raise GaveUp(f"{program.name} cannot be started: {error}") from None
        finally:
            os.close(writes)
        lines = asyncio.create_task(self._pass_on(program, reads))
        ended = asyncio.create_task(process.wait())
        stop = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait([ended, stop], return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                with suppress(ProcessLookupError):  # it has died just now, which `ended` is yet to tell
                    process.terminate()
                await asyncio.wait([ended], timeout=STOP_SECONDS)
        finally:
            stop.cancel()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        code = await ended
        await asyncio.wait([lines], timeout=1.0)
        lines.cancel()
        return code

    async def _pass_on(self, program: Program, pipe: int) -> None:
        """Whatever becomes of a line: a pipe that nobody reads would stop the program."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", buffering=0)
        )
        try:
            while True:
                try:
                    line = await reader.readline()
                except ValueError:  # longer than LONGEST_LINE: that much of it was dropped
                    continue
                if not line:
                    return
                with suppress(OSError, UnicodeError):  # a full disk, a closed terminal
                    self.say(program.name, line.decode(errors="replace").rstrip())
        finally:
            transport.close()


def as_object(name: str, line: str) -> str:
    """One JSON object a line, with whose it is: that of a log's line, or one around any other words."""
    try:
        told = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        told = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "message": line}
    return json.dumps({**told, "process": name})


def describe_exit(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"


_libc = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """In the child: ask the kernel for SIGTERM should we be killed before we can stop it."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
