"""Several engines for one task, asked in order: the first that works answers, and says so.

The next is asked when one fails before its first piece was delivered; after that a listener has heard, or
read, half an answer. What is refused because of the input itself is refused by all.

An engine that failed is passed over for a while. Then it is tried: in the background where that is known how,
else by one request, within a budget, while the others still pass it over. So no call waits for a dead service
turn by turn.

Each try is noted in the ledger by itself: the one that failed, and the one that served in its stead.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..circuit import Circuit
from ..errors import EngineBusy, EngineError, EngineTimeout, Outcome
from ..interfaces import ChatModel, SpeechToText, TextToSpeech
from ..ledger import Entry, ledger
from ..types import ChatDelta, ChatMessage, Priority, SpeechChunk, Tool, Transcript
from .http import no_choice
from .metered import Meter, P, Request, seconds_of, tokens_of

logger = logging.getLogger(__name__)

C = TypeVar("C")

_FIRST_REST_SECONDS, _LONGEST_REST_SECONDS = 5.0, 60.0  # of an engine that failed; doubled each time
_MISFIT_REST_SECONDS = 120.0  # of one that lacks the call, or our token
_WAKING_SECONDS = 150.0  # more than a service is given to wake up
_HANGS = (Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.GATEWAY_TIMEOUT)  # whatever it is asked
_MISFITS = (Outcome.NOT_OFFERED, Outcome.REFUSED_TOKEN, Outcome.REDIRECTED)


@dataclass(slots=True)
class Outage:
    """What those who hear, speak and reply by one service know together: when it last let one wait in vain.
    The others need not find out by themselves."""

    found_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class Choice(Generic[C]):
    """One of the engines. `wake` tries it, and returns once it is awake; `voice` tells which of its voices
    stands in for one of the first choice's. Only of one that `lets_choose` a model is asked by its id."""

    name: str  # in the log, and as `engine` of answers that name none
    client: C
    wake: Callable[[], Awaitable[object]] | None = field(default=None, compare=False)
    voice: Callable[[str], str] = field(default=lambda voice: "default", compare=False)
    lets_choose: bool = True
    engine: str = ""  # in the ledger, until an answer names one; "": as `name`
    outage: Outage = field(default_factory=Outage, compare=False)


class _Standing:
    """Whether an engine is to be asked at `now`, by how it did lately: one failure is enough to rest."""

    def __init__(self) -> None:
        self._circuit = Circuit(
            failures=1, first_pause=_FIRST_REST_SECONDS, longest_pause=_LONGEST_REST_SECONDS
        )
        self._trying = False  # one request finds out whether it works again
        self._known_at = -math.inf

    @property
    def has_failed(self) -> bool:
        return self._circuit.failures > 0

    def allows(self, now: float) -> bool:
        return not self.has_failed or (not self._circuit.open_for(now) and not self._trying)

    def ask(self) -> None:
        self._trying = self.has_failed

    def ended(self) -> None:
        """The request is over, however it came out."""
        self._trying = False

    def worked(self, now: float) -> None:
        self._known_at = now
        self._circuit.succeeded()

    def has_news(self, outage: Outage) -> bool:
        """It seemed to work, and was found to hang since."""
        return not self.has_failed and outage.found_at > self._known_at

    def hangs(self, now: float) -> None:
        self._known_at = now
        self._circuit.failed(now)

    def failed(self, error: EngineError, now: float) -> None:
        self.hangs(now)
        if isinstance(error, EngineBusy) and error.outcome is Outcome.BUSY:
            self.rest(min(max(error.retry_after, 1.0), _LONGEST_REST_SECONDS), now)
        elif error.outcome in _MISFITS:
            self.rest(_MISFIT_REST_SECONDS, now)

    def rest(self, seconds: float, now: float) -> None:
        self._circuit.pause(seconds, now)


