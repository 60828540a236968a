"""The embedded models behind the API: what it speaks in MP3, it hears, and hears while it is spoken."""

import asyncio
import json
import time

import httpx
import pytest

from mlservices import audio
from tests.mlservices.api.conftest import bearer
from tests.mlservices.api.test_socket import conversation

pytestmark = pytest.mark.models

TEXT = "Good morning, this is the front desk. How can I help you today?"


def test_what_it_speaks_in_mp3_it_hears(real_site, new_key):
    with httpx.Client(base_url=real_site, headers=bearer(new_key()), timeout=60) as api:
        body = {"text": TEXT, "format": "mp3", "stream": True, "model": "piper-joe"}
        with api.stream("POST", "/api/tts", json=body) as answer:
            pieces = [(time.monotonic(), piece) for piece in answer.iter_raw()]
        file = b"".join(piece for _, piece in pieces)
        assert pieces[0][0] < pieces[-1][0]
        heard = api.post("/api/stt", files={"audio": file}, data={"language": "en"}).json()
        (voiced, *_) = api.post("/api/vad", files={"audio": file}).json()["segments"]
    assert "help you today" in heard["text"].lower()
    assert 2 < heard["duration"] < 8
    assert 0 <= voiced["start"] < voiced["end"] <= heard["duration"]


async def test_words_are_told_while_they_are_spoken(real_site, new_key):
    key = await asyncio.to_thread(new_key)
    async with httpx.AsyncClient(base_url=real_site, headers=bearer(key), timeout=60) as api:
        spoken = await api.post("/api/tts", json={"text": TEXT, "format": "flac"})
    pcm = audio.resample(*audio.read_wav(spoken.content), 16000) + bytes(32000)
    told = await conversation(real_site, key, pcm, pace_seconds=0.02)
    partials = [message["text"] for message in told if message["type"] == "partial"]
    finals = [message for message in told if message["type"] == "final"]
    assert any("morning" in text.lower() for text in partials), json.dumps(told)
    assert "help you today" in finals[-1]["text"].lower()
    assert told.index(finals[-1]) > 0
