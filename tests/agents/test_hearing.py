"""What is read in words without weighing their meaning."""

from __future__ import annotations

import pytest

from agents.flow.hearing import gist, plain, spoken_digits, spoken_name, yes_or_no
from agents.flow.wording import read_back


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("five five five, double one two three", "5551123"),
        ("five five five double one two three", "5551123"),
        ("555-0123", "5550123"),
        ("(415) 555-0100.", "4155550100"),
        ("it's 4 1 5 5 5 5 0 1 0 0 thanks", "4155550100"),
        ("oh two oh seven nine four six oh nine five eight", "02079460958"),
        ("plus four four twenty seven nine four six", "+4427946"),
        ("+44 20 7946 0958", "+442079460958"),
        ("eight hundred five five five twelve twelve", "8005551212"),
        ("triple seven twenty-one thirty", "7772130"),
        ("555 double 12", "555112"),
        ("five for five too two", "54522"),
        ("my number is five five five one two three four please", "5551234"),
        ("call me for help", ""),
        ("oh I don't know", ""),
        ("five five five one two three four sorry five five five one two three five", "5551235"),
        ("sorry it's five five five one two three four", "5551234"),
        ("", ""),
    ],
)
def test_a_number_is_heard_however_it_is_said(words: str, digits: str) -> None:
    assert spoken_digits(words) == digits


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("5551123", "five five five, one one two three"),
        ("4155550100", "four one five, five five five, zero one zero zero"),
        ("+442079460958", "plus four four two, zero seven nine, four six zero, nine five eight"),
        ("55", "five five"),
    ],
)
def test_a_number_is_read_back_digit_by_digit(number: str, said: str) -> None:
    assert read_back(number) == said
    assert spoken_digits(read_back(number)) == number


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("alice brown", "Alice Brown"),
        ("My name is Alice Brown.", "Alice Brown"),
        ("um yes hi it's Bob", "Bob"),
        ("THIS IS CHARLIE", "Charlie"),
        ("the name's o'brien", "O'brien"),
        ("Ronald McDonald speaking", "Ronald McDonald"),
        ("Smith, S M Y T H", "Smyth"),
        ("it's bob smith s-m-y-t-h", "Bob Smyth"),
        ("Jean-Luc", "Jean-Luc"),
        ("you can call me Grace", "Grace"),
        ("no it's alex", "Alex"),
    ],
)
def test_a_name_is_found_in_what_surrounds_it(words: str, name: str) -> None:
    spoken = spoken_name(words)
    assert spoken is not None
    assert spoken.name == name


@pytest.mark.parametrize(
    "words",
    [
        "what time do you open",
        "why do you need that",
        "555 1234",
        "I'd rather not say",
        "hold on",
        "",
        "it's about my bill",
    ],
)
def test_what_cannot_be_a_name_is_not_taken_for_one(words: str) -> None:
    assert spoken_name(words) is None


@pytest.mark.parametrize(
    "words", ["Yes.", "yeah that's right", "correct", "OK", "mm-hmm", "that is correct", "please do"]
)
def test_yes_is_heard_in_many_forms(words: str) -> None:
    verdict = yes_or_no(words)
    assert verdict is not None
    assert verdict.yes


@pytest.mark.parametrize(
    "words", ["No.", "nope", "that's not right", "no no", "yes no that's wrong", "oh no thank you"]
)
def test_no_is_heard_in_many_forms(words: str) -> None:
    verdict = yes_or_no(words)
    assert verdict is not None
    assert not verdict.yes


@pytest.mark.parametrize("words", ["maybe", "where do I park", "north street", "yesterday", "notebook"])
def test_other_words_are_neither_yes_nor_no(words: str) -> None:
    assert yes_or_no(words) is None


def test_what_is_asked_along_with_a_yes_is_kept() -> None:
    verdict = yes_or_no("Yes, and where do I park?")
    assert verdict is not None
    assert verdict.rest == "and where do i park"


def test_the_gist_leaves_courtesies_out_unless_there_is_nothing_else() -> None:
    assert gist("Hi, um, good morning, where do I park please?") == "where do i park"
    assert gist("Hello, thank you so much.") == "hello thank you so much"
    assert plain("Um... uh!") == ""
