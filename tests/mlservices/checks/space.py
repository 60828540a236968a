"""A Space as it may be met: the original's plain API, and whatever is wrong with it."""

from __future__ import annotations

import base64

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from mlservices.checks import sample


class SpaceStandIn:
    """`answers` replaces what a path answers by a Response."""

    def __init__(self) -> None:
        self.answers: dict[str, Response] = {}
        self.tokens: set[str] = set()
        self.models = {"mms-tts": "loaded", "whisper-tiny": "loaded"}
        self.takes_raw = True

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(path, self._handler(path, answer), methods=["GET", "POST"])
                for path, answer in {
                    "/api/health": self._health,
                    "/api/models": self._models,
                    "/api/tts": self._tts,
                    "/api/stt": self._stt,
                    "/api/vad": self._vad,
                }.items()
            ]
        )

    def _handler(self, path, answer):
        async def handle(request):
            self.tokens.add(request.headers.get("authorization", ""))
            if path in self.answers:
                return self.answers[path]
            body = await request.json() if request.method == "POST" else {}
            sound = base64.b64decode(body.get("audio_base64", ""))
            if sound and not sound.startswith(b"RIFF") and not self.takes_raw:
                return JSONResponse({"error": "audio_base64: not a WAV"}, status_code=400)
            return JSONResponse(answer(), headers={"Server": "space"})

        return handle

    def _health(self):
        return {"status": "healthy", "timestamp": "", "models": self.models}

    def _models(self):
        entry = {"name": "x", "type": "x", "status": "loaded"}
        return {"available_models": {"tts": entry, "stt": entry, "vad": entry}}

    def _tts(self):
        return {"audio_base64": sample.wav_base64(), "duration": 1.5}

    def _stt(self):
        return {"text": "hello can you hear me", "language": "en", "confidence": 0.9, "duration": 1.5}

    def _vad(self):
        return {"segments": [{"start": 0.1, "end": 1.4, "confidence": 0.9}]}


PATHS = ("/api/health", "/api/models", "/api/tts", "/api/stt", "/api/vad")
ASLEEP = HTMLResponse("<html>Your Space is waking up</html>", status_code=503)
PAGE = HTMLResponse("<html>Building</html>")
