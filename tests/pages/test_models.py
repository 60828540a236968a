"""The page of models, before a real ML service whose engines are stand-ins."""

from __future__ import annotations

import html
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.test import Client

from mlservices.catalog import BY_ID, MODELS, Model
from mlservices.prepare import stamp
from mlservices.prepare.state import attempt
from mlservices.roster.rows import BUSY, Standing
from mlservices.service.app import create_app
from mlservices.service.layout import Plan
from mlservices.service.placement import CPU, Device
from tests.mlservices.conftest import serving, wait_until_healthy
from voiceforge_site.models import User

EARS, VOICE, LARGE, MEANING = "whisper-tiny.en", "mms-tts-eng", "chatterbox", "minilm-l6"
MIND = "smollm2-135m"
HTMX = {"HX-Request": "true"}


def stand_in(model_id: str, engine: str, **changes: Any) -> Model:
    return replace(BY_ID[model_id], engine=f"tests.mlservices.stand_ins.{engine}", **changes)


def put_files(folder: Path, model_id: str) -> None:
    model = BY_ID[model_id]
    (folder / model_id).mkdir(parents=True)
    (folder / model_id / "weights.bin").write_bytes(bytes(2_000_000))
    commit = {model.source.hub: {"commit": "0123456789abcdef"}} if model.source.hub else {}
    stamp.write(folder / model_id, model, commit)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """On a machine of 1000 MB with a GPU of 3000 MB; hears from the start, all else is on demand."""
    folder = tmp_path_factory.mktemp("models")
    for model_id in (EARS, VOICE, LARGE, MEANING, MIND):
        put_files(folder, model_id)
    plans = [
        Plan(stand_in(EARS, "Ears"), workers=2),
        Plan(stand_in(VOICE, "SlowToLoad"), at_start=False),
        Plan(stand_in(LARGE, "Voice", memory_mb=9000), at_start=False),
        Plan(stand_in(MEANING, "Broken"), at_start=False),
        Plan(stand_in(MIND, "Mind", gpu=True, memory_mb=800), at_start=False),
        *(Plan(BY_ID[id], at_start=False) for id in ("higgs_audio_v2", "parler-tts-multilingual", "energy")),
    ]
    on_gpu: dict[int, int] = {}
    devices = [Device(CPU, "Machine", 1000, 900), Device("0", "NVIDIA A100", 3000, 2900, on_gpu)]
    with serving(create_app(plans, folder, devices=lambda: devices)) as url:
        wait_until_healthy(url)

        def workers_of(model_id: str) -> list[dict[str, Any]]:
            models = httpx.get(f"{url}/models").json()["models"]
            return next(each["workers"] for each in models if each["id"] == model_id)

        yield SimpleNamespace(
            workers=workers_of, url=url, port=int(url.rpartition(":")[2]), folder=folder, on_gpu=on_gpu
        )


@pytest.fixture
def connected(service: SimpleNamespace, settings: Any) -> Path:
    settings.ML_PORT, settings.MODELS_DIR = service.port, service.folder
    return service.folder


@pytest.fixture
def away(tmp_path: Path, settings: Any) -> Path:
    settings.ML_PORT, settings.MODELS_DIR = 9, tmp_path
    return tmp_path


def row_of(page: str, model_id: str) -> str:
    """Of a page, a list or an answer: one model's part."""
    found = re.search(rf'<tbody class="vf-model" id="model-{re.escape(model_id)}".*?</tbody>', page, re.S)
    assert found, f"{model_id} is not there"
    return " ".join(found[0].split())


def change(browser: Client, model_id: str, verb: str) -> Any:
    return browser.post(f"/models/{model_id}/{verb}/", headers=HTMX)


def standing_of(row: str) -> str:
    return re.search(r'data-standing="(\w+)"', row)[1]  # type: ignore[index]


def settled(browser: Client, model_id: str, was: str) -> Any:
    """The answer that a row which looks again and again gets once nothing is under way."""
    end = time.monotonic() + 15
    while True:
        answer = browser.get(f"/models/{model_id}/", {"was": was}, headers=HTMX)
        if answer.status_code == 200:
            row = row_of(answer.text, model_id)
            if standing_of(row) not in BUSY:
                return answer
            was = re.search(r"was=([\w-]+)", row)[1]  # type: ignore[index]
        assert time.monotonic() < end, answer.text
        time.sleep(0.05)


