"""Hearing and speaking over an OpenAI-compatible API, against a server that speaks its protocol."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing

import numpy as np
import pytest
import soundfile
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from mlservices import audio
from mlservices.clients.http import Party
from mlservices.clients.openai_audio import OpenAIHearing, OpenAIVoice
from mlservices.errors import EngineBusy, EngineError, Outcome
from tests.fakes.space import wav_file
from tests.mlservices.conftest import serving

SECOND = b"\x10\x00" * 8000  # at 8 kHz
PARTY = Party("OpenAI", token_setting="AI_INTEGRATIONS_OPENAI_API_KEY", token="sk-secret")
WORDS = {
    "task": "transcribe",
    "language": "english",
    "duration": 1.0,
    "text": " When are you open? ",
    "segments": [
        {"id": 0, "start": 0.0, "end": 0.6, "text": " When are", "avg_logprob": 0.0, "no_speech_prob": 0.0},
        {"id": 1, "start": 0.6, "end": 1.0, "text": " you open?", "avg_logprob": -0.7},
    ],
}


def parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """Of a multipart form, by name."""
    boundary = content_type.partition("boundary=")[2].encode()
    found = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
        found[head.partition(b'name="')[2].partition(b'"')[0].decode()] = value
    return found


class Server:
    def __init__(self, answer):
        self.answer = answer
        self.forms, self.sounds, self.headers = [], [], []

    async def transcribe(self, request):
        form = parts(request.headers["content-type"], await request.body())
        self.headers.append(request.headers)
        self.sounds.append(form.pop("file"))
        self.forms.append({name: value.decode() for name, value in form.items()})
        return self.answer

    async def speak(self, request):
        self.headers.append(request.headers)
        self.forms.append(await request.json())
        return self.answer

    def serving(self):
        routes = [
            Route("/v1/audio/transcriptions", self.transcribe, methods=["POST"]),
            Route("/v1/audio/speech", self.speak, methods=["POST"]),
        ]
        return serving(Starlette(routes=routes))


async def heard(server, *, model="whisper-1", language="en", chosen=""):
    with server.serving() as url:
        client = OpenAIHearing(party=PARTY, base_url=f"{url}/v1", model=model)
        try:
            return await client.transcribe(SECOND, rate=8000, language=language, model=chosen)
        finally:
            await client.close()


async def spoken(server, text="Good morning.", *, rate=8000, speed=1.0, chosen=""):
    with server.serving() as url:
        client = OpenAIVoice(party=PARTY, base_url=f"{url}/v1", model="tts-1", voice="alloy")
        try:
            said = client.speak(text, rate=rate, voice="piper-joe", speed=speed, model=chosen)
            async with aclosing(said) as chunks:
                return [chunk async for chunk in chunks]
        finally:
            await client.close()


async def test_it_hears_a_wav_and_tells_how_sure_whisper_is():
    server = Server(JSONResponse(WORDS))
    transcript = await heard(server)
    assert (transcript.text, transcript.language, transcript.engine) == (
        "When are you open?",
        "en",
        "OpenAI whisper-1",
    )
    assert transcript.duration_seconds == 1.0
    assert transcript.confidence == pytest.approx(0.6 + 0.4 * np.exp(-0.7))
    assert [segment.text for segment in transcript.segments] == ["When are", "you open?"]
    assert server.forms == [{"model": "whisper-1", "response_format": "verbose_json", "language": "en"}]
    pcm, rate = audio.read_wav(server.sounds[0])
    assert (len(pcm) / 2, rate) == (16000, 16000)
    assert server.headers[0]["authorization"] == "Bearer sk-secret"


@pytest.mark.parametrize(
    ("asked", "told", "language"),
    [
        ("auto", "german", "de"),
        ("auto", "German", "de"),
        ("", "haitian creole", "ht"),
        ("auto", "de", "de"),
        ("auto", "", "auto"),
        ("auto", 7, "auto"),
        ("en", "german", "de"),
        ("en-us", "english", "en-us"),
        ("de", None, "de"),
    ],
)
async def test_the_language_is_the_one_that_was_heard_by_its_code(asked, told, language):
    assert (
        await heard(Server(JSONResponse(WORDS | {"language": told})), language=asked)
    ).language == language


async def test_a_model_that_is_not_sure_of_anything_says_so():
    server = Server(JSONResponse({"text": "hello"}))
    transcript = await heard(server, model="gpt-4o-mini-transcribe", language="auto")
    assert (transcript.text, transcript.confidence, transcript.segments) == ("hello", 0.0, ())
    assert server.forms == [{"model": "gpt-4o-mini-transcribe", "response_format": "json"}]


async def test_segments_that_make_no_sense_cost_no_words():
    segments = [{"start": "x"}, "odd", {"start": 1, "end": 0, "avg_logprob": 0, "text": ""}]
    assert (await heard(Server(JSONResponse({"text": "hello", "segments": segments})))).segments == ()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (lambda: JSONResponse({"error": {"message": "no sk-secret here"}}, 401), Outcome.REFUSED_TOKEN),
        (lambda: JSONResponse({"error": {"message": "slow down"}}, 429), Outcome.BUSY),
        (lambda: JSONResponse({"error": {"message": "too short"}}, 400), Outcome.REFUSED),
        (lambda: JSONResponse({"error": {"message": "oops"}}, 500), Outcome.FAILED),
        (lambda: JSONResponse({"detail": "Not Found"}, 404), Outcome.NOT_OFFERED),
        (lambda: HTMLResponse("<h1>Log in</h1>"), Outcome.HTML_PAGE),
        (lambda: JSONResponse({"words": "hello"}), Outcome.WRONG_FIELDS),
        (lambda: Response(b"hello"), Outcome.NOT_JSON),
    ],
)
async def test_what_is_no_transcript_has_an_outcome_and_shows_no_key(answer, outcome):
    with pytest.raises(EngineError) as caught:
        await heard(Server(answer()))
    assert (caught.value.outcome, caught.value.service) == (outcome, "stt")
    assert "OpenAI" in str(caught.value) and "sk-secret" not in str(caught.value)
    assert isinstance(caught.value, EngineBusy) is (outcome is Outcome.BUSY)


async def test_nobody_chooses_its_model():
    server = Server(JSONResponse(WORDS))
    for asked in (heard(server, chosen="whisper-tiny"), spoken(server, chosen="piper-joe")):
        with pytest.raises(EngineError, match="OpenAI lets nobody choose a model") as caught:
            await asked
        assert caught.value.blames_input
    assert not server.forms


async def test_it_speaks_piece_by_piece_with_its_own_voice():
    second_at_24k = wav_file(rate=24000)[44:]
    pieces = [second_at_24k[:1001], second_at_24k[1001:30000], second_at_24k[30000:]]

    async def body():
        for piece in pieces:
            yield piece
            await asyncio.sleep(0.05)

    server = Server(StreamingResponse(body(), media_type="audio/pcm"))
    chunks = await spoken(server, speed=9.0)
    assert len(chunks) >= 3
    pcm = b"".join(chunk.pcm for chunk in chunks)
    assert len(pcm) / 2 == pytest.approx(8000, abs=80)
    assert np.abs(audio.to_float(pcm)).max() == pytest.approx(0.25, abs=0.02)
    assert {chunk.engine for chunk in chunks} == {"OpenAI tts-1"}
    assert server.forms == [
        {"model": "tts-1", "input": "Good morning.", "voice": "alloy", "response_format": "pcm", "speed": 4.0}
    ]


async def test_a_text_that_is_longer_than_the_server_takes_is_sent_sentence_after_sentence():
    text = " ".join(f"This is sentence number {number} of a long story." for number in range(100))
    server = Server(Response(wav_file(rate=24000)[44:], media_type="audio/pcm"))
    chunks = await spoken(server, text, rate=24000)
    first, second = (form["input"] for form in server.forms)
    assert f"{first} {second}" == text
    assert first.endswith(".") and 3900 < len(first) <= 4096
    assert sum(len(chunk.pcm) for chunk in chunks) == 2 * 2 * 24000
    times = [chunk.timing.compute_seconds for chunk in chunks]
    assert times == sorted(times)


async def test_a_server_that_knows_only_wav_is_understood():
    answer = Response(wav_file(rate=22050, channels=2), media_type="audio/wav")
    (chunk,) = await spoken(Server(answer))
    assert len(chunk.pcm) / 2 == pytest.approx(8000, abs=8)


@pytest.mark.parametrize("format", ["MP3", "FLAC", "OGG"])
async def test_a_server_that_sends_a_file_of_another_format_is_understood_and_no_noise(format):
    pcm, rate = audio.read_wav(wav_file(rate=24000))
    file = io.BytesIO()
    soundfile.write(file, np.frombuffer(pcm, "<i2"), rate, format=format)
    body = [file.getvalue()[:2], file.getvalue()[2:]]
    chunks = await spoken(Server(StreamingResponse(iter(body), media_type="audio/pcm")))
    sound = audio.to_float(b"".join(chunk.pcm for chunk in chunks))
    assert len(sound) == pytest.approx(8000, abs=800)
    assert np.abs(sound).max() == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("first", [b"\xff", b"\xff\xff\xff\xff", b"\xff\xfb\x90\x00"])
async def test_pcm_may_begin_like_the_frame_of_an_mp3(first):
    body = first + bytes(4799 * 2)
    chunks = await spoken(Server(Response(body[: len(body) & ~1], media_type="audio/pcm")), rate=24000)
    assert b"".join(chunk.pcm for chunk in chunks) == body[: len(body) & ~1]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (lambda: JSONResponse({"error": {"message": "because"}}, 401), Outcome.REFUSED_TOKEN),
        (lambda: JSONResponse({"error": {"message": "because"}}, 400), Outcome.REFUSED),
        (lambda: Response(b"\x1aE\xdf\xa3" + bytes(500), media_type="audio/webm"), Outcome.WRONG_SOUND),
        (lambda: HTMLResponse("<h1>because</h1>"), Outcome.HTML_PAGE),
        (lambda: JSONResponse({"audio": "because"}), Outcome.WRONG_SOUND),
        (lambda: Response(wav_file(rate=16000)[:9000], media_type="audio/wav"), Outcome.CUT_SHORT),
        (lambda: Response(b"RIFF\0\0\0\0WAVEfmt nonsense", media_type="audio/wav"), Outcome.CUT_SHORT),
        (lambda: Response(wav_file(rate=96000), media_type="audio/wav"), Outcome.WRONG_SOUND),
    ],
)
async def test_what_is_no_sound_has_an_outcome(answer, outcome):
    with pytest.raises(EngineError, match="OpenAI") as caught:
        await spoken(Server(answer()))
    assert (caught.value.outcome, caught.value.service) == (outcome, "tts")


async def test_no_words_are_not_sent_anywhere():
    server = Server(Response(b""))
    assert await spoken(server, "  ") == []
    assert server.forms == []
