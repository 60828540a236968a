"""The worker's rounds: claim what is due, send it, write down what came of it.

A message is claimed by a conditional UPDATE, so that of many rounds at once only one sends it. The messages
about one call go one after the other, until each was tried once; then none waits for one that fails. Each
webhook has a few places of its own, so that none waits for another's slow receiver.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import secrets
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from mlservices.secret_box import UnreadableSecret, opened

from ..metrics.instruments import webhook_attempts
from .models import Delivery, Webhook
from .sending import ANSWER_SECONDS, Outcome, Parcel, carry, wait_after

logger = logging.getLogger(__name__)
State = Delivery.State

ROUND_SECONDS = 25.0  # in which new messages are taken up; then others of the worker's jobs have their turn
LINGER_SECONDS = 6.0  # that it waits for a message which is due so soon
LOOK_SECONDS = 0.5
PLACES = 5  # messages of one webhook at once; one while its receiver fails
MOST_AT_ONCE = 50
CLAIMED = timedelta(seconds=6 * ANSWER_SECONDS)
LONGEST_HOLD = timedelta(minutes=5)  # of a whole webhook, unless its receiver asks for more
LONGEST_ASKED = timedelta(hours=1)
DOWN_AFTER = 3  # failures in a row: what waited meanwhile is sent as soon as one message is taken
UNREADABLE = "Its secret cannot be read: CREDENTIALS_KEY has changed. Make a new secret."
NEVER_THERE = "Not tried: the receiver has answered nothing for 24 hours."
UNKNOWN = "It was sent, but what came of it could not be written down."


async def run() -> bool:
    """One round; whether more is due than it had the time for."""
    claim_of, until = secrets.token_hex(8), time.monotonic() + ROUND_SECONDS
    await sync_to_async(tidy)()
    under_way: set[asyncio.Task[None]] = set()
    looked_in_vain = False
    while True:
        if has_time := time.monotonic() < until:
            parcels = await sync_to_async(claim)(claim_of, room=MOST_AT_ONCE - len(under_way))
            under_way |= {asyncio.create_task(_deliver(parcel)) for parcel in parcels}
        if under_way:
            await asyncio.wait(under_way, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            under_way = {task for task in under_way if not task.done()}
            looked_in_vain = False
            continue
        seconds = await sync_to_async(until_next)()
        if not has_time:
            return seconds <= 0
        if seconds > LINGER_SECONDS or looked_in_vain:  # another round has what is due
            return False
        looked_in_vain = seconds <= 0
        await asyncio.sleep(max(0.0, seconds))


async def _deliver(parcel: Parcel) -> None:
    try:
        await sync_to_async(keep)(parcel, await carry(parcel))
    except Exception:  # the database is away: it is sent again, and its id tells that it was sent before
        logger.exception("It could not be written down what became of message %s.", parcel.uid)


# ---- before -----------------------------------------------------------------------------------------


def tidy() -> None:
    """What a process that died was sending is sent again, which may be twice, but not for longer than a day;
    what a receiver that answers nothing was to get a day ago is given up."""
    now = timezone.now()
    left = Delivery.objects.filter(state=State.SENDING, claimed_until__lt=now)
    lost = left.filter(give_up_at__lt=now, attempts__gt=0)
    dead = lost.update(state=State.DEAD, attempts=F("attempts") + 1, problem=UNKNOWN)
    left.update(state=State.WAITING, attempts=F("attempts") + 1, next_at=now)
    down = Webhook.objects.filter(state=Webhook.State.ACTIVE, held_until__gt=now)
    overdue = Delivery.objects.filter(state=State.WAITING, give_up_at__lt=now, webhook__in=down)
    overdue = overdue.filter(webhook__failing_since__lt=F("give_up_at"))
    dead += overdue.filter(attempts=0).update(state=State.DEAD, problem=NEVER_THERE)
    dead += overdue.filter(attempts__gt=0).update(state=State.DEAD)
    webhook_attempts.labels("given_up").inc(dead)


def claim(claim_of: str, *, room: int) -> list[Parcel]:
    """Messages that are this round's from now on, at most `room`."""
    now = timezone.now()
    due = Delivery.objects.filter(webhook=OuterRef("pk"), state=State.WAITING, next_at__lte=now)
    webhooks = list(_open_webhooks(now).filter(Exists(due)))
    random.shuffle(webhooks)  # where there is too little room, chance decides
    claimed: list[Parcel] = []
    for webhook in webhooks:
        claimed += _claim_of(webhook, claim_of, now, room - len(claimed))
    return claimed


def _claim_of(webhook: Webhook, claim_of: str, now: datetime, room: int) -> Iterator[Parcel]:
    try:
        keys = secrets_of(webhook, now)
    except UnreadableSecret:
        Webhook.objects.filter(pk=webhook.pk).update(state=Webhook.State.DISABLED, reason=UNREADABLE)
        return
    places = 1 if webhook.failures else PLACES
    places -= webhook.deliveries.filter(state=State.SENDING).count()
    for delivery in _ready(webhook, now)[: max(0, min(places, room))]:
        mine = Delivery.objects.filter(pk=delivery.pk, state=State.WAITING)
        if mine.update(state=State.SENDING, claimed_by=claim_of, claimed_until=now + CLAIMED):
            yield parcel_of(delivery, webhook, keys, claim_of)


