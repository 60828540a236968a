"""A stage for conversation scripts in time: a caller, a line and engines without sound or clock.

The caller's words are "spoken" as samples of one value per utterance, so that the stand-in for STT
knows which words, and how much of them, a piece of sound holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.flow.steps import Conversation, Expectation, HangUp, KeepMessage, Say, Step
from mlservices.errors import EngineError
from mlservices.interfaces import WINDOW_SECONDS, SpeechToText, TextToSpeech
from mlservices.types import Priority, SpeechChunk, Timing, Transcript, TurnVerdict
from telephony.session.events import Event
from telephony.session.parts import Ending, Engines, SessionSettings
from telephony.session.reply import PROMPT_TEXTS
from telephony.session.session import CallSession

RATE = 8000
FRAME_SECONDS = 0.02
CHARACTERS_PER_SECOND = 15
NOISE = "(noise)"


@dataclass(frozen=True)
class Utterance:
    """`text` NOISE is sound that a voice detector takes for speech and STT hears nothing in."""

    at: float
    lasting: float
    text: str


class Caller:
    """What is on the caller's side of the line, second by second."""

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self.utterances = list(utterances)

    def frame(self, at: float) -> bytes:
        samples = np.zeros(int(RATE * FRAME_SECONDS), dtype="<i2")
        for number, utterance in enumerate(self.utterances):
            if utterance.at <= at < utterance.at + utterance.lasting:
                samples[:] = 1000 + number
        return samples.tobytes()


class EnergyDetector:
    """Meets `VoiceDetector`: any sound above the floor is speech; told at once."""

    def __init__(self, floor: int = 0) -> None:
        self._floor = floor

    def open(self, on_window: Callable[[float], None], *, rate: int) -> EnergyDetector.Track:
        return self.Track(on_window, int(rate * WINDOW_SECONDS) * 2, self._floor)

    class Track:
        dropped_windows = 0

        def __init__(self, on_window: Callable[[float], None], size: int, floor: int) -> None:
            self._on_window, self._size, self._sound = on_window, size, bytearray()
            self._floor = floor

        def feed(self, pcm: bytes) -> None:
            self._sound += pcm
            while len(self._sound) >= self._size:
                window = np.frombuffer(bytes(self._sound[: self._size]), dtype="<i2")
                del self._sound[: self._size]
                loud = np.count_nonzero(np.abs(window.astype(int)) > self._floor)
                self._on_window(0.95 if loud > len(window) / 2 else 0.02)

        def close(self) -> None: ...


@dataclass
class ScriptedStt:
    """Knows the words from the sound; fails or hangs as often as told."""

    caller: Caller
    seconds: float = 0.12
    failures: int = 0
    hangs: int = 0
    asked: int = 0
    cancelled: int = 0
    failing: set[int] = field(default_factory=set)  # which requests fail, counted from 0
    heard_seconds: list[float] = field(default_factory=list)

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        number, self.asked = self.asked, self.asked + 1
        self.heard_seconds.append(len(pcm) / 2 / rate)
        try:
            if self.hangs:
                self.hangs -= 1
                await asyncio.sleep(3600)
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failures or number in self.failing:
            self.failures = max(0, self.failures - 1)
            raise EngineError("the worker died", service="stt")
        samples = np.frombuffer(pcm, dtype="<i2")
        texts = []
        for index, utterance in enumerate(self.caller.utterances):
            heard = np.count_nonzero(samples == 1000 + index) / RATE / utterance.lasting
            words = utterance.text.split()
            texts += words[: round(len(words) * min(1.0, heard))]
        text = " ".join(texts)
        return Transcript(text, language, 0.9, len(samples) / RATE, timing=Timing(0.01, self.seconds))


@dataclass
class ScriptedTts:
    """15 characters a second of sound: the first 0.2 s after `seconds`, the rest at twice real time."""

    seconds: float = 0.1
    failures: int = 0
    hangs: int = 0
    breaks_after: float = 0.0  # seconds of sound of the first try
    service: str = "tts"
    spoken: list[str] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    cancelled: int = 0

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
        self.spoken.append(text)
        self.speeds.append(speed)
        try:
            if self.hangs:
                self.hangs -= 1
                await asyncio.sleep(3600)
            await asyncio.sleep(self.seconds)
            if self.failures:
                self.failures -= 1
                raise EngineError("the worker died", service=self.service)
            left = len(text) / CHARACTERS_PER_SECOND
            while left > 1e-9:
                piece = min(0.2, left)
                yield SpeechChunk(b"\1\1" * int(piece * rate), rate, Timing(0.005, self.seconds))
                left -= piece
                if self.breaks_after and len(text) / CHARACTERS_PER_SECOND - left >= self.breaks_after:
                    self.breaks_after = 0.0
                    raise EngineError("the worker died", service=self.service)
                await asyncio.sleep(piece / 2)
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


