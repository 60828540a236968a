"""A message that was read back: agreed to, put right, given up, or left by a caller who is gone."""

from __future__ import annotations

import pytest

from .conftest import Talk, taken


@pytest.fixture
async def read_back(talk: Talk) -> Talk:
    """The whole message was just read back."""
    for words in ("Bob", "5551234", "yes"):
        await talk.say(words)
    answer = await talk.say("the wheel is broken")
    assert answer == "Here is your message from Bob: the wheel is broken. Is that right?"
    return talk


async def test_a_read_back_message_is_answered_by_keys_too(read_back: Talk) -> None:
    assert await read_back.press("2") == "I'm sorry. What should I change?"
    assert read_back.conversation.expects == "anything"
    assert "Is that right?" in await read_back.say("it is the front wheel")
    assert "I've noted your message" in await read_back.press("1")
    assert taken(read_back).words == "the wheel is broken. Correction: it is the front wheel"


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("no, you got my name wrong", "May I have your name, please?"),
        ("the number is wrong", "What number can we call you back on?"),
        ("no let me start over", "What would you like me to pass on?"),
        ("No, the message is wrong.", "What would you like me to pass on?"),
    ],
)
async def test_what_is_said_to_be_wrong_is_asked_again(read_back: Talk, words: str, asked: str) -> None:
    assert await read_back.say(words) == f"I'm sorry. {asked}"
    assert read_back.messages == []


async def test_a_message_told_again_takes_the_place_of_the_first(read_back: Talk) -> None:
    await read_back.say("no let me start over")
    assert await read_back.say("the bell is gone") == (
        "Here is your message from Bob: the bell is gone. Is that right?"
    )
    await read_back.say("yes")
    assert taken(read_back).words == "the bell is gone"


async def test_another_number_given_at_the_end_is_read_back_by_itself(read_back: Talk) -> None:
    assert await read_back.say("no, the number is 555 9876") == (
        "I have five five five, nine eight seven six. Is that right?"
    )
    assert "Here is your message" in await read_back.say("yes")
    await read_back.say("yes")
    assert (taken(read_back).number, taken(read_back).number_confirmed) == ("5559876", True)


async def test_nothing_is_to_be_changed_after_all(read_back: Talk) -> None:
    await read_back.say("no")
    assert "I've noted your message" in await read_back.say("nothing, it's fine")
    assert taken(read_back).confirmed


@pytest.mark.parametrize("words", ["never mind", "no, cancel the message"])
async def test_a_message_can_be_given_up_after_it_was_read_back(read_back: Talk, words: str) -> None:
    assert "no message then" in await read_back.say(words)
    assert read_back.messages == [] == read_back.conversation.ended()


@pytest.mark.parametrize(
    ("before", "last", "kept"),
    [
        ([], "Alice Brown", ("Alice Brown", "", "", False)),
        (["Alice"], "five five five one two three four", ("Alice", "5551234", "", False)),
        (["Bob", "5551234", "yes"], "the wheel is broken", ("Bob", "5551234", "the wheel is broken", False)),
        (
            ["Bob", "5551234", "yes"],
            "are you still there?",
            ("Bob", "5551234", "are you still there?", False),
        ),
        (["Bob", "5551234", "yes"], "okay thank you bye", ("Bob", "5551234", "", False)),
        (["Bob", "5551234", "yes"], "thanks bye", ("Bob", "5551234", "", False)),
    ],
)
async def test_the_last_words_of_a_caller_who_is_gone_belong_to_the_message(
    talk: Talk, before: list[str], last: str, kept: tuple[str, str, str, bool]
) -> None:
    for words in before:
        await talk.say(words)
    (message,) = talk.conversation.ended(last)
    assert (message.name, message.number, message.words, message.complete) == kept


async def test_last_words_that_give_the_message_up_leave_none(talk: Talk) -> None:
    await talk.say("Bob")
    assert talk.conversation.ended("never mind") == []


async def test_an_answer_nobody_heard_is_no_reason_to_take_the_same_words_twice(talk: Talk) -> None:
    for words in ("Bob", "5551234", "yes"):
        await talk.say(words)
    await talk.say_unheard("the wheel is broken")
    (message,) = talk.conversation.ended("the wheel is broken")
    assert (message.words, message.complete) == ("the wheel is broken", True)


AGREES = ["That's right, thanks, bye", "Right.", "okay thank you"]


@pytest.mark.parametrize("words", AGREES)
async def test_a_yes_whose_answer_nobody_heard_stays_a_yes(read_back: Talk, words: str) -> None:
    kept = await read_back.say_unheard(words)
    assert [message.confirmed for message in kept] == [True]
    assert read_back.conversation.ended(words) == []
    assert read_back.conversation.ended(f"{words} bye bye") == []


@pytest.mark.parametrize("words", AGREES)
async def test_a_yes_before_the_caller_is_gone_confirms_the_message(read_back: Talk, words: str) -> None:
    (message,) = read_back.conversation.ended(words)
    assert (message.words, message.complete, message.confirmed) == ("the wheel is broken", True, True)


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("words", AGREES)
async def test_a_yes_before_the_caller_is_gone_confirms_the_number(
    talk: Talk, words: str, answered: bool
) -> None:
    await talk.say("Bob")
    await talk.say("5551234")
    if answered:
        await talk.say_unheard(words)
    (message,) = talk.conversation.ended(words)
    assert (message.number, message.number_confirmed, message.words) == ("5551234", True, "")


async def test_more_than_courtesies_behind_an_unheard_yes_is_taken_in(read_back: Talk) -> None:
    await read_back.say_unheard("yes")
    (message,) = read_back.conversation.ended("yes but it is the front wheel")
    assert message.words == "the wheel is broken. Correction: but it is the front wheel"
    assert not message.confirmed
