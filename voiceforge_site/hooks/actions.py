"""What can be done with webhooks, one function a verb: used alike by pages, API and commands. `by` is the
name of who does it. Raises ValidationError, by field where it is about one."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import httpx
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.models import Agent
from agents.outside import is_allowed, port_of, private_problem, with_port
from mlservices import audit
from mlservices.clients.addresses import url_of
from mlservices.happenings import KINDS, Happening
from mlservices.rest.words import one_of
from mlservices.secret_box import UnreadableSecret, opened, sealed
from telephony.models import Call, PhoneNumber

from . import rounds, sending
from .models import TRIED_FOR, Delivery, Webhook
from .outbox import PING, message, send_soon
from .signing import new_secret

FIELDS = ("description", "url", "kinds", "agents", "directions", "numbers")
OVERLAP = timedelta(hours=24)  # in which an old secret signs beside the new one
LONGEST_OVERLAP = timedelta(days=7)
State = Delivery.State


# ---- webhooks ---------------------------------------------------------------------------------------


@transaction.atomic
def add_webhook(*, by: str, **fields: Any) -> tuple[Webhook, str]:
    """`fields` are FIELDS. The webhook, and its secret, which nobody can read again."""
    secret = new_secret()
    webhook = Webhook(secret=sealed(secret), changed_by=by, **fields)
    _check(webhook)
    webhook.save()
    audit.record("webhook.added", webhook, after=_told(webhook), by=by)
    return webhook, secret


@transaction.atomic
def change_webhook(*, webhook: Webhook, by: str, **fields: Any) -> Webhook:
    """Messages that wait go to its new address too."""
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    before, moved = _told(row), fields.get("url", row.url) != row.url
    for name, value in fields.items():
        setattr(row, name, value)
    _check(row)
    row.changed_by, row.changed_at = by, timezone.now()
    row.save(update_fields=[*fields, "changed_by", "changed_at"])
    if moved:
        _begin_anew(row)
    audit.record("webhook.changed", row, before=before, after=_told(row), by=by)
    return row


@transaction.atomic
def rotate_secret(*, webhook: Webhook, by: str, overlap: timedelta = OVERLAP) -> str:
    """A new secret, which nobody can read again. Until `overlap` has passed the old one signs as well."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise ValidationError(_("The old secret may sign for another seven days at most."))
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    secret = new_secret()
    row.previous_secret = row.secret if overlap and _is_readable(row.secret) else ""
    row.previous_until = timezone.now() + overlap if row.previous_secret else None
    row.secret = sealed(secret)
    row.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit.record(
        "webhook.secret_made",
        row,
        by=by,
        detail=f"The old one signs for {overlap.total_seconds() / 3600:g} hours more.",
    )
    return secret


@transaction.atomic
def pause(*, webhook: Webhook, by: str) -> bool:
    """Its messages wait; False where it was not active."""
    active = Webhook.objects.filter(pk=webhook.pk, state=Webhook.State.ACTIVE)
    paused = bool(active.update(state=Webhook.State.PAUSED))
    if paused:
        audit.record("webhook.paused", webhook, by=by)
    return paused


@transaction.atomic
def resume(*, webhook: Webhook, by: str) -> bool:
    """It is told again, and of what waits too; False where it was active."""
    away = Webhook.objects.filter(pk=webhook.pk).exclude(state=Webhook.State.ACTIVE)
    resumed = bool(away.update(state=Webhook.State.ACTIVE, reason=""))
    if resumed:
        _begin_anew(webhook)
        audit.record("webhook.resumed", webhook, by=by)
    return resumed


@transaction.atomic
def delete_webhook(*, webhook: Webhook, by: str) -> None:
    """With all its messages."""
    audit.record("webhook.deleted", webhook, before=_told(webhook), by=by)
    webhook.delete()


# ---- messages ---------------------------------------------------------------------------------------


def send_test(*, webhook: Webhook, by: str) -> Delivery:
    """`try_out`, where a thread may wait for it."""
    return async_to_sync(try_out)(webhook=webhook, by=by)


async def try_out(*, webhook: Webhook, by: str) -> Delivery:
    """A message sent at once, whatever the state of the webhook; with what came of it. It is not repeated.
    Raises ValidationError where the secret cannot be read."""
    delivery, parcel = await sync_to_async(_write_test)(webhook=webhook, by=by)
    await sync_to_async(rounds.keep)(parcel, await sending.carry(parcel))
    await delivery.arefresh_from_db()
    return delivery