@dataclass
class ScriptedJudge:
    completeness: float = 0.9
    heard_seconds: list[float] = field(default_factory=list)

    async def judge(self, pcm: bytes, *, rate: int) -> TurnVerdict:
        self.heard_seconds.append(len(pcm) / 2 / rate)
        await asyncio.sleep(0.09)
        return TurnVerdict(self.completeness)


class PlayingLine:
    """Meets `MediaLine` by playing in time; remembers when it sounded and when it was cleared."""

    rate = RATE
    tells_played = True

    def __init__(
        self,
        *,
        delay: float = 0.05,
        loses_marks: bool = False,
        early_marks: float = 0.0,
        presses_keys: bool = False,
    ) -> None:
        self.delay = delay
        self.presses_keys = presses_keys
        self.pressed: list[tuple[float, str]] = []  # loop time
        self.early_marks = early_marks  # seconds
        self.loses_marks = loses_marks
        self.session: CallSession | None = None
        self.sounded: list[tuple[float, float]] = []  # loop times, start and end
        self.cleared: list[float] = []
        self._plays_until = 0.0
        self._marks: list[tuple[str, asyncio.TimerHandle]] = []

    @property
    def queued_seconds(self) -> float:
        return max(0.0, self._plays_until - asyncio.get_running_loop().time())

    def send(self, pcm: bytes) -> None:
        now = asyncio.get_running_loop().time() + self.delay
        start = max(now, self._plays_until)
        self._plays_until = start + len(pcm) / (2 * RATE)
        self.sounded.append((start, self._plays_until))

    def mark(self, name: str) -> None:
        if not self.loses_marks:
            loop = asyncio.get_running_loop()
            at = max(loop.time() + self.delay, self._plays_until - self.early_marks)
            self._marks.append((name, loop.call_at(at, self._played, name)))

    def press(self, digits: str) -> bool:
        if self.presses_keys:
            self.pressed.append((asyncio.get_running_loop().time(), digits))
        return self.presses_keys

    def clear(self) -> None:
        now = asyncio.get_running_loop().time()
        self.cleared.append(now)
        self._plays_until = now
        self.sounded = [(start, min(end, now)) for start, end in self.sounded if start < now]
        for name, timer in self._marks:
            if not timer.cancelled() and timer.when() > now:
                timer.cancel()
                asyncio.get_running_loop().call_soon(self._played, name)
        self._marks.clear()

    def _played(self, name: str) -> None:
        assert self.session
        self.session.mark_played(name)

    def silent_at(self, at: float) -> bool:
        return not any(start <= at < end for start, end in self.sounded)


class ScriptedConversation:
    """Meets `Conversation`: answers from a table, remembers what it was told."""

    def __init__(self, answers: dict[str, Sequence[Step | float | Exception]]) -> None:
        self.answers = answers
        self.expects: Expectation = "anything"
        self.asked: list[str] = []
        self.told: list[tuple[str, bool]] = []
        self.directions: list[str] = []
        self.overheard_words: list[tuple[str, str]] = []
        self.closed_early = 0
        self.messages: list[KeepMessage] = []
        self.last_words = ""

    async def _steps(self, key: str) -> AsyncGenerator[Step, None]:
        """A number is seconds of thinking; an exception is raised once."""
        self.asked.append(key)
        steps = self.answers.get(key, (Say("I see."),))
        try:
            for number, step in enumerate(steps):
                if isinstance(step, Exception):
                    self.answers[key] = [*steps[:number], *steps[number + 1 :]]
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        except (asyncio.CancelledError, GeneratorExit):
            self.closed_early += 1
            raise

    def greet(self):
        return self._steps("greet")

    def reply(self, words: str):
        return self._steps(words)

    def digits(self, digits: str):
        return self._steps(f"digits {digits}")

    def silence(self, count: int):
        return self._steps(f"silence {count}")

    def farewell(self, reason: str):
        return self._steps(f"farewell {reason}")

    def heard(self, text: str, *, interrupted: bool) -> None:
        self.told.append((text, interrupted))

    async def direct(self, words: str) -> bool:
        self.directions.append(words)
        return "impossible" not in words

    def go_on(self):
        return self._steps("go on")

    def overheard(self, who: str, words: str) -> None:
        self.overheard_words.append((who, words))

    def resume(self, note: str):
        return self._steps(f"resume {note}")

    def ended(self, last_words: str = "") -> list[KeepMessage]:
        self.last_words = last_words
        return self.messages


