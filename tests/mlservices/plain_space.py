"""A Space that answers as the original did, and wakes up slowly; and what is asked of it."""

import base64
from contextlib import aclosing

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from mlservices import audio
from mlservices.clients.service import ServiceClient
from tests.mlservices.conftest import serving

SECOND = b"\x10\x00" * 16000


class PlainSpace:
    """The original Space: no streams, no embeddings; sleeps until it has been asked `naps` times."""

    def __init__(self, naps=0, asleep=None):
        self.asked, self.naps = [], naps
        self.asleep = asleep or (lambda: JSONResponse({"error": "waking"}, status_code=503))
        self.wav = audio.wav_bytes(SECOND, 16000)

    def app(self):
        return Starlette(
            routes=[
                Route("/api/tts", self.tts, methods=["POST"]),
                Route("/api/stt", self.stt, methods=["POST"]),
                Route("/api/vllm/chat", self.chat, methods=["POST"]),
                Route("/api/health", lambda request: HTMLResponse("<html>Building</html>")),
            ]
        )

    async def answer(self, request, answer):
        self.asked.append(await request.json())
        if self.naps:
            self.naps -= 1
            return self.asleep()
        return JSONResponse(answer)

    async def tts(self, request):
        return await self.answer(
            request, {"audio_base64": base64.b64encode(self.wav).decode(), "duration": 1}
        )

    async def stt(self, request):
        return await self.answer(
            request, {"text": " hello ", "language": "en", "confidence": 0.5, "duration": 1}
        )

    async def chat(self, request):
        return await self.answer(request, {"response": "good day", "session_id": "x"})


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return self.seconds

    async def sleep(self, seconds):
        self.seconds += seconds


async def spoken(client, text, rate=16000):
    async with aclosing(client.speak(text, rate=rate)) as chunks:
        return [chunk async for chunk in chunks]


async def asked_of(plain, ask):
    with serving(plain.app()) as url:
        client = ServiceClient(url)
        try:
            return await ask(client)
        finally:
            await client.close()


ASLEEP = pytest.mark.parametrize(
    "asleep",
    [
        lambda: JSONResponse({"error": "waking"}, status_code=503),
        lambda: HTMLResponse("<html>Gateway</html>", status_code=504),
        lambda: JSONResponse({"detail": "Model not loaded"}, status_code=500),
    ],
    ids=["503", "504", "not loaded"],
)
