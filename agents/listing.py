"""The order of the agents' list, which other apps may lend their figures to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mlservices import registry

from .conversations import default_model_id
from .models import DEFAULT_MODEL, Agent

# By name of the column: slugs of agents -> the figure of each that has one. `telephony.apps` adds "calls" and
# "response", since this app knows no calls.
FIGURES: dict[str, Callable[[Sequence[str]], Mapping[str, float]]] = {}


def columns(sort: str) -> list[dict[str, Any]]:
    """The heads of the list's columns. `sort` of one is the order that a click on it asks for."""
    return [
        _column(_("Agent"), "name", sort),
        {"label": _("Status")},
        {"label": _("Answers with")},
        {"label": _("Facts"), "right": True},
        _column(_("Calls, 7 days"), "calls", sort, first="-calls"),
        _column(_("Response"), "response", sort),
    ]


def _column(label: str, name: str, sort: str, *, first: str = "") -> dict[str, Any]:
    first = first or name
    other = name if first.startswith("-") else f"-{name}"
    if sort.removeprefix("-") != name:
        return {"label": label, "right": name != "name", "sort": first}
    direction = "descending" if sort.startswith("-") else "ascending"
    next_sort = other if sort == first else first
    return {"label": label, "right": name != "name", "sort": next_sort, "sorted": direction}


def orders() -> list[tuple[str, str]]:
    """For a screen without heads of columns."""
    return [
        ("name", _("By name")),
        ("-name", _("By name, backwards")),
        ("-calls", _("Most calls first")),
        ("calls", _("Fewest calls first")),
        ("response", _("Fastest response first")),
        ("-response", _("Slowest response first")),
    ]


def answers_with(chat_model: str) -> tuple[str, str]:
    """What agents with this value speak with now, and a remark on it."""
    models = dict(registry.chat_models())
    facts = _("Facts and intents")
    if not chat_model:
        return facts, ""
    if chat_model != DEFAULT_MODEL:
        missing = _("%(name)s is not configured now") % {"name": chat_model}
        return (models[chat_model], "") if chat_model in models else (facts, missing)
    default = default_model_id()
    if not default:
        return facts, _("No language model is configured")
    return models[default], _("Whatever is configured")


def in_order(agents: QuerySet[Agent], sort: str) -> QuerySet[Agent] | list[Agent]:
    """Agents by `sort`: the name of a column, with "-" before it the other way round. By name else.

    Those without a figure come last, both ways.
    """
    column, backwards = sort.removeprefix("-"), sort.startswith("-")
    if column not in FIGURES:
        return agents.order_by("-name" if sort == "-name" else "name", "pk")
    named = list(agents.order_by("name", "pk"))
    figures = FIGURES[column]([agent.slug for agent in named])
    with_figure = [agent for agent in named if agent.slug in figures]
    with_figure.sort(key=lambda agent: figures[agent.slug], reverse=backwards)
    return with_figure + [agent for agent in named if agent.slug not in figures]
