"""What an agent knows, as values: facts, opening hours, how it behaves. `agents.facts` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

# Monday first, as `date.weekday()` counts.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one day, `opens` before `closes`."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When callers find somebody in, on the clock of `zone`; seven days, Monday first, spans in order."""

    week: tuple[tuple[Span, ...], ...]
    zone: ZoneInfo
    closed_on: frozenset[date] = frozenset()

    def on(self, day: date) -> tuple[Span, ...]:
        """The spans of a day; none on a day that is closed."""
        return () if day in self.closed_on else self.week[day.weekday()]

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
