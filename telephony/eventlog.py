"""Where happenings become numbered rows, a newer card, and news for watchers, in this order.

A call's sound must never wait for a database, so `EventLog.record` only queues; one thread for each
process stores what has gathered, all calls in one transaction, and then publishes it. Numbers are
drawn from `Call.last_seq` inside that transaction: they have no gap, whichever process writes.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import InterfaceError, OperationalError, connection, transaction

from . import metrics, outward
from .cards import Card, fold
from .models import Call, CallEvent, CallMessage, MeasuredTurn
from .session.events import Event, kind_of, payload_of

logger = logging.getLogger(__name__)

LIVE_GROUP = "live"  # every watcher joins it and picks what concerns it: one send for all calls
GATHER_SECONDS = 0.1
RETRY_SECONDS = 0.5
LONGEST_QUEUE = 50_000
TURN_MEASURED = "turn_measured"  # the kind of events that the figures of response times are made of
MESSAGE_TAKEN = "message_taken"
# What a message told again replaces; it is open again, whoever had seen to the first.
MESSAGE_FIELDS = [
    field.name for field in CallMessage._meta.fields if field.name not in ("id", "call", "ordinal")
]
DROPS_TOLD = 1000  # a line in the log for the first of so many


@dataclass(frozen=True, slots=True)
class Happening:
    call_id: UUID
    event: Event
    at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """What one transaction brought for one call."""

    card: dict[str, Any]
    events: list[dict[str, Any]]


def event_json(row: CallEvent) -> dict[str, Any]:
    """An event as watchers and files get it."""
    return {
        "seq": row.seq,
        "kind": row.kind,
        "at": row.at.timestamp(),
        "at_seconds": round(row.at_seconds, 3),
        "payload": row.payload,
    }


def store(happenings: Iterable[Happening]) -> list[News]:
    """Number and store them and bring the cards up to date. Call it inside a transaction."""
    by_call: dict[UUID, list[Happening]] = defaultdict(list)
    for happening in happenings:
        by_call[happening.call_id].append(happening)
    # Locked until the commit, in one order everywhere: nobody draws the same numbers, nobody deadlocks.
    # (SQLite has no row locks; there a transaction begins with the only write lock.)
    calls = Call.objects.select_for_update().filter(pk__in=by_call).order_by("pk")
    told = [
        _number(call_id, by_call[call_id], last_seq, Card.from_json(card))
        for call_id, last_seq, card in calls.values_list("pk", "last_seq", "card")
    ]
    CallEvent.objects.bulk_create([row for rows, _ in told for row in rows])
    MeasuredTurn.objects.bulk_create([turn for rows, card in told for turn in measured_turns(rows, card)])
    save_messages(row for rows, _ in told for row in rows)
    _save_cards([card for _, card in told])
    outward.tell_of_events(row for rows, _ in told for row in rows)
    return [News(card.as_json(), [event_json(row) for row in rows]) for rows, card in told]


def measured_turns(rows: Iterable[CallEvent], card: Card) -> list[MeasuredTurn]:
    """What of a call's events the figures of response times are made of."""
    began = datetime.fromtimestamp(card.started, UTC)
    return [
        MeasuredTurn(
            call_id=row.call_id,
            began=began,
            milliseconds=round(row.payload["voice_to_voice_seconds"] * 1000),
        )
        for row in rows
        if row.kind == TURN_MEASURED
    ]


def save_messages(rows: Iterable[CallEvent]) -> None:
    """Copy the messages among a call's events to where they are listed, in place of what was told before."""
    newest = {
        (row.call_id, row.payload["ordinal"]): CallMessage(call_id=row.call_id, at=row.at, **row.payload)
        for row in rows
        if row.kind == MESSAGE_TAKEN
    }
    if newest:
        CallMessage.objects.bulk_create(
            newest.values(),
            update_conflicts=True,
            unique_fields=["call", "ordinal"],
            update_fields=MESSAGE_FIELDS,
        )


def _number(
    call_id: UUID, happenings: Sequence[Happening], last_seq: int, card: Card
) -> tuple[list[CallEvent], Card]:
    rows = []
    for seq, happening in enumerate(happenings, last_seq + 1):
        event = happening.event
        rows.append(
            CallEvent(
                call_id=call_id,
                seq=seq,
                kind=kind_of(event),
                at=happening.at,
                at_seconds=event.at_seconds,
                payload=payload_of(event),
            )
        )
        fold(card, event, seq=seq, at=happening.at.timestamp())
    return rows, card


