"""Whose fault it is that a request was not served."""

from __future__ import annotations

import json

import pytest

from mlservices.api.answers import engine_refusal
from mlservices.api.status import CLONING
from mlservices.catalog import BY_ID
from mlservices.clients.http import no_choice
from mlservices.clients.space import NotOffered
from mlservices.errors import EngineError, Outcome
from tests.fakes import space as behave
from tests.fakes.space import Space


@pytest.mark.parametrize(
    "outcome", [Outcome.REFUSED_TOKEN, Outcome.REDIRECTED, Outcome.NOT_OFFERED, Outcome.FAILED]
)
def test_what_is_wrong_with_our_service_is_no_fault_of_who_asks(outcome):
    answer = engine_refusal(EngineError("OpenAI: because", service="stt", permanent=True, outcome=outcome))
    told = json.loads(answer.content)
    assert (answer.status_code, told["service"], told["permanent"]) == (503, "stt", False)
    assert int(answer["Retry-After"]) == told["retry_after"] == 60
    assert told["detail"] == "OpenAI: because"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EngineError("too long", service="tts", permanent=True, outcome=Outcome.REFUSED), 422),
        (no_choice("OpenAI", "stt"), 422),
        (NotOffered("The Space does not offer /api/vad", service="vad"), 404),
    ],
)
def test_what_will_never_be_served_is_refused_for_good(error, status):
    answer = engine_refusal(error)
    assert (answer.status_code, json.loads(answer.content)["permanent"]) == (status, True)
    assert "Retry-After" not in answer


def test_a_token_of_ours_that_a_space_refuses_is_our_fault(api, settings):
    with Space() as space:
        space.always("", behave.unauthorized)
        settings.HF_ML_API_URL, settings.HF_TOKEN = space.url, "hf_wrong"
        for answer in (
            api.post("/api/tts", json={"text": "hello"}),
            api.post("/api/stt", files={"audio": behave.wav_file(rate=16000)}),
        ):
            told = answer.json()
            assert (answer.status_code, told["permanent"]) == (503, False)
            assert space.url.removeprefix("http://") in told["detail"] and "hf_wrong" not in told["detail"]


def test_without_anybody_who_hears_the_service_is_missing_and_the_sound_is_right(api, settings):
    settings.ML_FALLBACK = ["openai"]
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = ""
    answer = api.post("/api/stt", files={"audio": behave.wav_file(rate=16000)})
    assert (answer.status_code, answer.json()["service"]) == (503, "stt")


def test_that_no_voice_can_be_cloned_is_said_and_which_models_could(api):
    answer = api.post("/api/clone-voice", files={"audio": behave.wav_file(rate=16000)})
    told = answer.json()
    assert (answer.status_code, told["service"], told["permanent"]) == (501, "clone", True)
    assert answer.headers["content-type"] == "application/problem+json"
    assert all(f"{model}" in told["detail"] and model in BY_ID for model in CLONING)
