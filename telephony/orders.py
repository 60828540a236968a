"""What operators do to a live call, one verb a function: the verbs of `actions` that go to the process
which holds the call. It alone decides who is first; what comes of an order is told by the call's events.
"""

from __future__ import annotations

import logging
import time
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.translation import gettext as _

from agents.fields import PhoneField
from mlservices import audit

from . import operators, wording
from .actions import control_group
from .audited import call_named
from .models import Call, CallEvent
from .outbound.guard import NotAllowed, refuse_unassigned
from .transcript import NOT_FOLLOWED, WHISPERED

logger = logging.getLogger(__name__)

LONGEST_WORDS = 600  # characters to say or to follow; said, they take some 40 seconds
LONGEST_NOTE = 2000
LONGEST_WINDOW = 64  # of the name that a page gives itself
FOLLOWED_SECONDS = 2.0  # within which a call tells whether its agent follows what was whispered
LOOK_SECONDS = 0.05
TOLD = {  # by what is ordered, what the audit trail calls it
    "say": "call.said",
    "whisper": "call.whispered",
    "take_over": "call.taken_over",
    "give_back": "call.given_back",
    "transfer": "call.transferred",
}


class NotPossible(Exception):
    """Not with this call, not now; the message is for the operator."""


def say(call_id: UUID, *, text: str, by: str) -> None:
    """The agent speaks these words next. Raises ValidationError by field, NotPossible."""
    _order(call_id, by, {"type": "say", "text": _worded("text", text)})


def whisper(call_id: UUID, *, text: str, by: str) -> None:
    """The agent follows this from its next sentence on. Raises ValidationError by field, NotPossible."""
    _order(call_id, by, {"type": "whisper", "text": _worded("text", text)})


def whisper_and_see(call_id: UUID, *, text: str, by: str) -> None:
    """The same for who does not watch the call: raises NotPossible too where it tells that its agent cannot
    follow this. One that tells nothing within FOLLOWED_SECONDS may follow it yet."""
    words, told = _worded("text", text), CallEvent.objects.filter(call=call_id, kind=WHISPERED)
    before = told.aggregate(last=Max("seq", default=0))["last"]
    whisper(call_id, text=words, by=by)
    until = time.monotonic() + FOLLOWED_SECONDS
    while time.monotonic() < until:
        for payload in told.filter(seq__gt=before).values_list("payload", flat=True):
            if (payload["by"], payload["text"]) != (by, words):
                continue
            if not payload["followed"]:
                names = {"text": words, "by": operators.names().get(by, by)}
                raise NotPossible(str(wording.NOTES[NOT_FOLLOWED][2]).format(**names))
            return
        time.sleep(LOOK_SECONDS)


def take_over(call_id: UUID, *, by: str, window: str = "") -> None:
    """The microphone of this window of the operator's takes the agent's place, or that of another of their
    windows. Raises NotPossible."""
    _order(call_id, by, {"type": "take_over", "window": window[:LONGEST_WINDOW]})


def give_back(call_id: UUID, *, note: str, by: str, window: str = "") -> None:
    """The agent has the call again, and knows `note`. Raises ValidationError by field, NotPossible."""
    if len(note) > LONGEST_NOTE:
        raise ValidationError({"note": _too_long(LONGEST_NOTE)})
    back = {"type": "give_back", "note": note.strip(), "window": window[:LONGEST_WINDOW]}
    _order(call_id, by, back)


def transfer(call_id: UUID, *, number: str, by: str) -> None:
    """Hand the caller over to a telephone number. Raises ValidationError by field, NotPossible."""
    try:
        e164 = PhoneField().clean(number)
    except ValidationError:
        told = _("Write the number with its country code, like +1 415 555 0100.")
        raise ValidationError({"number": told}) from None
    try:
        refuse_unassigned(e164)
    except NotAllowed as error:
        raise ValidationError({"number": str(error)}) from None
    _order(call_id, by, {"type": "transfer", "number": e164})


def _worded(field: str, text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise ValidationError({field: _("Write what it is to be.")})
    if len(text) > LONGEST_WORDS:
        raise ValidationError({field: _too_long(LONGEST_WORDS)})
    return text


def _too_long(longest: int) -> str:
    return _("At most %(most)d characters.") % {"most": longest}


def _order(call_id: UUID, by: str, order: dict[str, Any]) -> None:
    """What was said stays with the call, and goes with it: the audit trail is told of a number alone."""
    needed = ("status", "ended_at", "answered_at", "card", "direction", "created_at")
    call = Call.objects.filter(pk=call_id).only(*needed).first()
    if call is None or call.ended_at or not call.is_live:
        raise NotPossible(_("This call is over."))
    if not call.answered_at:
        raise NotPossible(_("This call has not been answered yet."))
    holder = call.card.get("holder", "")
    if holder and holder != by:
        name = operators.names().get(holder, holder)
        raise NotPossible(_("%(name)s has taken this call over.") % {"name": name})
    try:
        async_to_sync(get_channel_layer().group_send)(control_group(call_id), {**order, "by": by})
    except Exception as error:  # each layer has its own kinds
        logger.error("An order did not reach call %s: %s", call_id, error)
        raise NotPossible(_("The call could not be reached. Try again in a moment.")) from None
    audit.record(TOLD[order["type"]], call_named(call), by=by, detail=order.get("number", ""))
