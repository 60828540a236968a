"""The embedded models behind the service: what a call asks of them, and a worker lost on the way."""

import asyncio
import os
import signal
from contextlib import aclosing

import httpx
import pytest

from mlservices import audio
from mlservices.clients.service import ServiceClient
from mlservices.types import ChatMessage
from tests.mlservices.conftest import wait_until_healthy

pytestmark = pytest.mark.models


@pytest.fixture
async def client(real_service):
    client = ServiceClient(real_service)
    yield client
    await client.close()


async def test_what_it_says_it_hears(client):
    text = "Good morning, this is the front desk. How can I help you today?"
    chunks, times = [], []
    async with aclosing(client.speak(text, rate=8000)) as pieces:
        async for chunk in pieces:
            chunks.append(chunk)
            times.append(chunk.timing.compute_seconds)
    assert len(chunks) > 2
    assert times[0] < times[-1] / 2  # the first sound came before most of the work was done
    pcm = b"".join(chunk.pcm for chunk in chunks)
    by_telephone = audio.ulaw_decode(audio.ulaw_encode(pcm))
    transcript = await client.transcribe(by_telephone, rate=8000)
    assert "help you today" in transcript.text.lower()
    assert transcript.timing.compute_seconds > 0


async def test_the_space_api_takes_its_own_speech(real_service):
    async with httpx.AsyncClient(base_url=real_service, timeout=30) as http:
        spoken = (await http.post("/api/tts", json={"text": "Please call me tomorrow morning."})).json()
        heard = (await http.post("/api/stt", json={"audio_base64": spoken["audio_base64"]})).json()
        voiced = (await http.post("/api/vad", json={"audio_base64": spoken["audio_base64"]})).json()
    assert "tomorrow" in heard["text"].lower()
    assert heard["duration"] == pytest.approx(spoken["duration"], abs=0.05)
    assert voiced["segments"]
    assert voiced["segments"][-1]["end"] <= spoken["duration"] + 0.05


async def test_the_language_model_streams(client):
    messages = [ChatMessage("system", "You are Mia, a receptionist."), ChatMessage("user", "Who are you?")]
    deltas = [delta async for delta in client.reply(messages, max_tokens=16, temperature=0.0)]
    assert len(deltas) > 4
    assert deltas[0].timing.compute_seconds < deltas[-1].timing.compute_seconds


async def test_meaning_and_turns_are_judged(client, speech):
    pcm, rate = speech
    near, far = await client.embed(["when are you open", "the cat sat there"])
    (question,) = await client.embed(["what are your opening hours"])
    assert question @ near > question @ far
    assert 0 <= (await client.judge(pcm, rate=rate)).completeness <= 1


async def test_a_voice_killed_before_its_first_sound_speaks_all_the_same(client, real_service):
    async def pid():
        return (await client.health())["pools"]["tts"]["workers"][0]["pid"]

    killed = await pid()
    speaking = asyncio.create_task(collect(client, "Hello there, how are you today? " * 3))
    await asyncio.sleep(0.02)
    os.kill(killed, signal.SIGKILL)
    assert len(await speaking) > 8000
    assert await pid() != killed
    wait_until_healthy(real_service)


async def collect(client, text):
    async with aclosing(client.speak(text, rate=8000)) as chunks:
        return b"".join([chunk.pcm async for chunk in chunks])


async def test_a_sentence_given_up_in_the_middle_frees_the_voice(client):
    minutes = "This sentence goes on and on, and nobody wants to hear it to its very end. " * 60
    chunks = client.speak(minutes, rate=8000)
    await anext(chunks)
    await chunks.aclose()
    async with asyncio.timeout(15):  # the one voice there is would have spoken the rest for far longer
        assert await collect(client, "Hello.")


async def test_callers_at_once_are_all_served(client, speech):
    pcm, rate = speech
    heard = await asyncio.gather(*(client.transcribe(pcm, rate=rate) for _ in range(4)))
    assert len({transcript.text for transcript in heard}) == 1
    waited = max(transcript.timing.queue_seconds for transcript in heard)
    worked = min(transcript.timing.compute_seconds for transcript in heard)
    assert waited > worked  # one worker hears them one after another, and says so
