"""Which calls are asked for, as the history's page reads it."""

from __future__ import annotations

from django.http import QueryDict
from django.utils.translation import gettext as _

from agents.models import Agent
from mlservices.api.answers import invalid
from mlservices.days import NO_DAY
from mlservices.rest.filters import not_an_order
from mlservices.rest.words import one_of

from ..filters import OUTCOMES, SORTS, Filters, misread
from ..models import Call, Tag

_OF_PAGES = {"limit", "cursor"}
# What other lists are ordered by, and the history's name of that order.
ORDERINGS = {fields[0]: name for name, (fields, _needed) in SORTS.items()}


def as_the_page(asked: QueryDict) -> QueryDict:
    """`search` and `ordering`, which other lists take, as the history's page calls them."""
    asked = asked.copy()
    if "search" in asked:
        asked["q"] = asked.pop("search")[-1]
    if "ordering" in asked:
        order = str(asked.pop("ordering")[-1])
        if order not in ORDERINGS:
            raise invalid(ordering=not_an_order(name for name in ORDERINGS if not name.startswith("-")))
        asked["sort"] = ORDERINGS[order]
    return asked


def filters_of(asked: QueryDict, *, within: str = "") -> Filters:
    """Refused, by field, where a page would leave out what makes no sense; `within` stands before a field."""
    agent, tag = asked.get("agent", ""), asked.get("tag", "")
    agents = {agent} if agent and Agent.objects.filter(slug=agent).exists() else set()
    tags = {tag} if tag and Tag.objects.filter(name__iexact=tag).exists() else set()
    unclear = {each.name for each in misread(asked, agents, tags)} - _OF_PAGES
    if unclear:
        raise invalid(**{f"{within}{name}": _what_it_takes(name) for name in sorted(unclear)})
    return Filters.read(asked)


def _what_it_takes(name: str) -> str:
    match name:
        case "agent":
            return _("There is no agent of this id.")
        case "tag":
            return _("There is no tag of this name.")
        case "outcome":
            return one_of([*OUTCOMES])
        case "direction":
            return one_of(Call.Direction.values)
        case "sort":
            return one_of([*SORTS])
        case "slow":
            return one_of(("0", "1"))
        case "longer" | "shorter":
            return _("Write seconds, like 90, or minutes and seconds, like 1:30.")
    return str(NO_DAY)
