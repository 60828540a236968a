"""The ears of one call: sound in, turns with their words out.

Transcription begins as soon as the caller pauses and is dropped if the caller goes on, so that a
turn's words are mostly known by the time the turn is over. Nothing here waits: sound is fed by
synchronous calls, engines are asked in tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from agents.flow.steps import Expectation
from mlservices.errors import EngineError, EngineTimeout
from mlservices.interfaces import WINDOW_SECONDS, TurnJudge
from mlservices.types import Timing, Transcript
from telephony.measure import sounds

from .parts import Engines
from .turns import (
    Decision,
    Endpointer,
    Paused,
    Resumed,
    SpeechStarted,
    TurnEnded,
    TurnPolicy,
    is_backchannel,
    patience,
    spoken_words,
)

T = TypeVar("T")

TRANSCRIBE_TIMEOUT_SECONDS = 4.0
JUDGE_TIMEOUT_SECONDS = 0.5
JUDGED_SECONDS = 8.0  # of the turn's end that the judge hears
PREROLL_SECONDS = 0.3  # sound before the detected onset: the first consonant is quieter than a vowel
POSTROLL_SECONDS = 0.1
FINAL_SOUND_SECONDS = 0.3  # around the detected end of a turn, in which its last sound is looked for
# A pause in a long turn closes a segment, so that what is transcribed again and again stays short.
SEGMENT_SECONDS = 10.0
LONGEST_SEGMENT_SECONDS = 25.0  # Whisper hears 30
SHORTEST_SEGMENT_SECONDS = 0.15  # what is shorter holds no word
UNENDING_SECONDS = 3.0  # of sound without a pause, for which the agent is held: is it speech at all?


@dataclass(frozen=True, slots=True)
class Words:
    """What a turn's transcription came to."""

    text: str
    confidence: float
    language: str
    timing: Timing
    engine: str = ""  # that heard the end of it
    degraded: bool = False  # some of it was not heard by the first choice


@dataclass(slots=True)
class Turn:
    """A turn that has ended; `words` may still be under way and raises EngineError if it failed."""

    start_seconds: float
    end_seconds: float
    ended_at: float  # loop time of the caller's last voice
    decided_at: float  # loop time
    over_agent: bool  # it began while the agent was speaking
    words: asyncio.Task[Words]

    def is_listening(self, words: Words, heard: str, expects: Expectation) -> bool:
        """ "mm-hm" in the middle of what the agent says, and the caller has `heard`, is no turn, but "yes" to
        a question is."""
        return self.over_agent and expects != "yes_no" and is_backchannel(words.text) and bool(heard)


class Hearer(Protocol):
    """Whom a listener tells. Synchronous, on the event loop; nothing may be slow.

    The listener looks into a sound that does not end: `caller_made_noise` tells that there are no words in
    it, `caller_has_words` that there are.
    """

    def caller_started(self, start_seconds: float) -> None: ...
    def caller_guessed(self, text: str) -> None: ...
    def caller_ended(self, turn: Turn) -> None: ...
    def caller_made_noise(self) -> None: ...
    def caller_has_words(self) -> None: ...
    def engine_retried(self, error: EngineError) -> None: ...
    def concerns_agent(self) -> bool:
        """Whether the agent speaks, or has fallen silent for this turn: only then is it looked into."""


@dataclass(slots=True)
class _Segment:
    """A stretch of the turn in progress that is transcribed as one piece."""

    start_seconds: float
    drafted_until: float = 0.0
    draft: asyncio.Task[Transcript] | None = None
    looked_at: float = 0.0  # media seconds up to which an unending sound was looked into


@dataclass(slots=True)
class _TurnInProgress:
    segment: _Segment
    over_agent: bool
    closed: list[asyncio.Task[Transcript]] = field(default_factory=list)


