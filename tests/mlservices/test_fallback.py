"""Several engines for one task: who answers, who is passed over, and what an answer says of it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from mlservices.clients.fallback import Choice, FallbackChat, FallbackHearing, FallbackVoice
from mlservices.errors import EngineBusy, EngineError, EngineTimeout, Outcome
from mlservices.types import ChatDelta, ChatMessage, SpeechChunk, Transcript
from tests.fakes.clock import run_in_virtual_time

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


def test_the_first_that_works_answers_and_says_who_it_is():
    async def script():
        space, local = Engine("space"), Engine("local")
        assert await said(chat(space, local)) == ("welldone", "space", False)
        assert local.asked == 0

    run_in_virtual_time(script())


@pytest.mark.parametrize("error", [BROKEN, NO_TOKEN, NO_ROUTE, ASLEEP, EngineTimeout("late")])
def test_the_next_stands_in_for_one_that_fails(error):
    async def script():
        assert await said(chat(Engine("space", [error]), Engine("local"))) == ("welldone", "local", True)

    run_in_virtual_time(script())


def test_what_is_refused_for_its_own_sake_is_refused_by_all_and_is_no_fault_of_the_engine():
    async def script():
        space, local = Engine("space", [BAD_TEXT]), Engine("local")
        model = chat(space, local)
        with pytest.raises(EngineError, match="cannot say this"):
            await said(model)
        assert local.asked == 0
        assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_once_a_piece_was_delivered_nobody_begins_anew():
    async def script():
        space, local = Engine("space", [["half", BROKEN]]), Engine("local")
        model = chat(space, local)
        got = []
        with pytest.raises(EngineError, match="died"):
            async for delta in model.reply([ChatMessage("user", "hi")]):
                got.append(delta.text)
        assert (got, local.asked) == (["half"], 0)
        assert (await said(model))[1] == "local", "but the next request goes past it"

    run_in_virtual_time(script())


def test_an_answer_without_a_word_is_none():
    async def script():
        space, local = Engine("space", [[], ["", " "]]), Engine("local")
        model = chat(space, local)
        assert await said(model) == ("welldone", "local", True)
        assert await said(model) == ("welldone", "local", True)
        assert await said(model) == ("welldone", "space", False), "it works, so it is asked"
        assert await said(chat(Engine("space", [[]]), Engine("local", [[]]))) == ("", "", False)

    run_in_virtual_time(script())


def test_the_first_has_its_budget_and_the_last_all_the_time_it_needs():
    async def script():
        space, local = Engine("space", [[30.0, "late"]]), Engine("local", [[5.0, "slow"]])
        begun = now()
        assert await said(chat(space, local)) == ("slow", "local", True)
        assert now() - begun == pytest.approx(1.0 + 5.0)

    run_in_virtual_time(script())


def test_the_budget_is_for_the_first_piece_alone():
    async def script():
        space = Engine("space", [[0.5, "a", 20.0, "b"]])
        assert (await said(chat(space, Engine("local"))))[0] == "ab"

    run_in_virtual_time(script())


def test_one_that_failed_is_passed_over_then_tried_by_one_request():
    async def script():
        space, local = Engine("space", [BROKEN, [0.9, BROKEN]]), Engine("local")
        model = chat(space, local)
        for _ in range(4):
            await said(model)
        assert space.asked == 1
        await asyncio.sleep(5)
        answers = await asyncio.gather(*(said(model) for _ in range(3)))
        assert space.asked == 2, "one of three tried it"
        assert {who for _, who, _ in answers} == {"local"}
        await asyncio.sleep(6)
        await said(model)
        assert space.asked == 2, "it rests longer after a second failure"
        await asyncio.sleep(5)
        assert (await said(model))[1:] == ("space", False)
        assert (await said(model))[1:] == ("space", False)

    run_in_virtual_time(script())


def test_one_that_is_busy_rests_as_long_as_it_asks_for_and_one_without_our_token_for_minutes():
    async def script():
        for error, seconds in ((EngineBusy("full", retry_after=20), 20), (NO_TOKEN, 120)):
            space = Engine("space", [error])
            model = chat(space, Engine("local"))
            await said(model)
            await asyncio.sleep(seconds - 1)
            assert (await said(model))[1] == "local"
            await asyncio.sleep(1)
            assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_a_request_that_is_given_up_leaves_the_trial_to_the_next():
    async def script():
        space, local = Engine("space", [BROKEN, [0.5, "ok"]]), Engine("local")
        model = chat(space, local)
        await said(model)
        await asyncio.sleep(5)
        given_up = asyncio.create_task(said(model))
        await asyncio.sleep(0.1)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_when_all_rest_all_are_asked():
    async def script():
        space, local = Engine("space", [BROKEN, BROKEN]), Engine("local", [BROKEN])
        model = chat(space, local)
        with pytest.raises(EngineError, match="died"):
            await said(model)
        assert await said(model) == ("welldone", "local", True)

    run_in_virtual_time(script())


def test_a_service_that_sleeps_is_woken_up_while_others_answer():
    async def script():
        space, local = Engine("space", [ASLEEP]), Engine("local")
        woken = 0

        async def wake():
            nonlocal woken
            woken += 1
            await asyncio.sleep(45)

        model = chat(space, local, wake=wake)
        for _ in range(4):
            assert (await said(model))[1] == "local"
            await asyncio.sleep(11)
        assert (space.asked, woken) == (1, 1), "no call waits for it"
        await asyncio.sleep(2)
        assert await said(model) == ("welldone", "space", False)

    run_in_virtual_time(script())


def test_one_that_is_slow_as_a_sleeper_is_tried_until_it_works_and_no_call_waits_for_that():
    async def script():
        space, local = Engine("space", [[60.0]]), Engine("local")
        tried = []

        async def wake():
            tried.append(now())
            await asyncio.sleep(40)
            if len(tried) < 3:
                raise EngineTimeout("it never woke up")

        model = chat(space, local, wake=wake)
        await said(model)
        while len(tried) < 3:
            begun = now()
            assert (await said(model))[1] == "local"
            assert now() == begun
            await asyncio.sleep(10)
        assert space.asked == 1
        assert [round(at) for at in tried] == [1, 51, 111], "with growing pauses"
        await asyncio.sleep(41)
        assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_one_that_broke_is_tried_in_the_background_only_after_its_rest():
    async def script():
        space, local = Engine("space", [BROKEN]), Engine("local")
        tried = []

        async def wake():
            tried.append(now())

        model = chat(space, local, wake=wake)
        for _ in range(4):
            assert (await said(model))[1] == "local"
            await asyncio.sleep(2)
        assert tried == [6.0]
        assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_who_closes_it_stops_the_waking_and_the_next_request_begins_it_anew():
    async def script():
        woken = []

        async def wake():
            woken.append(now())
            await asyncio.sleep(100)

        model = chat(Engine("space", [ASLEEP]), Engine("local"), wake=wake)
        for begun in (1, 2):
            assert (await said(model))[1] == "local"
            await asyncio.sleep(0)
            assert len(woken) == begun
            await model.close()
            assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(script())


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


async def heard_by(hearing, **how):
    return (await hearing.transcribe(bytes(160), rate=8000, **how)).engine


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
