"""SIP calls at once, through the gateway and the web process, on whatever cores there are:

    python -m tests.bench.sip --server uvicorn --nice -10 --calls 1,30 --json OUT

SIPp signals; the callers' sound is the bench's own, real speech over RTP (`sip_far_end`), and every packet
that comes is dated by the kernel. Engines answer at once (tests/bench/asgi.py), the voice detector is real.
Measured: gaps between the packets of a call, and holes in what the agent says; how soon a request is
answered; what the gateway's socket adds, from the stack to the web process (`sip_asgi`) and back, on the
first of the calls (`sip_gateway`); and whether the records tell of every call what it was.
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import django
import numpy as np
from django.conf import settings

django.setup()

from agents.models import Agent  # noqa: E402
from mlservices.audio import alaw_encode, read_wav, resample  # noqa: E402
from telephony.models import Call, SipLine  # noqa: E402
from tests.bench.capacity import (  # noqa: E402
    REPOSITORY,
    SOUNDS,
    TURNS,
    Load,
    prepare,
    running_server,
)
from tests.bench.sip_far_end import FIRST_PORT, PAUSE_SECONDS, QUIET, Caller, FarEnd, onsets  # noqa: E402
from tests.telephony.conftest import wait_until  # noqa: E402
from tests.telephony.sip.lab import free_sip_port  # noqa: E402

APPLICATION = "tests.bench.sip_asgi:application"
RATE = 10  # calls a second, until all are there
QUIET_PACKETS = 150  # after each sentence: the agent takes its turn
SOON_SECONDS = 0.3  # by then a sound has come out at the other end
WARM_SECONDS = 5.0  # it loads what the first caller would wait for


def scripts(calls: int) -> list[list[bytes]]:
    """Each begins with another sentence, and after another while."""
    sentences = []
    for name in TURNS:
        sound = alaw_encode(resample(*read_wav(SOUNDS / f"{name}.wav"), 8000))
        packets = [sound[at : at + len(QUIET)] for at in range(0, len(sound) - len(QUIET), len(QUIET))]
        sentences.append(packets + [QUIET] * QUIET_PACKETS)
    spoken = []
    for number in range(calls):
        first = number % len(sentences)
        turns = [packet for turn in sentences[first:] + sentences[:first] for packet in turn]
        spoken.append([QUIET] * (100 + 7 * number) + turns)
    return spoken


@contextmanager
def running_gateway(folder: Path, line: SipLine, port: int) -> Iterator[int]:
    """Its process id, once the line is ready."""
    environment = {**os.environ, "SIP_ADDRESS": "127.0.0.1", "SIP_PORT": str(port)}
    command = [sys.executable, "-m", "tests.bench.sip_gateway", "--drain", "1"]
    command += ["--server", f"ws://127.0.0.1:{settings.PORT}"]
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=log)
    try:
        wait_until(lambda: SipLine.objects.get(pk=line.pk).state == SipLine.State.READY, seconds=40)
        time.sleep(WARM_SECONDS)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def start_callers(folder: Path, calls: int, seconds: float, port: int) -> subprocess.Popen[bytes]:
    """SIPp, which lets each call go on for so long."""
    ports = "".join(f"{FIRST_PORT + 2 * number}\n" for number in range(calls))
    (folder / "ports.csv").write_text("SEQUENTIAL\n" + ports)
    command = ["sipp", f"127.0.0.1:{port}", "-sf", str(Path(__file__).with_name("sip_call.xml"))]
    command += ["-inf", str(folder / "ports.csv"), "-i", "127.0.0.1", "-p", str(free_sip_port())]
    command += ["-m", str(calls), "-l", str(calls), "-r", str(RATE), "-d", str(int(seconds * 1000))]
    command += ["-trace_msg", "-message_file", str(folder / "messages.log"), "-nostdin"]
    command += ["-timeout", f"{seconds + 30:.0f}", "-recv_timeout", "10000"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def drive(folder: Path, calls: int, seconds: float, server: str, nice: int) -> dict[str, Any]:
    """One run with a gateway of its own."""
    line = SipLine.objects.get()
    port, before = free_sip_port(), set(Call.objects.values_list("pk", flat=True))
    far_end = FarEnd(scripts(calls))
    os.environ["BENCH_SOUNDS"] = str(folder)
    try:
        with (
            running_server(server, settings.PORT, "0,1", APPLICATION) as web,
            running_gateway(folder, line, port) as gateway,
        ):
            for pid in (web, gateway):
                os.setpriority(os.PRIO_PROCESS, pid, nice)
            callers = start_callers(folder, calls, seconds, port)
            load = Window({"web": web, "gateway": gateway}, calls / RATE + 1, seconds - 1)
            far_end.run(lambda: load.look() and callers.poll() is not None)
            made = Call.objects.exclude(pk__in=before)
            wait_until(lambda: not made.filter(held_at__isnull=False).exists(), seconds=20)
    finally:
        far_end.close()
    return {
        "server": server,
        "nice": nice,
        "calls": calls,
        "sipp_failed": callers.returncode,
        **answers(folder / "messages.log"),
        **load.shares(),
        **sound(far_end.callers),
        **latencies(folder, far_end.callers),
        "records": told(list(made)),
    }


class Window:
    """The load of processes while all calls are there, in seconds from now."""

    def __init__(self, pids: dict[str, int], start: float, end: float) -> None:
        now = time.monotonic()
        self._pids, self._due = pids, [now + start, now + end]
        self._seen: list[dict[str, Load]] = []
        self._times: list[float] = []

    def look(self) -> bool:
        if self._due and time.monotonic() > self._due[0]:
            self._due.pop(0)
            self._seen.append({name: Load.of(pid) for name, pid in self._pids.items()})
            self._times.append(time.monotonic())
        return True

    def shares(self) -> dict[str, Any]:
        (first, last), (start, end) = self._seen, self._times
        figures = {}
        for name in self._pids:
            used = (last[name].cpu_seconds - first[name].cpu_seconds) / (end - start)
            figures[f"{name}_core_share"] = round(used, 3)
            figures[f"{name}_resident_mb"] = round(last[name].resident_mb)
        return figures


_MESSAGE = re.compile(
    r"^-{20,} (?P<at>\S+ \S+)\n.*?message (?P<way>sent|received).*?\n\n(?P<first>[^\r\n]+)"
    r"(?P<rest>.*?)(?=^-{20,}|\Z)",
    re.DOTALL | re.MULTILINE,
)


def answers(trace: Path) -> dict[str, Any]:
    """Milliseconds from a request's first sending to its answers, by what SIPp saw."""
    asked: dict[tuple[str, str], datetime] = {}
    took: dict[str, list[float]] = {}
    for message in _MESSAGE.finditer(trace.read_text()):
        at = datetime.fromisoformat(message["at"])
        call_id = re.search(r"^Call-ID: (\S+)", message["rest"], re.MULTILINE)
        method = re.search(r"^CSeq: \d+ (\w+)", message["rest"], re.MULTILINE)
        assert call_id and method
        key = (call_id[1], method[1])
        if message["way"] == "sent":
            asked.setdefault(key, at)
        else:
            what = f"{method[1]}_{message['first'].split()[1]}"
            took.setdefault(what, []).append((at - asked[key]).total_seconds() * 1000)
    return {f"{what}_ms": spread(values) for what, values in sorted(took.items())}


