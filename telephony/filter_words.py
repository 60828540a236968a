"""The filters of a list of calls in words: those that hold, those that were not understood, and all of
them as a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from .filters import NAMES, OUTCOMES, SORTS, Filters, Misread
from .models import Call

# What the page calls a filter, by its name in the address
LABELS: dict[str, Any] = {
    "agent": gettext_lazy("Agent"),
    "outcome": gettext_lazy("Outcome"),
    "direction": gettext_lazy("Direction"),
    "tag": gettext_lazy("Tag"),
    "longer": gettext_lazy("Duration at least"),
    "shorter": gettext_lazy("Duration at most"),
    "slow": gettext_lazy("Only with slow turns"),
    "from": gettext_lazy("From"),
    "to": gettext_lazy("To"),
    "sort": gettext_lazy("Order"),
}


# ---- that hold ----------------------------------------------------------------------------------


def told(filters: Filters, agent: str = "") -> dict[str, str]:
    """Each that is set, by its field. `agent` is the name of the agent, where it is known."""
    texts = {
        "words": filters.words and _("“%(words)s”") % {"words": filters.words},
        "number": filters.number and _("Number %(number)s") % {"number": filters.number},
        "agent": filters.agent and _("Agent: %(name)s") % {"name": agent or filters.agent},
        "outcome": filters.outcome and str(OUTCOMES[filters.outcome]),
        "direction": filters.direction and str(Call.Direction(filters.direction).label),
        "tag": filters.tag and _("Tag: %(name)s") % {"name": filters.tag},
        "longer": _duration(_("Duration at least %(time)s"), filters.longer),
        "shorter": _duration(_("Duration at most %(time)s"), filters.shorter),
        "slow": _("With slow turns") if filters.slow else "",
        "since": filters.since and _("From %(day)s") % {"day": _day(filters.since)},
        "until": filters.until and _("To %(day)s") % {"day": _day(filters.until)},
    }
    return {name: text for name, text in texts.items() if text}


def title(filters: Filters, agent: str = "") -> str:
    """The calls that are listed, as a name: "Front desk, Failed, 1–30 November 2026"."""
    texts = told(filters.without("agent", "since", "until"))
    parts = [agent or filters.agent, texts.pop("outcome", ""), *texts.values(), _days(filters)]
    return ", ".join(filter(None, parts)) or _("All calls")


def _days(filters: Filters) -> str:
    first, last = filters.since, filters.until
    if not first or not last:
        return ", ".join(text for name, text in told(filters).items() if name in ("since", "until"))
    whole = date_format(last, pgettext("the last day of a time, as Django's date filter takes it", "j F Y"))
    if first == last:
        return whole
    if (first.year, first.month) == (last.year, last.month):
        day = date_format(first, pgettext("the first day of a part of a month", "j"))
        return f"{day}–{whole}"
    return f"{_day(first)} – {_day(last)}"


def _day(day: date) -> str:
    return date_format(day, _("j M Y"))


def _duration(text: str, seconds: int | None) -> str:
    return "" if seconds is None else text % {"time": f"{seconds // 60}:{seconds % 60:02}"}


# ---- that were not understood -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Explained:
    """`label` is empty for what is no filter at all."""

    name: str
    label: str
    text: str


def explained(misread: Sequence[Misread]) -> list[Explained]:
    """Why each was not understood, and what to write instead."""
    return [Explained(each.name, str(LABELS.get(each.name, "")), _why(each)) for each in misread]


def _why(misread: Misread) -> str:
    name, value = misread.name, {"value": misread.value}
    if name in ("longer", "shorter"):
        return _("“%(value)s” is no duration. Write minutes and seconds, as in 1:30, or seconds.") % value
    if name in ("from", "to"):
        today = {"example": timezone.localdate().isoformat()}
        text = _("“%(value)s” is no day. Write year, month and day, as in %(example)s.")
        return text % {**value, **today}
    if name == "agent":
        return _("No agent is called “%(value)s”. Choose one from the list.") % value
    if name == "tag":
        return _("No call bears the tag “%(value)s”. Choose one from the list.") % value
    if name == "slow":
        return _("“%(value)s” says neither yes nor no. Write 1, or leave it out.") % value
    known = {"outcome": OUTCOMES, "direction": Call.Direction.values, "sort": SORTS}.get(name)
    if known is None:
        text = _("There is no filter “%(name)s”. Filters are called %(known)s.")
        return text % {"name": name, "known": ", ".join(NAMES)}
    text = _("“%(value)s” is not known. Choose one from the list; an address takes %(known)s.")
    return text % {**value, "known": ", ".join(known)}


def contradiction(filters: Filters) -> str:
    """Why no call at all can be as it is asked; empty where some could."""
    if filters.since and filters.until and filters.since > filters.until:
        return _("“From” is later than “To”: no day lies between them.")
    if None not in (filters.longer, filters.shorter) and (filters.longer or 0) > (filters.shorter or 0):
        return _("The least duration is longer than the greatest: no call can have both.")
    return ""
