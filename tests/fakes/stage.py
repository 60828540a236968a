"""A stage for conversation scripts in time: a line and a conversation around a scripted caller's call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from agents.flow.steps import Conversation, Expectation, HangUp, KeepMessage, Say, Step
from mlservices.interfaces import SpeechToText, TextToSpeech
from telephony.session.events import Event
from telephony.session.parts import Ending, Engines, SessionSettings
from telephony.session.reply import PROMPT_TEXTS
from telephony.session.session import CallSession
from tests.fakes.scripted_engines import (
    FRAME_SECONDS,
    RATE,
    Caller,
    EnergyDetector,
    ScriptedJudge,
    ScriptedStt,
    ScriptedTts,
    Utterance,
)


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
SETTINGS = {
    "language": "en",
    "voice": "default",
    "speaking_rate": 1.0,
    "eagerness": 0.5,
    "interruptible": True,
    "silence_seconds": 8.0,
    "max_call_seconds": 900.0,
    "fallback_number": "",
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
        settings=SessionSettings(**{**SETTINGS, **settings}),
        prompts=PROMPTS,
        emit=lambda event: events.append((loop.time(), event)),
    )

    for at, key in keys:
        loop.call_at(at, session.press, key)
    for at, act in operator:
        loop.call_at(at, act, session)
    frames = asyncio.create_task(_ring(session, caller, until))
    ending = await session.run()
    frames.cancel()
    await asyncio.gather(frames, return_exceptions=True)
    return Scene(ending, events, line, scripted, stt_engine, tts_engine, len(asyncio.all_tasks()) - 1)


async def _ring(session: CallSession, caller: Caller, until: float) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()  # a true clock is long past 0
    for number in range(int(until / FRAME_SECONDS)):
        await asyncio.sleep(begun + (number + 1) * FRAME_SECONDS - loop.time())
        session.feed(caller.frame(number * FRAME_SECONDS))
    session.line_closed("hangup")
