"""Models that come and go while the service runs, as those who manage them over HTTP see it."""

import time

import httpx
import pytest

from mlservices import voices
from mlservices.catalog import Kind
from mlservices.service.app import create_app
from mlservices.service.layout import Plan
from mlservices.service.placement import CPU, Device
from tests.mlservices import stand_ins
from tests.mlservices.conftest import serving

JSON = {"json": {}}


def model(name, kind=Kind.TTS, engine="Voice", **changes):
    return stand_ins.model(kind, engine, id=name, name=name, **changes)


@pytest.fixture
def service(tmp_path):
    """Serves plans on a machine of 1000 MB; yields how to ask it."""
    opened = []

    def open_service(*plans, total=1000):
        app = create_app(plans, tmp_path, devices=lambda: [Device(CPU, "Machine", total, total - 100)])
        server = serving(app)
        client = httpx.Client(base_url=server.__enter__(), timeout=15)
        opened.append((server, client))
        return client

    yield open_service
    for server, client in opened:
        client.close()
        server.__exit__(None, None, None)


def states(client):
    return {each["id"]: each["state"] for each in client.get("/models").json()["models"]}


def wait_for(client, name, state, seconds=15):
    end = time.monotonic() + seconds
    while states(client)[name] != state:
        assert time.monotonic() < end, client.get("/models").text
        time.sleep(0.05)


def test_a_model_is_loaded_used_warmed_and_unloaded(service):
    client = service(Plan(model("first")), Plan(model("second"), at_start=False))
    wait_for(client, "first", "loaded")
    assert states(client)["second"] == "off"
    loading = client.post("/models/second/load", **JSON)
    assert loading.status_code == 202
    assert loading.json()["state"] in ("starting", "loading")
    wait_for(client, "second", "loaded")
    spoken = client.post("/api/tts", json={"text": "hello", "model": "second"})
    assert spoken.status_code == 200
    assert client.post("/models/second/warm", **JSON).json()["state"] == "loaded"
    assert client.post("/models/second/unload", **JSON).json()["state"] == "off"
    health = client.get("/api/health").json()
    assert (health["status"], health["models"]) == ("healthy", {"first": "loaded"})


def test_warming_a_model_that_is_not_held_loads_it_first(service):
    client = service(Plan(model("voice"), at_start=False))
    assert client.post("/models/voice/warm", **JSON).json()["state"] == "loaded"


def test_who_asks_for_a_model_that_is_not_held_has_it_loaded_and_comes_back(service):
    client = service(Plan(model("first")), Plan(model("second"), at_start=False))
    said = client.post("/api/tts", json={"text": "hello", "voice": "second"})
    assert said.status_code == 503
    assert said.json()["error"] == "second is loading"
    assert int(said.headers["Retry-After"]) >= 1
    wait_for(client, "second", "loaded")
    assert client.post("/api/tts", json={"text": "hello", "voice": "second"}).status_code == 200


def test_what_finds_no_room_is_refused_at_the_start_with_the_reason_and_the_rest_is_served(service):
    client = service(Plan(model("small", memory_mb=100)), Plan(model("large", memory_mb=5000)))
    wait_for(client, "small", "loaded")
    health = client.get("/api/health").json()
    assert health["status"] == "degraded"
    assert health["models"] == {"small": "loaded", "large": "failed"}
    assert "large needs 5000 MB and the machine's memory has 738 MB to spare" in health["problems"][0]
    refused = client.post("/models/large/load", **JSON)
    assert refused.status_code == 503
    assert "needs 5000 MB" in refused.json()["error"]


def test_an_idle_model_of_lower_priority_makes_room_for_a_more_important_one(service):
    client = service(
        Plan(model("minor", memory_mb=600, priority=3), at_start=False),
        Plan(model("major", memory_mb=1200, priority=7), at_start=False),
        total=1200,
    )
    client.post("/models/minor/load", **JSON)
    wait_for(client, "minor", "loaded")
    assert client.post("/models/major/load", **JSON).status_code == 202
    wait_for(client, "major", "loaded")
    assert states(client) == {"minor": "off", "major": "loaded"}


