"""The site with a voice that comes as fast as it is heard and no faster: however late the web process is, the
caller hears it as a gap."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from tests.bench import asgi  # sets Django up

# isort: split

import numpy as np

from mlservices import registry
from mlservices.types import Priority, SpeechChunk
from telephony.session.parts import Engines
from tests.bench.twilio import CHUNK_SECONDS, SENTENCE_SECONDS
from tests.fakes.exchange import FakeSuppliers


class TimelyTts:
    """Hums; the first piece at once, each next one when the one before has been heard."""

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
        loop = asyncio.get_running_loop()
        begun = loop.time()
        time = np.arange(int(rate * CHUNK_SECONDS)) / rate
        pcm = (np.sin(2 * np.pi * 440 * time) * 8000).astype("<i2").tobytes()
        for number in range(round(SENTENCE_SECONDS / CHUNK_SECONDS)):
            await asyncio.sleep(begun + number * CHUNK_SECONDS - loop.time())
            yield SpeechChunk(pcm, rate)


class TimelySuppliers(FakeSuppliers):
    def engines(self) -> Engines:
        return replace(super().engines(), tts=TimelyTts())


asgi.switchboard.suppliers = TimelySuppliers(detector=registry.voice_detector)
application = asgi.application