GREETING = {"greet": [Say("Hello, how can I help?")]}
SILENCES = {
    "silence 1": [Say("Are you still there?")],
    "silence 2": [Say("I cannot hear you.")],
    "silence 3": [Say("Goodbye.", interruptible=False), HangUp("silence")],
    "farewell max_duration": [Say("Our time is up. Goodbye.")],
}
PROMPTS = dict.fromkeys(PROMPT_TEXTS, b"\x02\x02" * RATE)  # one second each


@dataclass
class Scene:
    """A call that was played from its first to its last moment."""

    ending: Ending | None
    events: list[tuple[float, Event]]
    line: PlayingLine
    conversation: ScriptedConversation
    stt: ScriptedStt
    tts: ScriptedTts
    tasks_left: int

    def of(self, kind: type[Event]) -> list:
        return [event for _, event in self.events if isinstance(event, kind)]

    def times(self, kind: type[Event]) -> list[float]:
        return [at for at, event in self.events if isinstance(event, kind)]


async def play(
    *utterances: Utterance,
    answers: dict[str, Sequence[Step | float | Exception]] | None = None,
    until: float = 30.0,
    keys: Sequence[tuple[float, str]] = (),
    expects: Expectation = "anything",
    line: PlayingLine | None = None,
    judge: ScriptedJudge | None = None,
    stt: dict | None = None,
    tts: dict | None = None,
    messages: Sequence[KeepMessage] = (),
    operator: Sequence[tuple[float, Callable[[CallSession], None]]] = (),
    conversation: Conversation | None = None,
    engines: Callable[[ScriptedStt, ScriptedTts], tuple[SpeechToText, TextToSpeech]] = lambda *own: own,
    **settings,
) -> Scene:
    """Play a script; `until` is the second at which the caller hangs up. `engines` may put others before
    the scripted ones, `conversation` takes the place of the scripted one."""
    caller = Caller(utterances)
    scripted = ScriptedConversation({**GREETING, **SILENCES, **(answers or {})})
    scripted.expects = expects
    scripted.messages = list(messages)
    line = line or PlayingLine()
    stt_engine, tts_engine = ScriptedStt(caller, **(stt or {})), ScriptedTts(**(tts or {}))
    events: list[tuple[float, Event]] = []
    loop = asyncio.get_running_loop()
    session = line.session = CallSession(
        line=line,
        engines=Engines(*engines(stt_engine, tts_engine), judge, EnergyDetector()),
        conversation=conversation or scripted,
        settings=SessionSettings(
            **{
                "language": "en",
                "voice": "default",
                "speaking_rate": 1.0,
                "eagerness": 0.5,
                "interruptible": True,
                "silence_seconds": 8.0,
                "max_call_seconds": 900.0,
                "fallback_number": "",
                **settings,
            }
        ),
        prompts=PROMPTS,
        emit=lambda event: events.append((loop.time(), event)),
    )

    begun = loop.time()  # a true clock is long past 0

    async def ring() -> None:
        for number in range(int(until / FRAME_SECONDS)):
            await asyncio.sleep(begun + (number + 1) * FRAME_SECONDS - loop.time())
            session.feed(caller.frame(number * FRAME_SECONDS))
        session.line_closed("hangup")

    for at, key in keys:
        loop.call_at(at, session.press, key)
    for at, act in operator:
        loop.call_at(at, act, session)
    frames = asyncio.create_task(ring())
    ending = await session.run()
    frames.cancel()
    await asyncio.gather(frames, return_exceptions=True)
    left = len(asyncio.all_tasks()) - 1
    return Scene(ending, events, line, scripted, stt_engine, tts_engine, left)
