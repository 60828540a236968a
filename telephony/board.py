"""The live board: every call that rings or goes on, who needs a person first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from agents.models import Agent
from mlservices.pages.figures import digits_in

from . import operators, wording
from .cards import Card
from .models import Call
from .views import card_of

BLANK = Card(
    id="", url="", agent="", agent_slug="", caller="", direction="web", line="", status="", started=0
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; static/js/board/filters.js asks cards the same."""

    q: str = ""
    needs: bool = False  # a person
    agent: str = ""
    state: str = ""
    line: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        return cls(
            q=query.get("q", "").strip(),
            needs=query.get("needs") == "person",
            agent=query.get("agent", ""),
            state=query.get("state", ""),
            line=query.get("line", ""),
        )

    def admit(self, card: Card) -> bool:
        return (
            (not self.needs or card.needs_person)
            and self.agent in ("", card.agent_slug)
            and self.state in ("", card.state)
            and self.line in ("", card.line)
            and self._found_in(card)
        )

    def _found_in(self, card: Card) -> bool:
        text = f"{card.agent} {card.caller} {card.words} {card.guess} {card.holder}".lower()
        digits = digits_in(self.q)
        written = digits if digits and not any(letter.isalpha() for letter in self.q) else ""
        return self.q.lower() in text or bool(written and written in card.caller)


@require_safe
def live_board(request: HttpRequest) -> HttpResponse:
    """`q`, `needs=person`, `agent`, `state` and `line` filter; `wall=1` is for a screen on a wall."""
    live = Call.objects.filter(status__in=Call.LIVE, ended_at=None).select_related("agent")
    cards = sorted((card_of(call) for call in live), key=lambda card: card.order)
    filters = Filters.of(request.GET)
    shown = [card for card in cards if filters.admit(card)]
    found = [card for card in cards if replace(filters, needs=False).admit(card)]
    attention = sum(card.needs_person for card in cards)
    latencies = [ms for card in cards for ms in card.latencies]
    context = {
        "cards": shown,
        "blank": BLANK,
        "filters": filters,
        "selects": _selects(cards, filters),
        "counts": {"live": len(cards), "attention": attention, "shown": len(shown)},
        "found": {"live": len(found), "attention": sum(card.needs_person for card in found)},
        "median_ms": median(latencies) if latencies else None,
        "wall": "wall" in request.GET,
        "agent": Agent.objects.filter(status=Agent.Status.ACTIVE).order_by("created_at").first(),
        "labels": {**wording.labels(), "people": operators.names()},
    }
    return render(request, "calls/live.html", context)


@require_safe
def live_count(request: HttpRequest) -> JsonResponse:
    """For the menu, which every page keeps right."""
    return JsonResponse({"live": Call.objects.filter(status__in=Call.LIVE, ended_at=None).count()})


def _selects(cards: Sequence[Card], filters: Filters) -> list[dict[str, Any]]:
    """What can be chosen, each with the number of live calls; what is chosen stays though there are none."""
    agents = dict(Agent.objects.exclude(status=Agent.Status.ARCHIVED).values_list("slug", "name"))
    agents |= {card.agent_slug: card.agent for card in cards}
    states = {code: label for code, label in wording.STATES.items() if code != "ended"}
    lines = wording.LINES | {card.line: card.line for card in cards if card.line not in wording.LINES}
    by_name = sorted(agents.items(), key=lambda item: item[1].lower())
    return [
        _select("agent", _("Agent"), _("All agents"), by_name, filters.agent, (c.agent_slug for c in cards)),
        _select("state", _("State"), _("Any state"), states.items(), filters.state, (c.state for c in cards)),
        _select("line", _("Line"), _("All lines"), lines.items(), filters.line, (c.line for c in cards)),
    ]


def _select(
    name: str,
    label: str,
    everything: str,
    choices: Iterable[tuple[str, Any]],
    chosen: str,
    values: Iterable[str],
) -> dict[str, Any]:
    counts = Counter(values)
    options = [(value, text, counts[value]) for value, text in choices]
    return {"name": name, "label": label, "all": everything, "options": options, "chosen": chosen}
