"""What the page of models tells of files, service and memory, without either."""

from __future__ import annotations

from typing import Any

import pytest
from django.template.loader import render_to_string

from mlservices.catalog import BY_ID
from mlservices.prepare import FileState
from mlservices.roster.deeds import deeds_of
from mlservices.roster.memory import bars_of
from mlservices.roster.rows import Row, Standing
from mlservices.roster.told import Told

VOICE, LARGE = "mms-tts-eng", "chatterbox"


def entry(**told: Any) -> dict[str, Any]:
    return {"id": VOICE, "name": "Voice", "kind": "tts", "memory_mb": 600, "workers": [], **told}


def workers(device: str, *memory_mb: int, gpu_mb: int | None = None) -> list[dict[str, Any]]:
    return [
        {"device": device, "memory_mb": each, "gpu_mb": gpu_mb, "pid": 1, "state": "ready", "reason": ""}
        for each in memory_mb
    ]


def device(id: str, total: int, free: int) -> dict[str, Any]:
    return {"id": id, "name": id, "total_mb": total, "free_mb": free, "kept_back_mb": total // 16}


def bar(state: str, of: dict[str, Any], *memory_mb: int, gpu_mb: int | None = None) -> Any:
    told = entry(state=state, workers=workers(of["id"], *memory_mb, gpu_mb=gpu_mb))
    return bars_of(Told({VOICE: told}, [of]))[0]


def test_a_bar_adds_up_to_its_device():
    for each in (
        bar("loaded", device("cpu", 8000, 5000), 500, 520),
        bar("loading", device("cpu", 8000, 5000), 100),
        bar("loaded", device("0", 8000, 5000), 30),
    ):
        shown = sum(seat.shown_mb for seat in each.seats)
        assert shown + each.others_mb + each.open_mb + each.kept_mb == 8000


def test_what_is_real_is_shown_of_the_machine_and_what_is_planned_of_a_gpu_or_of_what_comes():
    assert bar("loaded", device("cpu", 8000, 5000), 500, 520).seats[0].shown_mb == 1020
    assert bar("loading", device("cpu", 8000, 5000), 100).seats[0].shown_mb == 600
    on_gpu = bar("loaded", device("0", 8000, 5000), 30)
    assert (on_gpu.seats[0].shown_mb, on_gpu.others_mb) == (600, 2400)
    measured = bar("loaded", device("0", 8000, 5000), 30, gpu_mb=700)
    assert (measured.seats[0].shown_mb, measured.others_mb) == (700, 2300)


@pytest.mark.parametrize(
    ("files", "told", "standing"),
    [
        ({"state": "absent"}, None, Standing.ABSENT),
        ({"state": "ready"}, None, Standing.READY),
        ({"state": "absent"}, {"state": "absent", "fetching": True}, Standing.WAITING),
        ({"state": "downloading"}, {"state": "absent", "fetching": True}, Standing.DOWNLOADING),
        ({"state": "absent"}, {"state": "absent", "reason": "the disk is full"}, Standing.FAILED),
        ({"state": "failed", "interrupted": True}, {"state": "absent"}, Standing.PAUSED),
        ({"state": "failed"}, {"state": "absent"}, Standing.FAILED),
        ({"state": "ready"}, {"state": "failed", "reason": "no room"}, Standing.FAILED),
        ({"state": "ready"}, {"state": "unloading"}, Standing.UNLOADING),
    ],
)
def test_files_and_service_come_to_one_state(files, told, standing):
    assert Row(BY_ID[VOICE], FileState(**files), told and entry(**told), False).standing is standing


def test_a_model_that_makes_room_is_named_before():
    row = Row(
        BY_ID[LARGE],
        FileState("ready"),
        entry(state="off", place={"devices": ["0"], "unload": [VOICE], "refusal": ""}),
        False,
    )
    load = deeds_of(row)[0]
    assert load.ask == "Load Chatterbox Multilingual?"
    assert "this is unloaded first: MMS English (VITS)" in load.ask_text


def test_it_is_said_how_many_workers_of_several_serve():
    told = entry(state="loaded", workers=workers("cpu", 500, 500))
    told["workers"][1] |= {
        "state": "starting",
        "pid": 0,
        "memory_mb": 0,
        "reason": "its process was killed by signal 9",
    }
    row = Row(BY_ID[VOICE], FileState("ready"), told, False)
    page = " ".join(render_to_string("models/_row.html", {"row": row}).split())
    assert "1 of 2 workers serve" in page
    assert "one that is started again on Processor (its process was killed by signal 9)" in page
