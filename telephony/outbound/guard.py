"""Whether a number may be called: against fraud, and for people who do not want to be.

Asked when a call is planned, and once more as it is placed: what was allowed then may not be now.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import phonenumbers
from django.db.models import Case, DecimalField, F, FloatField, IntegerField, Q, Sum, Value, When
from django.db.models.functions import Cast, Ceil, Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.e164 import as_e164, is_assigned
from agents.models import Agent
from mlservices.pages.countries import country_name, country_names

from ..models import Call, Credential, DoNotCall, OtherCost, PhoneNumber, SipLine
from . import short_numbers

_Kind = phonenumbers.PhoneNumberType
_DEAR = (_Kind.PREMIUM_RATE, _Kind.SHARED_COST, _Kind.UAN, _Kind.PERSONAL_NUMBER, _Kind.PAGER)
EXTENSION = re.compile(r"[A-Za-z][\w.-]*|\d{1,5}", re.ASCII)
EXTENSION_DIGITS = 3  # at Zadarma; other short numbers are services, some of them dear
NOWHERE = "001"  # satellites and the like, as phonenumbers calls what is of no country
GRACE_SECONDS = 30  # after which the provider ends a call that we should have ended
LONGEST_OF_PEOPLE = 4 * 3600  # seconds of a call in which somebody of ours speaks
DAY = timedelta(days=1)
MACHINE_SECONDS = 60.0  # that a call to a machine cost at least: its message began before we took part
TOLD_OF_ITS_END = 3  # `provider_sequence` of a call-back whose end Zadarma has told


class NotAllowed(Exception):
    """The number may not be called; says why, and what to do."""


def check(*, to: str, agent: Agent, carrier: Credential | SipLine, telephone: str = "") -> None:
    """All but what it may cost, which `set_aside` asks. `to` is E.164, or by a SIP line an extension of its
    exchange; `telephone` is rung first. Raises NotAllowed."""
    if agent.status != Agent.Status.ACTIVE:
        raise NotAllowed(_("The agent %(name)s is paused or archived.") % {"name": agent.name})
    refuse(to, carrier)
    if telephone and isinstance(carrier, Credential):
        refuse_telephone(telephone, carrier)


def refuse(to: str, carrier: Credential | SipLine) -> None:
    """Whoever calls it. Raises NotAllowed."""
    if isinstance(carrier, SipLine):
        refuse_on_line(to, carrier)
    else:
        refuse_number(to, carrier)


def refuse_telephone(telephone: str, credential: Credential) -> None:
    """Which is rung first, and whose side of the call is paid for too. Raises NotAllowed."""
    if not telephone.isdecimal():
        refuse_number(telephone, credential)
        return
    lines = [line for line in credential.sip_lines.filter(enabled=True) if line.extension == telephone]
    if lines:
        told = {"extension": telephone, "line": lines[0].label}
        raise NotAllowed(
            _(
                "At extension %(extension)s an agent answers, by the SIP line %(line)s: call by that line, "
                "or have another telephone rung."
            )
            % told
        )


def refuse_on_line(to: str, line: SipLine) -> None:
    """Whoever calls it, or is put through to it. Raises NotAllowed."""
    if EXTENSION.fullmatch(to):
        _refuse_short(to, line)
        return
    country, account = _refuse_anywhere(to), line.account
    if country not in line.countries:
        told = {"line": line.label} | _said(country, line.countries)
        raise NotAllowed(
            _("%(line)s may call %(allowed)s, and not %(country)s. Allow it on the page of the line.") % told
        )
    if account and account.countries:
        _refuse_elsewhere(country, account, account.countries)


def _refuse_short(to: str, line: SipLine) -> None:
    """What looks like an extension, and would reach an emergency service or a dear one from that line."""
    told = {"number": to}
    if short_numbers.is_emergency(to, line.countries):
        raise NotAllowed(_("%(number)s is an emergency number: a person calls it, by a telephone.") % told)
    if line.account_id and to.isdecimal():
        if len(to) != EXTENSION_DIGITS:
            raise NotAllowed(_("%(number)s is no extension: at Zadarma they have three digits.") % told)
    elif not line.countries and to in short_numbers.EMERGENCY_SOMEWHERE:
        raise NotAllowed(
            _(
                "%(number)s is an emergency number in some countries. Where it is none, and an extension, "
                "name the countries that the line may call, on its page."
            )
            % told
        )
    elif short_numbers.is_dear(to, line.countries):
        raise NotAllowed(_("%(number)s is a number that costs its callers extra.") % told)


def refuse_unassigned(number: str) -> None:
    """Raises NotAllowed for digits that no telephone can have."""
    if not is_assigned(number):
        raise NotAllowed(_("%(number)s is no telephone's number: check its digits.") % {"number": number})


def _refuse_anywhere(to: str) -> str:
    """Else the number's country. What is looked up is dialled: another way to write a number is refused."""
    country = country_of(to) if to == as_e164(to) else ""
    if not country:
        raise NotAllowed(_("%(number)s is no number with + and its country code.") % {"number": to})
    refuse_unassigned(to)
    if DoNotCall.objects.filter(number=to).exists():
        raise NotAllowed(_("%(number)s is on the do-not-call list.") % {"number": to})
    if phonenumbers.number_type(phonenumbers.parse(to)) in _DEAR:
        raise NotAllowed(_("%(number)s is a number that costs its callers extra.") % {"number": to})
    return country


