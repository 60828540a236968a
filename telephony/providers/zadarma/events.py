"""What Zadarma tells of calls while they happen: forms whose `event` is NOTIFY_*, read into types.

Numbers come as digits with the country code and without the plus; `call_start` is in the account's zone, of
which it says nothing. Only some fields are signed (`signature.SIGNED_FIELDS`): the others are Zadarma's word
for as long as nobody else has seen its signature.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["completed", "busy", "canceled", "no-answer", "failed"]
OUTCOMES: dict[str, Outcome] = {
    "answered": "completed",
    "busy": "busy",
    "cancel": "canceled",
    "no answer": "no-answer",
}  # everything else, as "no money" or "line limit", is a failure

LONGEST = 64  # characters of a name or a number
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_LONGEST_CALL_SECONDS = 7 * 24 * 3600


class UnreadableNotice(ValueError):
    """Names the field that is not as Zadarma documents it, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundNotice:
    pbx_call_id: str
    call_start: str
    caller: str
    called: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(InboundNotice):
    """NOTIFY_START: somebody calls one of our numbers, and Zadarma asks what to do (`answers`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRings(InboundNotice):
    """NOTIFY_INTERNAL."""

    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuAnswered(InboundNotice):
    """NOTIFY_IVR: what we had it play or say is over, and Zadarma asks again what to do."""

    name: str = ""  # which we gave the question
    digits: str = ""
    nothing_pressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(InboundNotice):
    """NOTIFY_END."""

    outcome: Outcome
    disposition: str
    duration_seconds: int
    recording: str  # the call_id of its recording; "" where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered:
    """NOTIFY_ANSWER: of a call in either direction."""

    pbx_call_id: str
    call_start: str
    caller: str
    destination: str
    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundNotice:
    pbx_call_id: str
    call_start: str
    extension: str
    destination: str
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingStarted(OutboundNotice):
    """NOTIFY_OUT_START."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEnded(OutboundNotice):
    """NOTIFY_OUT_END."""

    outcome: Outcome
    disposition: str
    duration_seconds: int
    recording: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingReady:
    """NOTIFY_RECORD."""

    pbx_call_id: str
    call_id: str


Notice = (
    CallStarted
    | ExtensionRings
    | MenuAnswered
    | CallEnded
    | CallAnswered
    | OutgoingStarted
    | OutgoingEnded
    | RecordingReady
)
Form = Mapping[str, str]


def read(form: Form) -> Notice | None:
    """None for an event that is no NOTIFY_* of a call. Raises UnreadableNotice."""
    reader = _READERS.get(form.get("event", ""))
    return reader(form) if reader else None


def _start(form: Form) -> CallStarted:
    return CallStarted(**_inbound(form))


def _internal(form: Form) -> ExtensionRings:
    return ExtensionRings(**_inbound(form), extension=_text(form, "internal"))


def _menu(form: Form) -> MenuAnswered:
    told = _waited(form)
    return MenuAnswered(
        **_inbound(form),
        name=told.get("name", ""),
        digits=told.get("digits", ""),
        nothing_pressed=told.get("default_behaviour", "") not in ("", "0", "false"),
    )


def _end(form: Form) -> CallEnded:
    disposition = _text(form, "disposition")
    return CallEnded(
        **_inbound(form),
        outcome=OUTCOMES.get(disposition, "failed"),
        disposition=disposition,
        duration_seconds=_seconds(form),
        recording=_recording(form),
    )


def _answer(form: Form) -> CallAnswered:
    return CallAnswered(
        pbx_call_id=_needed(form, "pbx_call_id"),
        call_start=_time(form),
        caller=_text(form, "caller_id"),
        destination=_text(form, "destination"),
        extension=_text(form, "internal"),
    )


def _out_start(form: Form) -> OutgoingStarted:
    return OutgoingStarted(**_outbound(form))


def _out_end(form: Form) -> OutgoingEnded:
    disposition = _text(form, "disposition")
    return OutgoingEnded(
        **_outbound(form),
        outcome=OUTCOMES.get(disposition, "failed"),
        disposition=disposition,
        duration_seconds=_seconds(form),
        recording=_recording(form),
    )


def _record(form: Form) -> RecordingReady:
    return RecordingReady(pbx_call_id=_needed(form, "pbx_call_id"), call_id=_needed(form, "call_id_with_rec"))


_READERS: dict[str, Callable[[Form], Notice]] = {
    "NOTIFY_START": _start,
    "NOTIFY_INTERNAL": _internal,
    "NOTIFY_IVR": _menu,
    "NOTIFY_END": _end,
    "NOTIFY_ANSWER": _answer,
    "NOTIFY_OUT_START": _out_start,
    "NOTIFY_OUT_END": _out_end,
    "NOTIFY_RECORD": _record,
}


def _inbound(form: Form) -> dict[str, str]:
    return {
        "pbx_call_id": _needed(form, "pbx_call_id"),
        "call_start": _time(form),
        "caller": _text(form, "caller_id"),
        "called": _needed(form, "called_did"),
    }


def _outbound(form: Form) -> dict[str, str]:
    return {
        "pbx_call_id": _needed(form, "pbx_call_id"),
        "call_start": _time(form),
        "extension": _text(form, "internal"),
        "destination": _needed(form, "destination"),
        "caller": _text(form, "caller_id"),
    }


def _text(form: Form, name: str) -> str:
    text = form.get(name, "")
    if len(text) > LONGEST or not text.isprintable():
        raise UnreadableNotice(
            f"{name} is longer than {LONGEST} characters, or holds some that cannot be shown."
        )
    return text


def _needed(form: Form, name: str) -> str:
    text = _text(form, name)
    if not text:
        raise UnreadableNotice(f"{name} is missing.")
    return text


def _time(form: Form) -> str:
    text = _text(form, "call_start")
    if not (text.isascii() and _TIME.fullmatch(text)):
        raise UnreadableNotice("call_start is not written as 2026-11-22 10:00:00.")
    return text


def _seconds(form: Form) -> int:
    text = _text(form, "duration") or "0"
    if not (text.isascii() and text.isdigit()) or int(text) > _LONGEST_CALL_SECONDS:
        raise UnreadableNotice("duration is no number of seconds.")
    return int(text)


def _recording(form: Form) -> str:
    return _text(form, "call_id_with_rec") if form.get("is_recorded") == "1" else ""


def _waited(form: Form) -> dict[str, str]:
    """wait_dtmf, as PHP writes a mapping into a form, or as JSON."""
    names = ("name", "digits", "default_behaviour")
    told = {name: _text(form, f"wait_dtmf[{name}]") for name in names}
    if any(told.values()):
        return told
    try:
        inner = json.loads(form.get("wait_dtmf", "{}"))
    except (ValueError, RecursionError):
        inner = None
    if not isinstance(inner, dict):
        raise UnreadableNotice("wait_dtmf is no mapping.")
    flat = {name: str(inner.get(name) or "") for name in names}
    return {name: _text(flat, name) for name in names}
