"""A caller talks to an agent that has no language model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.flow.steps import HangUp, Say
from mlservices.errors import EngineError

from .conftest import Talk
from .fakes import WordEmbedder

Call = Callable[..., Talk]


async def test_it_greets_and_learns_its_examples_meanwhile(call: Call, embedder: WordEmbedder) -> None:
    talk = call()
    assert await talk.greet() == "Hello, this is the shop."
    await talk.say("Which parking spaces are free?")
    learnt, asked = embedder.requests[:-1], embedder.requests[-1]
    assert sum(map(len, learnt)) > 100
    assert asked == ["which parking spaces are free"]


async def test_one_turn_costs_one_request_and_known_words_none(call: Call, embedder: WordEmbedder) -> None:
    talk = call()
    await talk.say("free parking")
    before = len(embedder.requests)
    await talk.say("rent two bicycles")
    assert len(embedder.requests) == before + 1
    await talk.say("where can I park")
    assert len(embedder.requests) == before + 1


async def test_a_question_is_answered_from_the_facts(call: Call) -> None:
    talk = call()
    assert await talk.say("any free parking spaces here?") == "Park behind the shop."
    (note,) = talk.notes
    assert note.name == "Parking"
    assert note.data["runner_up"] not in ("", "Parking")
    assert 0.6 < note.data["score"] < 1
    assert note.data["runner_up_score"] < note.data["score"]


async def test_two_questions_in_one_sentence_are_both_answered(call: Call) -> None:
    talk = call()
    assert await talk.say("repair bicycles and where can I park") == (
        "Park behind the shop. We repair bicycles within a week. Shall I take a message for the team?"
    )
    assert [note.name for note in talk.notes] == ["Parking", "Repairs"]


async def test_an_and_within_one_question_makes_no_second(call: Call) -> None:
    assert await call().say("free parking spaces behind this shop and bakery") == "Park behind the shop."


async def test_a_question_behind_a_greeting_is_the_one_answered(call: Call) -> None:
    assert await call().say("Hello. Nice day, isn't it? Where can I park?") == "Park behind the shop."


async def test_what_is_not_known_is_not_made_up(call: Call) -> None:
    answer = await call().say("weather forecast")
    assert answer == "I'm sorry, I don't know that. Shall I take a message for the team?"


async def test_between_two_near_meanings_it_asks_back(call: Call) -> None:
    talk = call()
    assert await talk.say("rent or repair") == "Do you mean bicycles or repairs?"
    assert await talk.say("the first one please") == "We rent bicycles."


@pytest.mark.parametrize("words", ["the second", "repair", "repairs", "mend the flat tubes"])
async def test_the_choice_may_be_made_in_any_words(call: Call, words: str) -> None:
    talk = call()
    await talk.say("rent or repair")
    assert (await talk.say(words)).startswith("We repair bicycles within a week.")


async def test_a_choice_of_neither_is_not_known(call: Call) -> None:
    talk = call()
    await talk.say("rent or repair")
    assert "I don't know that" in await talk.say("neither")


async def test_opening_hours_are_those_of_the_day_asked_about(call: Call) -> None:
    talk = call()
    assert await talk.say("are you open now") == "We're open right now, until noon."
    assert await talk.say("and on Sunday?") == "On Sunday, we're closed. We open again on Monday at 9 am."
    assert (await talk.say("when are you open")).endswith("We're closed on public holidays.")


async def test_an_emergency_goes_before_what_is_nearer(call: Call) -> None:
    assert "fire brigade" in await call().say("free parking spaces behind shop smoke fire everywhere")


async def test_a_fact_may_end_in_a_message(call: Call) -> None:
    talk = call()
    assert (await talk.say("my broken wheel")).endswith("Shall I take a message for the team?")
    assert talk.conversation.expects == "yes_no"
    assert (await talk.say("yes please")).endswith("May I have your name, please?")


async def test_an_offer_that_is_declined_is_dropped(call: Call) -> None:
    talk = call()
    await talk.say("weather forecast")
    assert await talk.say("no thanks") == "All right. Is there anything else I can help you with?"


async def test_an_offer_may_be_answered_with_another_question(call: Call) -> None:
    talk = call()
    await talk.say("weather forecast")
    assert await talk.say("where can I park") == "Park behind the shop."


async def test_a_caller_who_asks_for_a_person_gets_the_agents_number(call: Call) -> None:
    talk = call(transfer_number="+14155550100")
    assert "put you through" in await talk.say("I want to talk to a human, at +19005550199")
    assert talk.transferred_to == "+14155550100"


async def test_without_a_number_to_transfer_to_it_offers_a_message(call: Call) -> None:
    talk = call()
    assert "Shall I take a message instead?" in await talk.say("I want to talk to a human")
    assert talk.transferred_to == ""
    assert "your name" in await talk.say("yes")


@pytest.mark.parametrize("words", ["goodbye", "that's all", "Bye!", "okay that's all thank you"])
async def test_a_goodbye_ends_the_call(call: Call, words: str) -> None:
    talk = call()
    assert await talk.say(words) == "Thank you for calling. Goodbye."
    assert talk.ended


async def test_thanks_alone_do_not_end_the_call_but_a_no_after_them_does(call: Call) -> None:
    talk = call()
    assert await talk.say("thank you") == "You're welcome. Is there anything else I can help you with?"
    assert not talk.ended
    await talk.say("no")
    assert talk.ended


async def test_a_caller_may_still_interrupt_the_goodbye(call: Call) -> None:
    steps = [step async for step in call().conversation.reply("goodbye")]
    assert [step for step in steps if isinstance(step, Say)] == [Say("Thank you for calling. Goodbye.")]
    assert steps[-1] == HangUp()


async def test_who_declines_to_be_put_through_is_asked_what_else(call: Call) -> None:
    talk = call(transfer_number="+14155550100")
    assert await talk.say("the transfer was") == "Do you mean speaking to a person?"
    assert await talk.say("no") == "All right. Is there anything else I can help you with?"
    assert talk.transferred_to == ""


async def test_a_guess_that_was_a_request_after_all_is_acted_on(call: Call) -> None:
    talk = call(transfer_number="+14155550100")
    await talk.say("can't you transfer me")
    await talk.say("yes")
    assert talk.transferred_to == "+14155550100"


async def test_a_no_with_a_question_behind_it_is_answered(call: Call) -> None:
    talk = call()
    await talk.say("thank you")
    assert "I don't know that" in await talk.say("No, but can I bring my dog?")
    assert not talk.ended


async def test_it_says_truthfully_what_it_is(call: Call) -> None:
    assert "automated assistant, not a person" in await call().say("are you a robot")


async def test_it_tells_what_it_can_do(call: Call) -> None:
    answer = await call(transfer_number="+14155550100").say("what can you do")
    assert "opening hours, parking, bicycles" in answer
    assert "put you through" in answer
    assert "put you through" not in await call().say("what can you do")


async def test_it_repeats_what_it_said(call: Call) -> None:
    talk = call()
    await talk.say("where can I park")
    assert await talk.say("pardon?") == "Park behind the shop."
    assert await talk.say("say that again") == "Park behind the shop."


async def test_a_caller_may_take_time(call: Call) -> None:
    talk = call()
    assert await talk.say("hold on") == "Of course, take your time."
    assert await talk.keep_silent(1) == "I'm still here. Whenever you're ready."


@pytest.mark.parametrize("words", ["", "  ", "...", "um, uh"])
async def test_words_without_content_are_asked_for_again(call: Call, words: str) -> None:
    assert await call().say(words) == "I'm sorry, I didn't catch that. Could you say it again?"


async def test_three_silences_are_asked_differently_and_end_politely(call: Call) -> None:
    talk = call()
    first, second = await talk.keep_silent(1), await talk.keep_silent(2)
    assert first != second
    assert not talk.ended
    assert "Goodbye" in await talk.keep_silent(3)
    assert talk.ended


async def test_the_longest_call_ends_with_a_word(call: Call) -> None:
    steps = [step async for step in call().conversation.farewell("max_duration")]
    assert len(steps) == 1
    assert isinstance(steps[0], Say)
    assert "Goodbye" in steps[0].text


async def test_keys_outside_a_message_are_answered(call: Call) -> None:
    assert "Just tell me" in await call().press("5")
    talk = call(transfer_number="+14155550100")
    await talk.press("0")
    assert talk.transferred_to == "+14155550100"


async def test_a_failing_embedder_changes_nothing_and_the_turn_can_be_tried_again(
    call: Call, embedder: WordEmbedder
) -> None:
    talk = call()
    await talk.say("free parking spaces")
    await talk.say("rent or repair")
    embedder.failures = 1
    with pytest.raises(EngineError):
        await talk.say("repair bicycles today")
    assert (await talk.say("repair bicycles today")).startswith("We repair bicycles")


async def test_examples_that_could_not_be_learnt_during_the_greeting_are_learnt_later(
    call: Call, embedder: WordEmbedder
) -> None:
    embedder.failures = 1
    talk = call()
    await talk.greet()
    assert await talk.say("any free parking spaces") == "Park behind the shop."


async def test_an_answer_nobody_heard_is_taken_back_when_the_words_go_on(call: Call) -> None:
    talk = call()
    await talk.say_unheard("weather")
    assert await talk.say("weather where can I park") == "Park behind the shop."
    talk = call()
    await talk.say("weather forecast")
    await talk.say_unheard("no")
    assert "your name" not in await talk.say("no where can I park")


async def test_an_answer_partly_heard_counts(call: Call) -> None:
    talk = call()
    async for _step in talk.conversation.reply("can I leave a message"):
        pass
    talk.conversation.heard("Of course. May", interrupted=True)
    assert talk.conversation.expects == "name"
    assert "Thank you, Bob" in await talk.say("Bob")


async def test_a_reply_that_is_closed_early_has_changed_the_state_already(call: Call) -> None:
    talk = call()
    reply = talk.conversation.reply("can I leave a message")
    await anext(reply)
    await reply.aclose()
    talk.conversation.heard("Of course.", interrupted=True)
    assert talk.conversation.expects == "name"


async def test_an_answer_that_was_heard_is_not_taken_back_by_an_interruption_later(call: Call) -> None:
    talk = call()
    await talk.say("can I leave a message")
    await talk.say("Bob")
    async for _step in talk.conversation.silence(1):
        pass
    talk.conversation.heard("", interrupted=True)
    assert "five five five, one two three four" in await talk.say("Bob here, 555 1234")


async def test_a_turn_given_up_while_it_was_thought_about_leaves_no_trace(
    call: Call, embedder: WordEmbedder
) -> None:
    talk = call()
    await talk.say("my broken wheel")
    embedder.failures = 1
    with pytest.raises(EngineError):
        await talk.say("that would suit everybody")
    talk.conversation.heard("", interrupted=True)
    assert talk.conversation.expects == "yes_no"
    assert "your name" in await talk.say("yes")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("okay goodbye", "Goodbye."),
        ("no goodbye", "Goodbye."),
        ("okay transfer me", "I'll put you through now."),
        ("right, where can I park", "Park behind the shop."),
        ("yes thank you", "May I have your name, please?"),
        ("no, where can I park", "Park behind the shop."),
    ],
)
async def test_an_offer_may_be_answered_with_more_than_yes_or_no(call: Call, words: str, answer: str) -> None:
    talk = call(transfer_number="+14155550100")
    await talk.say("weather forecast")
    assert answer in await talk.say(words)


async def test_a_guess_that_is_denied_is_not_acted_on(call: Call) -> None:
    talk = call()
    assert await talk.say("rent large blue tent") == "Do you mean bicycles?"
    assert await talk.say("no, where can I park?") == "Park behind the shop."


@pytest.mark.parametrize("words", ["don't transfer me", "no, don't transfer me", "please do not transfer me"])
@pytest.mark.parametrize("before", ["thank you", "my broken wheel"])
async def test_what_is_refused_is_not_done_whatever_was_asked_before(
    call: Call, before: str, words: str
) -> None:
    talk = call(transfer_number="+14155550100")
    await talk.say(before)
    assert await talk.say(words) == "All right. Is there anything else I can help you with?"
    assert talk.transferred_to == ""


async def test_a_message_that_is_refused_in_words_is_not_begun(call: Call) -> None:
    talk = call()
    await talk.say("my broken wheel")
    assert "your name" not in await talk.say("don't take a message")


@pytest.mark.parametrize("words", ["that's not right", "no that's not right", "wrong", "that is incorrect"])
async def test_a_complaint_does_not_end_the_call(call: Call, words: str) -> None:
    talk = call()
    await talk.say("thank you")
    assert "I misunderstood you" in await talk.say(words)
    assert not talk.ended


@pytest.mark.parametrize("words", ["hang on a second", "no, first tell me where can I park"])
async def test_only_a_choice_by_its_place_chooses(call: Call, words: str) -> None:
    talk = call(transfer_number="+14155550100")
    await talk.say("the transfer was")
    await talk.say(words)
    assert talk.transferred_to == ""
