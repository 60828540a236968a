"""Words that the gateway itself says, with no web process behind them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from baresip import AudioNotActive, AudioRestarted, BaresipError, Call

from mlservices.audio import read_wav
from mlservices.errors import EngineError
from mlservices.speech import spoken

from .playout import RATE, Playout
from .records import Sentence
from .referrals import hang_up

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.02
SENTENCE_SECONDS = 10.0  # that a voice may take for one


async def tell(sentence: Sentence, call: Call) -> None:
    """The caller hears it ring until a voice has it ready, and where none has, that it is busy."""
    how: dict[str, Any] = {"voice": sentence.voice, "speed": sentence.speed, "priority": "live"}
    try:
        wav = await spoken(sentence.text, rate=RATE, seconds=SENTENCE_SECONDS, **how)
    except EngineError as error:
        logger.error("A caller was turned away without a word: %s", error)
        return
    try:
        await call.answer()
        await call.wait_established()
        await say(call, read_wav(wav)[0])
    except BaresipError as error:
        logger.info("A caller gave up before they heard why nobody answers: %s", error)
    finally:
        await asyncio.shield(hang_up(call))


async def say(call: Call, pcm: bytes) -> None:
    """Play these words to the peer, to their end or to the peer's."""
    playout = Playout()
    playout.add(pcm)
    playout.mark("end")
    with suppress(AudioNotActive, AudioRestarted):
        call.audio.flush_tx()
        async with asyncio.timeout(len(pcm) / (2 * RATE) + 2):
            buffered = 0
            while not playout.played(buffered):
                call.audio.write(playout.next(buffered))
                await asyncio.sleep(STEP_SECONDS)
                buffered = call.audio.info().tx_buffered
