"""A caller leaves a message: name, number, words, each read back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.flow.steps import KeepMessage

from .conftest import Talk, taken
from .fakes import ScriptedModel

Call = Callable[..., Talk]


async def test_a_message_is_taken_read_back_and_kept(talk: Talk) -> None:
    assert talk.conversation.expects == "name"
    assert await talk.say("my name is alice brown") == (
        "Thank you, Alice Brown. What number can we call you back on?"
    )
    assert talk.conversation.expects == "number"
    assert await talk.say("five five five, double one two three") == (
        "I have five five five, one one two three. Is that right?"
    )
    assert talk.conversation.expects == "yes_no"
    assert await talk.say("yes that's right") == "What would you like me to pass on?"
    assert talk.conversation.expects == "anything"
    assert await talk.say("My wheel came back broken, where can I park?") == (
        "Here is your message from Alice Brown: My wheel came back broken, where can I park? Is that right?"
    )
    assert talk.conversation.expects == "yes_no"
    answer = await talk.say("yes it is")
    assert answer.startswith("Thank you, Alice Brown. I've noted your message and your number")
    assert taken(talk) == KeepMessage(
        name="Alice Brown",
        number="5551123",
        number_confirmed=True,
        words="My wheel came back broken, where can I park?",
        complete=True,
    )
    assert [note.name for note in talk.noted("variable")] == ["name", "number", "words"]
    await talk.say("no thank you")
    assert talk.ended


async def test_what_the_caller_had_asked_needs_not_be_said_again(call: Call) -> None:
    talk = call()
    await talk.say("my broken wheel")
    for words in ("yes", "it's Bob", "555 1234567"):
        await talk.say(words)
    assert "Here is your message from Bob: my broken wheel." in await talk.say("correct")
    assert "I've noted your message" in await talk.say("yes")
    assert taken(talk).words == "my broken wheel"


async def test_a_misheard_name_is_put_right(talk: Talk) -> None:
    await talk.say("Alice")
    assert await talk.say("no it's Alex") == "Sorry, Alex. What number can we call you back on?"
    assert "What is your name" in await talk.say("that's not my name")


async def test_what_is_not_understood_three_times_is_left_out(talk: Talk) -> None:
    for _attempt in range(2):
        assert talk.conversation.expects == "name"
        await talk.say("i do not know it")
    await talk.say("i do not know it")
    for _attempt in range(3):
        assert talk.conversation.expects == "number"
        await talk.say("blah blah")
    assert talk.conversation.expects == "anything"


async def test_an_aside_is_answered_and_the_question_asked_again(talk: Talk) -> None:
    assert await talk.say("where can I park") == "Park behind the shop. May I have your name, please?"
    assert "automated assistant" in await talk.say("are you a robot")
    assert talk.conversation.expects == "name"


async def test_an_emergency_is_answered_even_while_dictating(talk: Talk) -> None:
    for words in ("Bob", "5551234", "yes"):
        await talk.say(words)
    answer = await talk.say("there is smoke and fire everywhere")
    assert answer.startswith("Leave the building")
    assert "Here is your message" in answer, "and it is taken all the same"
    await talk.say("yes")
    assert taken(talk).words == "there is smoke and fire everywhere"


async def test_a_message_can_be_given_up(talk: Talk) -> None:
    assert "no message then" in await talk.say("never mind")
    assert talk.conversation.expects == "yes_no"
    assert talk.messages == []


@pytest.mark.parametrize(
    "words",
    [
        "Cancel that appointment I have on Friday please",
        "Forget it was me who called about the wheel",
        "No message from the garage has reached me",
    ],
)
async def test_a_message_may_begin_like_words_that_give_it_up(talk: Talk, words: str) -> None:
    for answer in ("Bob", "5551234", "yes"):
        await talk.say(answer)
    assert f"Here is your message from Bob: {words}" in await talk.say(words)
    assert "I've noted your message" in await talk.say("yes")
    assert (taken(talk).complete, taken(talk).words) == (True, words)


@pytest.mark.parametrize("words", ["Never mind.", "oh, forget it then", "cancel the message please"])
async def test_of_a_message_that_is_given_up_nothing_is_kept(talk: Talk, words: str) -> None:
    for answer in ("Bob", "5551234", "yes"):
        await talk.say(answer)
    assert "no message then" in await talk.say(words)
    assert talk.messages == [] == talk.conversation.ended()


async def test_a_bare_no_to_the_first_question_ends_the_message(talk: Talk) -> None:
    assert "no message then" in await talk.say("no thanks")
    assert talk.conversation.expects == "yes_no"


async def test_what_was_said_of_a_message_is_kept_when_the_caller_says_goodbye(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("5551234")
    await talk.say("goodbye")
    assert talk.ended
    assert (taken(talk).complete, taken(talk).name) == (False, "Bob")


async def test_a_name_alone_is_kept_as_a_message_that_was_cut_short(talk: Talk) -> None:
    await talk.say("Bob")
    (message,) = talk.conversation.ended()
    assert (message.name, message.words, message.complete, message.confirmed) == ("Bob", "", False, True)


async def test_who_told_nothing_has_left_no_message(talk: Talk) -> None:
    assert talk.conversation.ended() == []


async def test_who_hangs_up_while_the_message_is_read_back_has_told_all_of_it(talk: Talk) -> None:
    for words in ("Bob", "5551234", "yes", "the wheel is broken"):
        await talk.say(words)
    (message,) = talk.conversation.ended()
    assert (message.words, message.complete, message.confirmed) == ("the wheel is broken", True, False)


async def test_what_was_said_of_a_message_is_kept_when_the_caller_falls_silent(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("555")
    assert "have five five five so far" in await talk.keep_silent(1)
    await talk.keep_silent(2)
    await talk.keep_silent(3)
    assert (taken(talk).name, taken(talk).number) == ("Bob", "555")


async def test_a_caller_who_wants_a_person_after_all_is_put_through(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("5551234")
    await talk.say("transfer me")
    assert talk.transferred_to == "+14155550100"
    assert not taken(talk).complete


async def test_a_caller_who_cannot_be_put_through_goes_on_with_the_message(call: Call) -> None:
    talk = call()
    for words in ("can I leave a message", "Bob", "5551234"):
        await talk.say(words)
    assert await talk.say("transfer me") == (
        "I'm sorry, I can't put you through to anybody. I have five five five, one two three four. "
        "Is that right?"
    )
    await talk.say("yes")
    await talk.say("the wheel is broken")
    await talk.say("yes")
    assert (taken(talk).complete, taken(talk).name) == (True, "Bob")


@pytest.mark.parametrize("model", [None, ScriptedModel()])
async def test_what_was_said_of_a_message_is_kept_when_the_call_ends_in_the_middle(
    call: Call, model: ScriptedModel | None
) -> None:
    talk = call(model=model)
    for words in ("can I leave a message", "Bob", "555"):
        await talk.say(words)
    (message,) = talk.conversation.ended()
    assert not message.complete
    assert (message.name, message.number) == ("Bob", "555")


async def test_a_message_that_is_whole_is_not_kept_again_at_the_end_of_the_call(talk: Talk) -> None:
    for words in ("Bob", "5551234", "yes", "the wheel is broken", "yes"):
        await talk.say(words)
    assert talk.conversation.ended() == []


async def test_the_message_is_kept_before_a_word_is_spoken_about_it(talk: Talk) -> None:
    for words in ("Bob", "5551234", "yes", "the wheel is broken"):
        await talk.say(words)
    reply = talk.conversation.reply("yes")
    first = await anext(reply)
    await reply.aclose()
    assert isinstance(first, KeepMessage)


async def test_a_confirmation_nobody_heard_answered_is_not_taken_for_the_message(talk: Talk) -> None:
    await talk.say("Bob")
    await talk.say("5551234")
    await talk.say_unheard("yes")
    assert "pass on" in await talk.say("yes that's right")
    assert talk.messages == []


@pytest.mark.parametrize("words", ["that's the right one", "yes that's the one"])
async def test_one_is_not_always_a_digit(talk: Talk, words: str) -> None:
    await talk.say("Bob")
    await talk.say("five five five one two three four")
    assert "three four one" not in await talk.say(words)


@pytest.mark.parametrize("words", ["tell them to call me back", "can I leave a message", "where can I park"])
async def test_a_message_may_be_anything_that_could_also_be_asked(talk: Talk, words: str) -> None:
    for said in ("Bob", "5551234", "yes"):
        await talk.say(said)
    assert f"Here is your message from Bob: {words}. Is that right?" in await talk.say(words)
    assert "I've noted your message" in await talk.say("yes")
    assert taken(talk).words == words


async def test_a_message_that_goes_on_before_its_answer_is_heard_is_the_same_message(talk: Talk) -> None:
    for words in ("Bob", "5551234", "yes"):
        await talk.say(words)
    await talk.say_unheard("the wheel is broken")
    await talk.say("the wheel is broken and I need it on Friday")
    await talk.say("yes")
    assert talk.messages[-1].words == "the wheel is broken and I need it on Friday"
    assert {message.ordinal for message in talk.messages} == {1}


async def test_a_second_message_of_one_call_is_another(talk: Talk) -> None:
    for words in ("Bob", "5551234", "yes", "the wheel is broken", "yes", "can I leave a message"):
        await talk.say(words)
    for words in ("Bob", "5551234", "yes", "and the bell too", "yes"):
        await talk.say(words)
    assert [message.ordinal for message in talk.messages] == [1, 2]


@pytest.mark.parametrize("said, name", [("My name is Will Smith", "Will Smith"), ("Doris Day", "Doris Day")])
async def test_names_that_are_also_words(talk: Talk, said: str, name: str) -> None:
    assert await talk.say(said) == f"Thank you, {name}. What number can we call you back on?"


async def test_what_somebody_is_doing_is_not_their_name(talk: Talk) -> None:
    assert "didn't get your name" in await talk.say("I'm having trouble")


@pytest.mark.parametrize(
    "said, name",
    [
        ("Karen from accounting", "Karen"),
        ("it's doctor Patel from the hospital", "Doctor Patel"),
        ("Mrs Robinson", "Mrs Robinson"),
        ("Will", "Will"),
    ],
)
async def test_titles_and_where_somebody_is_from(talk: Talk, said: str, name: str) -> None:
    assert (await talk.say(said)).startswith(f"Thank you, {name}.")
