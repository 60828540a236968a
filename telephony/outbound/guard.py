"""Whether a number may be called: against fraud, and for people who do not want to be.

Asked when a call is planned, and once more as it is placed: what was allowed then may not be now.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from decimal import Decimal

import phonenumbers
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.models import Agent

from ..models import Call, Credential, DoNotCall, PhoneNumber, SipLine

_Kind = phonenumbers.PhoneNumberType
_DEAR = (_Kind.PREMIUM_RATE, _Kind.SHARED_COST, _Kind.UAN, _Kind.PERSONAL_NUMBER, _Kind.PAGER)
_EXTENSION = re.compile(r"[A-Za-z][\w.-]*|\d{1,5}")
NOWHERE = "001"  # satellites and the like, as phonenumbers calls what is of no country
GRACE_SECONDS = 30  # after which the provider ends a call that we should have ended
LONGEST_OF_PEOPLE = 4 * 3600  # seconds of a call in which somebody of ours speaks


class NotAllowed(Exception):
    """The number may not be called; says why, and what to do."""


def check(*, to: str, agent: Agent, credential: Credential, rate: Decimal | None = None) -> None:
    """`rate` is what a minute to that number costs, where it is known. Raises NotAllowed."""
    _must_be_active(agent)
    refuse_number(to, credential)
    if credential.daily_cap is not None and rate is not None:
        _check_cap(agent, credential, credential.daily_cap, rate)


def check_line(*, to: str, agent: Agent, line: SipLine) -> None:
    """`to` is E.164, or an extension of the line's own exchange. Raises NotAllowed."""
    _must_be_active(agent)
    refuse_on_line(to, line)


def _must_be_active(agent: Agent) -> None:
    if agent.status != Agent.Status.ACTIVE:
        raise NotAllowed(_("The agent %(name)s is paused or archived.") % {"name": agent.name})


def refuse_on_line(to: str, line: SipLine) -> None:
    """Whoever calls it, or is put through to it. Raises NotAllowed."""
    if _EXTENSION.fullmatch(to):
        return
    country = country_of(to)
    if not country:
        raise NotAllowed(_("%(number)s is no number with + and its country code.") % {"number": to})
    _refuse_anywhere(to)
    if country not in line.countries:
        told = {"line": line.label, "allowed": ", ".join(line.countries) or "–", "country": country}
        raise NotAllowed(
            _("%(line)s may call %(allowed)s, and not %(country)s: see `manage.py sip_line --countries`.")
            % told
        )


def _refuse_anywhere(to: str) -> None:
    if DoNotCall.objects.filter(number=to).exists():
        raise NotAllowed(_("%(number)s is on the do-not-call list.") % {"number": to})
    if phonenumbers.number_type(phonenumbers.parse(to)) in _DEAR:
        raise NotAllowed(_("%(number)s is a number that costs its callers extra.") % {"number": to})


def refuse_number(to: str, credential: Credential) -> None:
    """Whoever calls it. Raises NotAllowed."""
    _refuse_anywhere(to)
    country, allowed = country_of(to), countries_of(credential)
    if country not in allowed:
        told = {
            "country": country or to,
            "allowed": ", ".join(sorted(allowed)) or "–",
            "account": credential.label,
        }
        raise NotAllowed(
            _("%(account)s may call %(allowed)s, and not %(country)s. Allow it on the page of the account.")
            % told
        )


def _check_cap(agent: Agent, credential: Credential, cap: Decimal, rate: Decimal) -> None:
    """One that goes on is counted as if it lasted as long as it can."""
    spent = spent_since(credential, timezone.now() - timedelta(days=1))
    if spent + _most(longest_of(agent), rate) > cap:
        told = {"account": credential.label, "spent": f"{spent:.2f}", "cap": f"{cap:.2f}"}
        raise NotAllowed(
            _(
                "%(account)s has spent or set aside %(spent)s of the %(cap)s that it may spend in 24 "
                "hours, and this call could cost more than is left."
            )
            % told
        )


def spent_since(credential: Credential, since: datetime) -> Decimal:
    """What its outbound calls cost, or may yet, as far as their prices or rates are known."""
    calls = Call.objects.filter(
        phone_number__credential=credential, direction=Call.Direction.OUTBOUND, created_at__gte=since
    )
    known = calls.filter(price__isnull=False).aggregate(sum=Sum("price"))["sum"] or Decimal(0)
    rated = calls.filter(price__isnull=True, rate__isnull=False).select_related("agent").defer("card")
    reserved = (_most(_seconds_of(call), call.rate or Decimal(0)) for call in rated)
    return Decimal(known) + sum(reserved, Decimal(0))


def _seconds_of(call: Call) -> float:
    """That it cost, or may: a message that a machine was left began before we took part."""
    if call.ended_at is None:
        return longest_of(call.agent)
    return max(call.duration_seconds or 0, 60 if call.end_reason == "machine" else 0)


def longest_of(agent: Agent, *, by_a_person: bool = False) -> int:
    """Seconds after which the provider ends a call, whatever we do."""
    return LONGEST_OF_PEOPLE if by_a_person else agent.max_call_seconds + GRACE_SECONDS


def _most(seconds: float, rate: Decimal) -> Decimal:
    return math.ceil(seconds / 60) * rate


def countries_of(credential: Credential) -> set[str]:
    """That it may call: those that were named, else those of its own numbers."""
    if credential.countries:
        return set(credential.countries)
    own = PhoneNumber.objects.filter(credential=credential).values_list("number", flat=True)
    return {country for country in map(country_of, own) if country} - {NOWHERE}


def country_of(number: str) -> str:
    """ISO, as in "US"; "" where nobody can tell."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
