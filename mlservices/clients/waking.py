"""A service that may be asleep is asked again, with growing pauses, inside a budget, and is measured.

A Space sleeps; its first answer takes up to two minutes. 503, 504 and a 500 that says "not loaded" mean
"waking up". What has answered is awake, and gets less time until it falls asleep again.
"""

from __future__ import annotations

import asyncio
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
_COLD_STARTS_KEPT = 50
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
    """What is known of one service's sleep. Times are in seconds of the wall clock.

    It counts as awake from an answer to the next, if that comes within the `gap` given to `after`: nobody
    knows what a service did while it was not asked.
    """

    awake_since: float | None = None
    seen_at: float | None = None  # its last answer
    earlier_seconds: float = 0.0  # awake before `awake_since`
    cold_starts: int = 0
    cold_seconds: float = 0.0  # of all of them
    last_starts: tuple[ColdStart, ...] = ()  # the newest last

    @property
    def awake_seconds(self) -> float:
        """In all, as far as it was seen."""
        if self.awake_since is None or self.seen_at is None:
            return self.earlier_seconds
        return self.earlier_seconds + max(0.0, self.seen_at - self.awake_since)

    def after(self, happening: Happening, *, gap: float) -> Wakefulness:
        match happening:
            case Answered(at=at):
                return self._seen(at, gap)
            case FellAsleep(model_only=True):
                return self
            case FellAsleep():
                return replace(self, earlier_seconds=self.awake_seconds, awake_since=None)
            case Woke():
                return self._woke(happening, gap)

    def _seen(self, at: float, gap: float) -> Wakefulness:
        if self.awake_since is None or self.seen_at is None or at - self.seen_at > gap:
            return replace(self, earlier_seconds=self.awake_seconds, awake_since=at, seen_at=at)
        return replace(self, seen_at=max(at, self.seen_at))

    def _woke(self, woke: Woke, gap: float) -> Wakefulness:
        seen = self._seen(woke.at, gap)
        began = woke.at - woke.seconds
        told_by_another = self.awake_since is not None and self.awake_since >= began
        if told_by_another and not woke.model_only:  # who waited for the same start
            return seen
        start = ColdStart(woke.at, round(woke.seconds, 2), woke.path)
        return replace(
            seen,
            cold_starts=self.cold_starts + 1,
            cold_seconds=self.cold_seconds + woke.seconds,
            last_starts=(*self.last_starts, start)[-_COLD_STARTS_KEPT:],
        )


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

    def ask(self, path: str, *, patient: bool = True) -> Attempts:
        """With `patient` false a service that sleeps is not asked again."""
        return Attempts(self, path, patient)

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

    def __init__(self, waking: Waking, path: str, patient: bool) -> None:
        self._waking, self._path, self._patient = waking, path, patient
        self._started = waking.now()
        self._budget = _WARM_CALL_SECONDS if path in waking.awake else _FIRST_CALL_SECONDS
        self._pause = 1.0

    def waited(self) -> float:
        """Seconds since the first attempt."""
        return self._waking.now() - self._started

    def left(self) -> float:
        """Seconds of the budget that the next attempt may take."""
        return max(self._budget - self.waited(), 1.0)

    def timeout(self) -> httpx.Timeout:
        """For the next attempt."""
        return httpx.Timeout(self.left(), connect=_CONNECT_SECONDS)

    async def after(self, error: EngineError) -> None:
        """Pause before the next attempt; raises `error` when there is to be none."""
        if error.cold:
            self._waking.found_asleep(self._path, model_only=error.outcome is Outcome.NOT_LOADED)
        if not self._patient or not (error.cold or error.status in (503, 504)):
            raise error
        self._budget = _FIRST_CALL_SECONDS
        if self.waited() + self._pause > self._budget:
            raise error
        await self._waking.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)

    def answered(self) -> None:
        self._waking.answered(self._path, self._started)