@transaction.atomic
def _write_test(*, webhook: Webhook, by: str) -> tuple[Delivery, sending.Parcel]:
    now = timezone.now()
    try:
        keys = rounds.secrets_of(webhook, now)
    except UnreadableSecret:
        raise ValidationError(rounds.UNREADABLE) from None
    delivery = message(webhook, Happening(PING, {"by": by}, at=now))
    delivery.state, delivery.give_up_at = State.SENDING, now
    delivery.claimed_by, delivery.claimed_until = secrets.token_hex(8), now + rounds.CLAIMED
    delivery.save()
    audit.record("webhook.tested", webhook, by=by)
    return delivery, rounds.parcel_of(delivery, webhook, keys, delivery.claimed_by)


def replay(*, delivery: Delivery, by: str) -> None:
    """Send it once more, with the id that it had. Raises ValidationError while it is being sent, or its
    webhook is switched off."""
    over = Delivery.objects.filter(pk=delivery.pk, state__in=(State.DELIVERED, State.DEAD))
    if not _replay(delivery.webhook, over, by):
        raise ValidationError(_("It is on its way already."))


def replay_dead(*, webhook: Webhook, by: str) -> int:
    """All that were not delivered, but for tests; how many. Raises ValidationError if it is switched off."""
    return _replay(webhook, webhook.deliveries.filter(state=State.DEAD).exclude(kind=PING), by)


@transaction.atomic
def _replay(webhook: Webhook, deliveries: QuerySet[Delivery], by: str) -> int:
    if Webhook.objects.filter(pk=webhook.pk, state=Webhook.State.DISABLED).exists():
        raise ValidationError(_("It is switched off. Switch it on first."))
    now = timezone.now()
    again = deliveries.update(state=State.WAITING, attempts=0, next_at=now, give_up_at=now + TRIED_FOR)
    if again:
        Webhook.objects.filter(pk=webhook.pk).update(held_until=None)
        send_soon()
        audit.record("webhook.replayed", webhook, by=by, detail=f"{again} messages")
    return again


def _begin_anew(webhook: Webhook) -> None:
    """What is known of its receiver holds no more; what waits has another day."""
    now = timezone.now()
    Webhook.objects.filter(pk=webhook.pk).update(failures=0, failing_since=None, held_until=None)
    waiting = Delivery.objects.filter(webhook=webhook.pk, state=State.WAITING)
    if waiting.update(next_at=now, give_up_at=now + TRIED_FOR):
        send_soon()


def _told(webhook: Webhook) -> dict[str, Any]:
    """For the audit trail. Of an address only the server: the rest of it is the secret of many a receiver."""
    named = audit.fields_of(webhook, "description", "kinds", "agents", "directions", "numbers")
    return {**named, "server": httpx.URL(webhook.url).host}


# ---- what may be stored -----------------------------------------------------------------------------


def _check(webhook: Webhook) -> None:
    webhook.full_clean(exclude=["secret"])
    problems = {
        "url": _problem_of_address(webhook.url),
        "kinds": _("Choose at least one.")
        if not webhook.kinds
        else _strange(webhook.kinds, set(KINDS) - {PING}, is_short=True),
        "agents": _strange(webhook.agents, _known(Agent, "slug", webhook.agents)),
        "directions": _strange(webhook.directions, set(Call.Direction.values), is_short=True),
        "numbers": _strange(webhook.numbers, _known(PhoneNumber, "number", webhook.numbers)),
    }
    if found := {name: problem for name, problem in problems.items() if problem}:
        raise ValidationError(found)


def _known(model: Any, field: str, values: Any) -> set[str]:
    listed = values if isinstance(values, list) else []
    return set(model.objects.filter(**{f"{field}__in": listed}).values_list(field, flat=True))


def _strange(values: Any, known: Collection[str], *, is_short: bool = False) -> str:
    """What is wrong with them; a short list of what is known is told with it."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return _("This has to be a list of texts.")
    strange = [value for value in values if value not in known]
    if not strange:
        return ""
    told = _("There is no “%(value)s”.") % {"value": strange[0]}
    return f"{told} {one_of(sorted(known))}" if is_short else told


def _problem_of_address(address: str) -> str:
    """What can be told without asking the network: where a name leads is looked at each time it is asked."""
    try:
        url = url_of(address)
    except ValueError:
        return _("This is no address.")
    if url.scheme not in ("http", "https") or not url.host:
        return _("The address has to begin with https://.")
    if not 0 < (url.port or 443) < 65536:
        return _("This is no address.")
    if url.userinfo:
        return _("The address must not hold a name or password: messages are signed instead.")
    if problem := private_problem(url):
        return problem
    port = port_of(url)
    if url.scheme == "https" or is_allowed(url.host, port):
        return ""
    text = _("Messages tell of callers: it has to begin with https://, or %(host)s be in TOOL_PRIVATE_HOSTS.")
    return text % {"host": with_port(url.host, port)}


def _is_readable(secret: str) -> bool:
    try:
        opened(secret)
    except UnreadableSecret:
        return False
    return True