def test_every_model_of_the_catalogue_stands_there_with_all_that_is_known_of_it(alices_browser, connected):
    page = alices_browser.get("/models/").text
    assert page.count('<tbody class="vf-model"') == len(MODELS)
    voice = row_of(page, VOICE)
    for told in (
        "https://huggingface.co/facebook/mms-tts-eng",
        "01234567",
        "620 MB",
        "16 kHz",
        "English",
        "CC-BY-NC-4.0",
        "No commercial use",
        "On demand",
        "Priority 3",
        "hf_tts",
        "36M",
        "2 MB",
    ):
        assert told in voice, told
    assert "Commercial use allowed" in row_of(page, EARS)
    assert "Default" in row_of(page, EARS) and re.search("Processor . 2", row_of(page, EARS))
    assert "cloning" in row_of(page, LARGE)


def test_a_space_is_said_to_serve_calls_only_where_it_is_asked_first(alices_browser, connected, settings):
    settings.HF_ML_API_URL = "https://someone-voice.hf.space"
    assert "by the service at https://someone-voice" in alices_browser.get("/models/memory/").text
    settings.ML_FALLBACK = ("local", "space")
    assert "someone-voice" not in alices_browser.get("/models/memory/").text


def test_memory_is_shown_by_device_with_who_has_it(alices_browser, connected):
    page = alices_browser.get("/models/memory/").text
    assert "NVIDIA A100" in page
    assert re.search(r"Whisper tiny.en</a><span>. 2</span><b>\d+ MB</b><span>320 MB planned", page)
    assert "100 MB of 1.0 GB in use" in page


def test_what_a_model_takes_of_a_gpu_is_shown_beside_its_plan_where_the_driver_tells_it(
    alices_browser, connected, service
):
    mark = re.search(r"was=([\w-]+)", row_of(change(alices_browser, MIND, "load").text, MIND))
    settled(alices_browser, MIND, mark[1])  # type: ignore[index]
    planned = alices_browser.get("/models/memory/").text
    assert re.search(r"SmolLM2 135M Instruct</a><span>800 MB planned", planned)
    service.on_gpu[service.workers(MIND)[0]["pid"]] = 777
    measured = alices_browser.get("/models/memory/").text
    assert re.search(r"SmolLM2 135M Instruct</a><b>777 MB</b><span>800 MB planned", measured)
    assert re.search(r"process \d+ on GPU 0 with 777 MB", row_of(alices_browser.get("/models/").text, MIND))
    change(alices_browser, MIND, "unload")


def test_a_model_is_loaded_warmed_and_unloaded_and_the_row_follows(alices_browser, connected):
    loading = change(alices_browser, VOICE, "load")
    row = row_of(loading.text, VOICE)
    assert "every 1s" in row and "Unload" in row
    assert "models-moved" in loading["HX-Trigger"] and "is being loaded" in loading["HX-Trigger"]
    mark = re.search(r"was=([\w-]+)", row)[1]  # type: ignore[index]
    loaded = settled(alices_browser, VOICE, mark)
    assert "Loaded" in row_of(loaded.text, VOICE)
    assert "MMS English (VITS) is loaded" in loaded["HX-Trigger"]
    assert "is warm" in change(alices_browser, VOICE, "warm")["HX-Trigger"]
    unloaded = change(alices_browser, VOICE, "unload")
    assert "Not loaded" in row_of(unloaded.text, VOICE) and "is unloaded" in unloaded["HX-Trigger"]


def look(browser: Client, page: str) -> Any:
    """What the page's picture of the memory asks for by itself, every three seconds."""
    [address] = re.findall(r'hx-get="(/models/memory/\?[^"]*)" hx-trigger="[^"]*every 3s"', page)
    return browser.get(html.unescape(address), headers=HTMX)


