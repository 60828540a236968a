"""The flow of the demo agent, by the true model of meaning: it does what its tests say, and the agent
understands as much with it as without."""

from __future__ import annotations

import pytest
from django.conf import settings

from agents.actions import create_demo_agent
from agents.demo import DEMO_FACTS, DEMO_GREETING, DEMO_INSTRUCTIONS, DEMO_TRANSFER_NUMBER
from agents.demo_flow import DEMO_FLOW
from agents.flow.graph import problems_of, read
from agents.flows.failure_texts import sentence_of
from agents.flows.rehearsal import Move, rehearse
from agents.flows.testing import Stage, planned, run_all
from agents.models import Agent, FlowVersion
from mlservices.near import NearEmbedder
from mlservices.prepare import prepare
from mlservices.service.layout import NEAR

from .heard_by_the_clinic import HELD_OUT, NO_REQUEST

AGENT = Agent(
    name="Front desk",
    greeting=DEMO_GREETING,
    instructions=DEMO_INSTRUCTIONS,
    facts=DEMO_FACTS,
    transfer_number=DEMO_TRANSFER_NUMBER,
)
VERSION = FlowVersion(graph=DEMO_FLOW, subflows={})
TOPICS = {"book": "Booking an appointment", "change": "Changing an appointment"}


@pytest.fixture(scope="module")
def embedder() -> NearEmbedder:
    prepare(NEAR, settings.MODELS_DIR, tell=lambda line: None)
    return NearEmbedder()


def test_nothing_is_wrong_with_it():
    flow, unreadable = read(DEMO_FLOW)
    assert [*unreadable, *problems_of(flow)] == []


@pytest.mark.django_db
def test_a_new_installation_s_agent_follows_it_and_its_calls_are_pinned_to_it():
    agent = create_demo_agent()
    assert agent.flow.live.number == 1 and agent.flow.draft == DEMO_FLOW


@pytest.mark.models
async def test_callers_are_served_as_its_tests_say(embedder: NearEmbedder):
    tests = tuple(planned(DEMO_FLOW))
    results = [each async for each in run_all(Stage(VERSION, AGENT, {}, None, tests), embedder=embedder)]
    assert [sentence_of(failure) for each in results for failure in each.failures] == []
    assert len(results) >= 4


@pytest.mark.models
async def test_what_was_understood_without_it_still_is(embedder: NearEmbedder):
    wrong = [
        (words, meant, got)
        for words, meant in HELD_OUT
        if (got := await understood(embedder, words)) not in (meant, "asked back", "not known")
    ]
    asked = [words for words, _ in HELD_OUT if await understood(embedder, words) == "asked back"]
    assert wrong == [] and len(asked) <= 6


@pytest.mark.models
async def test_who_asks_for_no_person_is_put_through_to_none(embedder: NearEmbedder):
    for words in NO_REQUEST:
        *_, turn = await rehearse(
            VERSION, AGENT, [Move(), Move(say=words)], embedder=embedder, chat_model=None
        )
        assert not turn.transferred_to and not turn.ended, words


async def understood(embedder: NearEmbedder, words: str) -> str | None:
    *_, turn = await rehearse(VERSION, AGENT, [Move(), Move(say=words)], embedder=embedder, chat_model=None)
    said = " ".join(turn.said)
    if said.startswith("Do you mean"):
        return "asked back"
    if "I don't know that" in said:
        return None
    entered = [each["data"]["id"] for each in turn.events if each["kind"] == "node"]
    if entered:
        return TOPICS[entered[0]]
    return next(each["name"] for each in turn.events if each["kind"] == "intent").replace(
        "A person", "transfer"
    )
