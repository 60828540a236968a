"""A sentence as one WAV file, for pages: to be heard before it is used. Calls go first."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from django.utils.translation import gettext as _

from . import registry
from .audio import wav_bytes
from .errors import EngineError, EngineTimeout
from .types import Priority

RATE = 16000
SECONDS = 20.0  # that a sentence may take to be spoken


async def spoken(
    text: str,
    *,
    voice: str,
    speed: float = 1.0,
    rate: int = RATE,
    seconds: float = SECONDS,
    priority: Priority = "batch",
) -> bytes:
    """A WAV of the text. Raises EngineError."""
    pcm = bytearray()
    try:
        async with asyncio.timeout(seconds):
            how: dict[str, Any] = {"voice": voice, "speed": speed, "priority": priority}
            chunks = registry.first_voice().speak(text, rate=rate, **how)
            async with aclosing(chunks) as pieces:
                async for chunk in pieces:
                    pcm += chunk.pcm
    except TimeoutError:
        raise EngineTimeout(_("the voice took too long"), service="tts") from None
    if not pcm:
        raise EngineError(_("there is nothing to say in this text"), service="tts", permanent=True)
    return wav_bytes(bytes(pcm), rate)
