"""Whatever is said: nothing raises, nothing goes on for ever, and what is read back is what was kept."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agents.flow.slots import Gatherer, Kind, Option, Slot, Value, read, read_keys

from .conftest import NOW

KINDS = get_args(Kind)
_PIECES_TEXT = """
    yes no not sorry actually it's my number name is the a at dot underscore gmail com double triple oh
    one two twenty hundred thousand million point minus half past quarter to noon midnight tomorrow next
    last week weeks in from friday march third 3rd 2026 3/14 2:30 pm a.m. j s for sierra that's spelled
    plus +44 415 555 0100 ends first last option pears don't know , . @ - ' # * ٣ ² é 12-12-1212 99999999999
"""
_PIECES = _PIECES_TEXT.split()
words = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join))
slots = st.builds(
    Slot,
    kind=st.sampled_from(KINDS),
    prompt=st.just("What is it?"),
    options=st.sampled_from([(), (Option("a", "Apples"), Option("b", "Pears", ("the green one",), "7"))]),
    min_digits=st.integers(0, 8),
    max_digits=st.integers(0, 12),
    minimum=st.sampled_from([None, 0.0, 5.5]),
    maximum=st.sampled_from([None, 10.0]),
    confirm=st.sampled_from(["always", "unsure", "never"]),
    attempts=st.integers(1, 3),
    region=st.sampled_from(["", "US", "GB", "ZZ"]),
    must_be_future=st.booleans(),
)


@settings(deadline=None, max_examples=150)
@given(slot=slots, turns=st.lists(st.tuples(st.booleans(), words), max_size=8))
def test_no_words_and_no_keys_raise(slot: Slot, turns: list[tuple[bool, str]]) -> None:
    gatherer = Gatherer(slot, NOW)
    for keyed, said in turns:
        steps = gatherer.key(said) if keyed else gatherer.take(said)
        assert all(step.text.strip() for step in steps)
        assert bool(steps) != (gatherer.done is not None or gatherer.failed)


@settings(deadline=None, max_examples=100)
@given(slot=slots, said=words)
def test_a_caller_who_never_says_anything_else_comes_to_an_end(slot: Slot, said: str) -> None:
    gatherer = Gatherer(slot, NOW)
    for _ in range(100):
        if gatherer.done or gatherer.failed:
            return
        if not gatherer.take(said) or gatherer.take("bananas"):
            continue
    assert gatherer.done or gatherer.failed


def read_back(kind: str, value: Value, **bounds: int) -> object:
    return read(Slot(kind, "?", **bounds), value.spoken, NOW).value  # type: ignore[arg-type]


@settings(deadline=None)
@given(day=st.dates(date(1925, 1, 1), date(2090, 12, 31)))
def test_a_day_that_is_read_back_is_that_day(day: date) -> None:
    value = read(Slot("date", "?"), day.isoformat(), NOW)
    assert value.value == day.isoformat()
    assert read_back("date", value) == day.isoformat()


@settings(deadline=None)
@given(at=st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_a_time_that_is_read_back_is_that_time(at: time) -> None:
    told = f"{at.hour % 12 or 12}:{at.minute:02} {'am' if at.hour < 12 else 'pm'}"
    value = read(Slot("time", "?"), told, NOW)
    assert value.value == at.isoformat("minutes")
    assert read_back("time", value) == value.value


@settings(deadline=None)
@given(minutes=st.integers(0, 400 * 24 * 60))
def test_a_moment_that_is_read_back_is_that_moment(minutes: int) -> None:
    moment = datetime(2026, 3, 5) + timedelta(minutes=minutes)
    assume((moment.hour, moment.minute) != (0, 0))  # "midnight between Wednesday and Thursday"
    value = read(Slot("datetime", "?"), f"{moment:%B} {moment.day} {moment.year} at {moment:%I:%M %p}", NOW)
    assert value.value == moment.isoformat(timespec="minutes")
    assert read_back("datetime", value) == value.value


@settings(deadline=None)
@given(
    number=st.one_of(
        st.integers(-(10**9), 10**9), st.integers(-(10**6), 10**6).map(lambda cents: cents / 100)
    )
)
def test_a_number_that_is_read_back_is_that_number(number: float) -> None:
    value = read(Slot("number", "?"), f"{number}", NOW)
    assert value.value == number
    assert read_back("number", value) == number


@settings(deadline=None)
@given(digits=st.text("0123456789", min_size=4, max_size=12))
def test_digits_that_are_read_back_are_those_digits(digits: str) -> None:
    slot = {"min_digits": 4, "max_digits": 12}
    assert read_back("digits", read_keys(Slot("digits", "?", **slot), digits, NOW), **slot) == digits


@settings(deadline=None)
@given(
    local=st.from_regex(r"(jane|bob|smythe|x)([._+-](doe|jones|k))?[0-9]{0,3}", fullmatch=True),
    domain=st.sampled_from(["gmail.com", "my-company.co.uk", "example.org"]),
)
def test_an_address_that_is_read_back_is_that_address(local: str, domain: str) -> None:
    value = read(Slot("email", "?"), f"{local}@{domain}", NOW)
    assert value.value == f"{local}@{domain}"
    assert read_back("email", value) == value.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_very_long_answer_is_read_in_no_time_to_speak_of(kind: str) -> None:
    slot = Slot(kind, "?", options=(Option("a", "Apples"),), region="US")  # type: ignore[arg-type]
    for piece in ("no not ", "a ", "one ", "s for sierra ", "2 ", "at dot ", "( ", "in the "):
        read(slot, piece * 20_000, NOW)
        read_keys(slot, "1" * 20_000, NOW)
