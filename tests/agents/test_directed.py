"""An operator directs an agent in the middle of a call: with a language model, and without."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import pytest

from agents.facts import read_facts
from agents.flow.directed import DirectedReceptionist
from agents.flow.knowledge import Profile
from agents.flow.matching import Meanings
from agents.flow.steps import HangUp, Say, Step, Transfer
from mlservices.errors import EngineError

from .conftest import NOW, SHOP_FACTS, Talk
from .fakes import ScriptedModel, WordEmbedder

Call = Callable[..., Talk]


@pytest.fixture
def directed(embedder: WordEmbedder) -> DirectedReceptionist:

    profile = Profile("Hello.", read_facts(SHOP_FACTS), transfer_number="+14155550100")
    return DirectedReceptionist(profile, meanings=Meanings(embedder, {}), now=lambda: NOW)


async def steps_of(steps: AsyncGenerator[Step, None]) -> list[Step]:
    return [step async for step in steps]


async def said(steps: AsyncGenerator[Step, None]) -> str:
    return " ".join(step.text for step in await steps_of(steps) if isinstance(step, Say))


# ---- without a model ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "words"),
    [
        ("tell them that we have a slot at ten", "We have a slot at ten."),
        ("Tell her: the doctor is late!", "The doctor is late!"),
        ("please say hello to him", "Hello to him."),
        ("let him know that we close early", "We close early."),
        ("say “come by”", "Come by."),
    ],
)
async def test_words_it_is_given_are_its_next_sentence(
    directed: DirectedReceptionist, direction: str, words: str
) -> None:
    assert await directed.direct(direction)
    assert await said(directed.reply("where can I park")) == f"{words} Park behind the shop."
    assert await said(directed.reply("where can I park")) == "Park behind the shop.", "once only"
    assert await directed.direct(direction)
    assert await said(directed.reply("quantum gravity")) == words, "it knows nothing to add"


async def test_what_it_can_do_is_done_in_place_of_its_answer(directed: DirectedReceptionist) -> None:
    assert await directed.direct("transfer me to an operator")
    steps = await steps_of(directed.reply("where can I park"))
    assert steps[-1] == Transfer("+14155550100")
    assert await directed.direct("take a message")
    await steps_of(directed.silence(1))
    assert directed.expects == "name"


async def test_what_it_knows_is_told(directed: DirectedReceptionist) -> None:
    assert await directed.direct("free parking spaces")
    assert await said(directed.go_on()) == "Park behind the shop."
    assert await said(directed.digits("5")) != "Park behind the shop."


@pytest.mark.parametrize("direction", ["be more polite", "offer a discount", "tell him", "?", 'say ""'])
async def test_anything_else_is_refused_and_changes_nothing(
    directed: DirectedReceptionist, direction: str
) -> None:
    assert not await directed.direct(direction)
    assert await said(directed.reply("where can I park")) == "Park behind the shop."
    assert await steps_of(directed.go_on()) == []


async def test_a_direction_that_cannot_be_understood_now_leaves_the_last_one(
    directed: DirectedReceptionist, embedder: WordEmbedder
) -> None:
    await directed.direct("tell them that we have a slot at ten")
    embedder.failures = 5
    with pytest.raises(EngineError):
        await directed.direct("something new")
    assert await said(directed.go_on()) == "We have a slot at ten."


async def test_given_the_call_back_it_says_so_and_keeps_its_message(directed: DirectedReceptionist) -> None:
    await steps_of(directed.reply("take a message"))
    await steps_of(directed.reply("Ann Smith"))
    directed.overheard("caller", "it is urgent")
    directed.overheard("operator", "hello Ann")
    assert "back with you" in await said(directed.resume("She is Ann."))
    assert directed.expects == "number", "it asks on where it was"


async def test_given_back_without_a_message_a_plain_no_ends_the_call(directed: DirectedReceptionist) -> None:
    assert "anything else" in await said(directed.resume(""))
    assert HangUp() in await steps_of(directed.reply("no thank you"))


async def test_a_direction_in_the_middle_of_a_message_loses_none_of_it(
    directed: DirectedReceptionist,
) -> None:
    await steps_of(directed.reply("take a message"))
    await directed.direct("tell them that we have a slot at ten")
    assert (await said(directed.reply("my name is Ann Smith"))).startswith("We have a slot at ten.")
    assert directed.expects == "number", "the name was taken"


async def test_an_emergency_comes_before_a_direction(directed: DirectedReceptionist) -> None:
    await directed.direct("tell them that we have a slot at ten")
    assert "fire brigade" in await said(directed.reply("shop burning fire"))


# ---- with a model ---------------------------------------------------------------------------


def prompt(talk: Talk) -> str:
    assert talk.model
    return talk.model.shown[-1][0].content


async def test_a_model_is_told_the_direction_from_then_on(call: Call) -> None:
    talk = call(model=ScriptedModel("Sure, ten percent off.", "Fine."))
    await talk.greet()
    assert await talk.conversation.direct("offer ten\n percent off")
    await talk.say("is it cheaper today")
    assert "- offer ten percent off" in prompt(talk)
    await talk.say("thanks for that")
    assert "- offer ten percent off" in prompt(talk), "it holds for the rest of the call"


async def test_a_direction_goes_before_what_would_be_done_without_asking_the_model(call: Call) -> None:
    talk = call(model=ScriptedModel("Let me help you first."))
    await talk.greet()
    await talk.conversation.direct("do not put them through")
    assert await talk.say("transfer me") == "Let me help you first."


async def test_it_goes_on_by_itself_and_knows_what_people_said_in_between(call: Call) -> None:
    talk = call(model=ScriptedModel("Hello again. What else can I do?"))
    await talk.greet()
    talk.conversation.overheard("caller", "I want the blue one")
    talk.conversation.heard("We have a slot at ten.", interrupted=False)  # an operator had it said
    talk.conversation.overheard("operator", "It costs ninety dollars.")
    assert await said(talk.conversation.resume("He takes it.")) == "Hello again. What else can I do?"
    shown = "\n".join(message.content for message in talk.model.shown[-1])  # type: ignore[union-attr]
    assert "<caller>I want the blue one</caller>" in shown
    assert "It costs ninety dollars." in shown and "He takes it." in shown
    assert "We have a slot at ten." in shown
