"""The number that a caller leaves: dictated, keyed in, corrected, read back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Talk, taken

Call = Callable[..., Talk]


@pytest.mark.parametrize(
    "words", ["David, four one five five five five zero one three two", "my name is David, number 4155550132"]
)
async def test_a_number_told_with_the_name_is_kept_and_read_back(talk: Talk, words: str) -> None:
    assert await talk.say(words) == (
        "Thank you, David. I have four one five, five five five, zero one three two. Is that right?"
    )


async def test_a_number_told_in_place_of_the_name_is_kept_while_the_name_is_asked_again(talk: Talk) -> None:
    assert "may I have your name" in await talk.say("it's 415 555 0132")
    assert "zero one three two. Is that right?" in await talk.say("David")
    await talk.say("yes")
    await talk.say("the wheel is broken")
    await talk.say("yes")
    assert (taken(talk).name, taken(talk).number) == ("David", "4155550132")


async def test_a_wrong_number_is_asked_for_again(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("five five five one two three four")
    assert "What is the number?" in await talk.say("no that's wrong")
    assert "five five five, one two three five" in await talk.say("five five five one two three five")
    await talk.say("yes")
    await talk.say("just call me")
    await talk.say("yes")
    assert taken(talk).number == "5551235"


async def test_a_no_that_brings_the_right_number_along_is_enough(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("five five five one two three four")
    assert "five five five, nine nine nine nine" in await talk.say(
        "no it's five five five nine nine nine nine"
    )


async def test_a_number_may_come_in_pieces(talk: Talk) -> None:
    await talk.say("Bob")
    assert await talk.say("five five five") == "Five five five. And the rest?"
    assert talk.conversation.expects == "number"
    assert "five five five, one two three four" in await talk.say("one two three four")


async def test_a_part_of_a_number_that_could_not_be_made_out_is_left_out_as_the_agent_says(
    talk: Talk,
) -> None:
    await talk.say("Bob")
    answers = [await talk.say("four one zero one seven seven")]
    for _ in range(4):
        answers.append(await talk.say("the rest is somewhere on my desk"))
        if "leave it out" in answers[-1]:
            break
    assert "leave it out" in answers[-1], answers
    await talk.say("the wheel is broken")
    await talk.say("yes")
    assert taken(talk).number == ""


async def test_a_number_that_goes_on_after_it_was_read_back_grows(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("four one five five five five oh")
    assert "four one five, five five five, zero one zero zero" in await talk.say("one double zero")


async def test_a_number_can_be_keyed_in_and_confirmed_by_key(talk: Talk) -> None:
    await talk.say("Bob")
    assert await talk.press("555") == "Five five five. And the rest?"
    assert "five five five, one two three four" in await talk.press("1234")
    assert "pass on" in await talk.press("1")


async def test_a_star_begins_the_keyed_number_again(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.press("555")
    assert "four four four, one two three four" in await talk.press("99*4441234")


async def test_keys_that_come_before_the_last_answer_was_heard_are_not_lost(talk: Talk) -> None:
    await talk.say("Bob")
    async for _step in talk.conversation.digits("555"):
        pass
    talk.conversation.heard("", interrupted=True)
    assert "five five five, one two three four" in await talk.press("1234")


@pytest.mark.parametrize("words", ["I'd rather not say", "I don't want to give it"])
async def test_nobody_has_to_give_a_name_or_number(talk: Talk, words: str) -> None:
    await talk.say(words)
    assert talk.conversation.expects == "number"
    assert "pass on" in await talk.say(words)
    await talk.say("the wheel is broken")
    await talk.say("yes")
    assert (taken(talk).name, taken(talk).number) == ("", "")


async def test_a_number_never_confirmed_is_kept_as_such(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("five five five one two three four")
    for _attempt in range(3):
        await talk.say("purple elephants")
    await talk.say("the wheel is broken")
    await talk.say("yes")
    assert (taken(talk).number, taken(talk).number_confirmed) == ("5551234", False)


async def test_too_many_digits_are_no_number(talk: Talk) -> None:
    await talk.say("Bob")
    assert "more digits than" in await talk.say("1234567890123456")


async def test_a_number_behind_words_that_give_up_the_message_is_a_number(talk: Talk) -> None:
    await talk.say("Bob")
    assert "Is that right?" in await talk.say("no message, just call 555 1234")


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ("#", "I have five five five so far. What comes next?"),
        ("*", "What number can we call you back on?"),
    ],
)
async def test_keys_without_a_figure_ask_for_the_number_again(talk: Talk, keys: str, answer: str) -> None:
    await talk.say("Bob")
    await talk.press("555")
    assert await talk.press(keys) == answer


async def test_having_no_number_is_no_digit_either(talk: Talk) -> None:
    await talk.say("Bob")
    assert "pass on" in await talk.say("I don't have one")


@pytest.mark.parametrize("words", ["yes it's 555 1234", "555 1234", "yes 1234"])
async def test_a_number_that_is_confirmed_by_saying_it_again_is_confirmed(talk: Talk, words: str) -> None:
    await talk.say("Bob")
    await talk.say("5551234")
    assert await talk.say(words) == "What would you like me to pass on?"


async def test_a_number_that_is_heard_anew_each_time_is_not_read_back_for_ever(talk: Talk) -> None:
    await talk.say("Bob")
    for number in ("5551234", "no it's 5551235", "no 5551236"):
        assert "Is that right?" in await talk.say(number)
    assert "I'll note that number, then." in await talk.say("no 5551237")
    await talk.say("the wheel is broken")
    await talk.say("yes")
    assert (taken(talk).number, taken(talk).number_confirmed) == ("5551237", False)


async def test_a_number_told_with_the_name_may_go_on_after_a_pause(talk: Talk) -> None:
    await talk.say("David, four one five five five five oh")
    assert "four one five, five five five, zero one zero zero" in await talk.say("one double zero")


async def test_a_number_that_begins_like_a_word_keeps_its_first_digit(talk: Talk) -> None:
    await talk.say("Bob")
    assert "four one five, five five five, zero one four two" in await talk.say("for 15 555-0142.")


async def test_a_number_of_an_unusual_length_is_read_back_with_its_length(talk: Talk) -> None:
    await talk.say("Bob")
    assert "which is 9 digits. Is that right?" in await talk.say("415-55-0132")


async def test_a_number_that_had_been_given_up_is_taken_when_it_comes_after_all(talk: Talk) -> None:
    await talk.say("Bob")
    for _attempt in range(3):
        await talk.say("blah blah")
    assert "six one seven" in await talk.say("it's 617 555-0188")
    assert await talk.say("yes") == "What would you like me to pass on?"
    await talk.say("the wheel is broken")
    await talk.say("yes")
    assert (taken(talk).number, taken(talk).words) == ("6175550188", "the wheel is broken")


@pytest.mark.parametrize("words", ["nothing", "no, nothing, thanks", "nope"])
async def test_a_message_may_be_no_more_than_a_number(talk: Talk, words: str) -> None:
    for said in ("Bob", "5551234", "yes"):
        await talk.say(said)
    assert "I've noted your message" in await talk.say(words)
    assert taken(talk).words == ""


@pytest.mark.parametrize("words", ["no, the name is Miller", "not Mueller, Miller", "No, my name's Miller."])
async def test_a_name_put_right_while_the_number_is_read_back_leaves_the_number(
    talk: Talk, words: str
) -> None:
    await talk.say("Mueller")
    await talk.say("5551234")
    assert await talk.say(words) == "Sorry, Miller. I have five five five, one two three four. Is that right?"


async def test_a_yes_to_the_number_may_put_the_name_right(talk: Talk) -> None:
    await talk.say("Mueller")
    await talk.say("5551234")
    assert await talk.say("Yes, but the name is Miller.") == (
        "Sorry, Miller. What would you like me to pass on?"
    )


@pytest.mark.parametrize("words", ["yes but the last digit is wrong", "right, except the end is not"])
async def test_a_yes_with_an_objection_confirms_no_number(talk: Talk, words: str) -> None:
    await talk.say("Bob")
    await talk.say("5551234")
    assert "What is the number?" in await talk.say(words)


async def test_another_kind_of_number_beside_a_yes_is_none_to_call_back_on(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("5551234")
    assert await talk.say("Yes, my account number is 12345678") == "What would you like me to pass on?"
