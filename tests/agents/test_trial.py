"""An agent is tried by text, one request at a time."""

from __future__ import annotations

from typing import Any

import pytest

from agents.models import Agent
from agents.trial import TrialReply, try_words

from .conftest import SHOP_FACTS
from .fakes import ScriptedModel, WordEmbedder


@pytest.fixture
def agent() -> Agent:
    return Agent(
        name="Shop",
        slug="shop",
        greeting="Hello, this is the shop.",
        facts=SHOP_FACTS,
        transfer_number="+14155550100",
    )


async def try_all(agent: Agent, *turns: str, **engines: Any) -> TrialReply:
    """Each turn in a request of its own, as the page sends them."""
    engines = {"embedder": WordEmbedder(), **engines}
    reply = await try_words(agent, [], "", **engines)
    for words in turns:
        reply = await try_words(agent, reply.transcript, words, **engines)
    return reply


async def test_it_begins_with_the_greeting(agent: Agent) -> None:
    reply = await try_all(agent)
    assert (reply.texts, reply.transcript, reply.expects) == (["Hello, this is the shop."], [], "anything")


async def test_a_question_is_answered_and_what_matched_is_told(agent: Agent) -> None:
    reply = await try_all(agent, "any free parking spaces")
    assert reply.texts == ["Park behind the shop."]
    assert reply.notes[0].name == "Parking"


async def test_a_message_goes_on_from_request_to_request(agent: Agent) -> None:
    reply = await try_all(agent, "can I leave a message", "Bob", "555 1234")
    assert reply.texts == ["I have five five five, one two three four. Is that right?"]
    assert reply.expects == "yes_no"


async def test_the_end_and_a_transfer_are_told(agent: Agent) -> None:
    assert (await try_all(agent, "goodbye")).ended
    assert (await try_all(agent, "transfer me")).transferred_to == "+14155550100"


async def test_a_model_is_asked_once_for_each_turn_and_remembers_the_earlier_ones(agent: Agent) -> None:
    agent.chat_model = "scripted"
    model = ScriptedModel("Gladly. [message]", "Forty pounds.")
    reply = await try_all(agent, "tyre pressure worries", chat_model=model)
    assert set(model.priorities) == {"batch"}, "calls go first"
    assert reply.texts[0] == "Gladly."
    assert reply.expects == "name"
    for words in ("never mind", "tyre pressure for racing"):
        reply = await try_words(agent, reply.transcript, words, embedder=WordEmbedder(), chat_model=model)
    assert reply.texts == ["Forty pounds."]
    assert len(model.shown) == 2
    assert ("assistant", "Gladly. Of course. May I have your name, please?") in [
        (message.role, message.content) for message in model.shown[1]
    ]


@pytest.mark.parametrize("transcript", [["one"], [1, 2], {"a": 1}, ["words", "answer"] * 61])
async def test_a_foreign_transcript_is_refused(agent: Agent, transcript: list[str]) -> None:
    with pytest.raises(ValueError, match="transcript"):
        await try_words(agent, transcript, "hello", embedder=WordEmbedder())


async def test_very_long_words_are_refused(agent: Agent) -> None:
    with pytest.raises(ValueError, match="words"):
        await try_words(agent, [], "x" * 1001, embedder=WordEmbedder())