def shown_again(browser: Client, page: str, model_id: str) -> str:
    """The row that the page asks for anew, as its own address of now says."""
    row = row_of(page, model_id)
    assert f"model-{model_id} from:body" in row
    address: Any = re.search(r'hx-get="([^"]*)"', row)
    return row_of(browser.get(html.unescape(address[1]), headers=HTMX).text, model_id)


def test_a_row_that_is_as_it_was_is_not_sent_again(alices_browser, connected):
    page = alices_browser.get("/models/").text
    mark = re.search(r"was=([\w-]+)", row_of(page, EARS))[1]  # type: ignore[index]
    assert alices_browser.get(f"/models/{EARS}/", {"was": mark}, headers=HTMX).status_code == 204
    assert "HX-Trigger" not in look(alices_browser, page)


def test_a_page_follows_what_others_do_with_a_model(alices_browser, connected, service):
    page = alices_browser.get("/models/").text
    httpx.post(f"{service.url}/models/{VOICE}/load", json={})
    answer = look(alices_browser, page)
    assert answer["HX-Trigger"] == f"models-changed, model-{VOICE}"
    assert standing_of(shown_again(alices_browser, page, VOICE)) != Standing.READY
    httpx.post(f"{service.url}/models/{VOICE}/unload", json={}, timeout=30)
    assert f"model-{VOICE}" in look(alices_browser, answer.text)["HX-Trigger"]
    some = alices_browser.get("/models/?state=loaded").text
    assert 'hx-trigger="models-rows from:body, models-changed from:body"' in some


def test_a_page_follows_workers_that_die(alices_browser, connected, service):
    page, end = alices_browser.get("/models/").text, time.monotonic() + 10
    for worker in service.workers(EARS):
        os.kill(worker["pid"], signal.SIGKILL)
    while "HX-Trigger" not in (answer := look(alices_browser, page)):
        assert time.monotonic() < end
    assert f"model-{EARS}" in answer["HX-Trigger"]
    while {worker["state"] for worker in service.workers(EARS)} != {"ready"}:
        assert time.monotonic() < end
    again = shown_again(alices_browser, page, EARS)
    assert all(f"process {worker['pid']} on" in again for worker in service.workers(EARS))


def test_before_the_default_is_unloaded_it_is_said_what_that_means_for_calls(alices_browser, connected):
    page = alices_browser.get("/models/").text
    assert "callers are not heard and get an apology" in row_of(page, EARS)
    assert "data-confirm-text" in row_of(page, EARS)


def test_what_does_not_fit_cannot_be_loaded_and_says_why(alices_browser, connected):
    row = row_of(alices_browser.get("/models/").text, LARGE)
    assert "Does not fit now" in row and "needs 9000 MB and NVIDIA A100 has 2713 MB to spare" in row
    assert re.search(r'id="load-chatterbox" disabled', row)


def test_a_refusal_and_a_failure_stand_in_the_row_with_their_reason(alices_browser, connected):
    refused = change(alices_browser, "higgs_audio_v2", "load")
    assert refused.status_code == 200
    row = row_of(refused.text, "higgs_audio_v2")
    assert 'role="alert"' in row and "manage.py models download higgs_audio_v2" in row
    loading = row_of(change(alices_browser, MEANING, "load").text, MEANING)
    if standing_of(loading) in BUSY:
        mark = re.search(r"was=([\w-]+)", loading)[1]  # type: ignore[index]
        loading = row_of(settled(alices_browser, MEANING, mark).text, MEANING)
    assert "Failed" in loading and "Its files are gone: run `manage.py models prepare`" in loading
    assert "It is tried again by itself" in loading and "every 1s" in loading
    change(alices_browser, MEANING, "unload")


