"""What agents say beside their facts: short, warm, and true of every agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .intents import Ability, Intent
from .knowledge import Fact
from .wording import listed

TOPICS_NAMED = 5

NOT_CAUGHT = "I'm sorry, I didn't catch that. Could you say it again?"
UNKNOWN = "I'm sorry, I don't know that."
SHALL_I_TAKE_A_MESSAGE = "Shall I take a message for the team?"
ANYTHING_ELSE = "Is there anything else I can help you with?"
GO_AHEAD = "Go ahead, I'm listening."
WITH_PLEASURE = "Of course."
ALL_RIGHT = "All right."
NO_MESSAGE = "All right, no message then."
WELCOME = "You're welcome."
TAKE_YOUR_TIME = "Of course, take your time."
STILL_HERE = "I'm still here. Whenever you're ready."
CANNOT_TRANSFER = "I'm sorry, I can't put you through to anybody."
MESSAGE_INSTEAD = "Shall I take a message instead?"
TRANSFER = "I'll put you through now. One moment, please."
LOST = "I'm sorry, I can't go on from here. Please call again later. Goodbye."
GOODBYE = "Thank you for calling. Goodbye."
BACK_AGAIN = "I'm back with you."
KEY_MEANS_NOTHING = "You don't need to press any keys. Just tell me what I can do for you."
ARE_YOU_THERE = "Are you still there?"
LISTENING = ("I'm listening. How can I help you?", "I can't hear you. Please tell me what I can do for you.")
SILENCE_END = "I can't hear anything, so I'll end the call here. Please call again. Goodbye."
ONE_MOMENT = "One moment, please."
WITHHELD = "I'm sorry, that is something I can't tell you. What else can I do for you?"
SMALL_TALK: Mapping[Ability, str] = {
    "misunderstood": "I'm sorry, I misunderstood you. Could you put it another way?",
    "robot": "I'm an automated assistant, not a person. I answer common questions and take messages.",
    "hello": "Hello! How can I help you?",
    "how_are_you": "I'm doing fine, thank you for asking. How can I help you?",
}
FAREWELLS: Mapping[str, str] = {
    "max_duration": "I'm sorry, our time is up, so I have to end the call now. Please call again. Goodbye.",
    "silence": SILENCE_END,
}


def spoken_of(target: Fact | Intent) -> str:
    if isinstance(target, Intent):
        return target.spoken_of
    return in_a_sentence(target.topic)


def in_a_sentence(topic: str) -> str:
    """ "Opening hours" -> "opening hours"; "MRI scans" and "Blue Cross" stay."""
    first, _, rest = topic.partition(" ")
    is_a_name = not first[1:].islower() or any(word[:1].isupper() for word in rest.split())
    return topic if is_a_name else topic[0].lower() + topic[1:]


def which(options: Sequence[Fact | Intent]) -> str:
    return f"Do you mean {listed([spoken_of(option) for option in options], 'or')}?"


def abilities(topics: Sequence[str], can_transfer: bool) -> str:
    about = [in_a_sentence(topic) for topic in topics[:TOPICS_NAMED]]
    know = f"I can tell you about {listed(about)}. " if about else ""
    transfer = " I can also put you through to a person." if can_transfer else ""
    return f"{know}I can take a message for you.{transfer} What would you like?"


def unknown_again(can_transfer: bool) -> str:
    if can_transfer:
        return "I'm afraid I don't know that either. I can put you through to a person, if you say so."
    return "I'm afraid I don't know that either."
