"""Speech over HTTP: the site really served, before a service of stand-ins."""

import asyncio
import base64
import sys
import threading
import time

import httpx
import pytest
from starlette.responses import JSONResponse

from mlservices import audio, registry
from mlservices.api import bodies, streams
from mlservices.api.sound import TYPES, whole_file
from mlservices.clients.metered import MeteredSpeechToText, MeteredTextToSpeech
from mlservices.clients.service import ServiceClient
from mlservices.errors import EngineError
from mlservices.types import ChatMessage
from tests.mlservices import stand_ins
from tests.mlservices.api.conftest import bearer

SPOKEN_SECONDS = stand_ins.PIECES * 0.1
PADDING_SECONDS = 0.15  # of MP3: its encoder begins with silence, and ends with a whole frame
SECOND = b"\x10\x00" * 16000


def lasts(file: bytes) -> float:
    pcm, rate = audio.read_wav(file)
    return len(pcm) / 2 / rate


@pytest.mark.parametrize("format", TYPES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_text_comes_back_as_a_file_of_the_format_asked_for(api, format, stream):
    with api.stream("POST", "/api/tts", json={"text": "hello", "format": format, "stream": stream}) as answer:
        file = answer.read()
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[format])
    assert ("content-length" in answer.headers) is not stream
    assert lasts(file) == pytest.approx(SPOKEN_SECONDS, abs=PADDING_SECONDS if format == "mp3" else 0.01)
    assert max(audio.to_float(audio.read_wav(file)[0])) == pytest.approx(0.25, abs=0.05)


def test_what_is_streamed_comes_while_it_is_made(api):
    for format in ("wav", "flac", "mp3"):
        with api.stream(
            "POST", "/api/tts", json={"text": "slow", "format": format, "stream": True}
        ) as answer:
            came = [time.monotonic() for _ in answer.iter_raw()]
        assert came[-1] - came[0] > 0.25, format  # of the five pieces, a tenth of a second each


@pytest.mark.parametrize("stream", [True, False])
def test_whoever_hangs_up_frees_the_voice(api, stream):
    body = {"text": "endless", "model": "stand-in-tts", "stream": stream}
    if stream:
        with api.stream("POST", "/api/tts", json=body) as answer:
            next(answer.iter_raw())
    else:
        with pytest.raises(httpx.ReadTimeout):
            api.post("/api/tts", json=body, timeout=0.3)
    started = time.monotonic()
    assert api.post("/api/tts", json={"text": "hello"}).status_code == 200
    assert time.monotonic() - started < 15  # it would have spoken for a minute


async def test_what_nobody_takes_is_not_made_for_ever(monkeypatch):
    monkeypatch.setattr(streams, "_TAKEN_WITHIN_SECONDS", 0.05)
    closed = asyncio.Event()

    async def endless():
        try:
            while True:
                yield b"sound"
        finally:
            closed.set()

    stream = streams.Stream(endless())
    assert await stream.begin()
    await asyncio.wait_for(closed.wait(), 5)
    with pytest.raises(EngineError, match="not taken"):
        async for _piece in stream:
            pass


def test_a_voice_that_breaks_in_the_middle_ends_the_answer_early(api):
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/api/tts", json={"text": "break", "stream": True})
    assert wait_for_voice(api).status_code == 200


def wait_for_voice(api):
    end = time.monotonic() + 20
    while (answer := api.post("/api/tts", json={"text": "hello"})).status_code == 503:
        assert time.monotonic() < end, answer.text
        time.sleep(0.1)
    return answer


def test_the_plain_form_answers_as_a_space_does(api):
    spoken = api.post("/api/tts", json={"text": "hello", "voice": "default", "speed": 1.0}).json()
    assert spoken["duration"] == pytest.approx(SPOKEN_SECONDS, abs=0.01)
    assert lasts(base64.b64decode(spoken["audio_base64"])) == pytest.approx(SPOKEN_SECONDS, abs=0.01)
    heard = api.post("/api/stt", json={"audio_base64": base64.b64encode(SECOND).decode()}).json()
    assert (heard["text"], heard["duration"]) == ("1.0 seconds", 1.0)
    assert heard["segments"] == [{"start": 0.0, "end": 1.0, "text": "1.0 seconds", "confidence": 0.9}]
    loud = (b"\x00\x40" + b"\x00\xc0") * 8000
    encoded = base64.b64encode(bytes(16000) + loud + bytes(16000)).decode()
    (voiced,) = api.post("/api/vad", json={"audio_base64": encoded}).json()["segments"]
    assert voiced["start"] == pytest.approx(0.5, abs=0.2)
    assert voiced["end"] == pytest.approx(1.5, abs=0.2)


