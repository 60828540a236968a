"""One message on its way: signed, sent once, and what came back. No rows here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.utils import timezone

from agents import outside

from . import signing

ANSWER_SECONDS = 10.0
LARGEST_ANSWER = 4096  # bytes that are read of it
# Until the next attempt, after the first, the second ... one; the last for all further ones.
WAITS = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
JITTER = 0.2
GONE = 410
# Not this message's fault: the others would fare no better.
OVERLOADED = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is needed to send a message, read from its rows. `claim` names the round that may send it."""

    delivery_id: int
    webhook_id: int
    uid: str
    url: str
    body: str
    secrets: Sequence[str] = field(repr=False)
    claim: str
    attempts: int  # before this one
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` is None where there was no answer; `problem` is "" for a message that was taken."""

    at: datetime
    seconds: float
    headers: dict[str, str]  # that were sent
    status: int | None = None
    answer: str = ""
    problem: str = ""
    wait_seconds: float = 0.0  # that the receiver asks for

    @property
    def delivered(self) -> bool:
        return not self.problem

    @property
    def is_gone(self) -> bool:
        return self.status == GONE

    @property
    def receiver_is_down(self) -> bool:
        return not self.delivered and (self.status is None or self.status in OVERLOADED)


async def carry(parcel: Parcel) -> Outcome:
    """Sent once: any answer but 2xx is a failure, and a redirect is not followed."""
    at = timezone.now()
    headers = signing.headers(parcel.secrets, uid=parcel.uid, seconds=int(at.timestamp()), body=parcel.body)
    request = outside.Request("POST", parcel.url, headers, body=parcel.body.encode())
    try:
        answer = await outside.ask(request, seconds=ANSWER_SECONDS, largest=LARGEST_ANSWER, once=True)
    except (outside.Refused, outside.Unanswered) as error:
        seconds = (timezone.now() - at).total_seconds()
        return Outcome(at, seconds, headers, problem=str(error)[:500])
    taken = 200 <= answer.status < 300
    return Outcome(
        at,
        answer.seconds,
        headers,
        status=answer.status,
        answer=answer.text.replace("\x00", ""),  # PostgreSQL takes none
        problem="" if taken else f"It answered {answer.status}.",
        wait_seconds=0.0 if taken else wait_asked_for(answer.headers.get("retry-after", ""), at),
    )


def wait_asked_for(retry_after: str, now: datetime) -> float:
    """Of a Retry-After header, in seconds or as a date; 0 where it says nothing that can be read."""
    if (seconds := retry_after.strip()).isdecimal():
        return float(seconds[:9])
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return 0.0
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def wait_after(attempts: int) -> timedelta:
    """That many in vain; not all at once again."""
    seconds = WAITS[min(attempts, len(WAITS)) - 1]
    return timedelta(seconds=seconds * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - no secret
