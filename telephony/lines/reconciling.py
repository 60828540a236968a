"""Our calls held against the provider's records: what they cost, how long they were, and which are over there
that still go on here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from mlservices.secret_box import UnreadableSecret

from ..actions import FINAL, end_call, tell_holder
from ..models import Call, Credential
from ..providers.zadarma.errors import ZadarmaError
from ..recordings.actions import awaited, is_told, none_is_left
from ..session.events import EndReason
from ..zadarma import import_statistics
from .accounts import RING_SECONDS, ProviderError, Record
from .actions import asked_often

logger = logging.getLogger(__name__)

SETTLED = timedelta(minutes=5)  # after its end a provider has written a call down
FORGOTTEN = timedelta(days=3)  # by then a price that is not told never is
LONG = timedelta(minutes=10)  # that a call goes on before we ask whether it does
RINGS_NO_MORE = timedelta(seconds=2 * RING_SECONDS)  # by then a provider has told how it ended
MOST_RINGING = 50  # of them asked about in a minute
ZADARMA_PERIOD = timedelta(days=1)
MOST = 500  # calls of one account in one run


def compare_all() -> str:
    """What the hourly job does; tells what came of it."""
    told = []
    for credential in Credential.objects.real():
        try:
            told.append(f"{credential}: {compare(credential)}")
        except ProviderError as error:
            logger.warning("The calls of %s could not be compared: %s", credential, error)
            told.append(f"{credential}: {error}")
    return "; ".join(told)


def ask_about_ringing() -> str:
    """What a job does each minute for calls that we placed and that ring longer than they can: nothing was
    told of them, as where our address cannot be reached. Answers what came of it."""
    told, now = [], timezone.now()
    for credential in Credential.objects.real().filter(provider=Credential.Provider.TWILIO):
        calls = {call.provider_call_id: call for call in _ringing(credential, now)}
        try:
            if calls:
                told.append(f"{credential}: {_ask(credential, calls, now)} of {len(calls)}")
        except ProviderError as error:
            logger.warning("The calls that ring of %s could not be looked up: %s", credential, error)
            told.append(f"{credential}: {error}")
    return "; ".join(told)


def compare(credential: Credential) -> int:
    """How many calls of the account the provider knew. Raises ProviderError; what was told before counts."""
    if credential.provider == Credential.Provider.ZADARMA:
        return _compare_zadarma(credential)
    now = timezone.now()
    known = _compare_calls(credential, now)
    _look_for_recordings(credential, now)
    return known


def _compare_calls(credential: Credential, now: datetime) -> int:
    calls = {call.provider_call_id: call for call in _due(credential, now)}
    return _ask(credential, calls, now) if calls else 0


def _ask(credential: Credential, calls: dict[str, Call], now: datetime) -> int:
    """How many of them, by the provider's ids, it knew."""
    known = set()
    for record in asked_often(credential, "compared").records(list(calls)):
        known.add(record.provider_call_id)
        _keep(calls[record.provider_call_id], record, now)
    _give_up([call for each, call in calls.items() if each not in known], now)
    return len(known)


def _look_for_recordings(credential: Credential, now: datetime) -> None:
    """Those of whose end nothing was told: the provider is asked what it has."""
    calls = {each.call_id: each.call for each in awaited(credential, ended_before=now - SETTLED)}
    if not calls:
        return
    account = asked_often(credential, "compared")
    for call in calls.values():
        found = account.recordings(call.provider_call_id)
        for each in found:
            is_told(call=call, provider_id=each.provider_id, ready=each.ready)
        if all(each.ready is not None for each in found):
            none_is_left(call=call, why=_("The provider has no recording of this call."))


def _compare_zadarma(credential: Credential) -> int:
    """It tells of periods, and not of calls by their ids. The last day is read each hour: a record may come
    late, and the worker may have stood still."""
    until = timezone.now()
    asked_often(credential, "compared")
    try:
        done = import_statistics(credential, since=until - ZADARMA_PERIOD, until=until)
    except (ZadarmaError, UnreadableSecret) as error:
        raise ProviderError(str(error)) from None
    return done.settled + done.priced


def _due(credential: Credential, now: datetime) -> Sequence[Call]:
    """Those that ended and may still get a price, and those that have gone on for long."""
    ended = Q(ended_at__lt=now - SETTLED, price=None, created_at__gt=now - FORGOTTEN)
    priced = Q(compared_at=None) | Q(status=Call.Status.COMPLETED)
    going = Q(ended_at=None, created_at__lt=now - LONG)
    own = Call.objects.filter(phone_number__credential=credential).exclude(provider_call_id="")
    oldest = F("compared_at").asc(nulls_first=True)
    return list(own.filter(ended & priced | going).order_by(oldest, "created_at").defer("card")[:MOST])


def _ringing(credential: Credential, now: datetime) -> Sequence[Call]:
    own = Call.objects.filter(phone_number__credential=credential, direction=Call.Direction.OUTBOUND)
    ringing = own.filter(status__in=Call.LIVE, ended_at=None, answered_at=None)
    asked = ringing.filter(created_at__lt=now - RINGS_NO_MORE).exclude(provider_call_id="")
    oldest = F("compared_at").asc(nulls_first=True)
    return list(asked.order_by(oldest, "created_at").defer("card")[:MOST_RINGING])


@transaction.atomic
def _keep(call: Call, record: Record, now: datetime) -> None:
    fields: dict[str, object] = {"compared_at": now}
    if record.price is not None:
        fields |= {"price": record.price, "price_currency": record.currency}
    if call.ended_at and record.duration_seconds and not call.duration_seconds:  # we did not hear of it
        fields["duration_seconds"] = record.duration_seconds
    Call.objects.filter(pk=call.pk).update(**fields)
    if record.status not in FINAL or call.ended_at:
        return
    Call.objects.filter(pk=call.pk, ended_at=None).update(status=record.status)
    reason = _reason(call) if record.status != Call.Status.COMPLETED else "line_lost"
    if end_call(call.pk, reason=reason, ended_at=_end_of(record)):
        logger.warning("Call %s was over at its provider; it is ended here.", call.pk)
        transaction.on_commit(lambda: tell_holder(call.pk, reason))


def _reason(call: Call) -> EndReason:
    return "line_lost" if call.answered_at else "never_connected"


def _end_of(record: Record) -> datetime | None:
    if record.began_at is None or record.duration_seconds is None:
        return None
    return record.began_at + timedelta(seconds=record.duration_seconds)


def _give_up(calls: Sequence[Call], now: datetime) -> None:
    """The provider knows nothing of them: one that goes on here does not."""
    for call in calls:
        Call.objects.filter(pk=call.pk).update(compared_at=now)
        if call.ended_at is None and end_call(call.pk, reason=_reason(call)):
            tell_holder(call.pk, _reason(call))