def test_a_download_shows_how_far_it_is_and_one_that_ended_what_to_do(alices_browser, connected):
    model, quiet = BY_ID["parler-tts-multilingual"], lambda told: None
    with pytest.raises(KeyboardInterrupt), attempt(model, connected, quiet, quiet) as under_way:
        under_way.expects(4_000_000_000, "fedcba9876543210")
        under_way.found(1_000_000_000)
        under_way._write()  # which it does twice a second
        row = row_of(alices_browser.get("/models/").text, model.id)
        assert 'value="25" max="100"' in row and "1.0 GB of 4.0 GB" in row and "fedcba98" in row
        assert "every 1s" in row
        raise KeyboardInterrupt
    paused = row_of(alices_browser.get("/models/").text, model.id)
    assert "Paused" in paused and "25 % is here" in paused and "Go on" in paused
    removed = row_of(change(alices_browser, model.id, "remove").text, model.id)
    assert "Not here" in removed and "Download" in removed
    with pytest.raises(RuntimeError), attempt(model, connected, quiet, quiet):
        raise RuntimeError("accept its conditions")
    failed = row_of(alices_browser.get("/models/").text, model.id)
    assert "Accept its conditions" in failed and "Try again" in failed
    change(alices_browser, model.id, "remove")


@pytest.mark.parametrize(
    ("query", "some", "others"),
    [
        ({"kind": "stt"}, EARS, VOICE),
        ({"state": "loaded"}, EARS, VOICE),
        ({"state": "absent"}, "higgs_audio_v2", VOICE),
        ({"licence": "other"}, VOICE, EARS),
        ({"language": "hi"}, "mms-tts-hin", VOICE),
        ({"q": "facebook english"}, VOICE, "mms-tts-hin"),
    ],
)
def test_models_are_found_by_words_kind_state_licence_and_language(
    alices_browser, connected, query, some, others
):
    part = alices_browser.get("/models/", query, headers=HTMX).text
    assert "<html" not in part
    assert row_of(part, some)
    assert f'id="model-{others}"' not in part


def test_filters_that_make_no_sense_filter_nothing_and_words_of_nothing_lead_back(alices_browser, connected):
    page = alices_browser.get("/models/?kind=x&state=y&licence=z&language=german").text
    assert page.count('<tbody class="vf-model"') == len(MODELS)
    assert "No models match" in alices_browser.get("/models/?q=nothing").text


def test_without_the_service_the_files_are_told_and_what_to_do(alices_browser, away):
    put_files(away, VOICE)
    page = alices_browser.get("/models/").text
    assert "The ML service does not answer" in page and "manage.py mlservice" in page
    assert "Not loaded" in row_of(page, VOICE) and "Not here" in row_of(page, EARS)
    assert "/load/" not in page
    row = row_of(change(alices_browser, VOICE, "load").text, VOICE)
    assert 'role="alert"' in row and "cannot be reached" in row


def test_rows_are_asked_for_anew_when_the_service_comes_or_goes(alices_browser, connected, settings):
    assert "models-rows" in alices_browser.get("/models/memory/?away=1", headers=HTMX)["HX-Trigger"]
    assert "models-rows" not in alices_browser.get("/models/memory/", headers=HTMX)["HX-Trigger"]
    settings.ML_PORT = 9
    assert "models-rows" in alices_browser.get("/models/memory/", headers=HTMX)["HX-Trigger"]


def test_who_builds_agents_looks_and_changes_nothing(connected, db):
    designer = Client()
    designer.force_login(User.objects.create_user("dora", role="designer"))
    page = designer.get("/models/").text
    assert "Loaded" in row_of(page, EARS)
    assert "/unload/" not in page
    assert change(designer, EARS, "unload").status_code == 403


@pytest.mark.parametrize("path", ["unknown/", "unknown/load/", f"{VOICE}/dance/"])
def test_what_there_is_not_is_not_found(alices_browser, connected, path):
    method = alices_browser.get if path == "unknown/" else alices_browser.post
    assert method(f"/models/{path}", headers=HTMX).status_code == 404


def test_without_a_script_a_change_leads_back_to_the_page_which_says_it(alices_browser, connected):
    answer = alices_browser.post("/models/energy/load/", follow=True)
    assert "Energy VAD is being loaded" in answer.text
    alices_browser.post("/models/energy/unload/")


def test_models_are_found_in_the_palette(alices_browser):
    groups = alices_browser.get("/palette/", {"q": "chatterbox"}).context["groups"]
    [models] = [group for group in groups if group.label == "Models"]
    assert models.entries[0].url == "/models/#model-chatterbox"
