"""The smallest requests that make a service load what it hears, speaks and replies with."""

from __future__ import annotations

from contextlib import aclosing

from ..interfaces import ChatModel, SpeechToText, TextToSpeech
from ..types import ChatMessage

_RATE = 16000
_SILENCE = bytes(_RATE)  # half a second


async def hear(client: SpeechToText) -> None:
    await client.transcribe(_SILENCE, rate=_RATE)


async def speak(client: TextToSpeech) -> None:
    async with aclosing(client.speak("Hello.", rate=_RATE)) as chunks:
        async for _ in chunks:
            pass


async def reply(client: ChatModel) -> None:
    async with aclosing(client.reply([ChatMessage("user", "Hello.")], max_tokens=1)) as deltas:
        async for _ in deltas:
            pass
