"""Rows -> Conversation: the one door between what an administrator set up and what a call runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from weakref import WeakKeyDictionary

from django.utils import timezone

from mlservices.interfaces import ChatModel, Embedder

from .facts import read_facts
from .flow.chat import ChatConversation
from .flow.knowledge import Profile
from .flow.matching import Meanings, Vector
from .flow.receptionist import Receptionist
from .flow.steps import Conversation
from .models import Agent

# The vectors of examples, by text: all calls of this process ask the same facts in the same words.
_KNOWN: WeakKeyDictionary[Embedder, dict[str, Vector]] = WeakKeyDictionary()


def conversation_for(
    agent: Agent,
    *,
    embedder: Embedder,
    chat_model: ChatModel | None,
    now: Callable[[], datetime] = timezone.now,
) -> Conversation:
    """The conversation of one call. It asks the database nothing and is safe on the event loop.

    Without a `chat_model` it answers from facts and abilities alone. Raises ValidationError when the
    agent's facts cannot be read; it names the field.
    """
    profile = profile_of(agent)
    meanings = Meanings(embedder, _KNOWN.setdefault(embedder, {}))
    receptionist = Receptionist(profile, meanings=meanings, now=now)
    if chat_model is None:
        return receptionist
    return ChatConversation(profile, model=chat_model, receptionist=receptionist, now=now)


def profile_of(agent: Agent) -> Profile:
    return Profile(
        greeting=agent.greeting,
        facts=read_facts(agent.facts),
        transfer_number=agent.transfer_number,
        instructions=agent.instructions,
        chat_model=agent.chat_model,
        temperature=agent.temperature,
    )
