"""Sentences as they become whole, and numbers for the ear."""

# ruff: noqa: RUF001

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlservices.text import (
    LONGEST_SENTENCE,
    SentenceSplitter,
    digit_words,
    first_clause,
    number_words,
    sentences,
    speakable,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello there. How are you?", ["Hello there.", "How are you?"]),
        ("Dr. Smith is in. Mrs. Lee is not.", ["Dr. Smith is in.", "Mrs. Lee is not."]),
        ("It costs 3.50 dollars. Fine?", ["It costs 3.50 dollars.", "Fine?"]),
        ("We open at 9 a.m. on Monday.", ["We open at 9 a.m. on Monday."]),
        ("We open at 9 a.m. Please ring.", ["We open at 9 a.m.", "Please ring."]),
        ("J. R. Brown called.", ["J. R. Brown called."]),
        ('He said "Stop!" Then he left.', ['He said "Stop!"', "Then he left."]),
        ("Wait... what?!", ["Wait...", "what?!"]),
        ("First line\nSecond line", ["First line", "Second line"]),
        ("नमस्ते। आप कैसे हैं?", ["नमस्ते।", "आप कैसे हैं?"]),
        ("今日は。元気？", ["今日は。", "元気？"]),
        ("no end", ["no end"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_a_text_is_cut_where_its_sentences_end(text, expected):
    assert sentences(text) == expected


def test_a_sentence_is_given_out_as_soon_as_the_next_begins():
    splitter = SentenceSplitter()
    assert splitter.feed("Sure") == []
    assert splitter.feed(", one moment.") == []  # "." might go on, as in "3.5"
    assert splitter.feed(" Wh") == ["Sure, one moment."]
    assert splitter.feed("at is your name?") == []
    assert splitter.flush() == ["What is your name?"]
    assert splitter.flush() == []


@given(st.lists(st.text("ab .!?\n1Dr", max_size=8), max_size=12))
def test_no_words_are_lost_however_the_text_arrives(deltas):
    splitter = SentenceSplitter()
    pieces = [piece for delta in deltas for piece in splitter.feed(delta)] + splitter.flush()
    assert "".join("".join(pieces).split()) == "".join("".join(deltas).split())
    assert all(piece.strip() for piece in pieces)


def test_a_text_without_a_stop_is_cut_at_a_comma_before_it_grows_too_long():
    pieces = sentences("we have apples and pears, " * 40)
    assert all(len(piece) <= LONGEST_SENTENCE for piece in pieces)
    assert all(piece.endswith("pears,") for piece in pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We open at 9:00.", "We open at nine o'clock."),
        ("at 7:30 pm", "at seven thirty p m"),
        ("at 10:05 a.m. sharp", "at ten oh five a m sharp"),
        ("from 9 am to 5pm", "from nine a m to five p m"),
        ("Call 555-0142.", "Call five five five, zero one four two."),
        ("+1 (555) 123-4567", "plus one, five five five, one two three, four five six seven"),
        ("+15551234567", "plus one five five five one two three four five six seven"),
        ("It costs $120.", "It costs one hundred twenty dollars."),
        ("$1,200.50", "one thousand two hundred dollars and fifty cents"),
        ("£1.01", "one pound and one penny"),
        ("3.5 percent", "three point five percent"),
        ("50% off", "fifty percent off"),
        ("the 21st and the 3rd", "the twenty first and the third"),
        ("on the 20th", "on the twentieth"),
        ("in 2026", "in twenty twenty six"),
        ("2026-11-05", "November fifth, twenty twenty six"),
        ("room 12", "room twelve"),
        ("call 911", "call nine one one"),
        ("Dial 112 now.", "Dial one one two now."),
        ("a $1.5 million house", "a one point five million dollars house"),
        ("open 9-5", "open nine to five"),
        ("at 9-10 am", "at nine to ten a m"),
        ("code 007", "code zero zero seven"),
        ("case 12345678", "case one two three four five six seven eight"),
        ("1,250,000 people", "one million two hundred fifty thousand people"),
        ("write to ann@clinic.example", "write to ann at clinic dot example"),
        ("see https://www.clinic.com/a?b=1 now", "see clinic dot com now"),
        ("**Bold** and `code` and [a link](https://x.test)", "Bold and code and a link"),
        ("# Title\n- one\n- two", "Title one two"),
        ("Great 😀 👍 !", "Great!"),
        ("bread & butter", "bread and butter"),
        ("", ""),
    ],
)
def test_what_is_written_for_the_eye_is_said_for_the_ear(text, expected):
    assert speakable(text) == expected


def test_other_languages_keep_their_digits_but_lose_the_markup():
    assert speakable("**Um 9:30 Uhr**", language="de") == "Um 9:30 Uhr"


@given(st.integers(0, 10**12 - 1))
def test_every_number_has_words_without_digits(value):
    assert not any(character.isdigit() for character in number_words(value))


@given(st.text(max_size=60))
def test_no_text_breaks_it_and_none_keeps_a_latin_digit(text):
    assert not any("0" <= character <= "9" for character in speakable(text))


def test_digits_are_said_one_by_one():
    assert digit_words("40-7") == "four zero seven"


def test_a_long_sentence_can_begin_by_its_first_clause():
    sentence = "We're open from Monday to Thursday, on Friday until four, and on Saturday in the morning."
    head, rest = first_clause(sentence)
    assert head == "We're open from Monday to Thursday,"
    assert f"{head} {rest}" == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "Of course, I can do that.",
        "We are open on every day of the week but not on public holidays and not at night.",
        "Well, we are open on every day of the week but not on public holidays and not at night",
    ],
)
def test_a_sentence_without_a_clause_worth_it_stays_whole(sentence):
    assert first_clause(sentence) == (sentence, "")
