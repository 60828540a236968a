"""Rows -> Conversation: the one door between what an administrator set up and what a call runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import phonenumbers
from django.utils import timezone

from mlservices import registry
from mlservices.interfaces import ChatModel, Embedder
from mlservices.offer import DEFAULT_VOICE

from .facts import read_facts
from .flow import hours
from .flow.asides import is_aside
from .flow.chat import ChatConversation
from .flow.directed import DirectedReceptionist
from .flow.knowledge import Fact, Profile
from .flow.looking_up import InformedReceptionist, Lookup
from .flow.matching import Meanings, Vector
from .flow.program import NO_TOOLS, Ports, Talk, Toolbox
from .flow.runtime import FlowConversation
from .flow.steps import Conversation, Say, Step
from .flow.understanding import Understanding, noted
from .flow.variables import built_in, fill
from .flow.wording import shown
from .flows.programs import Crew
from .knowledge.shelf import lookup_in
from .models import DEFAULT_MODEL, Agent, FlowVersion

logger = logging.getLogger(__name__)

# The vectors of examples, by text: all calls of this process ask the same facts in the same words.
_KNOWN: WeakKeyDictionary[Embedder, dict[str, Vector]] = WeakKeyDictionary()


ModelOf = Callable[[Agent], ChatModel | None]


def conversation_for(
    agent: Agent,
    *,
    embedder: Embedder,
    chat_model: ChatModel | None,
    version: FlowVersion | None = None,
    crew: Crew | None = None,
    caller: str = "",
    values: Mapping[str, Any] | None = None,
    tools: Toolbox = NO_TOOLS,
    model_of: ModelOf | None = None,
    now: Callable[[], datetime] = timezone.now,
) -> Conversation:
    """The conversation of one call. It asks the database nothing and is safe on the event loop.

    Without a `chat_model` it answers from facts and abilities alone; with a `version` it follows that flow,
    whose other agents are the `crew`, each with the model that `model_of` it answers, and whose variables
    have these `values` already. `caller` is what the line tells of who calls, a number at best. Raises
    ValidationError when the agent's facts cannot be read; it names the field.
    """
    profile = profile_of(agent, caller=caller, now=now(), given=values)
    meanings = Meanings(embedder, _KNOWN.setdefault(embedder, {}))
    talk = partial(_talk, meanings=meanings, model=chat_model, now=now)
    if version is None:
        return talk(profile)
    again = partial(
        conversation_for, embedder=embedder, crew=crew, caller=caller, tools=tools, model_of=model_of, now=now
    )
    ports = Ports(
        meanings=meanings,
        model=chat_model,
        now=lambda: timezone.localtime(now(), _zone_of(profile.facts)),
        region=_region_of(agent.transfer_number),
        talk=partial(_subagent, profile, talk, embedder),
        tools=tools,
        aside=partial(_aside, Understanding(profile.facts, meanings), now),
        other_agent=partial(_other_agent, crew or {}, again, model_of or chat_model_for),
        transfer_number=profile.transfer_number,
        announcement=profile.announcement,
        greeting=profile.greeting,
    )
    known = values_for(agent, profile.facts, caller=caller, now=now(), given=values)
    return FlowConversation(version.program, ports, variables=known, values=values)


def _talk(
    profile: Profile,
    *,
    meanings: Meanings,
    model: ChatModel | None,
    now: Callable[[], datetime],
    tools: Toolbox = NO_TOOLS,
    lookup: Lookup | None = None,
) -> Conversation:
    if model is None:
        return InformedReceptionist(profile, meanings=meanings, now=now, lookup=lookup)
    receptionist = DirectedReceptionist(profile, meanings=meanings, now=now)
    return ChatConversation(
        profile, model=model, receptionist=receptionist, now=now, tools=tools, lookup=lookup
    )


def _subagent(
    profile: Profile,
    talk: Callable[..., Conversation],
    embedder: Embedder,
    *,
    prompt: str,
    greeting: str,
    knowledge_base: str,
    tools: Toolbox,
) -> Talk:
    """The agent as it talks within a flow: what it knows, with instructions of that step."""
    asked = tuple(question for fact in profile.facts for question in fact.questions)
    instructions = prompt or profile.instructions
    told = replace(profile, instructions=instructions, greeting=greeting)
    lookup = lookup_in(knowledge_base, embedder) if knowledge_base else None
    return Talk(talk(told, tools=tools, lookup=lookup), knows=asked)


async def _aside(
    understanding: Understanding, now: Callable[[], datetime], words: str, *, may_answer: bool
) -> list[Step]:
    match = await understanding.match(words)
    if match is None or not isinstance(fact := match.best.target, Fact):
        return []
    if not is_aside(match, words, may_answer=may_answer):
        return []
    return [noted(match), Say(hours.answer_of(fact, words, now()))]


def _other_agent(
    crew: Crew, conversation: Callable[..., Conversation], model_of: ModelOf, slug: str
) -> Conversation | None:
    member = crew.get(slug)
    if member is None:
        return None
    return conversation(member.agent, chat_model=model_of(member.agent), version=member.version)


def _zone_of(facts: Sequence[Fact]) -> ZoneInfo | None:
    """That of the opening hours, if there are some."""
    return next((fact.hours.zone for fact in facts if fact.hours), None)


def _region_of(number: str) -> str:
    """The country of a telephone number, as in "US"; "" where nobody can tell."""
    return (number and phonenumbers.region_code_for_number(phonenumbers.parse(number))) or ""


def chat_model_for(agent: Agent) -> ChatModel | None:
    """The language model that the agent speaks with now; None if it is to answer from facts and abilities.

    One that is chosen, but is not configured any more, must not cost the agent its calls.
    """
    model_id = model_id_of(agent)
    if model_id and model_id not in dict(registry.chat_models()):
        logger.warning(
            "Agent %s answers from facts and intents: its language model %r is not configured.",
            agent.slug,
            model_id,
        )
        return None
    return registry.chat_model(model_id) if model_id else None


def model_id_of(agent: Agent) -> str:
    """The id of the agent's language model, "" for none."""
    return default_model_id() if agent.chat_model == DEFAULT_MODEL else agent.chat_model


