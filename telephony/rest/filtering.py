"""Which calls are asked for, as the history's page reads it."""

from __future__ import annotations

from django.http import QueryDict
from django.utils.translation import gettext as _

from agents.models import Agent
from mlservices.api.answers import Refused

from ..filters import Filters, misread
from ..models import Tag

_OF_PAGES = {"limit", "cursor"}


def filters_of(asked: QueryDict, *, within: str = "") -> Filters:
    """Refused, by field, where a page would leave out what makes no sense; `within` stands before a field."""
    agent, tag = asked.get("agent", ""), asked.get("tag", "")
    agents = {agent} if agent and Agent.objects.filter(slug=agent).exists() else set()
    tags = {tag} if tag and Tag.objects.filter(name__iexact=tag).exists() else set()
    unclear = {each.name for each in misread(asked, agents, tags)} - _OF_PAGES
    if unclear:
        fields = {f"{within}{name}": _("This makes no sense here.") for name in sorted(unclear)}
        raise Refused(400, "The request is not valid.", fields)
    return Filters.read(asked)
