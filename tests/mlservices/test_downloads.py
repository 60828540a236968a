"""Files that come and go while the service runs, as those who manage models over HTTP see it."""

import time
from contextlib import contextmanager

import httpx
import pytest

from mlservices.catalog import BY_ID, Kind
from mlservices.prepare import state
from mlservices.service.app import create_app
from mlservices.service.layout import Plan
from mlservices.service.placement import CPU, Device
from tests.fakes.hub import StandInHub
from tests.mlservices import stand_ins
from tests.mlservices.conftest import serving

JSON = {"json": {}}
MACHINE = Device(CPU, "Machine", 1000, 900)
MMS = BY_ID["mms-tts-eng"]
FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 4096}


@pytest.fixture
def hub(monkeypatch):
    with StandInHub() as hub:
        hub.add("facebook/mms-tts-eng", FILES)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


@contextmanager
def open_service(folder, *plans, machine=MACHINE):
    app = create_app(plans, folder, devices=lambda: [machine])
    with serving(app) as url, httpx.Client(base_url=url, timeout=15) as client:
        yield client


def told(client, id="mms-tts-eng"):
    return next(each for each in client.get("/models").json()["models"] if each["id"] == id)


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_download_is_paused_goes_on_and_its_files_are_removed(hub, tmp_path):
    hub.holds_after = 100_000
    with open_service(tmp_path, Plan(MMS, at_start=False)) as client:
        begun = client.post("/models/mms-tts-eng/download", **JSON)
        assert (begun.status_code, begun.json()["fetching"]) == (202, True)
        wait_until(lambda: state(MMS, tmp_path).done_bytes > 0)
        refused = client.post("/models/mms-tts-eng/remove", **JSON)
        assert "is being fetched: stop that first" in refused.json()["error"]
        assert client.post("/models/mms-tts-eng/stop", **JSON).json()["fetching"] is False
        paused = state(MMS, tmp_path)
        assert (paused.state, paused.interrupted) == ("failed", True)
        assert told(client)["reason"] == ""  # nothing has failed

        hub.holds_after = 0
        client.post("/models/mms-tts-eng/download", **JSON)
        wait_until(lambda: state(MMS, tmp_path).state == "ready")
        assert hub.ranges("model.safetensors")[-1].startswith("bytes=")
        wait_until(lambda: not told(client)["fetching"])
        assert told(client)["state"] == "off"
        assert client.post("/models/mms-tts-eng/remove", **JSON).json()["state"] == "absent"
        assert state(MMS, tmp_path).state == "absent"


def test_a_download_that_fails_leaves_the_reason_with_the_remedy(hub, tmp_path):
    hub.repositories["facebook/mms-tts-eng"].private = True
    with open_service(tmp_path, Plan(MMS, at_start=False)) as client:
        client.post("/models/mms-tts-eng/download", **JSON)
        wait_until(lambda: not told(client)["fetching"])
        assert "Set HF_TOKEN if it is private" in told(client)["reason"]


def test_files_of_a_model_that_is_loaded_are_not_removed(tmp_path):
    with open_service(tmp_path, Plan(stand_ins.model(Kind.TTS, "Voice"))) as client:
        refused = client.post("/models/stand-in-tts/remove", **JSON)
        assert refused.status_code == 422
        assert "is loaded: unload it first" in refused.json()["error"]


def test_it_is_told_where_a_model_would_go_and_what_would_make_room(tmp_path):
    plans = [
        Plan(stand_ins.model(Kind.TTS, "Voice", id="minor", memory_mb=600, priority=3), at_start=False),
        Plan(stand_ins.model(Kind.TTS, "Voice", id="major", memory_mb=1000, priority=7), at_start=False),
        Plan(stand_ins.model(Kind.TTS, "Voice", id="giant", memory_mb=9000), at_start=False),
    ]
    with open_service(tmp_path, *plans, machine=Device(CPU, "Machine", 1200, 1000)) as client:
        assert told(client, "minor")["place"] == {"devices": ["cpu"], "unload": [], "refusal": ""}
        client.post("/models/minor/load", **JSON)
        wait_until(lambda: told(client, "minor")["state"] == "loaded")
        assert told(client, "minor")["place"] is None
        assert told(client, "major")["place"]["unload"] == ["minor"]
        assert "needs 9000 MB" in told(client, "giant")["place"]["refusal"]
        assert client.get("/models").json()["devices"][0]["kept_back_mb"] == 75