def test_recordings_of_all_formats_are_heard(api):
    for format in TYPES:
        files = {"audio": ("it", whole_file(SECOND, 16000, format))}
        answer = api.post("/api/stt", files=files, data={"language": "en", "format": format}).json()
        assert answer["duration"] == pytest.approx(1.0, abs=PADDING_SECONDS), format
    told = {"format": "pcm", "rate": "8000"}
    answer = api.post("/api/stt", files={"audio": ("it", SECOND)}, data=told).json()
    assert (answer["duration"], answer["engine"]) == (2.0, "stand-in")
    answer = api.post("/api/vad", files={"audio": ("it", SECOND)}, data={"format": "pcm"})
    assert answer.json() == {"segments": []}


FIELD = b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
FILE_HEAD = b'--xyz\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'


def broken_form(body, boundary="xyz"):
    return {"content": body, "headers": {"content-type": f"multipart/form-data; boundary={boundary}"}}


REFUSALS = {
    "no text": ("tts", {"json": {}}, 400, "text"),
    "no words": ("tts", {"json": {"text": "  \n"}}, 400, "text"),
    "long text": ("tts", {"json": {"text": "a" * 5001}}, 400, "text"),
    "fast": ("tts", {"json": {"text": "a", "speed": 2.5}}, 400, "speed"),
    "unknown format": ("tts", {"json": {"text": "a", "format": "aiff"}}, 400, "format"),
    "unknown voice": ("tts", {"json": {"text": "a", "voice": "nobody"}}, 400, "voice"),
    "unknown model": ("tts", {"json": {"text": "a", "model": "nothing"}}, 400, "model"),
    "unknown model to stream": ("tts", {"json": {"text": "a", "model": "x", "stream": True}}, 400, "model"),
    "refused by the engine": ("tts", {"json": {"text": "refuse", "stream": True}}, 422, None),
    "no deadline kept": ("tts", {"json": {"text": "hang"}}, 504, None),
    "form to tts": ("tts", {"data": {"text": "a"}}, 415, None),
    "no JSON": ("tts", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, "body"),
    "a list": ("tts", {"json": []}, 400, "body"),
    "text to stt": ("stt", {"content": b"a", "headers": {"content-type": "text/plain"}}, 415, None),
    "no file": ("stt", {"data": {"a": "b"}, "files": {"other": b"a"}}, 400, "audio"),
    "empty": ("stt", {"files": {"audio": ("it", b"")}}, 400, "audio"),
    "no sound": ("stt", {"files": {"audio": b"<html>"}}, 400, "audio"),
    "half a sample": ("vad", {"files": {"audio": b"abc"}, "data": {"format": "pcm"}}, 400, "audio"),
    "unknown language": ("stt", {"files": {"audio": b"a"}, "data": {"language": "?"}}, 400, "language"),
    "threshold": ("vad", {"json": {"audio_base64": "", "threshold": 7}}, 400, "threshold"),
    "no base64": ("vad", {"json": {"audio_base64": "%%"}}, 400, "audio_base64"),
    "no audio_base64": ("vad", {"json": {}}, 400, "audio_base64"),
    "half a form": ("stt", broken_form(FILE_HEAD + b"RIFF"), 400, "audio"),
    "no form": ("stt", broken_form(b"abc", boundary=""), 400, "body"),
    "too many fields": ("stt", broken_form(FIELD * 3000 + b"--xyz--\r\n"), 400, "body"),
    "too many files": ("stt", broken_form((FILE_HEAD + b"a\r\n") * 200 + b"--xyz--\r\n"), 400, "body"),
    "a field as large as a file": (
        "stt",
        broken_form(FIELD[:-3] + bytes(3_000_000) + b"\r\n--xyz--\r\n"),
        413,
        "body",
    ),
    "no session": ("vllm/chat", {"json": {"message": "hello"}}, 400, "session_id"),
    "mode": ("vllm/chat", {"json": {"message": "a", "session_id": "b", "mode": "weird"}}, 400, "mode"),
    "chat model": ("vllm/chat", {"json": {"message": "a", "session_id": "b", "model": "c"}}, 400, "model"),
}


