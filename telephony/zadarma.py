"""What is asked of Zadarma in the name of an account, one verb a function, alike for page, task and command.

Each raises ZadarmaError, whose words say what to do, and UnreadableSecret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asgiref.sync import async_to_sync
from django.conf import settings
from django.urls import reverse

from .addresses import public_url
from .credentials import secret_of
from .lines.actions import note_use
from .models import Credential
from .providers.zadarma.client import ZadarmaClient
from .providers.zadarma.errors import ZadarmaError
from .providers.zadarma.facts import (
    BilledCall,
    PbxCall,
    WebhookSettings,
)
from .zadarma_records import set_prices, settle

# Every notice of a call that Zadarma can be told to send.
NOTICES = ("start", "internal", "answer", "end", "out_start", "out_end")
STATISTICS_PATIENCE_SECONDS = 65.0  # 3 requests a minute
LONGEST_PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class WebhooksSet:
    before: WebhookSettings
    after: WebhookSettings


@dataclass(frozen=True, slots=True)
class Imported:
    """To how many calls of ours Zadarma's records had something to add: how they went, what they cost."""

    settled: int
    priced: int


def client_of(credential: Credential, *, patience_seconds: float = 10.0) -> ZadarmaClient:
    return ZadarmaClient(
        credential.account,
        secret_of(credential),
        url=settings.ZADARMA_API_URL,
        patience_seconds=patience_seconds,
    )


def webhook_url(credential: Credential) -> str:
    return public_url(reverse("telephony:zadarma_webhook", args=[credential.pk]))


def set_webhooks(credential: Credential, *, by: str) -> WebhooksSet:
    """Have all notices of calls sent to us. Zadarma tries the address at once, so this server has to be
    reached at PUBLIC_URL."""
    done = async_to_sync(_set_webhooks)(client_of(credential), webhook_url(credential))
    note_use(credential, "notices", by=by, detail=f"{done.before.url or '–'} → {done.after.url}")
    return done


async def _set_webhooks(client: ZadarmaClient, url: str) -> WebhooksSet:
    before = await client.webhooks()
    wanted = {f"notify_{name}": True for name in NOTICES}
    if before.url != url:
        await client.set_webhook_url(url)
    if not _includes(before.notifications, wanted):
        await client.set_notifications(wanted)
    after = await client.webhooks()
    if after.url != url or not _includes(after.notifications, wanted):
        raise ZadarmaError(
            "Zadarma took the settings and does not show them. Look at them in its Integrations and API.",
            permanent=True,
        )
    return WebhooksSet(before, after)


def _includes(found: Mapping[str, bool], wanted: Mapping[str, bool]) -> bool:
    return all(found.get(name) == on for name, on in wanted.items())


def import_statistics(credential: Credential, *, since: datetime, until: datetime) -> Imported:
    """Compare our calls with Zadarma's records of that time: end those that it saw end, fill in how long they
    were and what they cost. May be done again at any time. Both times bear a zone.

    Waits for its turn where a month has many calls: it is for the worker.
    """
    client = client_of(credential, patience_seconds=STATISTICS_PATIENCE_SECONDS)
    offset, legs, bills = async_to_sync(_records)(client, since, until)
    settled = settle(credential, legs, offset)
    return Imported(settled=settled, priced=set_prices(credential, bills, offset, since=since))


async def _records(
    client: ZadarmaClient, since: datetime, until: datetime
) -> tuple[timedelta, list[PbxCall], list[BilledCall]]:
    offset = (await client.clock()).offset
    legs: list[PbxCall] = []
    bills: dict[str, BilledCall] = {}  # one may stand at the end of a period and at the beginning of the next
    begin = _there(since, offset)
    while begin < _there(until, offset):
        end = min(begin + LONGEST_PERIOD, _there(until, offset))
        legs += [leg async for leg in client.pbx_calls(begin, end)]
        bills |= {bill.id: bill async for bill in client.billed_calls(begin, end)}
        begin = end
    return offset, legs, list(bills.values())


def _there(moment: datetime, offset: timedelta) -> datetime:
    """In the account's time, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None) + offset
