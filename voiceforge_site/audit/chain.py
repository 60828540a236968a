"""The chain of the trail: each entry bears the digest of the one before, so that none can be changed, put in
or taken out without all after it telling.

An entry is written by the verb's own transaction, without its link, so that no two verbs wait for each other.
When that is committed, `seal` links whatever has none, in a transaction of its own; should it not come to
that, the next one does, or the schedule.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .models import AuditEntry, AuditHead

UNSEALED_FOR = timedelta(minutes=1)  # and something is wrong
BATCH = 2000
_HASHED = (
    "id",
    "number",
    "previous",
    "name",
    "key",
    "address",
    "request",
    "verb",
    "kind",
    "thing",
    "label",
    "changes",
    "detail",
    "words",
)


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the chain: after the entry with this number, which has this digest."""

    number: int = 0
    digest: str = ""


def digest_of(entry: AuditEntry) -> str:
    """SHA-256 over the canonical JSON of what it says and where it stands."""
    told = {name: getattr(entry, name) for name in _HASHED}
    told["at"] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(canonical(told).encode()).hexdigest()


def canonical(value: object) -> str:
    """JSON that is written in one way only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@transaction.atomic
def seal() -> int:
    """Link all entries that have no link yet; how many those were. In SQL: it is done with every verb, and
    the ORM takes three times as long."""
    with connection.cursor() as cursor:
        at, links = _locked_head(cursor), []
        for entry in AuditEntry.objects.raw(_UNLINKED):
            entry.number, entry.previous = at.number + 1, at.digest
            at = Point(entry.number, digest_of(entry))
            links.append((entry.number, entry.previous, at.digest, entry.pk))
        if links:
            cursor.executemany(_LINK, links)
            cursor.execute(_HEAD, [at.number, at.digest, AuditHead.ONLY])
    return len(links)


_UNLINKED = "SELECT * FROM voiceforge_site_auditentry WHERE number IS NULL ORDER BY id"
_LINK = "UPDATE voiceforge_site_auditentry SET number = %s, previous = %s, digest = %s WHERE id = %s"
_HEAD = "UPDATE voiceforge_site_audithead SET number = %s, digest = %s WHERE id = %s"


def _locked_head(cursor: Any) -> Point:
    """Whoever has it links; all others wait."""
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    cursor.execute(
        f"SELECT number, digest FROM voiceforge_site_audithead WHERE id = %s{lock}", [AuditHead.ONLY]
    )
    if row := cursor.fetchone():
        return Point(*row)
    AuditHead.objects.get_or_create(pk=AuditHead.ONLY)
    return _locked_head(cursor)


# ---- looking through it -------------------------------------------------------------------------


class DoesNotFit(Exception):
    """The first entry that cannot be as it was written, or is missing. `code` can be kept, and read again."""

    WORDS = {
        "missing": _("Entry %(number)s is missing."),
        "changed": _("Entry %(number)s was changed after it was written."),
        "unlinked": _("Entry %(number)s does not follow the entry before it: one of both was changed."),
        "outside": _("There is an entry outside the chain, with the number %(number)s."),
        "another": _("Entry %(number)s is another than the one that stood there."),
        "cut": _("The end is cut off: entry %(number)s and all after it are missing."),
    }

    def __init__(self, kind: str, number: int) -> None:
        super().__init__(kind, number)
        self.code = f"{kind} {number}"

    @classmethod
    def of(cls, code: str) -> DoesNotFit:
        kind, _space, number = code.partition(" ")
        return cls(kind, int(number))

    def __str__(self) -> str:
        kind, number = self.args
        return str(self.WORDS[kind]) % {"number": number}


def verify(*, start: Point, known: Sequence[Point]) -> Point:
    """Walk the chain from `start` to its end, which is answered; it has to come by all that is `known`.
    Raises DoesNotFit."""
    _none_outside()
    at, digests = start, {point.number: point.digest for point in known}
    for entry in _entries(start.number):
        number = at.number + 1
        if entry.number != number:
            raise DoesNotFit("missing", number)
        if entry.previous != at.digest:
            raise DoesNotFit("unlinked", number)
        if digest_of(entry) != entry.digest:
            raise DoesNotFit("changed", number)
        if digests.get(number, entry.digest) != entry.digest:
            raise DoesNotFit("another", number)
        at = Point(number, entry.digest)
    if at.number < max(digests, default=0):
        raise DoesNotFit("cut", at.number + 1)
    return at


def _none_outside() -> None:
    """Raises DoesNotFit for an entry that the walk would not come by: its first link has the number 1."""
    for number in AuditEntry.objects.filter(number__lt=1).values_list("number", flat=True)[:1]:
        raise DoesNotFit("outside", int(number or 0))


def _entries(after: int) -> Iterator[AuditEntry]:
    """In the order of their numbers, a batch at a time: an open cursor would hold a writer up."""
    while batch := list(AuditEntry.objects.filter(number__gt=after).order_by("number")[:BATCH]):
        yield from batch
        last = batch[-1].number
        assert last is not None
        after = last


def long_unsealed(now: datetime) -> int:
    """How many entries should have been linked long ago."""
    return AuditEntry.unsealed.filter(at__lt=now - UNSEALED_FOR).count()


def stored_head() -> Point:
    """Where the chain says that it ends; the beginning where it says nothing."""
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first()
    return Point(head.number, head.digest) if head else Point()


def verify_news() -> str:
    """Look through what came since the last time, and note what was found, as DoesNotFit's code; "" where all
    fits. What did not fit is found again each time."""
    seal()
    head = AuditHead.objects.get(pk=AuditHead.ONLY)
    seen, problem = Point(head.verified_number, head.verified_digest), ""
    try:
        _still_there(seen)
        seen = verify(start=seen, known=[Point(head.number, head.digest)])
    except DoesNotFit as error:
        problem = error.code
    AuditHead.objects.filter(pk=head.pk).update(
        verified_number=seen.number,
        verified_digest=seen.digest,
        verified_at=timezone.now(),
        problem=problem,
    )
    return problem


def _still_there(seen: Point) -> None:
    """Raises DoesNotFit where the last entry that was looked at is another now."""
    if seen.number and not AuditEntry.objects.filter(number=seen.number, digest=seen.digest).exists():
        raise DoesNotFit("another", seen.number)