def default_model_id() -> str:
    """The first remote model that is configured, or "": the small model of the ML service itself, which
    makes things up, answers only where it was chosen by name."""
    return next((model_id for model_id, _label in registry.chat_models() if model_id != registry.LOCAL), "")


def voice_of(agent: Agent) -> str:
    """The voice that the agent speaks with now: one that is gone must not cost the agent its calls."""
    if registry.knows_voice(agent.voice):
        return agent.voice
    logger.warning("Agent %s speaks with the default voice: there is no %r.", agent.slug, agent.voice)
    return DEFAULT_VOICE


def profile_of(
    agent: Agent, *, caller: str = "", now: datetime | None = None, given: Mapping[str, Any] | None = None
) -> Profile:
    """What the agent knows and says in one call, its placeholders filled in."""
    facts = read_facts(agent.facts)
    values = values_for(agent, facts, caller=caller, now=now or timezone.now(), given=given)
    return Profile(
        greeting=fill(agent.greeting, values),
        facts=facts,
        transfer_number=agent.transfer_number,
        instructions=fill(agent.instructions, values),
        chat_model=model_id_of(agent),
        temperature=agent.temperature,
        announcement=fill(agent.recording_announcement, values) if agent.record else "",
    )


def values_for(
    agent: Agent,
    facts: Sequence[Fact],
    *,
    caller: str,
    now: datetime,
    given: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """What each placeholder stands for; times are on the clock of the opening hours, if there are some. What
    is `given` for one call goes before the agent's own."""
    local = timezone.localtime(now, _zone_of(facts))
    return {
        **agent.constants,
        **_spoken(given or {}),
        **built_in(caller=caller, agent_name=agent.name, now=local),
    }


def _spoken(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: shown(value) for name, value in given.items()}
