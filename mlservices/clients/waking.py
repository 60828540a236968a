"""A service that may be asleep is asked again, with growing pauses, inside a budget, and is measured.

A Space sleeps; its first answer takes up to two minutes. 503, 504 and a 500 that says "not loaded" mean
"waking up". What has answered is awake, and gets less time until it falls asleep again.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import httpx

from ..errors import EngineError, Outcome

_FIRST_CALL_SECONDS = 120.0
_WARM_CALL_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
# A first answer that took as long was a cold start, even if the service let wait and said nothing.
_COLD_SECONDS = 5.0
_KEPT_SECONDS = 8 * 86400.0  # a week, and the day that has begun
_MOST_KEPT = 1000  # stretches awake, and cold starts
_FORGOTTEN_SECONDS = 150.0  # a service that nobody has asked for so long may have woken up meanwhile


@dataclass(frozen=True, slots=True)
class Answered:
    """It is awake. `at` is in seconds of the wall clock, here and below."""

    at: float


@dataclass(frozen=True, slots=True)
class FellAsleep:
    """It was found asleep; with `model_only` it is awake, but a model of it is not."""

    at: float
    model_only: bool = False


@dataclass(frozen=True, slots=True)
class Woke:
    """Its first answer after it was found asleep: a cold start that took `seconds`."""

    at: float
    seconds: float
    path: str
    model_only: bool = False


Happening = Answered | FellAsleep | Woke


@dataclass(frozen=True, slots=True)
class ColdStart:
    at: float
    seconds: float
    path: str


@dataclass(frozen=True, slots=True)
class Wakefulness:
    """What is known of one service's sleep, of the last days. Times are in seconds of the wall clock.

    It counts as awake from an answer to the next, if that comes within the `gap` given to `after`: nobody
    knows what a service did while it was not asked.
    """

    awake_since: float | None = None
    seen_at: float | None = None  # its last answer
    stretches: tuple[tuple[float, float], ...] = ()  # awake from, until: before `awake_since`
    cold_starts: tuple[ColdStart, ...] = ()  # the newest last

    def awake_seconds(self, begin: float = -math.inf, end: float = math.inf) -> float:
        """Between two moments, as far as it was seen."""
        known = (*self.stretches, *self._present)
        return sum(max(0.0, min(until, end) - max(since, begin)) for since, until in known)

    @property
    def _present(self) -> tuple[tuple[float, float], ...]:
        if self.awake_since is None or self.seen_at is None or self.seen_at <= self.awake_since:
            return ()
        return ((self.awake_since, self.seen_at),)

    def after(self, happening: Happening, *, gap: float) -> Wakefulness:
        match happening:
            case Answered(at=at):
                return self._seen(at, gap)
            case FellAsleep(model_only=True):
                return self
            case FellAsleep(at=at):
                return replace(self._ended(at), awake_since=None)
            case Woke():
                return self._woke(happening, gap)

    def _ended(self, at: float) -> Wakefulness:
        """What is older than the days that are kept is forgotten."""
        kept = tuple(each for each in (*self.stretches, *self._present) if each[1] > at - _KEPT_SECONDS)
        return replace(self, stretches=kept[-_MOST_KEPT:])

    def _seen(self, at: float, gap: float) -> Wakefulness:
        if self.awake_since is None or self.seen_at is None or at - self.seen_at > gap:
            return replace(self._ended(at), awake_since=at, seen_at=at)
        return replace(self, seen_at=max(at, self.seen_at))

    def _woke(self, woke: Woke, gap: float) -> Wakefulness:
        seen = self._seen(woke.at, gap)
        began = woke.at - woke.seconds
        told_by_another = bool(self.cold_starts) and self.cold_starts[-1].at >= began
        if told_by_another and not woke.model_only:  # who waited for the same start
            return seen
        start = ColdStart(woke.at, round(woke.seconds, 2), woke.path)
        kept = (each for each in self.cold_starts if each.at > woke.at - _KEPT_SECONDS)
        return replace(seen, cold_starts=(*kept, start)[-_MOST_KEPT:])


def _ignore(happening: Happening) -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Sleep:
    """Found at `since`, and still at `seen`; by the clock that only counts seconds."""

    since: float
    seen: float


class Waking:
    """What is known of one service, path by path. `tell` learns of each answer and each sleep; it must not
    wait."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        tell: Callable[[Happening], None] = _ignore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.now, self.sleep, self._tell, self._clock = now, sleep, tell, clock
        self.awake: set[str] = set()
        self._sleeps: dict[str, _Sleep] = {}  # by path of a model that is not loaded; "" is the service

    def ask(self, path: str, *, patient: bool = True, seconds: float = 0.0) -> Attempts:
        """With `patient` false a service that sleeps is not asked again. `seconds`: what an answer needs even
        of one that is awake, where that is more than all may take."""
        return Attempts(self, path, patient, seconds)

    def found_asleep(self, path: str, *, model_only: bool) -> None:
        self.awake.discard(path)
        now, key = self.now(), path if model_only else ""
        known = self._sleeps.get(key)
        if known is None or now - known.seen > _FORGOTTEN_SECONDS:
            self._tell(FellAsleep(self._clock(), model_only))
            known = _Sleep(now, now)
        self._sleeps[key] = replace(known, seen=now)

    def answered(self, path: str, asked_at: float) -> None:
        """At a path that was asked at this moment."""
        now, at = self.now(), self._clock()
        slept, loaded = self._sleeps.pop("", None), self._sleeps.pop(path, None)
        if sleep := slept or loaded:
            since = sleep.since if asked_at - sleep.seen <= _FORGOTTEN_SECONDS else asked_at
            self._tell(Woke(at, now - since, path, model_only=slept is None))
        elif path not in self.awake and now - asked_at >= _COLD_SECONDS:
            self._tell(Woke(at, now - asked_at, path))
        else:
            self._tell(Answered(at))
        self.awake.add(path)


class Attempts:
    """One request and its repetitions."""

    def __init__(self, waking: Waking, path: str, patient: bool, seconds: float) -> None:
        self._waking, self._path, self._patient, self._least = waking, path, patient, seconds
        self._started = waking.now()
        self._budget = _WARM_CALL_SECONDS if path in waking.awake else _FIRST_CALL_SECONDS
        self._pause = 1.0

    def waited(self) -> float:
        """Seconds since the first attempt."""
        return self._waking.now() - self._started

    def left(self) -> float:
        """Seconds that the next attempt may take: what is left of the budget, or what it needs awake."""
        return max(self._budget - self.waited(), self._least, 1.0)

    def timeout(self) -> httpx.Timeout:
        """For the next attempt."""
        return httpx.Timeout(self.left(), connect=_CONNECT_SECONDS)

    async def after(self, error: EngineError) -> None:
        """Pause before the next attempt; raises `error` when there is to be none."""
        if error.cold:
            self._waking.found_asleep(self._path, model_only=error.outcome is Outcome.NOT_LOADED)
        elif error.outcome is Outcome.TIMEOUT:
            self._waking.awake.discard(self._path)  # it may sleep, and hold the connection while it wakes up
        if not self._patient or not (error.cold or error.status in (503, 504)):
            raise error
        self._budget = _FIRST_CALL_SECONDS
        if self.waited() + self._pause > self._budget:
            raise error
        await self._waking.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)

    def answered(self) -> None:
        self._waking.answered(self._path, self._started)
