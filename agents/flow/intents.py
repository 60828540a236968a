"""What every agent understands beside its facts: each ability by the words in which callers ask for it.

An agent's facts say what it knows; these say what it can do. Both are matched alike, by the nearest
example (`matching.py`), so an ability is taught by adding a phrase here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ability = Literal[
    "message",
    "transfer",
    "goodbye",
    "thanks",
    "hello",
    "how_are_you",
    "robot",
    "abilities",
    "repeat",
    "wait",
    "misunderstood",
]


@dataclass(frozen=True, slots=True)
class Intent:
    """`spoken_of` is how the ability is offered when two meanings are near: "leaving a message"."""

    name: Ability
    spoken_of: str
    examples: tuple[str, ...]


INTENTS = (
    Intent(
        "message",
        "leaving a message",
        (
            "can I leave a message",
            "I want to leave a message",
            "take a message",
            "please take a message for me",
            "could you pass on a message",
            "tell them to call me back",
            "can somebody call me back",
            "I'd like a call back",
            "please have someone ring me",
            "leave a note for the doctor",
            "I'd like to leave word with someone",
            "have the doctor phone me",
            "ask the nurse to ring me",
            "I want to leave word for the doctor",
            "leave a message for someone",
        ),
    ),
    Intent(
        "transfer",
        "speaking to a person",
        (
            "can I speak to a person",
            "I want to talk to a human",
            "let me talk to a real person",
            "put me through to someone",
            "transfer me",
            "transfer me to an operator",
            "connect me to the front desk",
            "I'd like to speak with a representative",
            "is there somebody I can talk to",
            "get me a human being",
            "I don't want to talk to a machine",
            "give me a real person",
            "I'd rather speak to a real person",
            "connect me to somebody",
            "no robots please give me a person",
            "talk to someone",
            "speak to a human",
            "real person",
            "representative",
            "operator",
            "agent",
        ),
    ),
    Intent(
        "goodbye",
        "ending the call",
        (
            "goodbye",
            "bye",
            "bye bye",
            "that's all",
            "that's it",
            "that's all I needed",
            "that's all I wanted to ask",
            "that's everything",
            "that will be all",
            "nothing else",
            "I'm done",
            "have a nice day",
            "see you later",
            "talk to you later",
            "you can hang up now",
        ),
    ),
    Intent(
        "thanks",
        "saying thank you",
        (
            "thank you",
            "thanks",
            "thank you very much",
            "thanks a lot",
            "thank you so much",
            "that's very helpful",
            "great thanks",
            "thanks for your help",
            "perfect thank you",
        ),
    ),
    Intent(
        "hello",
        "saying hello",
        (
            "hello",
            "hi",
            "hi there",
            "hey",
            "good morning",
            "good afternoon",
            "good evening",
            "hello is anyone there",
        ),
    ),
    Intent(
        "how_are_you",
        "how I am",
        (
            "how are you",
            "how are you doing today",
            "how's it going",
            "how do you do",
            "are you well",
            "what's up",
        ),
    ),
    Intent(
        "robot",
        "who I am",
        (
            "are you a robot",
            "am I talking to a machine",
            "are you a real person",
            "are you human",
            "is this a computer",
            "is this a recording",
            "are you an AI",
            "who am I speaking to",
            "what's your name",
            "who are you",
        ),
    ),
    Intent(
        "abilities",
        "what I can do",
        (
            "what can you do",
            "what can you help me with",
            "how can you help me",
            "what are my options",
            "what can I ask you",
            "what do you know",
            "can you help me",
            "I need some help",
        ),
    ),
    Intent(
        "repeat",
        "what I just said",
        (
            "can you repeat that",
            "say that again",
            "could you say that again more slowly",
            "what did you say",
            "what was that again",
            "I didn't hear you",
            "I didn't catch that",
            "pardon",
            "sorry what",
            "come again",
            "one more time please",
            "repeat please",
        ),
    ),
    Intent(
        "wait",
        "waiting a moment",
        (
            "wait a moment",
            "hold on",
            "hang on a second",
            "one moment please",
            "just a minute",
            "give me a second",
            "let me get a pen",
            "let me think",
            "bear with me",
            "let me check",
        ),
    ),
    Intent(
        "misunderstood",
        "something else",
        (
            "that's not what I asked",
            "that's not what I meant",
            "you don't understand me",
            "you misunderstood",
            "no that's wrong",
            "that doesn't help me",
            "this is not helpful",
            "you're not listening",
        ),
    ),
)
