"""Several engines that hear or speak: who answers, with which voice, and what it says of it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from mlservices.clients.fallback import Choice, FallbackHearing, FallbackVoice
from mlservices.errors import EngineError
from mlservices.types import SpeechChunk
from tests.fakes.clock import run_in_virtual_time
from tests.mlservices.scripted import (
    BROKEN,
    Engine,
    heard_by,
    now,
)


def test_a_transcript_says_who_heard_and_may_be_empty():
    async def script():
        choices = [
            Choice("space", Engine("Whisper", [BROKEN])),
            Choice("local", Engine("Tiny Whisper", [[]])),
        ]
        hearing = FallbackHearing("stt", choices, budget_seconds=1.0, now=now)
        transcript = await hearing.transcribe(b"", rate=8000)
        assert (transcript.text, transcript.engine, transcript.degraded) == ("", "Tiny Whisper", True)

    run_in_virtual_time(script())


def test_who_is_the_first_able_to_is_asked_in_its_own_voice_and_stands_in_for_nobody():
    async def script():
        noted = []
        remote, local, space = Engine("remote"), Engine("local", [BROKEN]), Engine("space")
        choices = [
            Choice("remote", remote, lets_choose=False),
            Choice("local", local, voice=lambda voice: "local's"),
            Choice("space", space, voice=lambda voice: "space's"),
        ]
        speaks = FallbackVoice("tts", choices, budget_seconds=1.0, now=now, note=noted.append)

        async def asked(**how):
            async with aclosing(speaks.speak("hello", rate=8000, **how)) as chunks:
                return {(chunk.engine, chunk.degraded) async for chunk in chunks}

        assert await asked(voice="anna", model="parler") == {("space", True)}
        await asyncio.sleep(60)
        assert await asked(voice="anna", model="parler") == {("local", False)}
        assert await asked(voice="anna") == {("remote", False)}
        assert (local.voices, space.voices, remote.voices) == (["anna", "anna"], ["space's"], ["anna"])
        assert [entry.degraded for entry in noted] == [False, True, False, False]

    run_in_virtual_time(script())


def test_a_chosen_model_is_asked_only_of_who_lets_choose():
    async def script():
        space, remote, local = Engine("space", [BROKEN]), Engine("remote"), Engine("local")
        choices = [
            Choice("space", space),
            Choice("remote", remote, lets_choose=False),
            Choice("local", local),
        ]
        hearing = FallbackHearing("stt", choices, budget_seconds=1.0, now=now)
        assert await heard_by(hearing, model="whisper-tiny") == "local"
        assert local.models == ["whisper-tiny"]
        assert await heard_by(hearing) == "remote"
        alone = FallbackHearing("stt", choices[1:2], budget_seconds=1.0, now=now)
        with pytest.raises(EngineError, match="remote lets nobody choose a model") as caught:
            await heard_by(alone, model="whisper-tiny")
        assert caught.value.permanent

    run_in_virtual_time(script())


def test_a_recording_that_is_no_call_has_all_the_time_it_needs():
    async def script():
        choices = [Choice(name, Engine(name, [[30.0, "late"]] * 2)) for name in ("space", "local")]
        hearing = FallbackHearing("stt", choices, budget_seconds=1.0, now=now)
        assert await heard_by(hearing, priority="batch") == "space"
        assert await heard_by(hearing) == "local"

    run_in_virtual_time(script())


def test_who_stands_in_speaks_with_a_voice_of_its_own():
    async def script():
        space, local = Engine("space", [BROKEN]), Engine("local")
        choices = [Choice("space", space), Choice("local", local)]
        voice = FallbackVoice("tts", choices, budget_seconds=1.0, now=now)
        async with aclosing(voice.speak("Hello.", rate=8000, voice="anna")) as chunks:
            got = [(chunk.pcm, chunk.engine, chunk.degraded) async for chunk in chunks]
        assert got == [(b"well", "local", True), (b"done", "local", True)]
        assert (space.voices, local.voices) == (["anna"], ["default"])
        assert [chunk async for chunk in voice.speak("  ", rate=8000)] == []

    run_in_virtual_time(script())


def test_an_interrupted_sentence_frees_the_engine_behind_it():
    async def script():
        closed = []

        class Voice(Engine):
            async def speak(self, text, **how):
                try:
                    while True:
                        yield SpeechChunk(b"\0\0", 8000)
                finally:
                    closed.append(self.name)

        voice = FallbackVoice(
            "tts",
            [Choice("space", Voice("space")), Choice("local", Voice("local"))],
            budget_seconds=1.0,
            now=now,
        )
        stream = voice.speak("A long sentence.", rate=8000)
        await anext(stream)
        await stream.aclose()
        assert closed == ["space"]

    run_in_virtual_time(script())
