"""What one of those who ask a service learns of it, the others heed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from mlservices.clients.fallback import Choice, FallbackChat, FallbackHearing, FallbackVoice, Outage
from mlservices.errors import EngineTimeout
from tests.fakes.clock import run_in_virtual_time
from tests.mlservices.scripted import Engine, heard_by, now, said


async def spoken_by(voice):
    async with aclosing(voice.speak("Good morning.", rate=8000)) as chunks:
        return {chunk.engine async for chunk in chunks}


def test_who_hears_in_vain_spares_who_speaks_by_the_same_service_the_wait():
    async def script():
        outage, hangs = Outage(), EngineTimeout("it did not answer")
        ears, mouth = Engine("space", [[30.0, hangs]]), Engine("space")

        async def wake():
            await asyncio.sleep(10)

        def choices(engine):
            return [Choice("space", engine, wake=wake, outage=outage), Choice("local", Engine("local"))]

        hearing = FallbackHearing("stt", choices(ears), budget_seconds=2.0, now=now)
        voice = FallbackVoice("tts", choices(mouth), budget_seconds=1.2, now=now)
        assert await heard_by(hearing, priority="batch") == "local"
        begun = now()
        assert await spoken_by(voice) == {"local"}
        assert (now(), mouth.asked) == (begun, 0)
        await asyncio.sleep(11)
        assert await spoken_by(voice) == {"space"}, "it was tried meanwhile, and works"

    run_in_virtual_time(script())


def test_a_reply_that_was_too_slow_for_a_call_says_nothing_of_the_voice():
    async def script():
        outage = Outage()
        slow, mouth = Engine("space", [[5.0, "late"]]), Engine("space")
        model = FallbackChat(
            "llm",
            [Choice("space", slow, outage=outage), Choice("local", Engine("local"))],
            budget_seconds=1.0,
            now=now,
        )
        choices = [Choice("space", mouth, outage=outage), Choice("local", Engine("local"))]
        assert (await said(model))[1] == "local"
        assert await spoken_by(FallbackVoice("tts", choices, budget_seconds=1.2, now=now)) == {"space"}

    run_in_virtual_time(script())
