"""Engines and a conversation without models or waiting, to run real sockets and sessions with."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence

import numpy as np

from agents.flow.steps import Expectation, HangUp, KeepMessage, Say, SendDigits, Step, Transfer
from agents.models import Agent
from mlservices.interfaces import VoiceDetector
from mlservices.types import Priority, SpeechChunk, Transcript
from telephony.session.parts import Engines
from tests.fakes.scripted_engines import EnergyDetector

TONE_SECONDS = 0.6


class InstantStt:
    """Hears the same words in everything."""

    def __init__(self, text: str = "what are your opening hours?") -> None:
        self.text = text

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        return Transcript(self.text, language, 1.0, len(pcm) / 2 / rate)


class ToneTts:
    """Speaks by humming, at once."""

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
        time = np.arange(int(rate * TONE_SECONDS)) / rate
        yield SpeechChunk((np.sin(2 * np.pi * 440 * time) * 8000).astype("<i2").tobytes(), rate)


class Parrot:
    """A conversation: greets, repeats what it hears, transfers and hangs up when told to."""

    expects: Expectation = "anything"

    def __init__(self, transfer_to: str = "+14155550100") -> None:
        self._transfer_to = transfer_to
        self._directed = ""

    async def greet(self) -> AsyncGenerator[Step, None]:
        yield Say("Hello.")

    async def reply(self, words: str) -> AsyncGenerator[Step, None]:
        if self._directed:
            directed, self._directed = self._directed, ""
            yield Say(f"As directed: {directed}")
            return
        yield Say(f"You said: {words}")
        if "transfer" in words:
            yield Transfer(self._transfer_to)
        if "goodbye" in words:
            yield HangUp()

    async def digits(self, digits: str) -> AsyncGenerator[Step, None]:
        yield Say(f"You pressed {digits}.")
        if digits == "9":
            yield SendDigits("4#")

    async def silence(self, count: int) -> AsyncGenerator[Step, None]:
        yield Say("Are you still there?")

    async def farewell(self, reason: str) -> AsyncGenerator[Step, None]:
        yield Say("Goodbye.")

    def heard(self, text: str, *, interrupted: bool) -> None: ...

    async def direct(self, words: str) -> bool:
        self._directed = words
        return "impossible" not in words

    async def go_on(self) -> AsyncGenerator[Step, None]:
        yield Say(f"As directed: {self._directed}")

    def overheard(self, who: str, words: str) -> None: ...

    async def resume(self, note: str) -> AsyncGenerator[Step, None]:
        yield Say(f"I am back. {note}")

    def ended(self, last_words: str = "") -> list[KeepMessage]:
        return []


class FakeSuppliers:
    """Meets `telephony.suppliers.Suppliers`."""

    def __init__(
        self,
        words: Sequence[str] = ("what are your opening hours?",),
        *,
        detector: Callable[[], VoiceDetector] = EnergyDetector,
    ) -> None:
        self._words = list(words)
        self._detector = detector

    def engines(self) -> Engines:
        return Engines(stt=InstantStt(self._words[0]), tts=ToneTts(), judge=None, detector=self._detector())

    def conversation(
        self, agent: Agent, caller: str = "", version: object = None, values: object = None
    ) -> Parrot:
        return Parrot()
