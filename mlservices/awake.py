"""What is learnt of a service's sleep, written down off the event loop, and read as a week of days."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from django.db import close_old_connections
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .clients.waking import Answered, ColdStart, Happening
from .models import SpaceAwake

logger = logging.getLogger(__name__)

DAYS = 7
_STARTS_SHOWN = 10
_ANSWERS_APART_SECONDS = 60.0  # answers in between tell nothing new
_writing = ThreadPoolExecutor(1, "awake")


def address_of(url: str) -> str:
    """Under which a service is known; who logs in by its address is none of it."""
    return urlsplit(url).netloc.rpartition("@")[2]


def teller(url: str, now: Callable[[], float] = time.monotonic) -> Callable[[Happening], None]:
    """For `Waking`: never waits."""
    address = address_of(url)
    told_at = -_ANSWERS_APART_SECONDS

    def tell(happening: Happening) -> None:
        nonlocal told_at
        if isinstance(happening, Answered):
            if now() - told_at < _ANSWERS_APART_SECONDS:
                return
            told_at = now()
        else:
            told_at = -_ANSWERS_APART_SECONDS
        _writing.submit(_write, address, happening)

    return tell


def flush() -> None:
    """Wait until what was told is written."""
    _writing.submit(lambda: None).result()


def _write(address: str, happening: Happening) -> None:
    try:
        SpaceAwake.record(address, happening)
    except Exception:  # a database that is away: a figure is lost, no call
        logger.warning("It could not be written down when %s was awake.", address, exc_info=True)
    finally:
        close_old_connections()


# ---- a week of it -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Day:
    """`measured_seconds` is how much of it has passed since measuring began, 0 for a day before."""

    date: date
    awake_seconds: float
    measured_seconds: float

    @property
    def share(self) -> float | None:
        return min(1.0, self.awake_seconds / self.measured_seconds) if self.measured_seconds else None


@dataclass(frozen=True, slots=True)
class Week:
    """Days of the current time zone, the last one being today; `cold_starts` are theirs, the newest last."""

    days: tuple[Day, ...]
    cold_starts: tuple[ColdStart, ...]
    measured_since: datetime
    kept_warm_at: datetime | None  # when the keep-warm job asked last
    problem: str  # that it had then

    @property
    def today(self) -> Day:
        return self.days[-1]

    @property
    def awake_seconds(self) -> float:
        return sum(day.awake_seconds for day in self.days)

    @property
    def typical_seconds(self) -> float | None:
        """That a cold start took: the median."""
        return statistics.median(each.seconds for each in self.cold_starts) if self.cold_starts else None

    @property
    def longest_seconds(self) -> float | None:
        return max((each.seconds for each in self.cold_starts), default=None)

    @property
    def shares(self) -> list[float | None]:
        return [day.share for day in self.days]

    @property
    def newest_days(self) -> tuple[Day, ...]:
        return self.days[::-1]

    @property
    def newest_starts(self) -> list[tuple[datetime, ColdStart]]:
        newest = self.cold_starts[: -_STARTS_SHOWN - 1 : -1]
        return [(datetime.fromtimestamp(each.at, UTC), each) for each in newest]

    def as_json(self) -> dict[str, Any]:
        return {
            "measured_since": self.measured_since.isoformat(),
            "today_seconds": round(self.today.awake_seconds),
            "week_seconds": round(self.awake_seconds),
            "days": [
                {
                    "date": day.date.isoformat(),
                    "seconds": round(day.awake_seconds) if day.measured_seconds else None,
                }
                for day in self.days
            ],
            "cold_starts": {
                "count": len(self.cold_starts),
                "typical_seconds": self.typical_seconds,
                "longest_seconds": self.longest_seconds,
            },
        }


def weeks_of(addresses: Collection[str], now: datetime) -> dict[str, Week]:
    """By address; none for one of which nothing was measured yet. One query, none for no addresses."""
    rows = SpaceAwake.objects.filter(address__in=addresses) if addresses else ()
    return {row.address: _week(row, now) for row in rows}


def _week(row: SpaceAwake, now: datetime) -> Week:
    midnights = [_midnight(now, days) for days in range(1 - DAYS, 2)]
    days = [_day(row, begins, min(ends, now)) for begins, ends in pairwise(midnights)]
    begin = midnights[0].timestamp()
    starts = tuple(each for each in row.wakefulness.cold_starts if each.at >= begin)
    return Week(tuple(days), starts, row.measured_since, row.checked_at, row.problem)


def _midnight(now: datetime, days: int) -> datetime:
    """The beginning of today or of a day beside it, in the current zone: some days have 23 hours."""
    day = timezone.localdate(now) + timedelta(days=days)
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _day(row: SpaceAwake, midnight: datetime, ends: datetime) -> Day:
    begin, end = midnight.timestamp(), ends.timestamp()  # the zone's own clock may be put forward between
    awake = row.wakefulness.awake_seconds(begin, end)
    measured = end - max(begin, row.measured_since.timestamp())
    return Day(timezone.localdate(midnight), awake, max(0.0, measured, awake))


def in_words(week: Week | None) -> str:
    """In a line, for people."""
    if week is None:
        return _("Nothing is measured yet of when it sleeps: that begins with the next check.")
    told = _("Seen awake for %(today)s today, %(week)s in seven days")
    parts = [told % {"today": lasting(week.today.awake_seconds), "week": lasting(week.awake_seconds)}]
    if week.typical_seconds is None or week.longest_seconds is None:
        parts.append(_("no cold start that anybody waited for"))
    else:
        counted = ngettext(
            "%(n)s cold start, which took %(longest)s",
            "%(n)s cold starts, which took typically %(typical)s, at most %(longest)s",
            len(week.cold_starts),
        )
        took = {"typical": lasting(week.typical_seconds), "longest": lasting(week.longest_seconds)}
        parts.append(counted % {"n": len(week.cold_starts), **took})
    if not week.days[0].measured_seconds:
        when = formats.date_format(timezone.localtime(week.measured_since), _("j M, H:i"))
        parts.append(_("measured since %(when)s") % {"when": when})
    return " · ".join(parts)


def lasting(seconds: float) -> str:
    """11,100 seconds as 3 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}
