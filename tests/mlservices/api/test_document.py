"""The document of the API holds each address that there is, and each field that is taken."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern

from mlservices.api.document import TAG
from mlservices.api.forms import ChatForm, DetectForm, SpeakForm, TranscribeForm
from mlservices.api.urls import urlpatterns


@pytest.fixture
def told(db) -> dict:
    """As somebody without a key gets it."""
    return Client().get("/openapi.json").json()


def test_every_address_is_described_and_none_that_is_not(told):
    routes = [str(each.pattern) for each in urlpatterns if isinstance(each, URLPattern)]
    models = {
        path for path, methods in told["paths"].items() for each in methods.values() if TAG in each["tags"]
    }
    assert models == {f"/api/{route.replace('<str:', '{').replace('>', '}')}" for route in routes}
    usage = told["paths"]["/api/usage"]["get"]["parameters"]
    assert [each["name"] for each in usage] == ["from", "to", "group", "call"]
    (model,) = told["paths"]["/api/models/{model_id}"]["get"]["parameters"]
    assert (model["name"], model["in"], model["required"]) == ("model_id", "path", True)


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
