"""What callers give before they are asked."""

from __future__ import annotations

import asyncio

import pytest

from agents.flow import extracting
from agents.flow.graph import read
from agents.flow.passing import told_in, wanted_by
from tests.agents.conftest import NOW
from tests.agents.fakes import ScriptedModel

from .samples import edge, flow, node
from .seen import walked

BOOKING = flow(
    node("hello", "say", text="Hello. What can I do?"),
    node("who", "gather", prompt="Your name?", variable="name", kind="name"),
    node("when", "gather", prompt="When?", variable="at", kind="datetime", confirm="always"),
    node("seats", "gather", prompt="How many?", variable="seats", kind="number"),
    node("big", "branch"),
    node("many", "end_call", message="A room for {{seats}}, {{name}}, {{at}}."),
    node("few", "end_call", message="A table for {{seats}}, {{name}}."),
    edge("hello", "who", examples=["I want a table"], otherwise=True),
    edge("who", "when"),
    edge("when", "seats"),
    edge("seats", "big"),
    edge("big", "many", when="seats > 8"),
    edge("big", "few", otherwise=True),
    variables=[
        {"name": "name"},
        {"name": "at", "kind": "datetime"},
        {"name": "seats", "kind": "number", "description": "how many people come"},
        {"name": "phone", "kind": "phone"},
        {"name": "mail", "kind": "email"},
    ],
)


def found(words: str, asked=None, **changes):
    raw = {**BOOKING, "variables": [{**each, **changes} for each in BOOKING["variables"]]}
    told = told_in(words, wanted_by(read(raw)[0]), now=NOW, region="US", asked=asked)
    return {name: each.value.value if each.value else None for name, each in told.items()}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("this is Anna Smith, I need Friday at 3 pm", {"name": "Anna Smith", "at": "2026-11-27T15:00+00:00"}),
        ("this is Anna Smith, I need Friday at three", {"name": "Anna Smith", "at": None}),
        ("we will be four people", {"seats": 4.0}),
        ("call me on 415-555-0134", {"phone": "+14155550134"}),
        ("write to anna@example.com please", {"mail": "anna@example.com"}),
        ("I have a question about my bill", {}),
        ("it's about invoice 4711", {}),
        ("are you open on Friday at 3 pm", {}),
        ("I was there on Friday at 3 pm", {}),
        ("I can't come on Friday at 3 pm", {}),
        ("four wheels please", {}),
        ("I'm calling about a table", {}),
    ],
)
def test_only_what_can_hardly_mean_anything_else_is_kept(words, values):
    assert found(words) == values
    assert found(words, filledInPassing=False) == {}


def test_an_answer_is_not_taken_for_what_is_like_it():
    assert found("415-555-0134", asked="digits") == {}
    assert found("Friday at 3 pm, and I am Anna Smith", asked="date") == {"name": "Anna Smith"}


async def test_what_was_given_is_asked_no_more_but_read_back_where_the_step_wants_that(follow):
    talk = follow(BOOKING)
    await talk.greet()
    said = await talk.say("This is Anna Smith, I need a table for ten people on Friday at 3 pm.")
    assert said.startswith("I have Friday the twenty seventh of November at three") and said.endswith(
        "right?"
    )
    assert [(note.name, note.data["by"]) for note in talk.noted("variable")][:2] == [
        ("name", "passing"),
        ("at", "passing"),
    ]
    assert (await talk.say("yes")).startswith("A room for ten, Anna Smith, Friday")
    assert walked(talk) == ["hello", "who", "when", "seats", "big", "many"]


async def test_what_was_left_open_is_all_that_is_asked(follow):
    talk = follow(BOOKING)
    await talk.greet()
    await talk.say("this is Anna Smith, I need Friday at three")
    assert walked(talk)[-1] == "when"
    assert "afternoon" in talk.conversation._walker.question


TALK = flow(
    node("desk", "subagent", systemPrompt="You answer for a shop."),
    node("vip", "end_call", message="Come in, {{nickname}}."),
    edge("desk", "vip", when="member == true"),
    variables=[
        {"name": "nickname", "description": "what they want to be called"},
        {"name": "seats", "kind": "number", "description": "how many people come"},
        {"name": "member", "kind": "yes_no", "description": "whether they are a member"},
    ],
)


async def test_a_language_model_finds_the_rest_once_a_talk_has_answered(follow):
    model = ScriptedModel('Here: {"nickname": "Bob", "seats": "a dozen", "member": true, "desk": "vip"}')
    talk = follow(TALK, model=model)
    await talk.greet()
    assert await talk.say("Everybody says Bob to me, where can I park? I belong to you.") != ""
    filled = [(note.name, note.data["value"], note.data["by"]) for note in talk.noted("variable")]
    assert filled == [("nickname", "Bob", "model"), ("member", True, "model")]
    assert "member (yes_no): whether they are a member" in model.shown[0][0].content
    assert model.shown[0][1].content.startswith("<caller>Everybody says Bob")
    assert await talk.say("hello again") == "Come in, Bob."


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{",
        "[1]",
        '{"nickname": ["Bob"]}',
        '{"nickname": "Mallory"}',
        '{"nickname": "Bob Everybody"}',
        '{"nickname": "Everybody Bob"}',
        '{"nickname": "?!"}',
        '{"seats": "{{secret}}"}',
        "{" * 5000,
    ],
)
async def test_what_a_model_makes_up_or_garbles_fills_nothing(follow, answer):
    talk = follow(TALK, model=ScriptedModel(answer))
    await talk.greet()
    await talk.say("Everybody says Bob to me, where can I park?")
    assert talk.noted("variable") == []


async def test_a_model_that_is_slow_does_not_hold_the_answer_up(follow, monkeypatch):
    monkeypatch.setattr(extracting, "EXTRACTING_SECONDS", 0.01)
    model = SlowModel('{"nickname": "Bob"}')
    talk = follow(TALK, model=model)
    await talk.greet()
    assert await talk.say("Everybody says Bob to me, where can I park?") == "Park behind the shop."
    assert talk.noted("variable") == []
    await asyncio.sleep(0.1)
    await talk.say("where can I park")
    assert [note.name for note in talk.noted("variable")] == ["nickname"]


class SlowModel(ScriptedModel):
    async def reply(self, messages, **how):
        await asyncio.sleep(0.05)
        async for delta in super().reply(messages, **how):
            yield delta