def _ready(webhook: Webhook, now: datetime) -> QuerySet[Delivery]:
    """Due, the oldest first, and none before those about the same thing that came first have been tried."""
    before = webhook.deliveries.filter(
        about=OuterRef("about"), pk__lt=OuterRef("pk"), state__in=Delivery.UNDER_WAY, attempts=0
    )
    due = webhook.deliveries.filter(state=State.WAITING, next_at__lte=now)
    return due.filter(Q(about="") | ~Exists(before.order_by())).order_by("pk")


def secrets_of(webhook: Webhook, now: datetime) -> list[str]:
    """The newest first. Raises UnreadableSecret."""
    keys = [opened(webhook.secret)]
    if webhook.previous_secret and webhook.previous_until and webhook.previous_until > now:
        keys.append(opened(webhook.previous_secret))
    return keys


def parcel_of(delivery: Delivery, webhook: Webhook, keys: list[str], claim_of: str) -> Parcel:
    return Parcel(
        delivery_id=delivery.pk,
        webhook_id=webhook.pk,
        uid=str(delivery.uid),
        url=webhook.url,
        body=delivery.body,
        secrets=keys,
        claim=claim_of,
        attempts=delivery.attempts,
        give_up_at=delivery.give_up_at,
    )


def until_next() -> float:
    """Seconds until something is due, 0 or less if it is; infinite if nothing waits."""
    waiting = Delivery.objects.filter(state=State.WAITING, webhook__state=Webhook.State.ACTIVE)
    free_at = Greatest("next_at", Coalesce("webhook__held_until", "next_at"))
    due = waiting.aggregate(first=Min(free_at))["first"]
    return (due - timezone.now()).total_seconds() if due else math.inf


def _open_webhooks(now: datetime) -> QuerySet[Webhook]:
    active = Webhook.objects.filter(state=Webhook.State.ACTIVE)
    return active.filter(Q(held_until=None) | Q(held_until__lte=now))


# ---- afterwards -------------------------------------------------------------------------------------


_ATTEMPTS = {State.DELIVERED: "delivered", State.WAITING: "failed", State.DEAD: "given_up"}


@transaction.atomic
def keep(parcel: Parcel, outcome: Outcome) -> None:
    """What came of it; not where another round has taken it over in the meantime."""
    mine = Delivery.objects.filter(pk=parcel.delivery_id, state=State.SENDING, claimed_by=parcel.claim)
    fate = _next_of(parcel, outcome)
    kept = mine.update(
        **fate,
        attempts=parcel.attempts + 1,
        tried_at=outcome.at,
        headers=outcome.headers,
        seconds=outcome.seconds,
        status=outcome.status,
        answer=outcome.answer,
        problem=outcome.problem,
    )
    if not kept:
        return
    webhook_attempts.labels(_ATTEMPTS[fate["state"]]).inc()
    webhook = Webhook.objects.filter(pk=parcel.webhook_id)
    if outcome.delivered:
        _works_again(webhook)
    else:
        _fails(webhook, outcome)


def _next_of(parcel: Parcel, outcome: Outcome) -> dict[str, Any]:
    if outcome.delivered:
        return {"state": State.DELIVERED}
    if outcome.is_gone or outcome.at >= parcel.give_up_at:
        return {"state": State.DEAD}
    asked = timedelta(seconds=outcome.wait_seconds)
    next_at = outcome.at + max(wait_after(parcel.attempts + 1), asked)
    return {"state": State.WAITING, "next_at": min(next_at, parcel.give_up_at)}


def _works_again(webhook: QuerySet[Webhook]) -> None:
    down = list(webhook.filter(failures__gte=DOWN_AFTER).values_list("pk", flat=True))
    if webhook.filter(failures__gt=0).update(failures=0, failing_since=None, held_until=None) and down:
        waiting = Delivery.objects.filter(webhook__in=down, state=State.WAITING, attempts__gt=0)
        waiting.update(next_at=timezone.now())


def _fails(webhook: QuerySet[Webhook], outcome: Outcome) -> None:
    since = Coalesce("failing_since", outcome.at)
    webhook.update(failures=F("failures") + 1, failing_since=since)
    if outcome.is_gone:
        reason = "Its receiver answered 410: it does not want to be told any more."
        webhook.update(state=Webhook.State.DISABLED, reason=reason)
    elif outcome.receiver_is_down:
        failures = webhook.values_list("failures", flat=True).get()
        asked = min(timedelta(seconds=outcome.wait_seconds), LONGEST_ASKED)
        webhook.update(held_until=outcome.at + max(min(wait_after(failures), LONGEST_HOLD), asked))
