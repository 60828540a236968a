"""Voice-to-voice time with the embedded models, real speech, one to four calls at once:

    python -m tests.bench.voice --calls 1,2,4 --json OUT

The whole product runs as a user starts it; each caller is a `simulate_call` on the same machine (so its
cost is in the figures). Each turn is told twice: by the session's own clock with its stages, and by the
two legs of the sound that the caller's side recorded.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile

from telephony.measure import heard_turns
from tests.product import Product, running_product

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
TURNS = (
    "transfer",
    "conf-now-recording",
    "number-not-answering",
    "call-forwarding",
    "priv-recordintro",
    "followme/no-recording",
    "please-try-again",
    "conf-onlyperson",
)
STAGES = ("endpointing", "words", "text", "audio")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", default="1,2,4")
    parser.add_argument("--rounds", type=int, default=2, help="calls of each caller, one after another")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = measure([int(calls) for calls in options.calls.split(",")], rounds=options.rounds)
    print(table(result))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


def measure(calls: Sequence[int], *, rounds: int) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="voiceforge-bench-") as name:
        folder = Path(name)
        with running_product(folder / "var") as product:
            ring(product, folder, at_once=1)  # the first call warms what is warmed by use
            for at_once in calls:
                reports = [report for _ in range(rounds) for report in ring(product, folder, at_once=at_once)]
                rows.append(summary(at_once, reports))
    return rows


def ring(product: Product, folder: Path, *, at_once: int) -> list[dict[str, Any]]:
    """`at_once` calls together; each one's events, and its turns as its two legs tell them."""
    started = []
    for number in range(at_once):
        turns = [str(SOUNDS / f"{turn}.wav") for turn in (*TURNS[number:], *TURNS[:number])]
        report, recording = folder / f"{number}.json", folder / f"{number}.wav"
        arguments = ["--agent", "front-desk", "--json", str(report), "--record", str(recording)]
        started.append((product.manage("simulate_call", *turns, *arguments), report, recording))
    reports = []
    for process, report, recording in started:
        said, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(said)
        sound, rate = soundfile.read(recording, dtype="int16")
        heard = heard_turns(sound[:, 0], sound[:, 1], rate)
        reports.append(
            json.loads(report.read_text()) | {"heard": [turn.voice_to_voice_seconds for turn in heard]}
        )
    return reports


def summary(at_once: int, reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    events = [event for report in reports for event in report["events"]]
    measured = [event["payload"] for event in events if event["kind"] == "turn_measured"]
    times = [turn["voice_to_voice_seconds"] for turn in measured]
    heard = [seconds for report in reports for seconds in report["heard"]]
    return {
        "calls": at_once,
        "turns": len(measured),
        "p50_ms": _ms(median(times)),
        "p95_ms": _ms(np.percentile(times, 95)),
        "heard_p50_ms": _ms(median(heard)),
        "heard_p95_ms": _ms(np.percentile(heard, 95)),
        **{f"{stage}_ms": _ms(median(turn[f"{stage}_seconds"] for turn in measured)) for stage in STAGES},
        "queue_p95_ms": _ms(
            np.percentile([turn["stt_queue_seconds"] + turn["tts_queue_seconds"] for turn in measured], 95)
        ),
        "engine_failures": sum(event["kind"] == "engine_failed" for event in events),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    return "\n".join([*lines, *("| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows)])


def _ms(seconds: float) -> int:
    return round(float(seconds) * 1000)


if __name__ == "__main__":
    main()
