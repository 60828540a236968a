"""What API keys are used for: counted in memory with each request, written every few seconds by a thread.

A request costs a step in a dictionary, and no query. A process that stops writes what it has counted; one
that is killed loses what it counted since it wrote last, WRITE_SECONDS at most.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.urls import URLPattern, get_resolver

from mlservices.writers import Writer

from ..models import ApiKey, KeyUse
from .address import address_in, address_of

logger = logging.getLogger(__name__)

WRITE_SECONDS = 10.0
KEPT_DAYS = 90  # besides today
OPENED = 101  # the status of a socket that was opened
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


class Counted(NamedTuple):
    """What a row of KeyUse is known by."""

    key: str
    day: date
    resource: str
    status: int


@dataclass(frozen=True, slots=True)
class Use:
    """The last of a key: `what` as "GET /api/agents/<slug:id>"."""

    at: datetime
    address: str
    what: str


class KeyUses(Writer):
    """Those of one process."""

    def __init__(self) -> None:
        super().__init__("key-use", WRITE_SECONDS)
        self._lock = threading.Lock()
        self._counts: Counter[Counted] = Counter()
        self._last: dict[str, Use] = {}

    def note(self, key: str, path: str, status: int, *, address: str = "", what: str = "") -> None:
        """A request of this key was answered. Without `what` its last use stays the one before."""
        now = datetime.now(UTC)
        counted = Counted(key, now.date(), resource_of(path), status)
        with self._lock:
            self._counts[counted] += 1
            if what:
                self._last[key] = Use(now, address, what)

    def write(self) -> None:
        """What the database does not take now stays for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            last, self._last = self._last, {}
        try:
            _add(counts, last)
        except (OperationalError, InterfaceError) as error:  # locked, restarted, unreachable
            keys = {counted.key for counted in counts}
            logger.warning("The uses of %d API keys wait for the database: %s", len(keys), error)
            with self._lock:
                self._counts.update(counts)
                self._last = last | self._last


uses = KeyUses()


def note_request(request: HttpRequest, status: int) -> None:
    """An answer, if a key was sent that there is."""
    if refused := getattr(request, "refused_key", ""):
        uses.note(refused, request.path, status)
    elif key := getattr(request, "api_key", ""):
        match = request.resolver_match
        what = f"{request.method} /{match.route}" if match else ""
        uses.note(key, request.path, status, address=address_of(request), what=what)


def note_socket(scope: Any, key: str, status: int | None) -> None:
    """A socket was opened with a key, or refused; nothing for none of both, or where no key was sent."""
    if key and status:
        what = f"WebSocket /ws/{resource_of(scope['path'])}" if status == OPENED else ""
        uses.note(key, scope["path"], status, address=address_in(scope), what=what)


def resource_of(path: str) -> str:
    """ "calls" of /api/telephony/calls/ID/events and of the socket /ws/calls/ID; "" where there is none of
    that name, or anybody could fill the table."""
    parts = path.split("/", 4)
    place = 3 if parts[2:3] == ["telephony"] else 2
    name = parts[place] if len(parts) > place else ""
    return name if name in _names() else ""


@cache
def _names() -> frozenset[str]:
    routes = [route.split("/") for route in _routes(get_resolver().url_patterns)]
    named = {route[2 if route[1] == "telephony" else 1] for route in routes if route[0] == "api"}
    return frozenset(named | {"realtime", "calls", "stt"})  # of sockets


def _routes(patterns: Iterable[Any], before: str = "") -> Iterator[str]:
    for each in patterns:
        route = f"{before}{each.pattern}"
        if isinstance(each, URLPattern):
            yield route
        else:
            yield from _routes(each.url_patterns, route)


@transaction.atomic
def _add(counts: Mapping[Counted, int], last: Mapping[str, Use]) -> None:
    """To the rows, which other processes add to as well: always in the same order, or two could wait for each
    other."""
    ordered = sorted(counts.items())
    KeyUse.objects.bulk_create([KeyUse(**counted._asdict()) for counted, _ in ordered], ignore_conflicts=True)
    for counted, requests in ordered:
        KeyUse.objects.filter(**counted._asdict()).update(requests=F("requests") + requests)
    for key, use in sorted(last.items()):
        earlier = Q(last_used_at=None) | Q(last_used_at__lte=use.at)
        what = _CONVERTER.sub(r"{\1}", use.what)
        ApiKey.objects.filter(earlier, prefix=key).update(
            last_used_at=use.at, last_used_from=use.address, last_used_for=what[:120]
        )


def forget_old() -> int:
    """For the daily job: the days before the KEPT_DAYS."""
    first = datetime.now(UTC).date() - timedelta(days=KEPT_DAYS)
    return KeyUse.objects.filter(day__lt=first).delete()[0]
