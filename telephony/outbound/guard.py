"""Whether a number may be called: against fraud, and for people who do not want to be.

Asked when a call is planned, and once more as it is placed: what was allowed then may not be now.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal

import phonenumbers
from django.conf import settings
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.models import Agent

from ..models import Call, Credential, DoNotCall, PhoneNumber

_DEAR = (
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
    phonenumbers.PhoneNumberType.UAN,
)


class NotAllowed(Exception):
    """The number may not be called; says why, and what to do."""


def check(*, to: str, agent: Agent, credential: Credential) -> None:
    """Raises NotAllowed."""
    if agent.status != Agent.Status.ACTIVE:
        raise NotAllowed(_("The agent %(name)s is paused or archived.") % {"name": agent.name})
    refuse_number(to, credential)
    _check_cap(agent, credential)


def refuse_number(to: str, credential: Credential) -> None:
    """Whoever calls it. Raises NotAllowed."""
    if DoNotCall.objects.filter(number=to).exists():
        raise NotAllowed(_("%(number)s is on the do-not-call list.") % {"number": to})
    number = phonenumbers.parse(to)
    if phonenumbers.number_type(number) in _DEAR:
        raise NotAllowed(_("%(number)s is a number that costs its callers extra.") % {"number": to})
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


def _check_cap(agent: Agent, credential: Credential) -> None:
    """A day's calls never cost more: one that goes on is counted as if it lasted as long as it can."""
    cap = credential.daily_cap
    if cap is None:
        return
    rate = rate_of(credential)
    if rate is None:
        raise NotAllowed(
            _("%(account)s has a daily cap: set TWILIO_PRICE_PER_MINUTE, so that it can be kept.")
            % {"account": credential.label}
        )
    spent = spent_since(credential, timezone.now() - timedelta(days=1))
    if spent + _most(agent.max_call_seconds, rate) > cap:
        told = {"account": credential.label, "spent": f"{spent:.2f}", "cap": f"{cap:.2f}"}
        raise NotAllowed(
            _(
                "%(account)s has spent or set aside %(spent)s of the %(cap)s that it may spend in 24 "
                "hours, and this call could cost more than is left."
            )
            % told
        )


def spent_since(credential: Credential, since: datetime) -> Decimal:
    """What its outbound calls cost, or may yet."""
    rate = rate_of(credential) or Decimal(0)
    calls = Call.objects.filter(
        phone_number__credential=credential, direction=Call.Direction.OUTBOUND, created_at__gte=since
    )
    known = calls.filter(price__isnull=False).aggregate(sum=Sum("price"))["sum"] or Decimal(0)
    unknown = calls.filter(price__isnull=True)
    ended = unknown.filter(ended_at__isnull=False).values_list("duration_seconds", flat=True)
    live = unknown.filter(ended_at__isnull=True).values_list("agent__max_call_seconds", flat=True)
    return Decimal(known) + sum((_most(seconds or 0, rate) for seconds in (*ended, *live)), Decimal(0))


def _most(seconds: float, rate: Decimal) -> Decimal:
    return math.ceil(seconds / 60) * rate


def rate_of(credential: Credential) -> Decimal | None:
    """What a minute costs, as far as is known."""
    price: Decimal | None = settings.TWILIO_PRICE_PER_MINUTE
    return price


def countries_of(credential: Credential) -> set[str]:
    """That it may call: those that were named, else those of its own numbers."""
    if credential.countries:
        return set(credential.countries)
    own = PhoneNumber.objects.filter(credential=credential).values_list("number", flat=True)
    return {country for country in map(country_of, own) if country}


def country_of(number: str) -> str:
    """ISO, as in "US"; "" where nobody can tell."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
