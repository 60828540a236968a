"""Engines that keep to a script, and what is asked of them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from mlservices.clients.fallback import Choice, FallbackChat
from mlservices.errors import EngineBusy, EngineError, Outcome
from mlservices.types import ChatDelta, ChatMessage, SpeechChunk, Transcript

BROKEN = EngineError("the worker died")


BAD_TEXT = EngineError("it cannot say this", permanent=True, outcome=Outcome.REFUSED)


NO_TOKEN = EngineError("HF_TOKEN is refused", permanent=True, outcome=Outcome.REFUSED_TOKEN)


NO_ROUTE = EngineError("not offered", permanent=True, outcome=Outcome.NOT_OFFERED)


ASLEEP = EngineBusy("waking up", outcome=Outcome.WAKING)


@dataclass
class Engine:
    """Meets all three Protocols. A script holds, for each request, an error, seconds of silence, or pieces
    of which an error may be one; when it is at its end, all is well."""

    name: str
    script: list = field(default_factory=list)
    asked: int = 0
    voices: list = field(default_factory=list)
    models: list = field(default_factory=list)

    async def pieces(self):
        self.asked += 1
        step = self.script.pop(0) if self.script else ["well", "done"]
        for piece in step if isinstance(step, list) else [step]:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                yield piece

    async def transcribe(self, pcm, *, rate, language="en", model="", priority="live"):
        self.models.append(model)
        async for piece in self.pieces():
            return Transcript(f"{piece} heard", language, 1.0, 1.0, engine=self.name)
        return Transcript("", language, 1.0, 1.0, engine=self.name)

    async def speak(self, text, *, rate, voice="default", speed=1.0, model="", priority="live"):
        self.voices.append(voice)
        async for piece in self.pieces():
            yield SpeechChunk(piece.encode(), rate)

    async def reply(self, messages, *, max_tokens=150, temperature=0.7, tools=(), priority="live"):
        async for piece in self.pieces():
            yield ChatDelta(piece)


def now():
    return asyncio.get_running_loop().time()


def chat(*engines, wake=None, budget=1.0):
    choices = [Choice(engine.name, engine, wake=wake if engine is engines[0] else None) for engine in engines]
    return FallbackChat("llm", choices, budget_seconds=budget, now=now)


async def said(model):
    """(the text, who answered, whether degraded) of one answer."""
    async with aclosing(model.reply([ChatMessage("user", "hi")])) as deltas:
        got = [delta async for delta in deltas]
    assert len({(delta.engine, delta.degraded) for delta in got}) <= 1
    return "".join(delta.text for delta in got), *((got[0].engine, got[0].degraded) if got else ("", False))


async def heard_by(hearing, **how):
    return (await hearing.transcribe(bytes(160), rate=8000, **how)).engine
