from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from mlservices.audio import read_wav
from mlservices.models import FavouriteVoice
from tests.fakes.speech_service import SpeechService
from tests.mlservices.conftest import serving

VOICES = "/api/voices"


@pytest.fixture
def speech(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    service = SpeechService()
    with serving(service.app()) as url:
        settings.ML_PORT = urlsplit(url).port
        yield service


def test_favourites_are_of_the_person_whose_key_it_is(alices, program, alice, bob):
    for _twice in range(2):
        assert alices.send("PUT", f"{VOICES}/piper-joe/favourite").status_code == 204
    assert alices.get(f"{VOICES}/favourites").json() == {"voices": ["piper-joe"]}
    assert FavouriteVoice.objects.get().user == alice
    assert program(bob).get(f"{VOICES}/favourites").json() == {"voices": []}
    assert alices.send("DELETE", f"{VOICES}/piper-joe/favourite").status_code == 204
    assert not FavouriteVoice.objects.exists()
    assert alices.send("PUT", f"{VOICES}/nobody/favourite").status_code == 404


def test_a_voice_is_heard(bobs, speech):
    heard = bobs.send("POST", f"{VOICES}/piper-joe/preview", {"text": "How can I help?"})
    assert (heard.status_code, heard["Content-Type"]) == (200, "audio/wav"), heard.content[:200]
    samples, rate = read_wav(heard.content)
    assert len(samples) and rate == 24000
    assert bobs.send("POST", f"{VOICES}/piper-joe/preview").status_code == 200


def test_why_one_cannot_be_heard_is_told(bobs, speech):
    refused = bobs.send("POST", f"{VOICES}/en-us-sarah-f/preview")
    assert (refused.status_code, bool(refused.json()["detail"])) == (409, True)
    assert bobs.send("POST", f"{VOICES}/nobody/preview").status_code == 404
    assert list(bobs.send("POST", f"{VOICES}/piper-joe/preview", {"text": "x" * 201}).json()["fields"]) == [
        "text"
    ]


def test_who_may_not_try_agents_hears_nothing(program, charlie, alice):
    assert program(charlie).get(f"{VOICES}/favourites").status_code == 403
    looking = program(alice, scopes=["agents.view_agents"])
    assert looking.send("POST", f"{VOICES}/piper-joe/preview").status_code == 403
    assert looking.send("PUT", f"{VOICES}/piper-joe/favourite").status_code == 403