def test_files_that_are_not_here_are_named_with_the_command_that_fetches_them(service):
    client = service(Plan(model("absent", recipe="mlservices.prepare.hub.prepare"), at_start=False))
    assert states(client) == {"absent": "absent"}
    refused = client.post("/models/absent/load", **JSON)
    assert refused.status_code == 422
    assert "download it first (`manage.py models download absent`)" in refused.json()["error"]


@pytest.mark.parametrize("asked", [{"model": "unheard-of"}, {"model": "ears"}, {"voice": "unheard-of"}])
def test_a_model_or_voice_that_is_not_here_is_named_with_those_that_are(service, asked):
    client = service(Plan(model("voice")), Plan(model("ears", Kind.STT, "Ears")))
    refused = client.post("/api/tts", json={"text": "hello", **asked})
    assert refused.status_code == 400
    (field, message), *_ = refused.json()["fields"].items()
    assert field == next(iter(asked))
    assert "use one of" in message
    assert "voice" in message


def test_a_page_elsewhere_cannot_unload_a_model_behind_its_readers_back(service):
    """A form of another origin may send any of these types without asking first."""
    client = service(Plan(model("voice")))
    wait_for(client, "voice", "loaded")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused = client.post("/models/voice/unload", content=b"{}", headers={"Content-Type": kind})
        assert refused.status_code in (400, 415, 422), kind
    assert client.post("/models/voice/unload").status_code in (400, 415, 422)
    assert states(client)["voice"] == "loaded"


def test_what_is_measured_can_be_scraped(service):
    client = service(Plan(model("voice")))
    wait_for(client, "voice", "loaded")
    assert client.get("/api/ready").status_code == 200
    client.post("/api/tts", json={"text": "hello"})
    text = client.get("/api/metrics").text
    labels = 'model="voice",pool="tts"'
    assert 'voiceforge_ml_requests_total{model="voice",outcome="served",pool="tts"} 1.0' in text
    assert f"voiceforge_ml_inference_seconds_count{{{labels}}} 1.0" in text
    assert f"voiceforge_ml_real_time_factor_count{{{labels}}} 1.0" in text
    assert 'voiceforge_ml_workers{model="voice",pool="tts",state="ready"} 1.0' in text
    gauges = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(gauges[f"voiceforge_ml_memory_bytes{{{labels}}}"]) > 10 * 2**20
    assert 0 <= float(gauges[f"voiceforge_ml_utilisation{{{labels}}}"]) < 1
    assert gauges[f"voiceforge_ml_queue_length{{{labels}}}"] == "0.0"


def test_it_is_ready_only_when_all_that_it_offers_is_loaded(service):
    client = service(Plan(model("voice", engine="SlowToLoad")))
    waiting = client.get("/api/ready")
    assert (waiting.status_code, waiting.json()["waiting"]) == (503, ["tts"])
    assert client.get("/api/live").status_code == 200
    wait_for(client, "voice", "loaded")
    assert client.get("/api/ready").status_code == 200


def test_a_voice_of_the_library_is_spoken_by_a_model_that_is_here_as_the_library_describes_it(service):
    client = service(Plan(model("voice")), Plan(model("indic-parler-tts", engine="Tells")))
    wait_for(client, "voice", "loaded")
    wait_for(client, "indic-parler-tts", "loaded")
    listed = {
        each["id"]: each for each in client.get("/api/models").json()["available_models"]["tts"]["voices"]
    }
    assert listed["hindi-aditi-f"]["status"] == listed["voice"]["status"] == "loaded"
    assert "de-anna-f" not in listed
    told = client.post("/api/tts", json={"text": "नमस्ते", "voice": "hindi-aditi-f"})
    assert told.json()["error"] == f"{voices.by_id('hindi-aditi-f').prompt} [hi]"
    refused = client.post("/api/tts", json={"text": "Guten Tag", "voice": "de-anna-f"}).json()["fields"][
        "voice"
    ]
    assert "needs parler-tts-multilingual, which does not run here" in refused
