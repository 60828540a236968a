"""What can be done with agents."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from agents.actions import create_demo_agent, duplicate_agent, save_agent
from agents.conversations import chat_model_for, conversation_for, model_id_of, profile_of, voice_of
from agents.facts import read_facts
from agents.flow.chat import ChatConversation
from agents.flow.directed import DirectedReceptionist
from agents.models import Agent
from tests.factories import make_agent

from .fakes import ScriptedModel, WordEmbedder

pytestmark = pytest.mark.django_db


def new_agent(**values: object) -> Agent:
    return Agent(**{"name": "Bike shop", "greeting": "Hello.", **values})


def test_the_demo_agent_is_made_once_and_its_changes_stay() -> None:
    agent = create_demo_agent()
    agent.full_clean()
    agent.greeting = "Welcome."
    agent.save()
    assert create_demo_agent().greeting == "Welcome."
    assert Agent.objects.count() == 1


def test_the_demo_agent_knows_enough_and_has_examples_enough() -> None:
    facts = read_facts(create_demo_agent().facts)
    assert len(facts) >= 14
    assert all(len(fact.questions) >= 4 for fact in facts)
    assert [fact.topic for fact in facts if fact.hours] == ["Opening hours"]
    assert [fact.topic for fact in facts if fact.urgent] == ["Emergencies"]


def test_the_demo_agents_answers_are_short_enough_to_listen_to() -> None:
    assert [
        fact.topic for fact in read_facts(create_demo_agent().facts) if len(fact.answer.split()) > 35
    ] == []


def test_a_new_agent_gets_a_free_address_made_of_its_name() -> None:
    assert save_agent(agent=new_agent(), by="alice").slug == "bike-shop"
    assert save_agent(agent=new_agent(), by="alice").slug == "bike-shop-2"
    assert save_agent(agent=new_agent(name="New"), by="alice").slug == "new-2"
    assert save_agent(agent=new_agent(name="北京"), by="alice").slug == "agent"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"transfer_number": "555 1234"}, "transfer_number"),
        ({"fallback_number": "+0123456789"}, "fallback_number"),
        ({"greeting": ""}, "greeting"),
        ({"facts": [{"topic": "Parking"}]}, "facts"),
        ({"speaking_rate": 9}, "speaking_rate"),
    ],
)
def test_what_is_wrong_is_refused_by_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        save_agent(agent=new_agent(**values), by="alice")
    assert list(raised.value.message_dict) == [field]
    assert not Agent.objects.exists()


def test_facts_that_are_wrong_are_refused_with_what_to_do() -> None:
    with pytest.raises(ValidationError) as raised:
        save_agent(agent=new_agent(facts=[{"topic": "Parking"}]), by="alice")
    assert raised.value.message_dict == {"facts": ["facts[0].answer: write what the agent is to say."]}


def test_a_copy_is_paused_and_knows_the_same() -> None:
    agent = create_demo_agent()
    copy = duplicate_agent(agent=agent, by="alice")
    assert (copy.name, copy.slug, copy.status) == (
        "Front desk (copy)",
        "front-desk-copy",
        Agent.Status.PAUSED,
    )
    assert read_facts(copy.facts) == read_facts(agent.facts)
    assert Agent.objects.count() == 2


def test_a_conversation_is_built_without_asking_the_database(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    agent = create_demo_agent()
    with django_assert_num_queries(0):
        plain = conversation_for(agent, embedder=WordEmbedder(), chat_model=None)
        free = conversation_for(agent, embedder=WordEmbedder(), chat_model=ScriptedModel())
    assert isinstance(plain, DirectedReceptionist)
    assert isinstance(free, ChatConversation)


@pytest.mark.parametrize(
    ("configured", "model_id"),
    [
        ({}, ""),
        ({"ML_LLM_WORKERS": 1}, ""),
        ({"ML_LLM_WORKERS": 1, "NVIDIA_API_KEY": "secret"}, "nvidia"),
        ({"NVIDIA_API_KEY": "secret", "AI_INTEGRATIONS_OPENAI_API_KEY": "secret"}, "openai"),
    ],
)
def test_the_demo_agent_speaks_freely_once_a_remote_model_is_configured(
    settings: Any, configured: dict[str, object], model_id: str
) -> None:
    for name, value in configured.items():
        setattr(settings, name, value)
    agent = create_demo_agent()
    model = chat_model_for(agent)
    assert model_id_of(agent) == model_id
    assert (model is not None) == bool(model_id)
    conversation = conversation_for(agent, embedder=WordEmbedder(), chat_model=model)
    assert isinstance(conversation, ChatConversation if model_id else DirectedReceptionist)


@pytest.mark.parametrize("model_id", ["openai", "nvidia", "local", "retired"])
def test_a_model_that_is_no_longer_configured_leaves_the_agent_its_facts(
    settings: Any, caplog: pytest.LogCaptureFixture, model_id: str
) -> None:
    settings.ML_LLM_WORKERS = 0
    assert chat_model_for(new_agent(slug="shop", chat_model=model_id)) is None
    assert caplog.messages == [
        f"Agent shop answers from facts and intents: its language model '{model_id}' is not configured."
    ]


def test_a_voice_that_the_engine_no_longer_has_leaves_the_agent_the_default_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert voice_of(new_agent(slug="shop", voice="piper-joe")) == "piper-joe"
    assert voice_of(new_agent(slug="shop", voice="anna")) == "default"
    assert caplog.messages == ["Agent shop speaks with the default voice: there is no 'anna'."]


def test_the_models_own_name_is_told_of_an_agent_that_takes_what_is_configured(
    settings: Any,
) -> None:
    settings.NVIDIA_API_KEY = "secret"
    assert profile_of(new_agent(chat_model="default")).chat_model == "nvidia"


async def test_examples_are_learnt_once_for_all_calls_of_a_process() -> None:
    agent = Agent(name="Shop", greeting="Hello.", facts=[{"topic": "Parking", "answer": "Behind."}])
    embedder = WordEmbedder()
    for _call in range(2):
        conversation = conversation_for(agent, embedder=embedder, chat_model=None)
        assert [step async for step in conversation.reply("parking places")]
    assert [len(texts) for texts in embedder.requests if len(texts) < 4] == [1, 1]
    assert embedder.requests[-1] == embedder.requests[-2] == ["parking places"]


def test_a_prompt_that_the_small_model_cannot_read_in_time_is_refused() -> None:
    long = {"topic": "Terms", "answer": "word " * 120, "questions": ["what are your terms"]}
    facts = [{**long, "topic": f"Terms {number}"} for number in range(12)]
    save_agent(agent=new_agent(), facts=facts, by="alice")
    with pytest.raises(ValidationError, match="Shorten them, or choose another model") as caught:
        save_agent(agent=new_agent(chat_model="local"), facts=facts, by="alice")
    assert list(caught.value.error_dict) == ["chat_model"]
    assert save_agent(agent=new_agent(chat_model="local"), facts=facts[:3], by="alice").pk


@pytest.mark.django_db
def test_copies_of_one_agent_can_be_told_apart() -> None:
    agent = make_agent("Front desk")
    names = [duplicate_agent(agent=agent, by="alice").name for _ in range(3)]
    assert names == ["Front desk (copy)", "Front desk (copy 2)", "Front desk (copy 3)"]
    long = make_agent("x" * 80)
    assert max(len(duplicate_agent(agent=long, by="alice").name) for _ in range(2)) <= 80