def costs_nothing(to: str, line: SipLine) -> bool:
    """Whether it is an extension of the line's exchange, as far as anybody knows."""
    if not EXTENSION.fullmatch(to):
        return False
    return line.account_id is not None or short_numbers.is_free(to, line.countries)


def _said(country: str, allowed: Iterable[str]) -> dict[str, str]:
    return {"country": country_name(country), "allowed": country_names(allowed) or _("no country")}


def refuse_number(to: str, credential: Credential) -> None:
    """Whoever calls it. Raises NotAllowed."""
    _refuse_elsewhere(_refuse_anywhere(to), credential, countries_of(credential))


def _refuse_elsewhere(country: str, credential: Credential, allowed: Collection[str]) -> None:
    if country not in allowed:
        told = {"account": credential.label} | _said(country, allowed)
        raise NotAllowed(
            _("%(account)s may call %(allowed)s, and not %(country)s. Allow it on the page of the account.")
            % told
        )


def set_aside(carrier: Credential | SipLine, *, seconds: int, rate: Decimal | None) -> None:
    """See that a call of at most so many seconds fits into what is left of the day, and keep all others from
    asking until the transaction around this, which makes the call's row, is over. `rate` is of a minute, None
    where it is not known. Raises NotAllowed."""
    for payer in locked_payers(carrier):
        if payer.daily_cap is not None:
            _check_cap(payer, payer.daily_cap, seconds, rate)


def locked_payers(carrier: Credential | SipLine) -> list[Credential | SipLine]:
    """Locked, always in the same order, and as they are stored now."""
    line = carrier if isinstance(carrier, SipLine) else None
    account = line.account if line else carrier
    payers: list[Credential | SipLine] = []
    if isinstance(account, Credential):
        payers += Credential.objects.select_for_update(no_key=True).filter(pk=account.pk)
    if line:
        payers += SipLine.objects.select_for_update(no_key=True).filter(pk=line.pk)
    return payers


def _check_cap(payer: Credential | SipLine, cap: Decimal, seconds: int, rate: Decimal | None) -> None:
    """One that goes on is counted as if it lasted as long as it can."""
    if rate is None:
        told = {"name": payer.label}
        raise NotAllowed(
            _("%(name)s has a cap, and nobody knows what a minute costs: write its price down.") % told
        )
    spent = spent_since(payer, timezone.now() - DAY)
    if spent + math.ceil(seconds / 60) * rate > cap:
        told = {"account": payer.label, "spent": f"{spent:.2f}", "cap": f"{cap:.2f}"}
        raise NotAllowed(
            _(
                "%(account)s has spent or set aside %(spent)s of the %(cap)s that it may spend in 24 "
                "hours, and this call could cost more than is left."
            )
            % told
        )


def spent_since(payer: Credential | SipLine, since: datetime) -> Decimal:
    """What its calls cost, and those whom it put through, or may yet, as far as prices or rates are known."""
    own = {"sip_line": payer} if isinstance(payer, SipLine) else {"paid_by": payer}
    calls = Call.objects.filter(direction=Call.Direction.OUTBOUND, created_at__gte=since, **own)
    spent = calls.aggregate(sum=Sum(cost_of_a_call()))["sum"] or Decimal(0)
    others = OtherCost.objects.filter(at__gte=since, **own).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    return Decimal(spent + others).quantize(Decimal("0.00001"))


def cost_of_a_call() -> Coalesce:
    """Its price, or what it may cost at its rate; null where neither is known."""
    minutes = Cast(Ceil(_seconds() / 60.0), IntegerField())
    reserved = Cast(minutes * F("rate"), DecimalField(max_digits=14, decimal_places=5))
    return Coalesce(F("price"), reserved, output_field=DecimalField(max_digits=14, decimal_places=6))


def _seconds() -> Case:
    """That a call cost, or may. It counts as its longest where it goes on, where that goes on which it led
    to, and where nobody has told of its end: after a request without an answer, in a call-back that we do not
    hear."""
    unheard = Q(line="zadarma", provider_sequence__lt=TOLD_OF_ITS_END)
    unsure = ~Q(line="sip") & Q(provider_call_id="")
    open_ended = Q(ended_at=None) | Q(end_reason="transferred") | unheard | unsure
    lasted = Coalesce(F("duration_seconds"), 0.0)
    return Case(
        When(end_reason="not_placed", then=Value(0.0)),
        When(open_ended, then=Cast(F("most_seconds"), FloatField())),
        When(end_reason="machine", then=Greatest(lasted, MACHINE_SECONDS)),
        default=lasted,
        output_field=FloatField(),
    )


def longest_of(agent: Agent, *, by_a_person: bool = False) -> int:
    """Seconds after which the provider ends a call, whatever we do."""
    return LONGEST_OF_PEOPLE if by_a_person else agent.max_call_seconds + GRACE_SECONDS


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
