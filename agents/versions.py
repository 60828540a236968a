"""What a version of an agent holds, and how two of them differ, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from django.db import models
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from mlservices.pages.figures import grouped

from .constants import write_constants
from .hours_text import write_hours
from .models import Agent, AgentVersion, Flow

# Of an agent in a version, in the order of its page: differences are told in it, and the form asks in it.
VALUES = (
    "name",
    "description",
    "greeting",
    "instructions",
    "constants",
    "facts",
    "flow",
    "status",
    "language",
    "voice",
    "speaking_rate",
    "chat_model",
    "temperature",
    "eagerness",
    "interruptible",
    "silence_seconds",
    "max_call_seconds",
    "record",
    "recording_announcement",
    "transfer_number",
    "on_failure",
    "fallback_number",
    "failure_sentence",
)
# A version that is restored leaves these: nobody begins to take calls by looking back.
KEPT = ("status",)
_NUMBERS = ("transfer_number", "fallback_number")
_LONG = ("greeting", "instructions", "constants")

Sign = Literal["", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Line:
    sign: Sign
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: two short values, or the lines of a long text."""

    label: str
    old: str = ""
    new: str = ""
    lines: tuple[Line, ...] = ()


def values_of(agent: Agent) -> dict[str, Any]:
    """As JSON keeps them: a flow by its address."""
    flow = agent.flow.slug if agent.flow else ""
    return {**{name: getattr(agent, name) for name in VALUES}, "flow": flow}


def apply_values(agent: Agent, values: Mapping[str, Any]) -> None:
    """Set what a version holds; one of an older installation leaves what it did not know."""
    for name in VALUES:
        if name == "flow" and name in values:
            agent.flow = Flow.objects.filter(slug=values["flow"]).first()
        elif name in values and name not in KEPT:
            setattr(agent, name, values[name])


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """From `old` to `new`. A field that one of them does not know is at its default there."""
    found: list[Change] = []
    for name in VALUES:
        before, after = (_value(values, name) for values in (old, new))
        if before == after:
            continue
        if name == "facts":
            found += _fact_changes(before, after)
        elif name in _LONG:
            texts = [write_constants(v) if name == "constants" else v for v in (before, after)]
            found.append(Change(_label(name), lines=_line_changes(*texts)))
        else:
            found.append(Change(_label(name), _shown(name, before), _shown(name, after)))
    return found


def with_changes(versions: list[AgentVersion]) -> list[tuple[AgentVersion, list[Change]]]:
    """Each of a run of versions, newest first, with what it changed; the last one only serves its neighbour
    unless it is the first there ever was."""
    told = [(version, differences(before.values, version.values)) for version, before in pairwise(versions)]
    first = versions[-1:] if versions and versions[-1].number == 1 else []
    return told + [(version, []) for version in first]


def _field(name: str) -> models.Field[Any, Any]:
    field = Agent._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field


def _value(values: Mapping[str, Any], name: str) -> Any:
    if name == "flow":
        return values.get(name, "")
    return values[name] if name in values else _field(name).get_default()


def _label(name: str) -> str:
    text = str(_field(name).verbose_name)
    return text[:1].upper() + text[1:]


def _shown(name: str, value: Any) -> str:
    choices = {} if name == "flow" else dict(_field(name).flatchoices)
    if value in choices:
        return str(choices[value])
    if name in _NUMBERS:
        return grouped(value) or _("nothing")
    match value:
        case True:
            return _("on")
        case False:
            return _("off")
        case "":
            return _("nothing")
        case float():
            return number_format(f"{value:g}")
    return str(value)


def _line_changes(old: str, new: str) -> tuple[Line, ...]:
    """Lines that differ, with a neighbour on each side."""
    before, after = old.splitlines(), new.splitlines()
    lines: list[Line] = []
    signs: Mapping[str, Sign] = {"+": "added", "-": "removed", " ": ""}
    _from, _to, *rest = [*difflib.unified_diff(before, after, n=1, lineterm="")] or ["", ""]
    for line in rest:
        if line.startswith("@@"):
            if lines:
                lines.append(Line("", "…"))
            continue
        lines.append(Line(signs[line[0]], line[1:]))
    return tuple(lines)


def _fact_changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Change]:
    """Facts by topic; those that only moved are told by their order."""
    before, after = ({fact["topic"]: fact for fact in facts} for facts in (old, new))
    for topic in [*before, *(topic for topic in after if topic not in before)]:
        lines = _line_changes(*(_fact_text(facts.get(topic)) for facts in (before, after)))
        if lines:
            yield Change(_fact_label(topic, before, after), lines=lines)
    if set(before) == set(after) and list(before) != list(after):
        yield Change(_("Order of the facts"), ", ".join(before), ", ".join(after))


def _fact_label(topic: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if topic not in before:
        return _("New fact “%(topic)s”") % {"topic": topic}
    if topic not in after:
        return _("Fact “%(topic)s” removed") % {"topic": topic}
    return _("Fact “%(topic)s”") % {"topic": topic}


def _fact_text(fact: Mapping[str, Any] | None) -> str:
    """As its row in the form says it, a line for each thing."""
    if fact is None:
        return ""
    lines = [fact["answer"]] if fact.get("answer") else []
    if hours := fact.get("hours"):
        lines += [*write_hours(hours).splitlines(), hours["timezone"]]
    if fact.get("follow_up") == "message":
        lines.append(_("Then offer to take a message"))
    if fact.get("urgent"):
        lines.append(_("An emergency"))
    lines += [_("Asked like: %(question)s") % {"question": text} for text in fact.get("questions", [])]
    return "\n".join(lines)