def sound(callers: list[Caller]) -> dict[str, Any]:
    gaps, lost, holes, said = [], 0, 0, []
    for caller in callers:
        times = [at for at, _, _ in caller.came]
        gaps += [(later - sooner) * 1000 for sooner, later in pairwise(times)]
        numbers = [number for _, number, _ in caller.came]
        steps = np.diff(numbers) % 65536 if numbers else np.array([])
        lost += int((steps - 1)[steps != 1].sum()) if len(steps) else 0
        heard = caller.heard()
        said.append(len(onsets(heard)))
        holes += holes_in(heard)
    return {
        "gap_ms": {**spread(gaps), "p99": round(float(np.percentile(gaps, 99)), 1)} if gaps else {},
        "packets": len(gaps),
        "lost_packets": lost,
        "utterances": {"least": min(said), "all": sum(said)},
        "silent_packets_within_utterances": holes,
    }


def holes_in(heard: list[tuple[float, bool]]) -> int:
    """Packets of silence in the middle of what is said."""
    holes, silent = 0, int(PAUSE_SECONDS * 50)
    for _, loud in heard:
        if loud and silent < PAUSE_SECONDS * 50:
            holes += silent
        silent = 0 if loud else silent + 1
    return holes


def latencies(folder: Path, callers: list[Caller]) -> dict[str, Any]:
    """Milliseconds. `socket_in`: from where the stack has the sound until the web process has it, of which
    `gateway_in` in the gateway; `socket_out`: from the web process's sending until the stack has it. `in` and
    `out`, of all calls: to and from the packets of the far end, with the stack's own buffer (20 ms or more)
    and packets (20 ms)."""
    came_in, went_out = [], []
    for number, caller in enumerate(callers, 1):
        web = json.loads((folder / f"web-{number}.json").read_text())
        heard = onsets((at, loud) for at, _, loud in web["heard"])
        said = onsets((at, loud) for at, _, loud in web["said"])
        came_in += delays(onsets(caller.sent), heard)
        went_out += delays(said, onsets(caller.heard()))
    gateway = json.loads((folder / "gateway.json").read_text())
    web = json.loads((folder / f"web-{gateway['call'].partition('-')[0]}.json").read_text())
    in_gateway = [(sent - since) * 1000 for sent, since in gateway["sent"]]
    pairs = zip(gateway["sent"], web["heard"], strict=False)
    socket_in = [(arrived - since) * 1000 for (_, since), (arrived, _, _) in pairs]
    said = onsets((at, loud) for at, _, loud in web["said"])
    return {
        "gateway_in_ms": spread(in_gateway),
        "socket_in_ms": spread(socket_in),
        "socket_out_ms": spread(delays(said, gateway["written"])),
        "in_ms": spread(came_in),
        "out_ms": spread(went_out),
    }


