"""Calls go first: whatever else asks says so, and waits behind them."""

from __future__ import annotations

from contextlib import aclosing
from urllib.parse import urlsplit

import pytest

from mlservices import registry
from mlservices.checks.pools import pools_of
from mlservices.checks.probing import ask
from mlservices.clients import warm
from mlservices.clients.service_model import ServiceModel
from mlservices.speech import spoken
from mlservices.types import ChatMessage
from tests.mlservices.asking import priorities
from tests.mlservices.conftest import stand_in_plans

HI = [ChatMessage("user", "hi")]
SECOND = bytes(32000)


@pytest.fixture
def asked(settings, stand_in_service, monkeypatch):
    """[(task, priority), ...] as the service is asked."""
    settings.ML_PORT = urlsplit(stand_in_service).port
    return priorities(monkeypatch)


async def whole(pieces):
    async with aclosing(pieces):
        return [piece async for piece in pieces]


async def test_what_a_call_asks_is_live(asked):
    await registry.speech_to_text().transcribe(SECOND, rate=16000)
    await whole(registry.text_to_speech().speak("hello", rate=16000))
    await whole(registry.chat_model("local").reply(HI))
    await registry.embedder().embed(["hi"])
    await registry.turn_judge().judge(SECOND, rate=16000)
    tasks = ["transcribe", "speak", "reply", "embed", "judge"]
    assert asked == [(task, "live") for task in tasks]


async def test_whoever_is_no_call_can_say_so_of_words_and_meanings_too(asked, settings):
    settings.ML_FALLBACK = ["local", "openai"]
    settings.LLM_FALLBACK = ["stand-in-llm"]
    await whole(registry.chat_model("local").reply(HI, priority="batch"))
    await whole(ServiceModel(registry.own_service(), "stand-in-llm").reply(HI, priority="batch"))
    await registry.embedder().embed(["hi"], priority="batch")
    assert asked == [("reply", "batch"), ("reply", "batch"), ("embed", "batch")]


async def test_previews_and_what_wakes_a_service_up_are_no_calls(asked):
    await spoken("hello", voice="default")
    await warm.hear(registry.own_service())
    await warm.speak(registry.own_service())
    await warm.reply(registry.own_service())
    assert asked == [(task, "batch") for task in ("speak", "transcribe", "speak", "reply")]


async def test_probes_are_no_calls(asked):
    for service in pools_of(stand_in_plans()):
        await ask(service)
    assert sorted(asked) == [
        (task, "batch") for task in ("detect", "embed", "judge", "reply", "speak", "transcribe")
    ]
