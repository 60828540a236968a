"""Models listed, fetched, loaded and let go by a program, before a real ML service of stand-in engines."""

import re
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from django.test import Client

from mlservices.catalog import BY_ID, MODELS
from mlservices.prepare import stamp
from mlservices.service.app import create_app
from mlservices.service.layout import Plan
from mlservices.service.placement import CPU, Device
from tests.fakes.hub import StandInHub
from tests.mlservices.api.conftest import bearer
from tests.mlservices.conftest import serving, wait_until_healthy

VOICE, LARGE, ABSENT, EARS = "mms-tts-tam", "mms-tts-hin", "higgs_audio_v2", "whisper-tiny.en"
STAND_INS = "tests.mlservices.stand_ins"


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    """On a machine of 1000 MB: a model that is on the hub, one too large, one that hears from the start."""
    model = BY_ID[LARGE]
    (tmp_path / LARGE).mkdir()
    (tmp_path / LARGE / "weights.bin").write_bytes(b"weights")
    stamp.write(tmp_path / LARGE, model, {model.source.hub: {"commit": "0123456789abcdef"}})
    plans = [
        Plan(replace(BY_ID[EARS], engine=f"{STAND_INS}.Ears", recipe="")),
        Plan(replace(BY_ID[VOICE], engine=f"{STAND_INS}.SlowToLoad"), at_start=False),
        Plan(replace(model, memory_mb=9000), at_start=False),
        Plan(BY_ID[ABSENT], at_start=False),
    ]
    app = create_app(plans, tmp_path, devices=lambda: [Device(CPU, "Machine", 1000, 900)])
    with serving(app) as url:
        wait_until_healthy(url)
        settings.ML_PORT, settings.MODELS_DIR = int(url.rpartition(":")[2]), tmp_path
        yield tmp_path


@pytest.fixture
def hub(monkeypatch, folder):
    with StandInHub() as hub:
        hub.add("facebook/mms-tts-tam", {"config.json": b"{}", "model.safetensors": bytes(1_500_000)})
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


@pytest.fixture
def asks(new_key):
    """A program of an administrator."""
    key = new_key("administrator")

    def asked(method, address):
        return Client(enforce_csrf_checks=True).generic(method, f"/api/models/{address}", headers=bearer(key))

    return asked


def until(asks, state, model_id=VOICE, seconds=20.0):
    """The model once it is in this state; what it was on the way."""
    end, seen = time.monotonic() + seconds, []
    while True:
        told = asks("GET", model_id).json()
        if told["state"] == state:
            return told, seen
        seen.append(told)
        assert time.monotonic() < end, told
        time.sleep(0.05)


def test_a_model_is_fetched_loaded_warmed_unloaded_and_removed(asks, hub, folder):
    assert asks("GET", VOICE).json()["state"] == "absent"
    hub.bytes_per_second = 1_500_000
    begun = asks("POST", f"{VOICE}/download")
    assert (begun.status_code, begun["Cache-Control"]) == (202, "no-store")
    here, on_the_way = until(asks, "ready")
    shares = [each["files"]["done_bytes"] for each in on_the_way if each["files"]["total_bytes"] == 1_500_002]
    assert shares == sorted(shares) and shares[-1] > shares[0]
    assert here["files"]["commit"] == hub.repositories["facebook/mms-tts-tam"].commit
    assert here["service"]["place"] == {"devices": ["cpu"], "unload": [], "refusal": ""}

    assert asks("POST", f"{VOICE}/load").status_code == 202
    loaded, _ = until(asks, "loaded")
    assert [worker["state"] for worker in loaded["service"]["workers"]] == ["ready"]
    warm = asks("POST", f"{VOICE}/warm")
    assert (warm.status_code, warm.json()["state"]) == (200, "loaded")
    held = asks("DELETE", VOICE)
    assert (held.status_code, held.json()["permanent"]) == (422, True)
    assert "unload it first" in held.json()["detail"]
    unloaded = asks("POST", f"{VOICE}/unload")
    assert (unloaded.status_code, unloaded.json()["state"]) == (200, "ready")
    removed = asks("DELETE", VOICE)
    assert (removed.status_code, removed.json()["state"]) == (200, "absent")
    assert not (folder / VOICE).exists()


def test_a_download_is_stopped_and_goes_on_from_there(asks, hub):
    hub.holds_after = 100_000
    asks("POST", f"{VOICE}/download")
    until(asks, "downloading")
    while not asks("GET", VOICE).json()["files"]["done_bytes"]:
        time.sleep(0.05)
    busy = asks("DELETE", VOICE)
    assert (busy.status_code, "stop that first" in busy.json()["detail"]) == (422, True)
    assert asks("DELETE", f"{VOICE}/download").status_code in (200, 202)  # 202: it is not over yet
    until(asks, "paused")
    hub.holds_after = 0
    hub.asked.clear()
    asks("POST", f"{VOICE}/download")
    until(asks, "ready")
    (rest,) = hub.ranges("model.safetensors")
    assert re.fullmatch(r"bytes=[1-9]\d*-", rest)


def test_what_does_not_fit_or_is_not_here_is_refused_with_the_reason(asks, folder):
    full = asks("POST", f"{LARGE}/load")
    assert full.status_code == 503 and int(full["Retry-After"]) > 0
    assert "needs 9000 MB" in full.json()["detail"]
    assert asks("GET", LARGE).json()["service"]["place"]["refusal"] in full.json()["detail"]
    away = asks("POST", f"{ABSENT}/load")
    assert (away.status_code, "is not here yet" in away.json()["detail"]) == (422, True)


def test_what_the_service_needs_when_it_starts_is_not_removed(asks, folder):
    refused = asks("DELETE", EARS)
    assert refused.status_code == 422
    assert "is configured: choose another in STT_ENGINE" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "nothing", 404),
        ("POST", "nothing/load", 404),
        ("POST", f"{VOICE}/dance", 404),
        ("PUT", VOICE, 405),
        ("DELETE", f"{VOICE}/load", 405),
    ],
)
def test_what_there_is_not_is_refused_in_json(asks, folder, method, address, status):
    answer = asks(method, address)
    assert (answer.status_code, set(answer.json())) == (status, {"title", "status", "detail"})


def test_while_the_service_is_away_the_files_are_told_and_a_change_may_be_tried_later(asks, folder, settings):
    settings.ML_PORT = 9
    told = asks("GET", LARGE).json()
    assert (told["state"], told["service"]) == ("ready", None)
    refused = asks("POST", f"{LARGE}/load")
    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    assert "cannot be reached" in refused.json()["detail"]


def test_who_may_see_the_page_sees_the_catalogue_and_only_administrators_change_it(
    site, stand_in_service, new_key
):
    with httpx.Client(base_url=site, timeout=20) as program:
        for role, sees in (("operator", False), ("designer", True)):
            key = bearer(new_key(role))
            told = program.get("/api/models", headers=key).json()
            assert told["available_models"]
            assert ("models" in told, "devices" in told) == (sees, sees)
            assert program.get(f"/api/models/{VOICE}", headers=key).status_code == (200 if sees else 403)
            assert program.post(f"/api/models/{VOICE}/load", headers=key).status_code == 403
            assert program.delete(f"/api/models/{VOICE}", headers=key).status_code == 403
    assert {model["id"] for model in told["models"]} == {model.id for model in MODELS}
    assert told["devices"][0]["id"] == CPU
