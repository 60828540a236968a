"""Codes and telephone numbers, as recognition writes them and as they are keyed in."""

from __future__ import annotations

import pytest

from agents.flow.slots import Refusal, Slot, Value, read, read_keys

from .conftest import NOW, Ask

CODE = Slot("digits", "What is your code?", min_digits=6, max_digits=6)
AMERICAN = Slot("phone", "What is your number?", region="US")


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("one two three four five six", "123456"),
        ("double four oh one two three", "440123"),
        ("123456.", "123456"),
        ("My code is 12 34 56.", "123456"),
        ("forty four twelve sixty", "441260"),
        ("uh, that would be 1 2 3 4 5 6, thank you", "123456"),
        ("one two three four five seven sorry one two three four five six", "123456"),
    ],
)
def test_a_code_is_heard_however_it_is_said(words: str, digits: str) -> None:
    assert read(CODE, words, NOW) == Value(digits, read(CODE, digits, NOW).spoken)


def test_a_code_is_read_back_in_groups() -> None:
    assert read(CODE, "123456", NOW) == Value("123456", "one two three, four five six")


@pytest.mark.parametrize(
    ("words", "reason"),
    [("1 2 3", "incomplete"), ("1 2 3 4 5 6 7", "too_long"), ("I lost it", "not_understood")],
)
def test_what_is_no_code_is_refused_with_the_reason(words: str, reason: str) -> None:
    assert isinstance(refusal := read(CODE, words, NOW), Refusal)
    assert refusal.reason == reason


@pytest.mark.parametrize("keys", ["123456", "123456#", "99*123456#", "123456#99"])
def test_a_code_is_keyed_in_up_to_the_pound_sign_and_begun_again_with_the_star(keys: str) -> None:
    assert read_keys(CODE, keys, NOW) == read(CODE, "123456", NOW)


def test_a_code_may_come_in_pieces_which_cost_no_attempt(ask: Ask) -> None:
    code = ask("digits", min_digits=6, max_digits=6, attempts=1)
    assert code.say("one two three") == "One two three. And the rest?"
    assert code.gatherer.expects == "number"
    assert code.press("4") == "One two three four. And the rest?"
    assert code.say("five six") == ""
    assert code.value == "123456"


def test_a_piece_may_begin_with_oh(ask: Ask) -> None:
    number = ask("phone", region="US")
    number.say("my number is four one five")
    number.say("five five five")
    number.say("oh one hundred")
    assert number.value == "+14155550100"


def test_a_whole_code_after_a_piece_takes_its_place(ask: Ask) -> None:
    code = ask("digits", min_digits=4, max_digits=4)
    code.say("one two three")
    code.say("five six seven eight")
    assert code.value == "5678"


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("415 555 0100", "+14155550100"),
        ("it's four one five five five five oh one double oh", "+14155550100"),
        ("My number is (415) 555-0100.", "+14155550100"),
        ("one eight hundred five five five twelve twelve", "+18005551212"),
        ("plus four four two oh seven nine four six oh nine five eight", "+442079460958"),
        ("country code 44 20 7946 0958", "+442079460958"),
        ("011 44 20 7946 0958", "+442079460958"),
        ("you can reach me at 415-555-0100", "+14155550100"),
    ],
)
def test_a_telephone_number_is_kept_with_its_country_code(words: str, number: str) -> None:
    assert isinstance(value := read(AMERICAN, words, NOW), Value)
    assert (value.value, value.sure) == (number, True)


def test_a_telephone_number_is_read_back_in_the_groups_of_its_country() -> None:
    at_home, abroad = read(AMERICAN, "4155550100", NOW), read(AMERICAN, "+442079460958", NOW)
    assert isinstance(at_home, Value)
    assert isinstance(abroad, Value)
    assert at_home.spoken == "four one five, five five five, zero one zero zero"
    assert abroad.spoken == "plus four four, two zero, seven nine four six, zero nine five eight"


def test_without_a_region_the_country_code_is_asked_for() -> None:
    anywhere = Slot("phone", "What is your number?")
    assert read(anywhere, "020 7946 0958", NOW).reason == "country_code"
    assert read(anywhere, "0044 20 7946 0958", NOW).value == "+442079460958"
    assert read(Slot("phone", "?", region="GB"), "020 7946 0958", NOW).value == "+442079460958"


@pytest.mark.parametrize(
    ("words", "reason"),
    [("415 555", "incomplete"), ("415 555 0100 415", "too_long"), ("it's my mobile", "not_understood")],
)
def test_what_is_no_telephone_number_is_refused(words: str, reason: str) -> None:
    assert read(AMERICAN, words, NOW).reason == reason


def test_a_number_that_exists_nowhere_is_read_back(ask: Ask) -> None:
    number = ask("phone", region="US")
    assert "Is that right?" in number.say("215 155 0100")


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("no, ends in 43", "+14155550143"),
        ("the last two digits are four three", "+14155550143"),
        ("No, it's 43 at the end.", "+14155550143"),
        ("no it ends with 4 3", "+14155550143"),
        ("the area code is 416", "+14165550100"),
        ("no, not 415, 416", "+14165550100"),
        ("no, not 415 416", "+14165550100"),
        ("416 instead of 415", "+14165550100"),
        ("no, four one five five five five oh one four three", "+14155550143"),
    ],
)
def test_a_part_of_a_telephone_number_is_put_right_and_read_back_again(
    ask: Ask, words: str, right: str
) -> None:
    number = ask("phone", region="US", confirm="always")
    number.say("415 555 0100")
    assert "Is that right?" in number.say(words)
    assert number.say("yes") == ""
    assert number.value == right


def test_the_end_of_a_number_may_also_come_after_a_plain_no(ask: Ask) -> None:
    number = ask("phone", region="US", confirm="always")
    number.say("415 555 0100")
    assert number.say("no").startswith("Sorry about that. What is it?")
    assert "zero one four three. Is that right?" in number.say("it ends in 43")


def test_a_code_is_put_right_as_well(ask: Ask) -> None:
    code = ask("digits", min_digits=6, max_digits=6, confirm="always")
    code.say("123456")
    assert "one two three, four five nine" in code.say("no the last digit is nine")


def test_another_entry_on_the_keys_takes_the_place_of_what_was_read_back(ask: Ask) -> None:
    code = ask("digits", min_digits=4, max_digits=4, confirm="always")
    code.press("1234#")
    assert "four three two one. Is that right?" in code.press("4321#")
    code.press("1")
    assert code.value == "4321"