class _Order(Generic[C]):
    """The choices and how each did lately. `budget_seconds` is what an engine may take to its first piece
    while another is left to be asked."""

    def __init__(
        self,
        kind: str,
        choices: Sequence[Choice[C]],
        *,
        budget_seconds: float,
        now: Callable[[], float] = time.monotonic,
        note: Callable[[Entry], None] = ledger.note,
    ) -> None:
        self._kind, self._choices, self._budget, self._now = kind, list(choices), budget_seconds, now
        self._standings = [_Standing() for _ in self._choices]
        self._meters = [Meter(kind, choice.engine or choice.name, note=note) for choice in self._choices]
        self._waking: dict[int, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Wake nobody any more."""
        loop = asyncio.get_running_loop()
        ours = [task for task in self._waking.values() if task.get_loop() is loop]
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)

    async def _answer(
        self,
        ask: Callable[[Choice[C]], AsyncGenerator[P, None]],
        asked: float,
        *,
        model: str = "",
        priority: Priority = "live",
    ) -> AsyncGenerator[P, None]:
        """The pieces of the first choice that has some; none if no choice has, and none fails. `asked` is
        how much, as the ledger has it.

        Only calls are in a hurry: a recording that is long is not given to the next for it."""
        able = self._able(model)
        to_ask = self._to_ask(able)
        for number in to_ask:
            degraded = number != able[0]
            bounded = number != to_ask[-1]
            budget = self._budget if bounded and priority == "live" else None
            begun = False
            try:
                meter = replace(self._meters[number], degraded=degraded)
                with meter.request(asked, model=model) as request:
                    async with aclosing(self._asked(number, ask, request, budget)) as pieces:
                        async for piece in pieces:
                            begun = True
                            yield self._told(number, degraded, piece)
                    request.in_vain = not begun
            except EngineError as error:
                if begun or error.blames_input or not bounded:
                    raise
                logger.warning("%s: %s; the next is asked.", self._choices[number].name, error)
            else:
                if begun or not bounded:
                    return
                logger.warning("%s answered nothing; the next is asked.", self._choices[number].name)

    def _able(self, model: str) -> list[int]:
        """Who can be asked for the model, in order; the first is the first choice for it."""
        able = [number for number, choice in enumerate(self._choices) if choice.lets_choose or not model]
        if not able:
            names = ", ".join(choice.name for choice in self._choices)
            raise no_choice(names, self._kind)
        return able

    def _to_ask(self, able: list[int]) -> list[int]:
        """Without those that rest; if all do, all are asked: a call has nobody else."""
        now = self._now()
        for number in able:
            if self._standings[number].has_news(self._choices[number].outage):
                self._standings[number].hangs(now)
                self._try(number)
        works = [number for number in able if self._standings[number].allows(now)]
        rested = [number for number in works if self._standings[number].has_failed and self._try(number)]
        return [number for number in works if number not in rested] or able

    async def _asked(
        self,
        number: int,
        ask: Callable[[Choice[C]], AsyncGenerator[P, None]],
        request: Request,
        budget: float | None,
    ) -> AsyncGenerator[P, None]:
        """One choice's pieces from its first that holds something; its standing shows how it went."""
        choice, standing = self._choices[number], self._standings[number]
        standing.ask()
        try:
            async with aclosing(request.noting(ask(choice))) as pieces:
                first = await self._first(pieces, choice, budget)
                standing.worked(self._now())
                if first is not None:
                    yield first
                    async for piece in pieces:
                        yield piece
        except EngineError as error:
            if error.blames_input:
                standing.worked(self._now())
            else:
                standing.failed(error, self._now())
                if error.outcome in _HANGS and not (budget and error.outcome is Outcome.TIMEOUT):
                    choice.outage.found_at = self._now()  # longer than a call's patience with one model
                if error.cold or error.outcome is Outcome.TIMEOUT:  # as slow as one that sleeps
                    self._try(number)
            raise
        finally:
            standing.ended()

    async def _first(
        self, pieces: AsyncGenerator[P, None], choice: Choice[C], budget: float | None
    ) -> P | None:
        try:
            async with asyncio.timeout(budget):
                async for piece in pieces:
                    if _holds_something(piece):
                        return piece
        except TimeoutError:
            raise EngineTimeout(
                f"{choice.name} did not begin to answer within {budget:g} s", service=self._kind
            ) from None
        return None

    def _told(self, number: int, degraded: bool, piece: P) -> P:
        return replace(piece, engine=piece.engine or self._choices[number].name, degraded=degraded)

    def _try(self, number: int) -> bool:
        """Find out in the background whether it works, however long it takes to wake up; False if that is
        not known how."""
        wake = self._choices[number].wake
        if wake is None:
            return False
        running = self._waking.get(number)
        if not running or running.done() or running.get_loop().is_closed():
            self._standings[number].rest(_WAKING_SECONDS, self._now())
            self._waking[number] = asyncio.get_running_loop().create_task(self._wake_up(number, wake))
        return True

    async def _wake_up(self, number: int, wake: Callable[[], Awaitable[object]]) -> None:
        name, standing = self._choices[number].name, self._standings[number]
        try:
            await wake()
        except EngineError as error:
            standing.failed(error, self._now())
            logger.warning("%s could not be woken up: %s", name, error)
        except asyncio.CancelledError:  # with its loop; the next request finds out
            standing.rest(0.0, self._now())
            raise
        else:
            standing.worked(self._now())
            logger.info("%s is awake and is asked again.", name)


def _holds_something(piece: Transcript | SpeechChunk | ChatDelta) -> bool:
    """A transcript without words tells that nothing was said; sound and answers must be some."""
    match piece:
        case SpeechChunk():
            return bool(piece.pcm)
        case ChatDelta():
            return bool(piece.text.strip() or piece.tool_call)
    return True


class FallbackHearing(_Order[SpeechToText]):
    """Meets SpeechToText."""

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        async def ask(choice: Choice[SpeechToText]) -> AsyncGenerator[Transcript, None]:
            yield await choice.client.transcribe(
                pcm, rate=rate, language=language, model=model, priority=priority
            )

        asked = seconds_of(pcm, rate)
        async with aclosing(self._answer(ask, asked, model=model, priority=priority)) as transcripts:
            heard = [transcript async for transcript in transcripts]  # to the end: it is not given up
        if heard:
            return heard[0]
        raise EngineError("Nothing is configured that hears.", service=self._kind, permanent=True)


class FallbackVoice(_Order[TextToSpeech]):
    """Meets TextToSpeech."""

    async def speak(
        self,
        text: str,
        *,
        rate: int,
        voice: str = "default",
        speed: float = 1.0,
        model: str = "",
        priority: Priority = "live",
    ) -> AsyncGenerator[SpeechChunk, None]:
        if not text.strip():
            return

        first = self._choices[self._able(model)[0]]

        def ask(choice: Choice[TextToSpeech]) -> AsyncGenerator[SpeechChunk, None]:
            its_voice = voice if choice is first else choice.voice(voice)
            return choice.client.speak(
                text, rate=rate, voice=its_voice, speed=speed, model=model, priority=priority
            )

        async with aclosing(self._answer(ask, len(text), model=model, priority=priority)) as chunks:
            async for chunk in chunks:
                yield chunk


class FallbackChat(_Order[ChatModel]):
    """Meets ChatModel."""

    async def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 150,
        temperature: float = 0.7,
        tools: Sequence[Tool] = (),
        priority: Priority = "live",
    ) -> AsyncGenerator[ChatDelta, None]:
        def ask(choice: Choice[ChatModel]) -> AsyncGenerator[ChatDelta, None]:
            how: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature, "priority": priority}
            return choice.client.reply(messages, tools=tools, **how)

        async with aclosing(self._answer(ask, tokens_of(messages), priority=priority)) as deltas:
            async for delta in deltas:
                yield delta