def _save_cards(cards: Sequence[Card]) -> None:
    """One prepared statement for all: compiling an UPDATE for each call took more than running it."""
    key, card_field = Call._meta.get_field("id"), Call._meta.get_field("card")
    quote = connection.ops.quote_name
    names = ("last_seq", "card", "turns", "slow_turns", "response_ms", "taken_over")
    columns = ", ".join(f"{quote(name)} = %s" for name in names)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(Call._meta.db_table)} SET {columns} WHERE {quote('id')} = %s",
            [
                (
                    card.seq,
                    card_field.get_db_prep_save(card.as_json(), connection),
                    card.turns,
                    card.slow_turns,
                    card.response_ms,
                    card.taken_over,
                    key.get_db_prep_value(UUID(card.id), connection),
                )
                for card in cards
            ],
        )


def record_now(call_id: UUID, *events: Event) -> None:
    """For webhooks and actions: stored with the caller's transaction, published when it commits."""
    at = datetime.now(UTC)
    with transaction.atomic():
        news = store([Happening(call_id, event, at) for event in events])
        transaction.on_commit(lambda: _tell(news))


def _tell(news: Sequence[News]) -> None:
    count(news)
    async_to_sync(publish)(news)


def count(news: Sequence[News]) -> None:
    for item in news:
        metrics.count(item.card, item.events)


async def publish(news: Sequence[News]) -> None:
    """Tell watchers; they repair from the database what is lost on the way."""
    layer = get_channel_layer()
    if layer is None or not news:
        return
    text = orjson.dumps([{"card": item.card, "events": item.events} for item in news]).decode()
    try:
        await layer.group_send(LIVE_GROUP, {"type": "live", "json": text})
    except Exception as error:  # each layer has its own kinds; what happened is stored all the same
        logger.warning("Watchers were not told: %s from the channel layer.", type(error).__name__)


class EventLog:
    """One process's writer. `record` is for the event loop; the rest of the work is a thread's."""

    def __init__(self) -> None:
        self._waiting: deque[Happening | Future[None]] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.dropped = 0

    def record(self, call_id: UUID, event: Event) -> None:
        """Never waits. Past `LONGEST_QUEUE` (a database that is gone for long) events are dropped."""
        if len(self._waiting) >= LONGEST_QUEUE:
            self._drop(1)
            if self.dropped % DROPS_TOLD == 1:
                logger.error("The database is behind: %d events of calls were dropped.", self.dropped)
            return
        self._put(Happening(call_id, event, datetime.now(UTC)))

    async def flush(self) -> None:
        """Return once all that was recorded so far is stored."""
        stored: Future[None] = Future()
        self._put(stored)
        await asyncio.wrap_future(stored)

    def close(self) -> None:
        """Store what is left and end the thread; the next `record` starts another."""
        if self._thread:
            self._closing = True
            self._wake.set()
            self._thread.join()
            self._thread, self._closing = None, False

    def _drop(self, events: int) -> None:
        self.dropped += events
        metrics.events_dropped.inc(events)

    def _put(self, item: Happening | Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting.append(item)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="eventlog", daemon=True)
            self._thread.start()
        self._wake.set()

    # ---- in the thread ----------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while self._waiting or not self._closing:
                self._wake.wait()
                self._wake.clear()
                if not self._closing:
                    time.sleep(GATHER_SECONDS)
                self._store_waiting()
        finally:
            connection.close()

    def _store_waiting(self) -> None:
        metrics.events_waiting.set(len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._store([item for item in batch if isinstance(item, Happening)])
        metrics.events_waiting.set(len(self._waiting))
        for item in batch:
            if isinstance(item, Future) and item.set_running_or_notify_cancel():
                item.set_result(None)

    def _store(self, happenings: list[Happening]) -> None:
        if not happenings:
            return
        while True:
            try:
                with transaction.atomic():
                    news = store(happenings)
            except (OperationalError, InterfaceError) as error:  # locked, restarted, unreachable
                logger.warning("%d events wait for the database: %s", len(happenings), error)
                connection.close()
                if self._closing:
                    return
                time.sleep(RETRY_SECONDS)
            except Exception:
                self._store_apart(happenings)
                return
            else:
                count(news)
                self._publish(news)
                return

    def _store_apart(self, happenings: list[Happening]) -> None:
        """One call's events cannot be stored; the others' must be."""
        calls = {happening.call_id for happening in happenings}
        if len(calls) == 1:
            self._drop(len(happenings))
            logger.exception("%d events of call %s were dropped.", len(happenings), *calls)
            return
        for call_id in calls:
            self._store([happening for happening in happenings if happening.call_id == call_id])

    def _publish(self, news: list[News]) -> None:
        assert self._loop
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(publish(news), self._loop)


eventlog = EventLog()
atexit.register(eventlog.close)
