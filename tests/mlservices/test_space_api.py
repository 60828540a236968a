"""The service's HTTP face: what it takes, what it answers, what it refuses."""

import asyncio
import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from mlservices import audio
from mlservices.engines.vad.segments import speech_segments
from mlservices.service import forms
from mlservices.service.app import create_app
from mlservices.wire import PCM_TYPE, Unpacker
from tests.mlservices import stand_ins
from tests.mlservices.conftest import serving, stand_in_plans, wait_until_healthy
from tests.mlservices.hostile_sounds import hostile_sounds

SECOND = b"\x10\x00" * 16000


@pytest.fixture
def space(stand_in_service):
    with httpx.Client(base_url=stand_in_service, timeout=10) as client:
        yield client


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def frames(response):
    return Unpacker().feed(response.content)


def test_health_names_every_model_and_its_state(space):
    health = space.get("/api/health").json()
    assert health["status"] == "healthy"
    assert set(health["models"].values()) == {"loaded"}
    assert "stand-in-tts" in health["models"]
    assert health["timestamp"].startswith("20")
    assert health["problems"] == []
    assert health["pools"]["tts"]["workers"][0]["state"] == "ready"


def test_models_lists_the_four_keys_of_a_space(space):
    models = space.get("/api/models").json()["available_models"]
    assert {"tts", "stt", "vad", "vllm"} <= set(models)
    assert {"name", "type", "status"} <= set(models["tts"])


async def test_sound_is_written_as_json_in_pieces_that_fit_together():
    pcm = bytes(range(250)) * 4000
    told = json.loads(await forms.json_of_sound(pcm, 16000, {"duration": 31.25}))
    assert told["duration"] == 31.25
    assert base64.b64decode(told["audio_base64"], validate=True) == audio.wav_bytes(pcm, 16000)


@pytest.mark.parametrize("body", [b"{", b"", b'{"audio_base64": "\xff"}', b'{"audio_base64": "\\ud800"}'])
def test_a_body_that_is_no_json_is_refused(space, body):
    refused = space.post("/api/stt", content=body, headers={"content-type": "application/json"})
    assert refused.status_code == 400
    assert refused.json()["error"] == "The request is not valid."


def test_tts_answers_a_wav_and_its_length(space):
    answer = space.post("/api/tts", json={"text": "Hello there."}).json()
    pcm, rate = audio.read_wav(base64.b64decode(answer["audio_base64"]))
    assert rate == 16000
    assert answer["duration"] == pytest.approx(len(pcm) / 2 / rate) == pytest.approx(0.5)
    assert answer["queue_seconds"] >= 0 < answer["compute_seconds"]


@pytest.mark.parametrize(
    "sound",
    [SECOND, audio.wav_bytes(SECOND, 16000), audio.wav_bytes(SECOND[: 2 * 8000], 8000)],
    ids=["pcm", "wav", "8k"],
)
def test_stt_takes_raw_pcm_and_a_wav_of_any_rate(space, sound):
    answer = space.post("/api/stt", json={"audio_base64": encoded(sound)}).json()
    assert answer["text"] == "1.0 seconds"
    assert answer["language"] == "en"
    assert 0 <= answer["confidence"] <= 1
    assert answer["duration"] == pytest.approx(1.0)
    assert answer["segments"] == [{"start": 0.0, "end": 1.0, "text": "1.0 seconds", "confidence": 0.9}]


async def test_sound_is_decoded_once_and_off_the_event_loop(monkeypatch):
    threads, read_wav = [], audio.read_wav
    monkeypatch.setattr(
        audio, "read_wav", lambda *file: (threads.append(threading.current_thread()), read_wav(*file))[1]
    )
    app = create_app(stand_in_plans(), Path("nowhere"))  # its pools are never started
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        body = {"audio_base64": encoded(audio.wav_bytes(SECOND, 8000))}
        assert (await client.post("/api/stt", json=body)).status_code == 503
    (thread,) = threads
    assert thread is not threading.current_thread()


def test_long_recordings_are_heard_in_windows(space):
    answer = space.post("/api/stt", json={"audio_base64": encoded(SECOND * 65)}).json()
    assert answer["duration"] == pytest.approx(65.0)
    ends = [segment["end"] for segment in answer["segments"]]
    assert len(ends) == 3
    assert ends[-1] == pytest.approx(65.0)
    assert [segment["start"] for segment in answer["segments"]][1:] == pytest.approx(ends[:-1])


