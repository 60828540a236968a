"""A small shop whose facts the tests know by heart, and a way to talk to its agent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from agents.facts import read_facts
from agents.flow.chat import ChatConversation
from agents.flow.directed import DirectedReceptionist
from agents.flow.knowledge import Profile
from agents.flow.matching import Meanings
from agents.flow.steps import Conversation, HangUp, KeepMessage, Noted, Say, Step, Transfer

from .fakes import ScriptedModel, WordEmbedder

# A Tuesday, 11 in the morning in Halifax.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

SHOP_FACTS = [
    {
        "topic": "Opening hours",
        "answer": "We're closed on public holidays.",
        "questions": ["when are you open", "are you open now", "opening times"],
        "hours": {
            "timezone": "America/Halifax",
            "week": {
                "monday": [["09:00", "18:00"]],
                "tuesday": [["09:00", "12:00"], ["13:00", "18:00"]],
                "wednesday": [["09:00", "18:00"]],
                "saturday": [["10:00", "13:30"]],
            },
            "closed_on": ["2026-12-01"],
        },
    },
    {
        "topic": "Parking",
        "answer": "Park behind the shop.",
        "questions": ["where can I park", "free parking spaces", "free parking spaces behind this shop"],
    },
    {"topic": "Bicycles", "answer": "We rent bicycles.", "questions": ["rent bicycles", "bicycle hire"]},
    {
        "topic": "Repairs",
        "answer": "We repair bicycles within a week.",
        "questions": ["repair bicycles", "my wheel is broken", "mend flat tubes"],
        "follow_up": "message",
    },
    {
        "topic": "Fire",
        "answer": "Leave the building and call the fire brigade.",
        "questions": ["shop burning fire", "there smoke fire everywhere shop"],
        "urgent": True,
    },
]


@dataclass
class Talk:
    """A conversation in which each turn is heard to its end, unless a test says otherwise."""

    conversation: Conversation
    embedder: WordEmbedder
    model: ScriptedModel | None = None
    notes: list[Noted] = field(default_factory=list)
    messages: list[KeepMessage] = field(default_factory=list)
    ended: bool = False
    transferred_to: str = ""

    async def greet(self) -> str:
        return await self._take(self.conversation.greet())

    async def say(self, words: str) -> str:
        """The agent's answer, all of it heard."""
        return await self._take(self.conversation.reply(words))

    async def press(self, digits: str) -> str:
        return await self._take(self.conversation.digits(digits))

    async def keep_silent(self, count: int) -> str:
        return await self._take(self.conversation.silence(count))

    async def say_unheard(self, words: str) -> list[KeepMessage]:
        """The caller goes on before the answer is heard; the messages that it kept all the same."""
        steps = [step async for step in self.conversation.reply(words)]
        self.conversation.heard("", interrupted=True)
        return [step for step in steps if isinstance(step, KeepMessage)]

    def noted(self, kind: str) -> list[Noted]:
        return [note for note in self.notes if note.kind == kind]

    async def _take(self, steps: AsyncGenerator[Step, None]) -> str:
        said = []
        async for step in steps:
            match step:
                case Say(text=text):
                    said.append(text)
                case Noted():
                    self.notes.append(step)
                case KeepMessage():
                    self.messages.append(step)
                case Transfer(number=number):
                    self.transferred_to = number
                case HangUp():
                    self.ended = True
        self.conversation.heard(" ".join(said), interrupted=False)
        return " ".join(said)


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def call(embedder: WordEmbedder) -> Callable[..., Talk]:
    """Call the shop: `call(transfer_number="+1...")`, or `call(model=ScriptedModel(...))`."""

    def start(*, transfer_number: str = "", model: ScriptedModel | None = None, now: datetime = NOW) -> Talk:
        profile = Profile(
            "Hello, this is the shop.",
            read_facts(SHOP_FACTS),
            transfer_number,
            instructions="You answer for a bicycle shop.",
            chat_model="scripted",
        )
        receptionist = DirectedReceptionist(profile, meanings=Meanings(embedder, {}), now=lambda: now)
        if model is None:
            return Talk(receptionist, embedder)
        chat = ChatConversation(profile, model=model, receptionist=receptionist, now=lambda: now)
        return Talk(chat, embedder, model)

    return start


@pytest.fixture
async def talk(call: Callable[..., Talk]) -> Talk:
    """The caller has asked to leave a message."""
    talk = call(transfer_number="+14155550100")
    assert "your name" in await talk.say("Can I leave a message?")
    return talk


def taken(talk: Talk) -> KeepMessage:
    (message,) = talk.messages
    return message
