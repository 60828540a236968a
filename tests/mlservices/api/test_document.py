"""The document of the API holds each address that there is, and each field that is taken."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import fields

import pytest
from django.test import Client
from django.urls import URLPattern

from mlservices.api import examples
from mlservices.api.document import OPERATIONS
from mlservices.api.forms import ChatForm, DetectForm, SpeakForm, TranscribeForm, checked
from mlservices.api.urls import urlpatterns
from mlservices.catalog import BY_ID
from mlservices.ledger import write
from mlservices.offer import Voice
from mlservices.roster.data import as_data
from mlservices.roster.rows import row_of
from mlservices.roster.told import Told
from tests.mlservices.api.test_usage import PERIOD
from tests.mlservices.test_ledger import some_entries


@pytest.fixture
def told(db) -> dict:
    """As somebody without a key gets it."""
    return Client().get("/openapi.json").json()


def test_every_address_is_described_and_none_that_is_not(told):
    routes = [str(each.pattern) for each in urlpatterns if isinstance(each, URLPattern)]
    described = {operation.path for operation in OPERATIONS}
    assert described <= set(told["paths"])
    taken = {f"/api/{route.replace('<str:', '{').replace('>', '}')}" for route in routes}
    assert described == taken - {"/api/clone-voice"}  # which no engine can do yet
    usage = told["paths"]["/api/usage"]["get"]["parameters"]
    assert [each["name"] for each in usage] == ["from", "to", "group", "call"]
    (model,) = told["paths"]["/api/models/{model_id}"]["get"]["parameters"]
    assert (model["name"], model["in"], model["required"]) == ("model_id", "path", True)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.form], ids=lambda each: each.path)
def test_what_is_sent_in_an_example_is_taken(operation):
    sent = dict(operation.sends)
    if operation.hears:
        assert b64decode(sent.pop("audio_base64"))[:4] == b"RIFF"
    assert set(sent) <= set(operation.form.model_fields)
    checked(operation.form, sent)


def test_a_model_is_told_as_in_the_example():
    told = as_data(row_of(BY_ID["chatterbox"], Told()))
    assert set(told) == set(examples.MODEL) and set(told["files"]) == set(examples.MODEL["files"])


def test_usage_is_told_as_in_the_example(alices_browser):
    write(some_entries(3))
    told = alices_browser.get(f"/api/usage?{PERIOD}").json()
    assert set(told) == set(examples.USED)
    for part in ("rows", "totals"):
        assert set(told[part][0]) == set(examples.USED[part][0])


def test_voices_are_told_as_in_the_examples(alices_browser):
    told = alices_browser.get("/api/voice-library").json()
    assert set(told["voices"][0]) == set(examples.LIBRARY["voices"][0])
    assert {field.name for field in fields(Voice)} == set(examples.VOICES["voices"][0])


@pytest.mark.parametrize(
    ("path", "form", "sound"),
    [
        ("/api/tts", SpeakForm, False),
        ("/api/stt", TranscribeForm, True),
        ("/api/vad", DetectForm, True),
        ("/api/vllm/chat", ChatForm, False),
    ],
)
def test_what_a_form_takes_is_described(told, path, form, sound):
    content = told["paths"][path]["post"]["requestBody"]["content"]
    sounds = {"multipart/form-data": "audio", "application/json": "audio_base64"}
    assert set(content) == (set(sounds) if sound else {"application/json"})
    for type, body in content.items():
        fields = {sounds[type]} if sound else set()
        assert set(body["schema"]["properties"]) == fields | set(form.model_fields)
    speed = told["paths"]["/api/tts"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert speed["properties"]["speed"]["maximum"] == 2.0


def test_where_no_key_is_needed_is_said(told):
    paths = told["paths"]
    assert told["security"] == [{"key": []}]
    without = [path for path, methods in paths.items() if methods.get("get", {}).get("security") == []]
    assert set(without) == {"/api/health", "/api/ready", "/api/live"}


def test_people_read_it_as_a_page(alices_browser):
    page = alices_browser.get("/api/docs").content.decode()
    assert "<code>/api/tts</code>" in page
    assert "wav, mp3, flac, ogg" in page
