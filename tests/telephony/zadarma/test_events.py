"""What Zadarma tells of calls, and what it is answered."""

from __future__ import annotations

import json
import random

import pytest

from telephony.providers.zadarma import answers, events
from telephony.providers.zadarma.answers import Keys
from telephony.providers.zadarma.events import UnreadableNotice, read
from telephony.providers.zadarma.signature import SIGNED_FIELDS

FORM = {
    "call_start": "2026-11-22 10:00:00",
    "pbx_call_id": "in_0f1c2d3e4f",
    "caller_id": "442037691880",
    "called_did": "442037691881",
    "destination": "442037691880",
    "internal": "100",
    "duration": "42",
    "disposition": "answered",
    "status_code": "16",
    "is_recorded": "1",
    "call_id_with_rec": "1700000000.123456",
}
INBOUND = {
    "pbx_call_id": "in_0f1c2d3e4f",
    "call_start": "2026-11-22 10:00:00",
    "caller": "442037691880",
    "called": "442037691881",
}
OUTBOUND = {
    "pbx_call_id": "in_0f1c2d3e4f",
    "call_start": "2026-11-22 10:00:00",
    "extension": "100",
    "destination": "442037691880",
    "caller": "442037691880",
}
END = {
    "outcome": "completed",
    "disposition": "answered",
    "duration_seconds": 42,
    "recording": "1700000000.123456",
}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("NOTIFY_START", events.CallStarted(**INBOUND)),
        ("NOTIFY_INTERNAL", events.ExtensionRings(**INBOUND, extension="100")),
        ("NOTIFY_IVR", events.MenuAnswered(**INBOUND)),
        ("NOTIFY_END", events.CallEnded(**INBOUND, **END)),
        ("NOTIFY_ANSWER", events.CallAnswered(**OUTBOUND)),
        ("NOTIFY_OUT_START", events.OutgoingStarted(**OUTBOUND)),
        ("NOTIFY_OUT_END", events.OutgoingEnded(**OUTBOUND, **END)),
        (
            "NOTIFY_RECORD",
            events.RecordingReady(pbx_call_id="in_0f1c2d3e4f", call_id="1700000000.123456"),
        ),
        ("NOTIFY_INTERNAL_END", None),
        ("SPEECH_RECOGNITION", None),
        ("", None),
    ],
)
def test_each_event_is_read_into_its_type(event, expected) -> None:
    assert read({**FORM, "event": event}) == expected


@pytest.mark.parametrize(
    ("disposition", "outcome"),
    [
        ("answered", "completed"),
        ("busy", "busy"),
        ("cancel", "canceled"),
        ("no answer", "no-answer"),
        ("no money", "failed"),
        ("unallocated number", "failed"),
        ("no money, no limit", "failed"),
        ("something new", "failed"),
    ],
)
def test_ways_in_which_a_call_ends_are_kept_apart(disposition, outcome) -> None:
    notice = read({**FORM, "event": "NOTIFY_END", "disposition": disposition, "is_recorded": "0"})
    assert (notice.outcome, notice.disposition, notice.recording) == (outcome, disposition, "")


@pytest.mark.parametrize(
    "pressed",
    [
        {"wait_dtmf[name]": "menu", "wait_dtmf[digits]": "0123", "wait_dtmf[default_behaviour]": ""},
        {"wait_dtmf": json.dumps({"name": "menu", "digits": "0123"})},
    ],
)
def test_keys_are_read_in_either_writing(pressed) -> None:
    notice = read({**FORM, "event": "NOTIFY_IVR", **pressed})
    assert (notice.name, notice.digits, notice.nothing_pressed) == ("menu", "0123", False)


def test_that_nothing_was_pressed_is_told_apart() -> None:
    waited = json.dumps({"name": "menu", "digits": "", "default_behaviour": "1"})
    assert read({**FORM, "event": "NOTIFY_IVR", "wait_dtmf": waited}).nothing_pressed


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        ("NOTIFY_START", "pbx_call_id", ""),
        ("NOTIFY_START", "pbx_call_id", "x" * 65),
        ("NOTIFY_START", "caller_id", "44\x00"),
        ("NOTIFY_START", "caller_id", "44\n"),
        ("NOTIFY_START", "caller_id", "\ud800"),
        ("NOTIFY_START", "call_start", "yesterday"),
        ("NOTIFY_START", "call_start", "٢٠٢٦-11-22 10:00:00"),
        ("NOTIFY_END", "duration", "-1"),
        ("NOTIFY_END", "duration", "1e3"),
        ("NOTIFY_END", "duration", "²"),
        ("NOTIFY_END", "duration", "9" * 30),
        ("NOTIFY_IVR", "wait_dtmf", "["),
        ("NOTIFY_IVR", "wait_dtmf", "[1]"),
        ("NOTIFY_RECORD", "call_id_with_rec", ""),
    ],
)
def test_a_field_that_is_not_as_documented_is_named(event, field, value) -> None:
    with pytest.raises(UnreadableNotice, match=field):
        read({**FORM, "event": event, field: value})


def test_no_form_is_read_into_anything_but_a_notice_or_a_named_field() -> None:
    chance = random.Random(7)
    names = [*FORM, "wait_dtmf", "wait_dtmf[digits]", "zd_echo"]
    values = [
        "",
        "0",
        "-1",
        "1e9",
        "NaN",
        "\x00",
        "é" * 70,
        "{}",
        "[" * 5000,
        '{"digits":[[]]}',
        "📞",
        *FORM.values(),
    ]
    kinds = list(SIGNED_FIELDS)
    for _ in range(10_000):
        form = {**FORM, "event": chance.choice(kinds)}
        for _ in range(chance.randrange(4)):
            form[chance.choice(names)] = chance.choice(values)
        for name in chance.sample(list(form), chance.randrange(3)):
            del form[name]
        try:
            read(form)
        except UnreadableNotice as error:
            assert str(error).split()[0].split("[")[0] in names


# ---- answers --------------------------------------------------------------------------------


def test_answers_are_written_as_zadarma_documents_them() -> None:
    assert answers.redirect("100") == {"redirect": "100"}
    assert answers.redirect("0-main", return_seconds=0) == {"redirect": "0-main", "return_timeout": 0}
    assert answers.redirect("0-1", return_seconds=30, number="+442037691880") == {
        "redirect": "0-1",
        "return_timeout": 30,
        "rewrite_forward_number": "+442037691880",
    }
    assert answers.hang_up() == {"hangup": 1}
    assert answers.name_caller("Anna Smith") == {"caller_name": "Anna Smith"}
    assert answers.say_phrase(9) == {"ivr_saypopular": 9, "language": "en"}


def test_keys_are_waited_for_after_what_is_played() -> None:
    assert answers.play("a1b2", Keys("menu", most=4, otherwise="0-1")) == {
        "ivr_play": "a1b2",
        "wait_dtmf": {"timeout": 7, "attempts": 1, "maxdigits": 4, "name": "menu", "default": "0-1"},
    }


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("to", lambda: answers.redirect("reception")),
        ("to", lambda: answers.redirect("")),
        ("return_seconds", lambda: answers.redirect("100", return_seconds=2)),
        ("number", lambda: answers.redirect("100", number="12")),
        ("language", lambda: answers.say_phrase(1, language="tlh")),
        ("otherwise", lambda: answers.play("a", Keys("menu", otherwise="wait"))),
    ],
)
def test_what_zadarma_would_not_take_is_named(field, make) -> None:
    with pytest.raises(ValueError, match=field):
        make()
