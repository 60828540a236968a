"""Who used what: noted without waiting, written by a thread together with the sums of the day.

`asking` says for whom the requests of this task (and of those it starts) are made. Nothing is written in a
process that has not opened the ledger.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from .about import about
from .models.usage import Outcome, Price, UsageDay, UsageRow
from .writers import Writer

logger = logging.getLogger(__name__)

GATHER_SECONDS = 1.0
RETRY_SECONDS = 2.0
LONGEST_QUEUE = 20_000
KEPT_DAYS = 35  # of rows, whole days of UTC; the sums stay
_FORGOTTEN_AT_ONCE = 5000  # rows: a call's own must not wait for a long deletion


@dataclass(frozen=True, slots=True)
class Asker:
    key: str = ""  # the id of an API key
    call: UUID | None = None


NOBODY = Asker()
_asker: ContextVar[Asker] = ContextVar("asker", default=NOBODY)


@contextmanager
def asking(*, key: str = "", call: UUID | None = None) -> Iterator[None]:
    """For whom what is asked inside is asked; what is not said is as it is outside."""
    outside = _asker.get()
    token = _asker.set(Asker(key or outside.key, call or outside.call))
    try:
        with about(key=key, call=call):
            yield
    finally:
        _asker.reset(token)


@dataclass(frozen=True, slots=True)
class Entry:
    """One request that has ended; `amount` is in the unit of its service.

    Of a language model's tokens, `answered` are those of its answer, the others the prompt's; they are
    `estimated` by lengths where the server does not count them, or was left before it told."""

    service: str
    engine: str
    amount: float
    latency_seconds: float
    outcome: Outcome
    degraded: bool = False
    answered: int = 0
    estimated: bool = False
    asker: Asker = field(default_factory=_asker.get)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Ledger(Writer):
    """That of one process."""

    def __init__(self) -> None:
        super().__init__("ledger", GATHER_SECONDS)
        self._waiting: deque[Entry] = deque()
        self.dropped = 0

    def note(self, entry: Entry) -> None:
        """Never waits. Past `LONGEST_QUEUE` (a database that is gone for long) entries are dropped."""
        if not self.is_open:
            return
        if len(self._waiting) >= LONGEST_QUEUE:
            self.dropped += 1
            if self.dropped % 1000 == 1:
                logger.error("The database is behind: %d requests were not noted.", self.dropped)
            return
        self._waiting.append(entry)

    def write(self) -> None:
        """One entry that cannot be written is found by halves, and costs no other."""
        entries = [self._waiting.popleft() for _ in range(len(self._waiting))]
        parts = [entries] if entries else []
        while parts:
            entries = parts.pop()
            try:
                write(entries)
            except (OperationalError, InterfaceError) as error:  # locked, restarted, unreachable
                logger.warning("%d requests wait for the database: %s", len(entries), error)
                connection.close()
                if self._closing.is_set():
                    return
                time.sleep(RETRY_SECONDS)
                parts.append(entries)
            except Exception:
                middle = len(entries) // 2
                if middle:
                    parts += [entries[middle:], entries[:middle]]
                else:
                    self.dropped += 1
                    logger.exception("A request could not be noted: %s", entries[0])


def write(entries: Sequence[Entry]) -> None:
    """Rows and sums in one transaction, so that they never differ."""
    with transaction.atomic():
        prices = Prices.of({entry.engine for entry in entries})
        rows = [_row(entry, prices) for entry in entries]
        UsageRow.objects.bulk_create(rows)
        for identity, part in sorted(_by_day(rows).items()):
            day, service, engine, key = identity
            found, _ = UsageDay.objects.get_or_create(day=day, service=service, engine=engine, key=key)
            UsageDay.objects.filter(pk=found.pk).update(
                requests=F("requests") + len(part),
                failed=F("failed") + sum(row.outcome == Outcome.FAILED for row in part),
                refused=F("refused") + sum(row.outcome == Outcome.REFUSED for row in part),
                degraded=F("degraded") + sum(row.by_fallback for row in part),
                estimated=F("estimated") + sum(row.estimated for row in part),
                amount=F("amount") + sum(row.amount for row in part),
                latency_ms=F("latency_ms") + sum(row.latency_ms for row in part),
                cost=F("cost") + sum((row.cost for row in part), Decimal(0)),
            )


def _row(entry: Entry, prices: Prices) -> UsageRow:
    return UsageRow(
        at=entry.at,
        service=entry.service,
        engine=entry.engine[:120],
        key=entry.asker.key,
        call=entry.asker.call,
        amount=entry.amount,
        latency_ms=round(entry.latency_seconds * 1000),
        outcome=entry.outcome,
        degraded=entry.degraded,
        answered=entry.answered,
        estimated=entry.estimated,
        cost=prices.cost(entry),
    )


def _by_day(rows: Iterable[UsageRow]) -> dict[tuple[date, str, str, str], list[UsageRow]]:
    parts = defaultdict(list)
    for row in rows:
        parts[(row.at.astimezone(UTC).date(), row.service, row.engine, row.key)].append(row)
    return parts


@dataclass(frozen=True, slots=True)
class Prices:
    """Those of some engines, the newest first."""

    rows: dict[str, list[Price]]

    @classmethod
    def of(cls, engines: Iterable[str]) -> Prices:
        rows = defaultdict(list)
        for price in Price.objects.filter(engine__in=list(engines)).order_by("-since"):
            rows[price.engine].append(price)
        return cls(rows)

    def cost(self, entry: Entry) -> Decimal:
        """0 where no price is known for the day."""
        day = entry.at.astimezone(UTC).date()
        price = next((each for each in self.rows.get(entry.engine, ()) if each.since <= day), None)
        if price is None:
            return Decimal(0)
        dearer = 0 if price.answer_amount is None else price.answer_amount - price.amount
        whole = price.amount * Decimal(str(entry.amount)) + dearer * entry.answered
        return (whole / price.per).quantize(Decimal("1e-8"))


def forget_old_rows(now: datetime) -> int:
    """Delete the rows of days that are more than `KEPT_DAYS` ago; the sums of days stay. Answers how many.

    Days go whole: a day that has rows has all of them, and its sums equal them."""
    first = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=KEPT_DAYS)
    old = UsageRow.objects.filter(at__lt=first).order_by("at")
    forgotten = 0
    while some := UsageRow.objects.filter(pk__in=old.values("pk")[:_FORGOTTEN_AT_ONCE]).delete()[0]:
        forgotten += some
    return forgotten


ledger = Ledger()
