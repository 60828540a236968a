from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from voiceforge_site import supervisor
from voiceforge_site.supervisor import GaveUp, Program, Supervisor, as_object, read_procfile


class Log(list[str]):
    """What was said, and a way to wait for it."""

    def __call__(self, name: str, line: str) -> None:
        self.append(f"{name}: {line}")

    async def has(self, words: str, times: int = 1) -> None:
        async with asyncio.timeout(20):
            while sum(words in line for line in self) < times:
                await asyncio.sleep(0.01)


def program(name: str, script: str) -> Program:
    return Program(name, (sys.executable, "-uc", script))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while alive(pid):
            await asyncio.sleep(0.01)


SLEEPS = "import time; print('here'); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here'); time.sleep(600)"
)
HAS_A_CHILD = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print('child', child.pid)\n"
    "time.sleep(600)"
)


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.3)


async def test_lines_of_all_programs_come_labelled_into_one_log() -> None:
    log = Log()
    both = Supervisor([program("web", SLEEPS), program("ml", SLEEPS)], say=log)
    running = asyncio.create_task(both.run())
    await log.has("web: here")
    await log.has("ml: here")
    both.stopping.set()
    await running


async def test_a_program_that_dies_is_started_again_and_said_so() -> None:
    log = Log()
    one = Supervisor([program("ml", "print('here'); raise SystemExit(3)")], say=log, first_wait_seconds=0.01)
    running = asyncio.create_task(one.run())
    await log.has("ml: here", times=2)
    one.stopping.set()
    await running
    assert "ml: ended with exit code 3; starting it again in 0.01 s" in log


async def test_after_five_quick_deaths_everything_stops_with_one_line_that_says_which_and_how() -> None:
    log = Log()
    both = Supervisor(
        [program("web", HAS_A_CHILD), program("ml", "raise SystemExit(3)")], say=log, first_wait_seconds=0.01
    )
    with pytest.raises(GaveUp, match=r"^ml ended with exit code 3, the 5th time in a row"):
        await both.run()
    for child in children_said(log):
        await gone(child)


async def test_a_program_is_over_although_a_child_of_it_lives_on() -> None:
    log = Log()
    script = HAS_A_CHILD.rpartition("\n")[0]
    one = Supervisor([program("ml", script + "\nraise SystemExit(3)")], say=log, first_wait_seconds=600)
    running = asyncio.create_task(one.run())
    await log.has("ml: ended with exit code 3")
    for child in children_said(log):
        await gone(child)
    one.stopping.set()
    await running


@pytest.mark.parametrize(
    "error", [OSError("No space left on device"), UnicodeEncodeError("latin-1", "…", 0, 1, "")]
)
async def test_a_log_that_cannot_be_written_stops_no_program(error: Exception) -> None:
    seen = Log()

    def say(name: str, line: str) -> None:
        seen(name, line)
        raise error

    talks = "import time\nfor n in range(5000): print('x' * 100, n)\ntime.sleep(600)"
    one = Supervisor([program("ml", talks)], say=say)
    running = asyncio.create_task(one.run())
    await seen.has("x 4999")
    one.stopping.set()
    async with asyncio.timeout(10):
        await running


async def test_stopping_leaves_no_child_of_a_child_behind() -> None:
    log = Log()
    one = Supervisor([program("ml", HAS_A_CHILD)], say=log)
    running = asyncio.create_task(one.run())
    await log.has("child")
    (child,) = children_said(log)
    assert alive(child)
    one.stopping.set()
    await running
    await gone(child)


async def test_a_program_that_ignores_the_request_to_stop_is_killed() -> None:
    log = Log()
    one = Supervisor([program("ml", STUBBORN)], say=log)
    running = asyncio.create_task(one.run())
    await log.has("here")
    one.stopping.set()
    async with asyncio.timeout(10):
        await running


async def test_stopping_cuts_the_wait_before_a_restart_short() -> None:
    log = Log()
    one = Supervisor([program("ml", "raise SystemExit(3)")], say=log, first_wait_seconds=600)
    running = asyncio.create_task(one.run())
    await log.has("starting it again")
    one.stopping.set()
    async with asyncio.timeout(10):
        await running


async def test_a_line_longer_than_the_buffer_does_not_stop_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_LINE", 1000)
    log = Log()
    one = Supervisor(
        [program("ml", "print('x' * 5000); print('after'); import time; time.sleep(600)")], say=log
    )
    running = asyncio.create_task(one.run())
    await log.has("ml: after")
    one.stopping.set()
    await running


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(GaveUp, match="sip cannot be started"):
        await Supervisor([Program("sip", ("/no/such/program",))], say=Log()).run()


async def test_programs_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "supervise.py"
    script.write_text(
        "import asyncio, sys\n"
        "from voiceforge_site.supervisor import Program, Supervisor\n"
        "sleeper = 'import os, time; print(os.getpid()); time.sleep(600)'\n"
        "program = Program('ml', (sys.executable, '-uc', sleeper))\n"
        "asyncio.run(Supervisor([program], say=lambda name, line: print(line, flush=True)).run())\n"
    )
    root = Path(__file__).resolve().parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert process.stdout
    pid = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    await gone(pid)


def test_a_procfile_names_programs_and_their_commands(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("# comment\nweb: python manage.py web\n\nml: run 'two words'\n")
    assert read_procfile(path) == [
        Program("web", ("python", "manage.py", "web")),
        Program("ml", ("run", "two words")),
    ]


def children_said(log: Log) -> list[int]:
    return [int(line.rpartition(" ")[2]) for line in log if ": child" in line]


async def test_a_program_that_nothing_is_there_for_waits_until_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "ASK_SECONDS", 0.05)
    answers = [True, False, False]

    async def wanted() -> bool:
        return answers.pop()

    log = Log()
    waiting = Supervisor([Program("sip", program("sip", SLEEPS).command, wanted)], say=log)
    running = asyncio.create_task(waiting.run())
    await log.has("sip: here")
    assert answers == []
    waiting.stopping.set()
    await running


async def test_what_is_never_wanted_does_not_keep_the_others_from_stopping() -> None:
    async def never() -> bool:
        return False

    waiting = Supervisor([Program("sip", program("sip", SLEEPS).command, never)], say=Log())
    running = asyncio.create_task(waiting.run())
    await asyncio.sleep(0)
    waiting.stopping.set()
    async with asyncio.timeout(1):
        await running


def test_a_line_of_a_log_in_json_tells_whose_it_is_and_stays_one_object() -> None:
    assert json.loads(as_object("web", '{"level": "INFO", "message": "Up."}')) == {
        "level": "INFO",
        "message": "Up.",
        "process": "web",
    }
    for words in ("not of a log", "{not of a log", "[1]", "", '"x"', '{"a":' * 9999):
        told = json.loads(as_object("ml", words))
        assert (told["message"], told["process"]) == (words, "ml")
        assert told["time"]
