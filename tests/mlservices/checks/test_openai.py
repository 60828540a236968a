"""OpenAI-compatible endpoints: the key and the model every minute, a word on demand."""

from __future__ import annotations

import json

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from mlservices.checks.openai import ANOTHER_MODEL, configured
from mlservices.checks.probing import ask
from tests.mlservices.conftest import serving

KEY = "sk-right-and-secret"


async def models(request):
    if request.headers["authorization"] != f"Bearer {KEY}":
        return JSONResponse({"error": {"message": "Incorrect API key: sk-wr***et"}}, status_code=401)
    return JSONResponse({"data": [{"id": "gpt-4o-mini"}, {"id": "other"}]})


async def chat(request):
    event = {"choices": [{"delta": {"content": "Hi"}}]}
    return StreamingResponse(
        [f"data: {json.dumps(event)}\n\n", "data: [DONE]\n\n"], media_type="text/event-stream"
    )


@pytest.fixture(scope="module")
def url():
    routes = [Route("/v1/models", models), Route("/v1/chat/completions", chat, methods=["POST"])]
    with serving(Starlette(routes=routes)) as url:
        yield url


@pytest.fixture
def endpoint(settings, url):
    settings.AI_INTEGRATIONS_OPENAI_BASE_URL = f"{url}/v1"
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = KEY
    return lambda: next(iter(configured()))


async def test_the_key_is_tried_and_nothing_that_costs(endpoint):
    report = await ask(endpoint())
    [outcome] = report.outcomes
    assert (outcome.status, outcome.words) == ("pass", "The key is taken, and it lists what is asked of it")


async def test_on_demand_a_word_is_asked_for(endpoint):
    report = await ask(endpoint(), on_demand=True)
    assert [outcome.words for outcome in report.outcomes][1] == "Answered: Hi"


async def test_a_wrong_key_is_told_without_a_part_of_it(endpoint, settings):
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-wrong-secret"
    [outcome] = (await ask(endpoint())).outcomes
    assert (outcome.status, outcome.words) == ("fail", "It does not take the key (HTTP 401)")
    assert "Check the key" in outcome.remedy


async def test_a_model_that_is_not_listed_is_a_warning(endpoint, settings):
    settings.OPENAI_MODEL = "gpt-9"
    [outcome] = (await ask(endpoint())).outcomes
    assert (outcome.status, outcome.remedy) == ("warn", ANOTHER_MODEL)
    assert "its list of 2 models lacks gpt-9" in outcome.words


async def test_models_that_hear_and_speak_are_looked_for_where_they_may_be_asked(endpoint, settings):
    settings.OPENAI_STT_MODEL, settings.OPENAI_TTS_MODEL = "ears-1", "voice-1"
    settings.ML_FALLBACK = ("local",)
    assert (await ask(endpoint())).status == "pass"
    settings.ML_FALLBACK = ("local", "openai")
    [outcome] = (await ask(endpoint())).outcomes
    assert outcome.words.endswith("lacks ears-1, voice-1")


async def test_an_endpoint_without_a_list_is_no_failure(endpoint, settings, url):
    settings.AI_INTEGRATIONS_OPENAI_BASE_URL = f"{url}/v2"
    [outcome] = (await ask(endpoint())).outcomes
    assert outcome.status == "warn"


def test_only_those_with_a_key_are_checked(settings):
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = ""
    settings.NVIDIA_API_KEY = "nvapi-secret"
    assert [service.key for service in configured()] == ["chat-nvidia"]