def test_what_cannot_be_served_is_refused_with_a_reason(api):
    for name, (path, request, status, field) in REFUSALS.items():
        answer = api.post(f"/api/{path}", **request)
        assert answer.status_code == status, (name, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.json()["detail"], name
        assert "Value error" not in answer.text, "the words of a library"
        assert set(answer.json().get("fields", {})) == ({field} if field else set()), (name, answer.text)
    assert wait_for_voice(api).status_code == 200


def test_what_is_too_long_or_too_large_is_refused_before_it_is_served(api, monkeypatch):
    monkeypatch.setattr(bodies, "LONGEST_SECONDS", 1.5)
    assert api.post("/api/stt", files={"audio": whole_file(SECOND, 16000, "flac")}).status_code == 200
    longer = api.post("/api/stt", files={"audio": whole_file(SECOND * 2, 16000, "flac")})
    raw = api.post("/api/vad", files={"audio": SECOND * 2}, data={"format": "pcm"})
    assert (longer.status_code, raw.status_code) == (413, 413)
    assert longer.json()["detail"] == "The sound is longer than 0.025 minutes."
    monkeypatch.setattr(bodies, "LARGEST_SOUND", 1000)
    assert api.post("/api/stt", files={"audio": bytes(2000)}).status_code == 413
    assert api.post("/api/stt", json={"audio_base64": "A" * 2000}).status_code == 413


async def test_a_body_that_is_too_large_is_not_read_to_its_end():
    sent, taken = [], 0

    async def app(scope, receive, send):
        while (await receive())["more_body"]:
            pass
        raise AssertionError("It was read to its end.")

    async def receive():
        nonlocal taken
        taken += 2**20
        return {"type": "http.request", "body": bytes(2**20), "more_body": taken < 100 * 2**20}

    async def send(message):
        sent.append(message)

    for type, megabytes in ((b"multipart/form-data; boundary=x", 26), (b"application/json", 34)):
        taken, sent[:] = 0, []
        scope = {"type": "http", "path": "/api/stt", "headers": [(b"content-type", type)]}
        await bodies.Bodies(app, lambda why: JSONResponse({}, 413))(scope, receive, send)
        assert sent[0]["status"] == 413
        assert taken == megabytes * 2**20
        told = [*scope["headers"], (b"content-length", b"99000000")]
        taken, sent[:] = 0, []
        await bodies.Bodies(app, lambda why: JSONResponse({}, 413))({**scope, "headers": told}, receive, send)
        assert (sent[0]["status"], taken) == (413, 0)


def test_a_service_that_is_away_is_worth_another_try(api, settings):
    settings.ML_PORT = 9  # nobody listens there
    for answer in (
        api.post("/api/tts", json={"text": "hello"}),
        api.post("/api/tts", json={"text": "hello", "stream": True}),
        api.post("/api/stt", files={"audio": whole_file(SECOND, 16000, "wav")}),
        api.post("/api/vllm/chat", json={"session_id": "a", "message": "b"}),
        api.get("/api/models"),
        api.get("/api/ready"),
    ):
        told = answer.json()
        assert (answer.status_code, told["permanent"]) == (503, False), answer.url
        assert answer.headers["retry-after"] == str(told["retry_after"])
        assert told["service"] in ("tts", "stt", "llm", "ml")
    assert api.get("/api/live").status_code == 200


def asked_of_all(api):
    """(who answered, whether they stood in) as each answer tells it."""
    say = {"text": "good day"}
    chat = {"session_id": "who", "message": "good day"}
    bodies = [
        api.post("/api/tts", json=say),
        api.post("/api/stt", json={"audio_base64": base64.b64encode(SECOND).decode()}),
        api.post("/api/vllm/chat", json=chat),
    ]
    sounds = [
        api.post("/api/tts", json=say | {"format": "mp3"}),
        api.post("/api/tts", json=say | {"format": "mp3", "stream": True}),
    ]
    return [(answer.json()["engine"], answer.json()["degraded"]) for answer in bodies] + [
        (answer.headers["X-Engine"], answer.headers["X-Degraded"]) for answer in sounds
    ]


def test_every_answer_tells_who_gave_it_and_whether_in_anothers_stead(api, settings):
    speech, hearing, mind = "stand-in-tts", "stand-in", "stand-in-llm"
    told = [(speech, False), (hearing, False), (mind, False), (speech, "false"), (speech, "false")]
    assert asked_of_all(api) == told
    settings.HF_ML_API_URL = "http://127.0.0.1:9"
    settings.ML_FALLBACK = ["space", "local"]
    told = [(speech, True), (hearing, True), (mind, True), (speech, "true"), (speech, "true")]
    assert asked_of_all(api) == told


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "application/json"),
        ({"voice": "default", "speed": 1.0}, "application/json"),
        ({"model": ""}, "audio/wav"),
        ({"format": "wav"}, "audio/wav"),
        ({"stream": False}, "audio/wav"),
    ],
)
def test_only_who_asks_as_a_space_is_asked_gets_json(api, more, kind):
    answer = api.post("/api/tts", json={"text": "hello"} | more)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


