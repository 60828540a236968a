"""A call over the realtime API begins."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db import transaction

from agents.models import Agent

from ..actions import ringing
from ..eventlog import record_now
from ..models import Call
from ..session.events import CallRinging
from .door import Visitor

LINE = "api"


class TooMany(Exception):
    """The key, or the person, has as many sessions as one may have at once."""


@transaction.atomic
def start_api_call(*, agent: Agent, visitor: Visitor, most: int) -> Call:
    """`agent` may differ from what is stored of it, for this call alone. Raises TooMany."""
    # Or two at once, with whichever agents, would both be the last
    get_user_model().objects.select_for_update().filter(username=visitor.name).first()
    own = Call.objects.filter(line=LINE, ended_at=None, caller=visitor.name, callee=visitor.key)
    if own.filter(status__in=Call.LIVE).count() >= most:
        raise TooMany
    fields = ringing(
        agent, line=LINE, direction=Call.Direction.INBOUND, caller=visitor.name, callee=visitor.key
    )
    call = Call.objects.create(line=LINE, **fields)
    record_now(call.pk, CallRinging())
    return call
