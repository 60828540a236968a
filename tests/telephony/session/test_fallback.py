"""A call whose first engines die in the middle: it goes on with others, and says so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from agents.flow.steps import Noted, Say
from mlservices.clients.fallback import Choice, FallbackHearing, FallbackVoice
from mlservices.clients.service import ServiceClient
from mlservices.clients.waking import Waking
from mlservices.errors import EngineError, Outcome
from telephony.session.events import AgentSaid, CallerSaid, EngineFailed, TurnMeasured
from telephony.transcript import Transcript
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import ScriptedStt, ScriptedTts, Utterance
from tests.fakes.space import Space, silent
from tests.fakes.stage import play

HOURS, PRICES, THANKS = "what are your hours?", "what does it cost?", "thank you very much"
ANSWERS = {
    HOURS: [Say("From eight to six.")],
    PRICES: [Say("Thirty euros, all in all.")],
    THANKS: [Say("You are welcome.")],
}
DIES_AT = 7.0
DEATHS = {
    "says so": EngineError("CUDA out of memory", outcome=Outcome.FAILED),
    "falls asleep": EngineError("waking up", outcome=Outcome.WAKING),
    "refuses our token": EngineError("HF_TOKEN is refused", permanent=True, outcome=Outcome.REFUSED_TOKEN),
    "hangs": None,
}


def now() -> float:
    return asyncio.get_running_loop().time()


async def still_dead() -> None:
    await asyncio.sleep(0.5)
    raise EngineError("CUDA out of memory")


@dataclass
class Dying:
    """An engine that works until a moment, and is dead from then on."""

    alive: ScriptedStt | ScriptedTts
    death: EngineError | None
    asked_dead: int = 0

    async def _live(self) -> None:
        if now() < DIES_AT:
            return
        self.asked_dead += 1
        if self.death:
            raise self.death
        await asyncio.sleep(3600)

    async def transcribe(self, pcm, *, rate, language="en", model="", priority="live"):
        await self._live()
        return await self.alive.transcribe(pcm, rate=rate, language=language)

    async def speak(self, text, **how):
        await self._live()
        async for chunk in self.alive.speak(text, **how):
            yield chunk


@pytest.mark.parametrize("death", DEATHS)
def test_a_call_goes_on_with_the_local_engines_when_the_space_dies_in_the_middle(death):
    spaces = []

    def engines(stt, tts):
        spaces[:] = [Dying(ScriptedStt(stt.caller), DEATHS[death]), Dying(ScriptedTts(), DEATHS[death])]
        ears, mouths = (
            [Choice("Space", spaces[n], wake=still_dead), Choice("local", own)]
            for n, own in enumerate((stt, tts))
        )
        hearing = FallbackHearing("stt", ears, budget_seconds=2.0, now=now)
        return hearing, FallbackVoice("tts", mouths, budget_seconds=1.2, now=now)

    call = run_in_virtual_time(
        play(
            Utterance(3.0, 1.0, HOURS),
            Utterance(8.0, 1.0, PRICES),
            Utterance(15.0, 1.0, THANKS),
            answers=ANSWERS,
            engines=engines,
            until=19,
        )
    )
    assert [event.text for event in call.of(CallerSaid)] == [HOURS, PRICES, THANKS]
    assert not call.of(EngineFailed), "the session notices nothing"
    assert [event.engine for event in call.of(CallerSaid)] == ["Space", "local", "local"]
    said = [event for event in call.of(AgentSaid) if event.text != "One moment, please."]
    assert [(event.engine, event.degraded) for event in said] == [
        ("Space", False),
        ("Space", False),
        ("local", True),
        ("local", True),
    ]
    alive, dying, dead = call.of(TurnMeasured)
    assert (alive.stt_engine, alive.tts_engine, alive.degraded) == ("Space", "Space", [])
    assert (dying.stt_engine, dying.tts_engine, dying.degraded) == ("local", "local", ["stt", "tts"])
    assert dying.voice_to_voice_seconds < 2.0 + 1.2 + 0.6, "both budgets at most"
    assert dead.voice_to_voice_seconds < 0.8, "nobody waits for the dead twice"
    assert all(space.asked_dead == 1 for space in spaces)
    assert call.ending.reason == "caller_hung_up" and call.tasks_left == 0


async def test_a_call_goes_on_when_a_real_space_stops_answering():
    """The same over HTTP, in true time."""
    with Space(text=HOURS) as space:
        client = ServiceClient(space.url, waking=Waking())

        def engines(stt, tts):
            hearing = FallbackHearing(
                "stt", [Choice("Space", client), Choice("local", stt)], budget_seconds=0.8
            )
            voice = FallbackVoice("tts", [Choice("Space", client), Choice("local", tts)], budget_seconds=0.6)
            return hearing, voice

        asyncio.get_running_loop().call_later(3.2, space.always, "", silent(30.0))
        call = await play(
            Utterance(1.2, 0.6, HOURS),
            Utterance(4.0, 0.6, PRICES),
            answers=ANSWERS,
            engines=engines,
            until=6.8,
        )
        await client.close()
    assert [event.text for event in call.of(CallerSaid)] == [HOURS, PRICES]
    alive, dying = call.of(TurnMeasured)
    assert alive.stt_engine == alive.tts_engine == f"ML service {space.url.removeprefix('http://')}"
    assert (dying.stt_engine, dying.tts_engine, dying.degraded) == ("local", "local", ["stt", "tts"])
    assert dying.voice_to_voice_seconds < 0.8 + 0.6 + 1.5, "within its budget, on a busy machine"
    assert not call.of(EngineFailed)


def test_a_model_that_stood_in_is_told_of_the_turn_that_it_worded():
    noted = Noted("model", "local", {"engine": "NVIDIA llama", "degraded": True, "queue_seconds": 0.0})
    call = run_in_virtual_time(
        play(Utterance(3.0, 1.0, HOURS), answers={HOURS: [noted, Say("Eight to six.")]}, until=9)
    )
    (measured,) = call.of(TurnMeasured)
    assert (measured.llm_engine, measured.degraded) == ("NVIDIA llama", ["llm"])


def test_the_transcript_tells_which_turns_a_fallback_served():
    measured = TurnMeasured(
        turn=1,
        voice_to_voice_seconds=0.8,
        endpointing_seconds=0.2,
        words_seconds=0.2,
        text_seconds=0.2,
        audio_seconds=0.2,
        llm_engine="NVIDIA llama",
        degraded=["stt", "llm", "tts"],
    )
    heard = CallerSaid(
        turn=1,
        text="hi",
        start_seconds=1.0,
        end_seconds=1.5,
        confidence=1.0,
        language="en",
        engine="Tiny Whisper",
        degraded=True,
    )
    said = AgentSaid(turn=1, text="Hello.", sentence=0, engine="Piper", degraded=True)
    for events in ([heard, said, measured], [heard, measured, said]):
        caller, agent = Transcript(events).lines
        assert caller.stood_in == {"stt": "Tiny Whisper"}
        assert agent.stood_in == {"tts": "Piper", "llm": "NVIDIA llama"}
        assert agent.latency_ms == 800
