"""A program talks with an agent: a call like any other, in JSON."""

from __future__ import annotations

import asyncio
import base64

import pytest

from agents.actions import API_SLUG
from agents.models import Agent
from telephony import actions
from telephony.models import Call
from telephony.realtime import socket
from tests.telephony.conftest import kinds_of
from tests.telephony.realtime.conftest import ECHO, FRAME, SILENCE, VOICE, Program, exchange, talking

pytestmark = pytest.mark.django_db(transaction=True)


def only_call() -> Call:
    return Call.objects.get()


async def say_something(program: Program, key: str, **config: object) -> None:
    program.init(key, **{**ECHO, **config})
    await program.told_of("ready")
    await program.speak(*[VOICE] * 40, *[SILENCE] * 60)
    await program.told_of("stt_final")


def test_what_is_said_comes_back_as_words_and_sound(key: str) -> None:
    async def script(program: Program) -> None:
        await say_something(program, key)
        complete = asyncio.create_task(program.told_of("tts_complete"))
        while not complete.done():
            await program.speak(SILENCE)
        program.say("end")
        assert await program.until_closed() == 1000

    program = talking(script)
    ready, *_ = program.told
    assert (ready["type"], ready["audio"]) == (
        "ready",
        {"encoding": "pcm_s16le", "rate": 16000, "channels": 1},
    )
    (final,) = program.of("stt_final")
    assert (final["text"], final["language"], final["turn"]) == ("what are your opening hours?", "en", 1)
    assert 700 <= final["duration"] <= 900
    assert 300 <= final["latency"]["processing"] <= 2500
    assert final["latency"]["capture"] is None
    assert program.of("agent_thinking")
    assert [said["text"] for said in program.of("agent_reply")] == ["what are your opening hours?"]
    chunks = program.of("tts_chunk")
    assert [chunk["sequence"] for chunk in chunks] == list(range(len(chunks)))
    assert [chunk["done"] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    (complete,) = program.of("tts_complete")
    sound = b"".join(base64.b64decode(chunk["chunk"]) for chunk in chunks)
    assert complete["duration"] == len(sound) // 32 == 600
    assert (complete["interrupted"], complete["heard"]) == (False, "what are your opening hours?")
    measured = program.of("metrics")[0]["latency"]
    parts = sum(measured[part] for part in ("endpointing", "words", "text", "audio"))
    assert measured["total"] == pytest.approx(parts, abs=3)
    assert complete["latency"]["total"] == measured["total"]
    ended = program.told[-1]
    assert (ended["type"], ended["reason"]) == ("ended", "caller_hung_up")
    assert ended["stats"]["turns"] == 1
    assert ended["stats"]["audioSent"] == 600
    assert len({message["eventId"] for message in program.told}) == len(program.told)


def test_it_is_a_call_with_events_and_the_name_of_who_talks(key: str) -> None:
    talking(lambda program: say_something(program, key))
    call = only_call()
    assert (call.line, call.direction, call.caller) == ("api", "inbound", "bob")
    assert call.callee == key[:14]
    assert call.agent.slug == API_SLUG
    assert (call.status, call.end_reason, call.turns) == ("completed", "caller_hung_up", 1)
    assert kinds_of(call)[:2] == ["call_ringing", "call_answered"]
    assert "caller_said" in kinds_of(call)
    said = call.events.get(kind="turn_measured").payload
    assert said["heard_seconds"] is None  # the program plays, and does not tell when


def test_text_is_answered_in_text_without_a_sound(key: str) -> None:
    async def script(program: Program) -> None:
        program.init(key, **ECHO, mode="text")
        await program.told_of("ready")
        for number, text in enumerate(["Is anybody there?", "And now?"], 1):
            program.say("text_input", text=text, timestamp=1)
            assert (await program.told_of("agent_reply", number))["text"] == text
            await asyncio.sleep(0.05)  # what nobody has read yet is no answer

    program = talking(script)
    assert not program.of("tts_chunk")
    assert not program.of("stt_final")  # nothing was heard
    assert program.of("agent_reply")[1]["turn"] == 2
    said = only_call().events.filter(kind="caller_said").values_list("payload__text", flat=True)
    assert list(said) == ["Is anybody there?", "And now?"]


def test_hybrid_hears_and_reads(key: str) -> None:
    async def script(program: Program) -> None:
        await say_something(program, key, mode="hybrid")
        await program.told_of("agent_reply")
        program.say("text_input", text="in writing")
        assert (await program.told_of("agent_reply", 2))["text"] == "in writing"

    assert talking(script).of("tts_chunk")


def test_without_an_agent_what_is_said_is_only_written_down(key: str) -> None:
    async def script(program: Program) -> None:
        await say_something(program, key, agentEnabled=False)
        await asyncio.sleep(0.5)

    program = talking(script)
    assert not (program.of("agent_reply") or program.of("tts_chunk") or program.of("agent_thinking"))


def test_without_a_voice_the_answer_is_text(key: str) -> None:
    async def script(program: Program) -> None:
        await say_something(program, key, ttsEnabled=False)
        await program.told_of("agent_reply")

    assert not talking(script).of("tts_chunk")


def test_an_agent_of_ours_answers_as_on_the_telephone(key: str, agent: Agent) -> None:
    async def script(program: Program) -> None:
        program.init(key, agent=agent.slug)
        assert (await program.told_of("agent_reply"))["text"] == "Hello."

    program = talking(script)
    assert program.of("agent_reply")[0]["turn"] == 0
    assert only_call().agent == agent


def test_whoever_speaks_over_it_has_it_fall_silent_and_is_told_what_was_heard(key: str) -> None:
    words = (
        "This is the first sentence. This is the second one. Here comes the third. And that is the fourth."
    )

    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        await program.told_of("ready")
        await program.speak(*[VOICE] * 40, *[SILENCE] * 35)
        while not program.of("tts_chunk"):
            await program.speak(SILENCE)
        await program.speak(*[SILENCE] * 30, *[VOICE] * 30, *[SILENCE] * 60)
        await program.told_of("stt_final", 2)

    program = talking(script, exchange(words))
    (cut,) = [chunk for chunk in program.of("tts_chunk") if chunk["clear"]]
    assert (cut["done"], cut["chunk"]) == (True, "")
    first = program.of("tts_complete")[0]
    assert first["interrupted"]
    assert words.startswith(first["heard"]) and first["heard"] not in ("", words)
    assert program.told.index(cut) < program.told.index(first)


def test_paused_it_neither_hears_nor_speaks_and_then_goes_on(key: str, agent: Agent) -> None:
    async def script(program: Program) -> None:
        program.init(key, **ECHO, mode="hybrid")
        await program.told_of("ready")
        program.say("pause")
        program.say("text_input", text="Say this later, and not at once.")
        await program.speak(*[VOICE] * 40, *[SILENCE] * 60)
        assert not program.of("stt_final")
        assert not program.of("tts_chunk")
        program.say("resume")
        await program.told_of("tts_chunk")

    program = talking(script)
    assert program.of("agent_reply")[0]["text"] == "Say this later, and not at once."


def test_feedback_is_kept_with_the_call_and_shown_on_its_page(key: str, client, bob) -> None:
    async def script(program: Program) -> None:
        program.init(key, **ECHO, mode="text")
        await program.told_of("ready")
        program.say("quality_feedback", category="latency", score=2, comment="slow")
        program.say("quality_feedback", category="overall", score=9)
        await program.told_of("error")

    program = talking(script)
    assert program.of("error")[0]["fields"] == {"score": "It goes up to 5."}
    call = only_call()
    (feedback,) = call.events.filter(kind="feedback_given")
    assert feedback.payload == {"category": "latency", "score": 2, "comment": "slow"}
    client.force_login(bob)
    assert "Feedback on how soon it answers: 2 of 5. slow" in client.get(call.get_absolute_url()).text


def test_metrics_come_regularly(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "METRICS_SECONDS", 0.3)

    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        await program.told_of("ready")
        await program.speak(*[SILENCE] * 50)
        await program.told_of("metrics", 3)

    stats = [told["stats"] for told in talking(script).of("metrics")]
    assert [each["duration"] for each in stats] == sorted(each["duration"] for each in stats)
    assert stats[-1]["audioReceived"] <= stats[-1]["duration"] + 40
    assert stats[-1]["audioReceived"] > 0


def test_an_operator_ends_it(key: str, bob) -> None:
    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        ready = await program.told_of("ready")
        await asyncio.to_thread(actions.hang_up, ready["sessionId"], by="bob")
        assert await program.until_closed() == 1000

    assert talking(script).told[-1]["reason"] == "operator_hung_up"


def test_a_socket_that_is_gone_ends_the_call(key: str) -> None:
    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        await program.told_of("ready")
        program.leave(1006)
        await program.task

    talking(script)
    assert only_call().end_reason == "line_lost"


def test_a_silent_program_keeps_its_call(key: str) -> None:
    """Silence stands for the sound that does not come: the call's clock goes on."""

    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        await program.told_of("ready")
        await asyncio.sleep(1.5)
        (live,) = board.calls.values()
        assert live.line.seconds == pytest.approx(1.5, abs=0.5)

    board = exchange()
    talking(script, board)


def test_half_a_second_of_sound_may_come_at_once(key: str) -> None:
    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        await program.told_of("ready")
        program.chunk(VOICE * 25)
        await program.told_of("stt_final")

    assert not talking(script).of("error")
    assert FRAME * 25 == 16000
