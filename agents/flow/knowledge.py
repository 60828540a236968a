"""What an agent knows, as values: facts, opening hours, how it behaves. `agents.facts` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

# Monday first, as `date.weekday()` counts.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LOOK_AHEAD_DAYS = 14


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch that begins on one day. One that `closes` at or before it `opens` does so on the next day:
    22:00 to 02:00, 18:00 to 00:00 (the day's end), 00:00 to 00:00 (all day)."""

    opens: time
    closes: time

    @property
    def same_day(self) -> bool:
        return self.opens < self.closes


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When callers find somebody in, on the clock of `zone`; seven days, Monday first, spans in order."""

    week: tuple[tuple[Span, ...], ...]
    zone: ZoneInfo
    closed_on: frozenset[date] = frozenset()

    def on(self, day: date) -> tuple[Span, ...]:
        """The spans that begin on a day; none on a day that is closed. What began the evening before goes on
        past midnight all the same."""
        return () if day in self.closed_on else self.week[day.weekday()]

    def stretches(self, day: date) -> list[tuple[datetime, datetime]]:
        """From when to when (UTC) the spans are that begin on a day.

        Where the clock is put forward, a time that it leaves out comes as much later; where it is put back,
        the first of two is meant (RFC 5545, 3.3.5).
        """
        return [
            (
                self._moment(day, span.opens),
                self._moment(day + timedelta(days=not span.same_day), span.closes),
            )
            for span in self.on(day)
        ]

    def open_until(self, now: datetime) -> datetime | None:
        """Local; None while it is closed. Stretches that follow on each other are one."""
        today = self.local(now).date()
        until = None
        for ahead in range(-1, LOOK_AHEAD_DAYS):
            for opens, closes in self.stretches(today + timedelta(days=ahead)):
                if opens <= (until or now) < closes:
                    until = closes
        return until and self.local(until)

    def opens_next(self, now: datetime) -> datetime | None:
        """Local; None where it stays closed for the next two weeks."""
        today = self.local(now).date()
        for ahead in range(LOOK_AHEAD_DAYS):
            for opens, _closes in self.stretches(today + timedelta(days=ahead)):
                if opens > now:
                    return self.local(opens)
        return None

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC)

    def local(self, now: datetime) -> datetime:
        return now.astimezone(self.zone)


FollowUp = Literal["none", "message"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that callers ask about.

    `hours` computes the answer for the day asked about; then `answer` may be empty. `follow_up`
    "message" offers to take a message after the answer. `urgent` wins over its neighbours: an
    emergency must not be answered with the parking.
    """

    topic: str
    answer: str
    questions: tuple[str, ...]
    hours: OpeningHours | None = None
    follow_up: FollowUp = "none"
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a conversation needs to know of its agent."""

    greeting: str
    facts: tuple[Fact, ...] = ()
    transfer_number: str = ""  # E.164; "" cannot transfer
    instructions: str = ""
    chat_model: str = ""
    temperature: float = 0.7
    announcement: str = ""  # said before the greeting, and heard out: that the call is recorded

    @property
    def can_transfer(self) -> bool:
        return bool(self.transfer_number)

    @property
    def hours(self) -> OpeningHours | None:
        """The opening hours of the first fact that has some."""
        return next((fact.hours for fact in self.facts if fact.hours), None)