class Listener:
    def __init__(
        self,
        *,
        rate: int,
        engines: Engines,
        policy: TurnPolicy,
        language: str,
        hearer: Hearer,
        agent_speaking: Callable[[], bool],
        expects: Callable[[], Expectation],
    ) -> None:
        self._rate = rate
        self._stt = engines.stt
        self._judge = engines.judge
        self._language = language
        self._hearer = hearer
        self._agent_speaking = agent_speaking
        self._expects = expects
        self._endpointer = Endpointer(policy)
        self._sound = bytearray()
        self._sound_start = 0.0  # media seconds of the first byte kept
        self._heard_seconds = 0.0
        self._turn: _TurnInProgress | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._track = engines.detector.open(self._window, rate=rate)

    @property
    def media_seconds(self) -> float:
        """The media clock: seconds of the caller's sound so far."""
        return self._heard_seconds

    @property
    def dropped_frames(self) -> int:
        """Frames of 20 ms in which nobody listened for speech, since the detector was behind."""
        return round(self._track.dropped_windows * WINDOW_SECONDS / 0.02)

    @property
    def policy(self) -> TurnPolicy:
        """How long pauses may be; from the next one on, if it is set."""
        return self._endpointer.policy

    @policy.setter
    def policy(self, policy: TurnPolicy) -> None:
        self._endpointer.policy = policy

    @property
    def caller_speaking(self) -> bool:
        return self._endpointer.in_turn

    def feed(self, pcm: bytes) -> None:
        self._heard_seconds += len(pcm) / (2 * self._rate)
        self._sound += pcm
        if self._turn is None and self._heard_seconds - self._sound_start > 2.0:
            self._forget_before(self._heard_seconds - 1.0)
        self._track.feed(pcm)

    def written(self, text: str) -> Turn:
        """A turn that was not spoken: its words are known, and take no time of the sound."""
        now, at = asyncio.get_running_loop().time(), self._heard_seconds
        words = Words(text, confidence=1.0, language=self._language, timing=Timing())
        return Turn(at, at, now, now, over_agent=False, words=self._start(_known(words)))

    def finish(self) -> None:
        """No more sound comes: what was begun is a turn."""
        if self._turn:
            end = self._endpointer.now
            self._end(self._turn, TurnEnded(self._turn.segment.start_seconds, end))

    async def close(self) -> None:
        self._track.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- decisions --------------------------------------------------------------------------

    def _window(self, probability: float) -> None:
        decision = self._endpointer.window(probability, agent_speaking=self._agent_speaking())
        if decision is not None:
            self._act(decision)
        elif self._turn and self._turn.segment.draft is None:
            self._look_into(self._turn)

    def _act(self, decision: Decision) -> None:
        match decision:
            case SpeechStarted(start_seconds=start):
                segment = _Segment(max(0.0, start - PREROLL_SECONDS))
                self._turn = _TurnInProgress(segment, over_agent=self._agent_speaking())
                self._hearer.caller_started(start)
            case Paused(end_seconds=end):
                assert self._turn
                self._draft(self._turn, end)
            case Resumed():
                assert self._turn
                self._go_on(self._turn)
            case TurnEnded():
                assert self._turn
                self._end(self._turn, decision)

    def _draft(self, turn: _TurnInProgress, end: float) -> None:
        segment = turn.segment
        segment.drafted_until = end + POSTROLL_SECONDS
        segment.draft = self._transcription(segment.start_seconds, segment.drafted_until)
        self._start(self._consider(turn, segment.draft))

    def _go_on(self, turn: _TurnInProgress) -> None:
        segment = turn.segment
        draft, segment.draft = segment.draft, None
        if draft is None:
            return
        if segment.drafted_until - segment.start_seconds >= SEGMENT_SECONDS:
            turn.closed.append(draft)
            turn.segment = _Segment(segment.drafted_until)
            self._forget_before(segment.drafted_until)
        else:
            draft.cancel()

    def _look_into(self, turn: _TurnInProgress) -> None:
        """A turn without a pause for long: cut a segment off, and see whether it is speech."""
        segment, now = turn.segment, self._endpointer.now
        if now - segment.start_seconds >= LONGEST_SEGMENT_SECONDS:
            self._close_segment(turn, now)
        elif now - max(segment.start_seconds, segment.looked_at) >= UNENDING_SECONDS:
            segment.looked_at = now
            if self._hearer.concerns_agent():
                self._start(self._probe(turn, self._transcription(now - UNENDING_SECONDS, now)))

    async def _probe(self, turn: _TurnInProgress, heard: asyncio.Task[Transcript]) -> None:
        try:
            transcript = await heard
        except EngineError:
            return
        if self._turn is not turn:
            return
        if spoken_words(transcript.text):
            self._hearer.caller_has_words()
        else:
            self._hearer.caller_made_noise()

    def _close_segment(self, turn: _TurnInProgress, end: float) -> None:
        turn.closed.append(self._transcription(turn.segment.start_seconds, end))
        turn.segment = _Segment(end)
        self._forget_before(end)

    def _end(self, turn: _TurnInProgress, ended: TurnEnded) -> None:
        segment = turn.segment
        if segment.draft is None:
            segment.draft = self._transcription(segment.start_seconds, ended.end_seconds + POSTROLL_SECONDS)
        self._turn = None
        now = asyncio.get_running_loop().time()
        end = self._last_sound(ended)
        self._hearer.caller_ended(
            Turn(
                start_seconds=ended.start_seconds,
                end_seconds=end,
                ended_at=now - (self._heard_seconds - end),
                decided_at=now,
                over_agent=turn.over_agent,
                words=self._start(_joined([*turn.closed, segment.draft])),
            )
        )

    # ---- engines ----------------------------------------------------------------------------

    def _transcription(self, start: float, end: float) -> asyncio.Task[Transcript]:
        if end - start < SHORTEST_SEGMENT_SECONDS:
            return self._start(_nothing(self._language))
        return self._start(self._transcribe(self._between(start, end)))

    async def _transcribe(self, pcm: bytes) -> Transcript:
        try:
            return await self._transcribe_once(pcm)
        except EngineError as error:
            if error.permanent:
                raise
            self._hearer.engine_retried(error)
            return await self._transcribe_once(pcm)

    async def _transcribe_once(self, pcm: bytes) -> Transcript:
        try:
            async with asyncio.timeout(TRANSCRIBE_TIMEOUT_SECONDS):
                return await self._stt.transcribe(pcm, rate=self._rate, language=self._language)
        except TimeoutError:
            raise EngineTimeout("Transcription took too long.", service="stt") from None
        except EngineError as error:
            error.service = "stt"
            raise

    async def _consider(self, turn: _TurnInProgress, draft: asyncio.Task[Transcript]) -> None:
        """Once the words so far are known: show them and set the pause that ends the turn."""
        verdict = self._start(self._completeness(self._judge, turn)) if self._judge else None
        try:
            transcript = await draft
        except EngineError:
            return  # told when the turn ends
        text = spoken_words(transcript.text)
        if text:
            self._hearer.caller_guessed(" ".join([*_closed_texts(turn), text]))
        completeness = await verdict if verdict else None
        if self._turn is turn and turn.segment.draft is draft:
            self._endpointer.be_patient(
                patience(
                    self._endpointer.policy, text=text, completeness=completeness, expects=self._expects()
                )
            )

    async def _completeness(self, judge: TurnJudge, turn: _TurnInProgress) -> float | None:
        """The judge's probability that the turn is over; a hint, so its failure is none of ours."""
        end = self._endpointer.now
        pcm = self._between(max(turn.segment.start_seconds, end - JUDGED_SECONDS), end)
        try:
            async with asyncio.timeout(JUDGE_TIMEOUT_SECONDS):
                return (await judge.judge(pcm, rate=self._rate)).completeness
        except (EngineError, TimeoutError):
            return None

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever awaits the task sees it; a dropped draft's is nobody's

    # ---- the sound so far -------------------------------------------------------------------

    def _between(self, start: float, end: float) -> bytes:
        first = self._offset(start)
        return bytes(memoryview(self._sound)[first : max(first, self._offset(end))])

    def _last_sound(self, ended: TurnEnded) -> float:
        """Where the caller's last sound ends. A detector's windows blur it by some hundredths of a second,
        which would be missing in, or added to, the time that the caller waits for an answer."""
        start = max(ended.start_seconds, ended.end_seconds - FINAL_SOUND_SECONDS)
        pcm = self._between(start, ended.end_seconds + FINAL_SOUND_SECONDS)
        heard = sounds(np.frombuffer(pcm, dtype="<i2"), self._rate)
        return start + heard[-1].end if heard else ended.end_seconds

    def _offset(self, seconds: float) -> int:
        return max(0, int((seconds - self._sound_start) * self._rate)) * 2

    def _forget_before(self, seconds: float) -> None:
        drop = self._offset(seconds)
        del self._sound[:drop]
        self._sound_start += drop / (2 * self._rate)


def _closed_texts(turn: _TurnInProgress) -> list[str]:
    done = [task for task in turn.closed if task.done() and not task.cancelled() and not task.exception()]
    return [text for task in done if (text := spoken_words(task.result().text))]


async def _nothing(language: str) -> Transcript:
    return Transcript("", language, confidence=1.0, duration_seconds=0.0)


async def _known(words: Words) -> Words:
    return words


async def _joined(pieces: list[asyncio.Task[Transcript]]) -> Words:
    transcripts = [await piece for piece in pieces]
    texts = [text for transcript in transcripts if (text := spoken_words(transcript.text))]
    last = transcripts[-1]
    return Words(
        text=" ".join(texts),
        confidence=min((t.confidence for t in transcripts if spoken_words(t.text)), default=0.0),
        language=last.language,
        timing=last.timing,
        engine=last.engine,
        degraded=any(transcript.degraded for transcript in transcripts),
    )