async def test_one_voiceforge_can_be_anothers_space(site, new_key):
    client = ServiceClient(site, token=await asyncio.to_thread(new_key))
    assert (await client.health())["status"] == "healthy"
    assert set((await client.models())["available_models"]) >= {"tts", "stt", "vad", "vllm"}
    chunks = [chunk async for chunk in client.speak("hello", rate=8000)]
    assert sum(len(chunk.pcm) for chunk in chunks) == pytest.approx(SPOKEN_SECONDS * 16000, abs=20)
    assert (await client.transcribe(SECOND, rate=16000)).text == "1.0 seconds"
    assert await client.detect(SECOND, rate=16000) == ()
    replied = [delta.text async for delta in client.reply([ChatMessage("user", "good day")])]
    assert "".join(replied) == "[1] good day"
    with pytest.raises(EngineError, match="choose a model") as caught:
        await client.transcribe(SECOND, rate=16000, model="stand-in-stt")
    assert caught.value.permanent
    assert "voiceforge_ml_requests" in await client.metrics()
    await client.close()
    stranger = ServiceClient(site, token="vf_sk_" + "0" * 32)
    with pytest.raises(EngineError, match="not known") as caught:
        await stranger.transcribe(SECOND, rate=16000)
    assert caught.value.permanent
    await stranger.close()


def test_what_a_key_asks_for_is_noted_as_its_own(site, new_key, monkeypatch):
    noted = []
    hears = MeteredSpeechToText(registry.own_service(), "ours", noted.append)
    speaks = MeteredTextToSpeech(registry.own_service(), "ours", noted.append)
    monkeypatch.setattr(registry, "speech_to_text", lambda: hears)
    monkeypatch.setattr(registry, "text_to_speech", lambda: speaks)
    key = new_key()
    with httpx.Client(base_url=site, headers=bearer(key), timeout=20) as api:
        api.post("/api/stt", files={"audio": whole_file(SECOND, 16000, "wav")}).raise_for_status()
        api.post("/api/tts", json={"text": "hello"}).raise_for_status()
        api.post("/api/tts", json={"text": "hello", "stream": True}).raise_for_status()
    assert [(each.service, each.asker.key, each.outcome) for each in noted] == [
        ("stt", key[:14], "served"),
        ("tts", key[:14], "served"),
        ("tts", key[:14], "served"),
    ]


def test_no_thread_waits_for_an_engine_or_a_server_that_stops_would_wait_for_it(api):
    asking = threading.Thread(target=lambda: give_up(api, seconds=1.0))
    asking.start()
    time.sleep(0.5)
    waiting = [name for frame in sys._current_frames().values() for name in names_of(frame)]
    asking.join()
    assert "give_up" in waiting  # it was under way
    assert "run_until_future" not in waiting


def give_up(api, seconds):
    with pytest.raises(httpx.ReadTimeout):
        api.post("/api/tts", json={"text": "endless"}, timeout=seconds)


def names_of(frame):
    while frame:
        yield frame.f_code.co_name
        frame = frame.f_back


def test_what_was_streamed_is_not_made_twice_for_one_idempotency_key(api):
    body = {"text": "hello", "stream": True}
    with api.stream("POST", "/api/tts", json=body, headers={"Idempotency-Key": "first"}) as answer:
        assert (answer.status_code, lasts(answer.read()) > 0) == (200, True)
    again = api.post("/api/tts", json=body, headers={"Idempotency-Key": "first"})
    assert (again.status_code, "not kept" in again.json()["detail"]) == (409, True)
