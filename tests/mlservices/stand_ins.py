"""Engines for worker processes under test: no model, and faults on command.

A text that starts with "crash", "hang", "slow" or "refuse" makes an engine do so. "... once" does it only the
first time: a file in the engine's folder remembers.
"""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mlservices.catalog import Kind, Model, Source
from mlservices.errors import EngineError
from mlservices.types import Segment, ToolCall, Transcript

PIECES = 5
_POOLS = {Kind.LLM: "vllm", Kind.MEANING: "embed", Kind.TURN: "vad"}


def model(kind: Kind, engine: str, **changes: Any) -> Model:
    """A catalogue entry for one of the engines below."""
    entry = Model(
        id=f"stand-in-{kind}",
        name=f"Stand-in {kind}",
        kind=kind,
        pool=_POOLS.get(kind, kind.value),
        engine=f"{__name__}.{engine}" if "." not in engine else engine,
        recipe="",
        source=Source(),
        memory_mb=1,
        disk_mb=1,
        languages=("en",),
        licence="MIT",
        commercial_use=True,
    )
    return replace(entry, **changes)


class StandIn:
    rate = 16000

    def __init__(self, folder: Path, model: Model) -> None:
        self._folder = folder

    def warm(self) -> None:
        pass

    def misbehave(self, text: str) -> None:
        if text.startswith("refuse"):
            raise EngineError("it cannot say this", service="stand-in", permanent=True)
        if "once" in text:
            self._folder.mkdir(parents=True, exist_ok=True)
            marker = self._folder / text.replace(" ", "-")
            if marker.exists():
                return
            marker.touch()
        if text.startswith("crash"):
            os._exit(3)
        if text.startswith("hang"):
            time.sleep(600)


class Voice(StandIn):
    """Five pieces of 100 ms; "slow" takes 100 ms for each, "break" crashes after the second.

    "endless" would speak for a minute: whoever is served after it, was served because it was stopped.
    """

    def speak(self, text, *, voice, language, speed):
        self.misbehave(text)
        if text.startswith("endless"):
            for _ in range(3000):
                time.sleep(0.02)
                yield np.full(self.rate // 10, 0.25, np.float32)
            return
        for number in range(PIECES):
            if text.startswith("slow"):
                time.sleep(0.1)
            if text.startswith("break") and number == 2:
                os._exit(4)
            yield np.full(self.rate // 10, 0.25, np.float32)


class Unlucky(Voice):
    """There is too little memory for it."""

    def __init__(self, folder: Path, model: Model) -> None:
        raise MemoryError


class Tells(Voice):
    """Says nothing, and tells in its refusal what it was told."""

    def speak(self, text, *, voice, language, speed):
        raise EngineError(f"{voice} [{language}]", permanent=True)
        yield


class Ears(StandIn):
    """Takes half a second for what begins at half of full scale."""

    def transcribe(self, samples, language):
        if len(samples) and 0.4 < samples[0] < 0.6:
            time.sleep(0.5)
        seconds = len(samples) / self.rate
        text = f"{seconds:.1f} seconds"
        return Transcript(text, "en", 0.9, seconds, (Segment(0.0, seconds, text, 0.9),), "stand-in")


class Mind(StandIn):
    """Repeats the last message word by word, and says how many messages it saw. A word is a token.

    Offered tools, it calls each with what was said; of a message about a call it tells what it was told.
    """

    longest_system_prompt = 50

    def count(self, text):
        return len(text.split())

    def reply(self, messages, *, max_tokens, temperature, tools=()):
        self.misbehave(messages[-1].content)
        for number, tool in enumerate(tools):
            yield ToolCall(f"call_{number}", tool.name, {"said": messages[-1].content, **tool.parameters})
        if messages[-1].role == "tool":
            (call,) = messages[-2].tool_calls
            yield f"{call.name} {call.arguments} {messages[-1].tool_call_id}: "
        yield f"[{len(messages)}]"
        for word in messages[-1].content.split()[: max_tokens - 1]:
            if messages[-1].content.startswith("slow"):
                time.sleep(0.1)
            yield f" {word}"


class Meaning(StandIn):
    """The length of each text; of "most at once", how many it was given at the most."""

    at_once = 8

    def __init__(self, folder, model):
        super().__init__(folder, model)
        self._most = 0

    def embed(self, texts):
        self._most = max(self._most, len(texts))
        for text in texts:
            self.misbehave(text)
            if text.startswith("slow"):
                time.sleep(0.2)
        lengths = [self._most if text == "most at once" else len(text) for text in texts]
        rows = np.array([[length, 1.0] for length in lengths], np.float32).reshape(len(texts), 2)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Judge(StandIn):
    def judge(self, samples):
        return min(1.0, len(samples) / self.rate)


class Broken(StandIn):
    def __init__(self, folder, model):
        raise EngineError("its files are gone: run `manage.py models prepare`", permanent=True)


class SlowToLoad(Voice):
    def __init__(self, folder, model):
        time.sleep(1.0)
        super().__init__(folder, model)