def test_vad_says_where_the_sound_is(space):
    quiet = b"\x00\x00" * 16000
    tone = (b"\x00\x30" * 8 + b"\x00\xd0" * 8) * 1000
    segments = space.post("/api/vad", json={"audio_base64": encoded(quiet + tone + quiet)}).json()["segments"]
    assert len(segments) == 1
    assert segments[0]["start"] == pytest.approx(1.0, abs=0.1)
    assert segments[0]["end"] == pytest.approx(2.0, abs=0.1)
    assert 0 < segments[0]["confidence"] <= 1


def test_chat_remembers_a_session_and_keeps_sessions_apart(space):
    def say(session, message):
        body = {"session_id": session, "message": message, "system_prompt": "Be brief."}
        return space.post("/api/vllm/chat", json=body).json()

    first, second, other = say("a", "one two"), say("a", "three"), say("b", "four")
    assert first["response"] == "[2] one two"  # the system prompt and the message
    assert second["response"] == "[4] three"  # and the two before
    assert other["response"] == "[2] four"
    assert first["session_id"] == "a"
    assert first["tokens"] == 3
    assert second["context_size"] == 4
    assert first["processing_time"] >= 0


def test_a_session_forgets_what_is_older_than_ten_messages(space):
    for number in range(9):
        body = {"session_id": "long", "message": str(number)}
        answer = space.post("/api/vllm/chat", json=body).json()
    assert answer["context_size"] == 11  # ten kept, and the new one


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/tts", {}, "text"),
        ("/api/tts", {"text": ""}, "text"),
        ("/api/tts", {"text": "x" * 5001}, "text"),
        ("/api/tts", {"text": "hi", "voice": "aditi"}, "voice"),
        ("/api/tts", {"text": "hi", "speed": 9}, "speed"),
        ("/api/tts", {"text": "hi", "speed": "fast"}, "speed"),
        ("/api/stt", {"audio_base64": "not base64!"}, "audio_base64"),
        ("/api/stt", {"audio_base64": encoded(b"odd")}, "audio_base64"),
        ("/api/stt", {"audio_base64": ""}, "audio_base64"),
        ("/api/stt", {"audio_base64": encoded(b"RIFFnonsense")}, "audio_base64"),
        ("/api/stt", {"audio_base64": encoded(audio.wav_bytes(SECOND, 1))}, "audio_base64"),
        ("/api/stt", {"audio_base64": "AAA=" * 2}, "audio_base64"),
        ("/api/vad", {"audio_base64": encoded(SECOND), "threshold": 2}, "threshold"),
        ("/api/vllm/chat", {"message": "hi"}, "session_id"),
        ("/api/vllm/chat", {"message": "hi", "session_id": "a", "mode": "weird"}, "mode"),
        ("/stream/tts", {"text": "hi", "rate": 1}, "rate"),
        ("/stream/tts", {"text": "hi", "rate": 8000, "voice": "aditi"}, "voice"),
        ("/stream/embed", {"texts": ["x" * 1000] * 301}, "texts"),
        ("/stream/chat", {"messages": [{"role": "user", "content": "x" * 10_000}] * 31}, "messages"),
        ("/stream/chat", {"messages": []}, "messages"),
        ("/stream/chat", {"messages": [{"role": "boss", "content": "x"}]}, "messages.0.role"),
    ],
)
def test_a_wrong_field_is_named_in_a_400(space, path, body, field):
    response = space.post(path, json=body)
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]
    assert "Value error" not in response.text


def test_a_voice_that_nobody_has_is_answered_with_those_that_there_are(space):
    response = space.post("/api/tts", json={"text": "hi", "voice": "aditi"})
    assert "default, stand-in-tts" in response.json()["fields"]["voice"]
    assert space.post("/api/tts", json={"text": "hi", "voice": "stand-in-tts"}).status_code == 200


def test_the_most_that_a_form_takes_reaches_a_worker(space):
    largest = "\U0001f4de" * 15_000  # twelve bytes each, on their way to the worker
    response = space.post("/stream/embed", json={"texts": [largest] * 20})
    assert response.status_code == 200
    assert frames(response)[0][0]["rows"] == 20
    messages = [{"role": "user", "content": largest}] * 19 + [{"role": "user", "content": "good day"}]
    response = space.post("/stream/chat", json={"messages": messages})
    assert "".join(head["text"] for head, _ in frames(response)[:-1]) == "[20] good day"


