"""Asking: all probes of all services at once, each in its own time, so that a slow one holds up no other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from django.utils import timezone
from django.utils.translation import gettext_noop

from .. import errors
from ..errors import EngineError
from . import Outcome, Probe, Service, Status, failed, worst
from .http import lost

LONGEST_REASON = 500  # characters
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of one service found: an outcome for each probe that was asked, in their order."""

    service: Service
    checked_at: datetime
    answers: tuple[tuple[Probe, Outcome], ...]

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for _, outcome in self.answers]

    @property
    def status(self) -> Status:
        return worst(outcome.status for outcome in self.outcomes)

    @property
    def succeeded(self) -> bool:
        """It did something that was asked: a Space that sleeps only warns, and does nothing."""
        return self.status != Status.FAIL and self.passes > 0

    @property
    def latency_ms(self) -> int:
        return max((outcome.latency_ms or 0 for outcome in self.outcomes), default=0)

    @property
    def passes(self) -> int:
        return sum(outcome.status == Status.PASS for outcome in self.outcomes)


async def ask(service: Service, *, on_demand: bool = False) -> Report:
    probes = [probe for probe in service.probes if on_demand or not probe.on_demand]
    outcomes = await asyncio.gather(*(_ask(service, probe) for probe in probes))
    return Report(service, timezone.now(), tuple(zip(probes, outcomes, strict=True)))


async def ask_all(services: Iterable[Service], *, on_demand: bool = False) -> AsyncIterator[Report]:
    """Reports as they come, the quickest first."""
    asked = [asyncio.ensure_future(ask(service, on_demand=on_demand)) for service in services]
    try:
        for report in asyncio.as_completed(asked):
            yield await report
    finally:
        for each in asked:
            each.cancel()


async def _ask(service: Service, probe: Probe) -> Outcome:
    """An outcome whatever happens, with its latency, a remedy if it needs one, and none of the secrets."""
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(probe.patience_seconds):
            outcome = await probe.ask()
    except TimeoutError:
        seconds = time.perf_counter() - begun
        words = gettext_noop("No answer within %(seconds)s s")
        outcome = failed(words, service.remedies.get(errors.Outcome.TIMEOUT, ""), seconds=f"{seconds:.0f}")
    except EngineError as error:
        outcome = lost(error, service.remedies)
    except Exception as error:  # a probe tells of whatever is wrong
        outcome = failed(" ".join(str(error).split()) or type(error).__name__)
    latency = milliseconds_since(begun)
    needed = "" if outcome.status == Status.PASS else outcome.remedy or service.remedy
    return replace(
        outcome,
        reason=_safe(outcome.reason, service)[:LONGEST_REASON],
        values={name: _safe(str(value), service) for name, value in outcome.values.items()},
        remedy=needed,
        latency_ms=latency if outcome.latency_ms is None else outcome.latency_ms,
    )


def milliseconds_since(begun: float) -> int:
    """`begun` is of time.perf_counter(); whole ones, and never none."""
    return max(1, round((time.perf_counter() - begun) * 1000))


def _safe(words: str, service: Service) -> str:
    for secret in service.secrets:
        if secret:
            words = words.replace(secret, "***")
    return words


def blocking(work: Callable[[], Outcome]) -> Callable[[], Awaitable[Outcome]]:
    """A probe's `ask` of a function that blocks; it alone is timed, not its waiting for the others' turn."""

    def timed() -> Outcome:
        begun = time.perf_counter()
        outcome = work()
        return replace(outcome, latency_ms=milliseconds_since(begun))

    return lambda: in_thread(timed)


async def in_thread(work: Callable[[], T]) -> T:
    """What blocks, in a thread that nobody has to wait for: one that hangs ends with the process.

    (asyncio's own threads are waited for when its loop ends.)
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():  # given up
            return
        if error is None:
            answer.set_result(result)  # type: ignore[arg-type]
        else:
            answer.set_exception(error)

    def run() -> None:
        try:
            result, error = work(), None
        except BaseException as raised:
            result, error = None, raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop is closed
            return

    threading.Thread(target=run, daemon=True, name=f"probe-{work.__name__}").start()
    return await answer