def delays(causes: list[float], effects: list[float]) -> list[float]:
    """Milliseconds from each to what follows it soon."""
    found = []
    for at in causes:
        following = bisect.bisect(effects, at)
        if following < len(effects) and effects[following] - at < SOON_SECONDS:
            found.append((effects[following] - at) * 1000)
    return found


def told(calls: list[Call]) -> dict[str, Any]:
    """What the records say: each was heard, answered, and ended by its caller."""
    good = [
        call
        for call in calls
        if (call.status, call.end_reason) == (Call.Status.COMPLETED, "caller_hung_up")
        and {"caller_said", "agent_heard"} <= set(call.events.values_list("kind", flat=True))
    ]
    others = [f"{call.status} {call.end_reason}" for call in calls if call not in good]
    return {"calls": len(calls), "good": len(good), "others": others}


def spread(values: list[float]) -> dict[str, Any]:
    if not values:
        return {"measured": 0}
    return {
        "measured": len(values),
        "p50": round(median(values), 1),
        "p95": round(float(np.percentile(values, 95)), 1),
        "max": round(max(values), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--calls", type=lambda text: [int(n) for n in text.split(",")], default=[1, 30])
    parser.add_argument("--seconds", type=float, default=30.0, help="that each call takes")
    parser.add_argument("--server", choices=("daphne", "uvicorn", "granian"), default="daphne")
    parser.add_argument("--nice", type=int, default=0, help="of gateway and web process; their callers: 0")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    prepare()
    SipLine.objects.create(
        label="Bench",
        host="127.0.0.1",
        user="bench",
        registers=False,
        allowed_peers="127.0.0.1",
        max_calls=max(options.calls),
        agent=Agent.objects.get(),
    )
    results = []
    for calls in options.calls:
        with tempfile.TemporaryDirectory(prefix="voiceforge-bench-") as name:
            results.append(drive(Path(name), calls, options.seconds, options.server, options.nice))
        print(json.dumps(results[-1], indent=1), flush=True)  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
