"""Who answers a call that comes in by one of our numbers, whatever line it is of."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone

from agents.models import Agent

from ..models import BlockedCaller, PhoneNumber
from .hours import closed_words, is_open

NOT_IN_SERVICE = "Sorry, this number is not in service. Goodbye."
NOBODY = "Sorry, nobody can take your call at the moment. Please call again later. Goodbye."


@dataclass(frozen=True, slots=True)
class Answer:
    """One of four: an agent, a telephone to put the caller through to (E.164), words and a hang-up, or, with
    none of them, no answer at all."""

    agent: Agent | None = None
    forward: str = ""
    words: str = ""


REJECTED = Answer()


def answer_for(number: PhoneNumber | None, caller: str) -> Answer:
    """`number` is the one that was called, None for one that is not ours; `caller` as the line tells it."""
    return REJECTED if is_blocked(caller) else answer_of(number)


def answer_of(number: PhoneNumber | None) -> Answer:
    """To callers whom nobody has blocked."""
    if number is None:
        return Answer(words=NOT_IN_SERVICE)
    if is_open(number.hours, timezone.now()):
        return _by(number.agent)
    match number.after:
        case PhoneNumber.After.AGENT:
            return _by(number.after_agent)
        case PhoneNumber.After.FORWARD if number.after_number:
            return Answer(forward=number.after_number)
    return Answer(words=f"{closed_words(number.hours, timezone.now())} Goodbye.")


def is_blocked(caller: str) -> bool:
    """Whether the caller is turned away, which is counted."""
    blocked = block_of(caller)
    if blocked:
        BlockedCaller.objects.filter(pk=blocked.pk).update(turned_away=F("turned_away") + 1)
    return blocked is not None


def block_of(caller: str) -> BlockedCaller | None:
    """Why the caller is to be turned away; not counted."""
    prefixes = [f"{caller[:length]}*" for length in range(1, len(caller) + 1)]
    return BlockedCaller.objects.filter(pattern__in=[caller, *prefixes]).first() if caller else None


def _by(agent: Agent | None) -> Answer:
    if agent is None:
        return Answer(words=NOT_IN_SERVICE)
    return Answer(agent=agent) if agent.status == Agent.Status.ACTIVE else Answer(words=NOBODY)
