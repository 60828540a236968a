"""Each way in which a Space can misbehave has an outcome of its own, and a message that helps."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from contextlib import aclosing

import numpy as np
import pytest

from mlservices import audio
from mlservices.clients import http
from mlservices.clients.service import ServiceClient
from mlservices.clients.waking import Waking
from mlservices.errors import COLD, EngineError, EngineTimeout, Outcome
from mlservices.types import ChatMessage
from tests.fakes import space as behave
from tests.fakes.space import Space, wav_file

SECOND = b"\x10\x00" * 16000
TOKEN = "hf_verysecret"


@pytest.fixture
def space():
    with Space() as space:
        yield space


@pytest.fixture
def impatient(monkeypatch):
    """What is slow is so within half a second."""
    monkeypatch.setattr("mlservices.clients.waking._FIRST_CALL_SECONDS", 0.5)
    monkeypatch.setattr("mlservices.clients.waking.Attempts.left", lambda self: 0.5)
    monkeypatch.setattr("mlservices.clients.space._STATUS_SECONDS", 0.5)


async def ask(space, kind="tts", *, token=TOKEN):
    """What a call asks of a Space, by a client that does not wait for it to wake up."""
    client = ServiceClient(
        space.url, token=token, address_setting="HF_ML_API_URL", token_setting="HF_TOKEN", waking=Waking()
    )
    try:
        if kind == "tts":
            async with aclosing(client.speak("Good morning.", rate=16000)) as chunks:
                return [chunk async for chunk in chunks]
        if kind == "llm":
            messages = [ChatMessage("system", "Be brief."), ChatMessage("user", "hi")]
            return [delta async for delta in client.reply(messages)]
        if kind == "vad":
            return await client.detect(SECOND, rate=16000)
        if kind == "ml":
            return await client.health()
        return await client.transcribe(SECOND, rate=16000)
    finally:
        await client.close()


async def outcome_of(space, kind, *behaviours, token=TOKEN):
    space.queue(PATHS[kind], *behaviours)
    with pytest.raises(EngineError) as caught:
        await ask(space, kind, token=token)
    assert TOKEN not in str(caught.value)
    assert space.url.removeprefix("http://") in str(caught.value), "it names the service"
    assert caught.value.service == kind
    return caught.value


PATHS = {
    "tts": "/api/tts",
    "stt": "/api/stt",
    "llm": "/api/vllm/chat",
    "vad": "/api/vad",
    "ml": "/api/health",
}
SAME_EVERYWHERE = [
    (behave.waking, Outcome.WAKING, "is waking up .*HF_ML_KEEP_WARM.*: HTTP 503: Your Space is building"),
    (behave.busy, Outcome.BUSY, "the queue is full"),
    (behave.gateway_timeout, Outcome.GATEWAY_TIMEOUT, "504 Gateway Time-out"),
    (behave.not_loaded, Outcome.NOT_LOADED, "Model not loaded"),
    (behave.on_fire, Outcome.FAILED, "CUDA out of memory"),
    (behave.missing, Outcome.NOT_OFFERED, "does not offer /api/"),
    (behave.hidden, Outcome.NOT_OFFERED, "check HF_TOKEN"),
    (behave.page, Outcome.HTML_PAGE, r"is HF_ML_API_URL the address .* Your Space is building"),
    (behave.unauthorized, Outcome.REFUSED_TOKEN, "HF_TOKEN is refused"),
    (behave.redirect, Outcome.REDIRECTED, r"https://elsewhere.example/api\): set HF_ML_API_URL"),
    (behave.cut, Outcome.CUT_SHORT, "broke off in the middle"),
    (behave.cut_json, Outcome.CUT_SHORT, "half an answer"),
    (behave.raw(b"internal oops"), Outcome.NOT_JSON, "no JSON.*internal oops"),
    (behave.raw(b"\xff\xfe\x00"), Outcome.NOT_JSON, "no JSON"),
    (behave.raw(b"[]"), Outcome.WRONG_FIELDS, "sent no "),
    (behave.raw(b'{"duration": NaN}'), Outcome.WRONG_FIELDS, "NaN, which is no number"),
    (behave.hanging_up, Outcome.UNREACHABLE, "cannot be reached"),
]


@pytest.mark.parametrize(("behaviour", "outcome", "words"), SAME_EVERYWHERE)
@pytest.mark.parametrize("kind", ["tts", "stt", "llm", "vad", "ml"])
async def test_a_fault_of_the_service_has_one_outcome_wherever_it_shows(
    space, kind, behaviour, outcome, words
):
    error = await outcome_of(space, kind, behaviour)
    assert error.outcome is outcome
    assert pytest.raises(EngineError, match=words).matches(error), str(error)
    assert error.cold is (outcome in COLD)
    assert not error.blames_input


@pytest.mark.parametrize("kind", ["tts", "stt", "ml"])
@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [(behave.silent(3), Outcome.TIMEOUT), (behave.dripping(0.05), Outcome.SLOW_BODY)],
)
@pytest.mark.usefixtures("impatient")
async def test_what_is_slower_than_its_budget_is_cut_off(space, kind, behaviour, outcome):
    begun = time.monotonic()
    error = await outcome_of(space, kind, behaviour)
    assert time.monotonic() - begun < 2
    assert isinstance(error, EngineTimeout)
    assert error.outcome is outcome


async def test_a_service_that_is_not_there_cannot_be_reached():
    with Space() as space:
        pass
    with pytest.raises(EngineError, match="cannot be reached") as caught:
        await ask(space)
    assert caught.value.outcome is Outcome.UNREACHABLE


async def test_a_token_that_is_missing_is_asked_for_and_one_that_is_given_is_sent(space):
    error = await outcome_of(space, "tts", behave.unauthorized, token="")
    assert "set HF_TOKEN to a token" in str(error)
    assert error.permanent
    await ask(space)
    assert space.asked[-1].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_space_that_repeats_the_token_does_not_make_us_show_it(space):
    told = behave.raw(f'{{"error": "the token {TOKEN} is none"}}'.encode())
    error = await outcome_of(space, "tts", lambda reply: behave.replace(told(reply), status=403))
    assert "the token *** is none" in str(error)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("stt", {"text": "hello", "confidence": TOKEN}),
        ("vad", {"segments": [TOKEN]}),
        ("tts", {"audio_base64": base64.b64encode(wav_file(rate=16000)).decode(), "duration": TOKEN}),
    ],
)
async def test_an_answer_that_repeats_the_token_is_quoted_without_it(space, kind, told):
    await outcome_of(space, kind, behave.raw(json.dumps(told).encode()))


async def test_a_field_that_repeats_the_token_is_told_without_it(space):
    told = behave.raw(json.dumps({"fields": {"voice": f"not of {TOKEN}"}}).encode())
    error = await outcome_of(space, "tts", lambda reply: behave.replace(told(reply), status=400))
    assert error.fields == {"voice": "not of ***"}


async def test_the_input_is_blamed_only_where_it_is_at_fault(space):
    error = await outcome_of(space, "tts", behave.refused)
    assert (error.outcome, error.permanent, error.blames_input) == (Outcome.REFUSED, True, True)


async def test_an_llm_route_that_takes_audio_only_is_none_for_us(space):
    error = await outcome_of(space, "llm", behave.takes_audio_only)
    assert error.outcome is Outcome.NOT_OFFERED
    assert "it wants audio" in str(error)


async def test_an_answer_larger_than_any_is_not_read_to_its_end(space, monkeypatch):
    monkeypatch.setattr(http, "_LARGEST_BODY", 1000)
    error = await outcome_of(space, "tts", behave.raw(b"x" * 5000))
    assert error.outcome is Outcome.WRONG_FIELDS


# --- Sound -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000])
async def test_sound_of_any_rate_is_heard_at_its_pitch(space, rate):
    space.queue("/api/tts", behave.sound(rate=rate))
    (chunk,) = await ask(space)
    assert chunk.rate == 16000
    assert len(chunk.pcm) / 2 / 16000 == pytest.approx(1.0, abs=0.01)
    assert pitch(chunk.pcm, 16000) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "PCM_U8", "FLOAT", "DOUBLE", "ULAW"])
@pytest.mark.parametrize("channels", [1, 2])
async def test_sound_of_any_form_is_heard_as_loud_as_it_is(space, subtype, channels):
    space.queue("/api/tts", behave.sound(subtype=subtype, channels=channels))
    (chunk,) = await ask(space)
    samples = audio.to_float(chunk.pcm)
    assert np.abs(samples).max() == pytest.approx(0.25, abs=0.02)
    assert pitch(chunk.pcm, 16000) == pytest.approx(440, abs=2)


def pitch(pcm: bytes, rate: int) -> float:
    samples = audio.to_float(pcm)
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


def encoded(wav: bytes) -> str:
    return behave.base64.b64encode(wav).decode()


WAV = behave.wav_file(rate=16000)
NOT_A_NUMBER = np.full(1600, np.nan, "<f4").tobytes()


def float_wav(data: bytes) -> bytes:
    wav = behave.wav_file(rate=16000, subtype="FLOAT", seconds=0.1)
    return wav[: -len(data)] + data


@pytest.mark.parametrize(
    ("fields", "outcome", "words"),
    [
        ({"audio_base64": encoded(WAV)[:-3]}, Outcome.CUT_SHORT, "no WAV"),
        ({"audio_base64": encoded(WAV[:8000])}, Outcome.CUT_SHORT, "lacks 24044 of its bytes"),
        ({"audio_base64": encoded(WAV[:30])}, Outcome.CUT_SHORT, "lacks"),
        ({"audio_base64": encoded(WAV).replace("A", "!")}, Outcome.WRONG_SOUND, "no WAV"),
        ({"audio_base64": encoded(b"MZ no sound at all")}, Outcome.WRONG_SOUND, "not a sound file"),
        ({"audio_base64": ""}, Outcome.WRONG_SOUND, "not a sound file"),
        ({"audio_base64": encoded(behave.wav_file(rate=16000, seconds=0))}, Outcome.WRONG_SOUND, "no sound"),
        ({"audio_base64": encoded(float_wav(NOT_A_NUMBER))}, Outcome.WRONG_SOUND, "no numbers"),
        ({"duration": 1.5}, Outcome.WRONG_SOUND, r"at its rate of 16000 Hz it lasts 0.87 s, and 1.50 s"),
        ({"duration": -1}, Outcome.WRONG_SOUND, "a length of -1 s"),
        ({"duration": 1e300}, Outcome.WRONG_SOUND, "a length of"),
        ({"duration": "long"}, Outcome.WRONG_SOUND, "could not convert"),
    ],
)
async def test_sound_that_cannot_be_played_as_it_was_made_is_refused(space, fields, outcome, words):
    error = await outcome_of(space, "tts", behave.changed(**fields))
    assert error.outcome is outcome
    assert pytest.raises(EngineError, match=words).matches(error), str(error)


@pytest.mark.parametrize("rate", [4000, 96000])
async def test_a_rate_that_nobody_speaks_at_is_refused(space, rate):
    error = await outcome_of(space, "tts", behave.sound(rate=rate))
    assert (error.outcome, "a rate of" in str(error)) == (Outcome.WRONG_SOUND, True)


async def test_a_wav_that_was_written_into_a_pipe_is_whole(space):
    at = WAV.index(b"data") + 4
    piped = WAV[:at] + b"\xff\xff\xff\xff" + WAV[at + 4 :]
    space.queue("/api/tts", behave.changed(audio_base64=encoded(piped), duration=1.0))
    (chunk,) = await ask(space)
    assert len(chunk.pcm) == 32000


# --- Words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"text": 7},
        {"confidence": 17},
        {"confidence": "high"},
        {"duration": -3},
        {"duration": 1e12},
        {"segments": [{"start": 0.5, "end": 0.1}]},
        {"segments": [{"start": -1, "end": 0.1}]},
        {"segments": [{"start": 0, "end": 5000}]},
        {"segments": [{"start": "zero", "end": 1}]},
    ],
)
async def test_figures_that_cannot_be_are_no_transcript(space, fields):
    error = await outcome_of(space, "stt", behave.changed(**fields))
    assert error.outcome is Outcome.WRONG_FIELDS


async def test_a_length_beyond_all_numbers_is_none(space):
    error = await outcome_of(space, "stt", behave.raw(b'{"text": "hello", "duration": 1e999}'))
    assert error.outcome is Outcome.WRONG_FIELDS


async def test_a_last_segment_without_an_end_lasts_as_long_as_the_sound(space):
    """As Whisper tells it."""
    segments = [{"start": 0.2, "end": None, "text": "hello"}]
    space.queue("/api/stt", behave.changed(segments=segments, confidence=None, duration=None))
    transcript = await ask(space, "stt")
    assert (transcript.text, transcript.segments[0].end) == (space.text, 1.0)


async def test_an_answer_without_its_field_is_quoted(space):
    for kind, field in (("tts", "audio_base64"), ("stt", "text"), ("llm", "response")):
        error = await outcome_of(space, kind, behave.without(field))
        assert error.outcome is Outcome.WRONG_FIELDS
        assert f"sent no {field} for {PATHS[kind]}" in str(error)


async def test_the_stand_in_answers_as_the_original_did(space):
    (chunk,) = await ask(space)
    (delta,) = await ask(space, "llm")
    transcript = await ask(space, "stt")
    (segment,) = await ask(space, "vad")
    health = await ask(space, "ml")
    assert chunk.pcm and chunk.engine == delta.engine == transcript.engine != ""
    assert (delta.text, transcript.text, transcript.confidence) == ("Hi there!", space.text, 0.9)
    assert 0 <= segment.start < segment.end <= 1.0
    assert health["status"] == "healthy"
    (form,) = space.forms("/api/vllm/chat")
    assert set(form) == {"session_id", "message", "mode", "system_prompt"}
    assert space.forms("/api/tts") == [{"text": "Good morning.", "voice": "default", "speed": 1.0}]


# --- Streams ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (behave.raw(b'{"text": "hel'), Outcome.CUT_SHORT),
        (behave.raw(b"[1]\n"), Outcome.NOT_JSON),
        (behave.page, Outcome.HTML_PAGE),
        (behave.raw(b'{"words": "hello"}\n{"end": true}\n'), Outcome.WRONG_FIELDS),
        (behave.raw(b'{"end": true}\n'), Outcome.WRONG_FIELDS),
        (behave.raw(b'{"error": "no", "permanent": true}\n'), Outcome.REFUSED),
        (behave.redirect, Outcome.REDIRECTED),
        (behave.unauthorized, Outcome.REFUSED_TOKEN),
        (behave.hanging_up, Outcome.UNREACHABLE),
    ],
)
async def test_a_stream_that_goes_wrong_has_the_same_outcomes(space, behaviour, outcome):
    space.queue("/stream/stt", lambda reply: behaviour(behave.Reply(b"")))
    with pytest.raises(EngineError) as caught:
        await ask(space, "stt")
    assert caught.value.outcome is outcome
    assert caught.value.service == "stt"


async def test_frames_that_drip_are_cut_off(space, monkeypatch):
    limits = http.httpx.Timeout(0.4, connect=5)
    monkeypatch.setattr("mlservices.clients.service._STREAM_TIMEOUT", limits)
    frames = b'{"text": "' + b"x" * 200
    space.queue("/stream/stt", lambda reply: behave.Reply(frames, drip_seconds=0.05))
    async with asyncio.timeout(3):
        with pytest.raises(EngineTimeout) as caught:
            await ask(space, "stt")
    assert caught.value.outcome is Outcome.SLOW_BODY
