"""E-mail addresses, said and spelled."""

from __future__ import annotations

import pytest

from agents.flow.slots import Slot, Value, read

from .conftest import NOW, Ask

EMAIL = Slot("email", "What is your e-mail address?")


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("jane underscore doe at gmail dot com", "jane_doe@gmail.com"),
        ("Jane.Doe@example.com.", "jane.doe@example.com"),
        ("it's jane dot doe at example dot com", "jane.doe@example.com"),
        ("Jane.Doe at example.com", "jane.doe@example.com"),
        ("my email address at work is bob at acme dot com", "bob@acme.com"),
        ("uh that would be info at example dot calm", "info@example.com"),
        ("jane dash doe at my hyphen company dot org please", "jane-doe@my-company.org"),
        ("jane doe forty two at yahoo dot co dot uk", "janedoe42@yahoo.co.uk"),
        ("jane double oh seven at example dot com", "jane007@example.com"),
        ("jane at at gmail dot com", "jane@gmail.com"),
        ("well it's kinda long, it's jane dot doe at gmail dot com", "jane.doe@gmail.com"),
        ("jane at g mail dot com", "jane@gmail.com"),
        ("jane at gmail", "jane@gmail.com"),
        ("bob plus news at example dot net", "bob+news@example.net"),
        ("you can reach me at bob at acme dot com", "bob@acme.com"),
    ],
)
def test_an_address_that_was_said_is_read_and_doubted(words: str, address: str) -> None:
    assert isinstance(value := read(EMAIL, words, NOW), Value)
    assert (value.value, value.sure) == (address, False)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("J A N E dot D O E at gmail dot com", "jane.doe@gmail.com"),
        ("J-A-N-E at gmail dot com", "jane@gmail.com"),
        ("jane dot doe at gmail dot com, that's j a y n e", "jayne.doe@gmail.com"),
        ("jane.doe@gmail.com, that's J A Y N E", "jayne.doe@gmail.com"),
        ("s for sierra m y t h e at hotmail dot com", "smythe@hotmail.com"),
        ("j a n e at e x a m p l e dot com", "jane@example.com"),
    ],
)
def test_an_address_that_was_spelled_is_sure(words: str, address: str) -> None:
    assert isinstance(value := read(EMAIL, words, NOW), Value)
    assert (value.value, value.sure) == (address, True)


def test_an_address_is_read_back_for_the_ear() -> None:
    assert read(EMAIL, "jane.doe@example.com", NOW).spoken == "jane dot doe at example dot com"
    spelled = read(EMAIL, "jane dot doe at gmail dot com that's j a y n e", NOW)
    assert spelled.spoken == "J A Y N E dot doe at gmail dot com"


@pytest.mark.parametrize(
    "words", ["I sent you one last week already", "jane at nowhere", "at example dot com", "jane@example"]
)
def test_what_is_no_address_is_refused(words: str) -> None:
    assert not isinstance(read(EMAIL, words, NOW), Value)


def test_an_address_may_come_in_two_parts(ask: Ask) -> None:
    email = ask("email")
    assert email.gatherer.expects == "spelling"
    assert email.say("jane dot doe") == "And what comes after the at sign?"
    assert email.say("at gmail dot com") == "I have jane dot doe at gmail dot com. Is that right?"


def test_a_second_part_that_is_an_address_by_itself_is_doubted(ask: Ask) -> None:
    email = ask("email")
    email.say("J A N E")
    assert email.say("D O E at gmail dot com") == "I have D O E at gmail dot com. Is that right?"


def test_an_objection_that_is_no_address_asks_again(ask: Ask) -> None:
    email = ask("email", "What is your address?")
    email.say("jane doe at gmail dot com")
    assert email.say("no there's a dot between jane and doe").startswith("Sorry about that. What is your")


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("no, J A Y N E", "jayne.doe@gmail.com"),
        ("it's jayne, J A Y N E", "jayne.doe@gmail.com"),
        ("no, at outlook dot com", "jane.doe@outlook.com"),
        ("no it's jane underscore doe at gmail dot com", "jane_doe@gmail.com"),
    ],
)
def test_a_part_of_an_address_is_put_right(ask: Ask, words: str, right: str) -> None:
    email = ask("email")
    email.say("jane dot doe at gmail dot com")
    assert "Is that right?" in email.say(words)
    email.say("yes")
    assert email.value == right


def test_after_a_no_the_address_may_be_spelled(ask: Ask) -> None:
    email = ask("email")
    email.say("jane dot doe at gmail dot com")
    assert "spell" in email.say("no")
    assert email.say("that's J A Y N E") == "I have J A Y N E dot doe at gmail dot com. Is that right?"