def test_a_body_that_is_no_json_is_a_400_too(space):
    response = space.post("/api/tts", content=b"{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert "fields" in response.json()


def test_errors_are_json_whatever_they_are(space):
    assert space.get("/nowhere").json() == {"error": "Not Found"}
    assert space.get("/api/tts").status_code == 405
    refused = space.post("/api/tts", json={"text": "refuse this"})
    assert refused.status_code == 422
    assert refused.json()["error"] == "it cannot say this"


def test_a_request_that_is_too_large_is_a_413(space):
    response = space.post("/stream/stt?rate=16000", content=b"x" * (41 * 2**20))
    assert response.status_code == 413
    assert "MB" in response.json()["error"]


def test_a_request_that_turns_out_too_large_is_a_413_too(space):
    for path in ("/api/stt", "/stream/stt?rate=16000"):
        content = (b"x" * 2**20 for _ in range(41))
        response = space.post(path, content=content, headers={"Content-Type": PCM_TYPE})
        assert response.status_code == 413
        assert "MB" in response.json()["error"]


def test_it_is_reached_by_every_name_of_this_machine(space):
    for host in ("localhost:8070", "127.0.0.1", "[::1]:8070"):
        assert space.get("/api/models", headers={"Host": host}).status_code == 200


def test_a_page_that_a_browser_was_lured_to_is_refused(space):
    assert space.get("/api/health", headers={"Host": "evil.example"}).status_code == 400
    response = space.post(
        "/api/tts", content=json.dumps({"text": "hi"}), headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 400


def test_the_api_documents_itself(space):
    assert "swagger" in space.get("/docs").text.lower()
    paths = space.get("/openapi.json").json()["paths"]
    assert {"/api/health", "/api/models", "/api/tts", "/api/stt", "/api/vad", "/api/vllm/chat"} <= set(paths)


def test_streamed_speech_comes_in_frames_with_their_timing(space):
    response = space.post("/stream/tts", json={"text": "hello", "rate": 8000})
    *pieces, (last, _) = frames(response)
    assert last == {"end": True}
    assert sum(len(pcm) for _, pcm in pieces) == stand_ins.PIECES * 800 * 2
    assert {"queue_seconds", "compute_seconds"} == set(pieces[0][0]["timing"])


def test_an_answer_that_breaks_in_the_middle_ends_with_its_error(space):
    response = space.post("/stream/tts", json={"text": "break", "rate": 16000})
    assert response.status_code == 200
    assert "in the middle of the answer" in frames(response)[-1][0]["error"]
    wait_until_healthy(str(space.base_url))


async def test_a_client_that_hangs_up_frees_the_worker(stand_in_service):
    async with httpx.AsyncClient(base_url=stand_in_service, timeout=20) as client:
        body = {"text": "endless", "rate": 16000}
        async with client.stream("POST", "/stream/tts", json=body) as response:
            await anext(response.aiter_raw())
        served = frames(await client.post("/stream/tts", json={"text": "hello", "rate": 16000}))
        assert served[-1][0] == {"end": True}


async def test_a_client_that_hangs_up_while_it_waits_leaves_the_queue(stand_in_service):
    async with httpx.AsyncClient(base_url=stand_in_service, timeout=10) as client:

        async def tts(queue, state):
            """Wait until the pool's report says this."""
            async with asyncio.timeout(10):
                while True:
                    report = (await client.get("/api/health")).json()["pools"]["tts"]
                    if (report["queue"], report["workers"][0]["state"]) == (queue, state):
                        return
                    await asyncio.sleep(0.02)

        speaking = asyncio.create_task(client.post("/api/tts", json={"text": "endless"}))
        await tts(0, "busy")
        waiting = asyncio.create_task(client.post("/api/tts", json={"text": "hello"}))
        await tts(1, "busy")
        waiting.cancel()
        await tts(0, "busy")
        assert not speaking.done()
        speaking.cancel()
        await asyncio.gather(speaking, waiting, return_exceptions=True)


async def test_a_full_queue_is_a_503_with_retry_after(tmp_path):
    with serving(create_app(stand_in_plans(queue_limit=1), tmp_path)) as url:
        wait_until_healthy(url)
        async with httpx.AsyncClient(base_url=url, timeout=10) as client:
            asked = [asyncio.create_task(client.post("/api/tts", json={"text": "slow"})) for _ in range(8)]
            responses = await asyncio.gather(*asked)
        assert {response.status_code for response in responses} == {200, 503}
        refused = next(response for response in responses if response.status_code == 503)
        assert int(refused.headers["Retry-After"]) == refused.json()["retry_after"] >= 1
        assert refused.json()["service"] == "tts"


def test_a_models_folder_that_cannot_be_written_is_named_in_health_at_start(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with serving(create_app(stand_in_plans(), blocked)) as url:
        problems = httpx.get(f"{url}/api/health").json()["problems"]
    assert str(blocked) in problems[0]
    assert "HF_HOME" in problems[0]


def test_what_is_switched_off_is_not_offered(tmp_path):
    only_vad = [plan for plan in stand_in_plans() if plan.model.pool == "vad"]
    forms = {
        "/api/tts": {"text": "hello"},
        "/api/stt": {"audio_base64": encoded(SECOND)},
        "/api/vllm/chat": {"session_id": "a", "message": "hello"},
        "/stream/tts": {"text": "hello", "rate": 8000},
        "/stream/chat": {"messages": [{"role": "user", "content": "hello"}]},
        "/stream/embed": {"texts": ["hello"]},
    }
    with serving(create_app(only_vad, tmp_path)) as url:
        assert set(httpx.get(f"{url}/api/models").json()["available_models"]) == {"vad", "turn"}
        answers = [httpx.post(f"{url}{path}", json=form) for path, form in forms.items()]
    assert [answer.status_code for answer in answers] == [404] * len(forms)
    assert "offers no tts" in answers[0].json()["error"]


@pytest.mark.parametrize("path", ["/stream/stt?rate=16000", "/stream/turn?rate=16000"])
def test_sound_is_only_taken_in_the_type_that_no_foreign_page_can_send(space, path):
    refused = space.post(path, content=bytes(3200), headers={"Content-Type": "text/plain"})
    assert refused.status_code == 415
    assert space.post(path, content=bytes(3200)).status_code == 415
    assert space.post(path, content=bytes(3200), headers={"Content-Type": PCM_TYPE}).status_code == 200


@pytest.mark.parametrize("path", ["/stream/stt?rate=16000", "/stream/turn?rate=16000"])
def test_no_sound_at_all_is_refused_in_words(space, path):
    refused = space.post(path, content=b"", headers={"Content-Type": PCM_TYPE})
    assert (refused.status_code, refused.json()["error"]) == (400, "The body is empty.")


@pytest.mark.parametrize("path", ["/api/stt", "/api/vad"])
def test_hostile_sounds_are_refused_by_their_field(space, path):
    for name, data in hostile_sounds().items():
        refused = space.post(path, json={"audio_base64": encoded(data)})
        assert (refused.status_code, set(refused.json()["fields"])) == (400, {"audio_base64"}), name
    assert space.post(path, json={"audio_base64": encoded(SECOND)}).status_code == 200


@pytest.mark.parametrize("sign", [b"ID3", b"fLaC", b"OggS", b"\x1aE\xdf\xa3"])
def test_sound_in_another_format_is_refused_and_not_taken_for_noise(space, sign):
    body = {"audio_base64": base64.b64encode(sign + bytes(1001 - len(sign))).decode()}
    refused = space.post("/api/stt", json=body)
    assert refused.status_code == 400
    assert "send a WAV" in refused.json()["fields"]["audio_base64"]


def test_two_messages_of_one_chat_at_once_are_both_remembered(space):
    """A stand-in's answer says how many messages it was shown."""

    def say(message):
        body = {"session_id": "both", "message": message}
        return space.post("/api/vllm/chat", json=body).json()["context_size"]

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(say, ["one", "two"]))
    assert say("three") == 5


@pytest.mark.parametrize("threshold", [0.05, 0.15, 0.5, 0.95])
def test_speech_between_silences_is_one_stretch_at_any_threshold(threshold):
    heard = [0.001] * 20 + [0.99] * 30 + [0.001] * 20
    (segment,) = speech_segments(heard, threshold)
    assert (segment.start, segment.end) == (pytest.approx(0.64), pytest.approx(1.6))
