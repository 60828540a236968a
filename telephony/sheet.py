"""Calls as lines of a CSV file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .models import Call, CallText
from .wording import END_REASONS, LINES, WHO

_WHOSE = {"c": WHO["caller"], "a": WHO["agent"], "o": _("Operator"), "m": _("Message")}
# A spreadsheet takes a cell that begins so for a formula; a number alone it may have.
_FORMULA = re.compile(r"[=+\-@\t\r\n|%]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?$")

# Column: (its name in the first line, what stands under it)
COLUMNS: dict[str, tuple[Any, Callable[[Call], object]]] = {
    "id": (_("Call"), lambda call: call.pk),
    "started": (_("Started"), lambda call: f"{timezone.localtime(call.created_at):%Y-%m-%d %H:%M:%S}"),
    "caller": (_("Caller"), lambda call: call.caller),
    "callee": (_("Number called"), lambda call: call.callee),
    "agent": (_("Agent"), lambda call: call.agent.name),
    "line": (_("Line"), lambda call: LINES.get(call.line, call.line)),
    "direction": (_("Direction"), lambda call: call.get_direction_display()),
    "outcome": (_("Outcome"), lambda call: call.outcome_label),
    "ended": (_("Ended because"), lambda call: END_REASONS.get(call.end_reason, call.end_reason)),
    "duration": (_("Duration, s"), lambda call: _figure(call.duration_seconds)),
    "turns": (_("Turns"), lambda call: call.turns),
    "slow": (_("Slow turns"), lambda call: call.slow_turns),
    "response": (_("Response, ms"), lambda call: _figure(call.response_ms)),
    "tags": (_("Tags"), lambda call: ", ".join(tag.name for tag in call.tags.all())),
}
TRANSCRIPT = "transcript"  # a column too, which makes a file many times as large


def head(columns: Sequence[str]) -> list[str]:
    names = {**{key: name for key, (name, _cell) in COLUMNS.items()}, TRANSCRIPT: _("Transcript")}
    return [str(names[column]) for column in columns]


def lines(calls: Sequence[Call], columns: Sequence[str]) -> Iterator[list[str]]:
    texts: dict[Any, str] = {}
    if TRANSCRIPT in columns:
        texts = dict(CallText.objects.filter(call__in=calls).values_list("call_id", "lines"))
    for call in calls:
        yield [
            harmless(spoken(texts.get(call.pk, "")) if column == TRANSCRIPT else COLUMNS[column][1](call))
            for column in columns
        ]


def spoken(text: str) -> str:
    """The lines of a CallText as they are read: "Caller: When are you open?"."""
    each = (line.split(" ", 2) for line in text.splitlines())
    return "\n".join(f"{_WHOSE[who]}: {words}" for who, _at, words in each)


def harmless(value: object) -> str:
    """Text that no spreadsheet takes for a formula, whoever said it."""
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.match(text) else text


def _figure(value: float | None) -> object:
    return "" if value is None else value
