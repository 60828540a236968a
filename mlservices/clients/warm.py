"""The smallest requests that make a service load what it hears, speaks and replies with; calls go first."""

from __future__ import annotations

from contextlib import aclosing

from ..interfaces import ChatModel, SpeechToText, TextToSpeech
from ..types import ChatMessage

_RATE = 16000
_SILENCE = bytes(_RATE)  # half a second


async def hear(client: SpeechToText) -> None:
    await client.transcribe(_SILENCE, rate=_RATE, priority="batch")


async def speak(client: TextToSpeech) -> None:
    async with aclosing(client.speak("Hello.", rate=_RATE, priority="batch")) as chunks:
        async for _ in chunks:
            pass


async def reply(client: ChatModel) -> None:
    hello = [ChatMessage("user", "Hello.")]
    async with aclosing(client.reply(hello, max_tokens=1, priority="batch")) as deltas:
        async for _ in deltas:
            pass
