"""An ML service that only speaks: it lists voices, and hums as long as a text takes to be said."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mlservices.wire import MEDIA_TYPE, pack

CHARACTERS_PER_SECOND = 40


@dataclass
class SpeechService:
    """`voices` maps ids to the state of the model behind each; `failure` is told in place of sound."""

    voices: dict[str, str] = field(default_factory=lambda: {"piper-joe": "loaded"})
    model: str = "piper-joe"
    languages: tuple[str, ...] = ("en",)
    seconds: float = 0.0  # until the first sound
    failure: str = ""
    told: Any = ...  # of its models, in place of what it has
    asked: int = 0  # how often, for its models
    said: list[tuple[str, str]] = field(default_factory=list)  # (voice, text)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/models", self.models),
                Route("/stream/tts", self.speak, methods=["POST"]),
            ]
        )

    async def models(self, request: Request) -> Response:
        self.asked += 1
        if self.told is not ...:
            return JSONResponse({"available_models": self.told})
        listed = [{"id": id, "name": id, "status": state} for id, state in self.voices.items()]
        tts = {"id": self.model, "name": self.model, "type": "tts", "status": "loaded", "voices": listed}
        tts["languages"] = self.languages
        stt = {"languages": self.languages}
        return JSONResponse({"available_models": {"tts": tts, "stt": stt}, "streaming": ["/stream/tts"]})

    async def speak(self, request: Request) -> Response:
        asked = await request.json()
        self.said.append((asked["voice"], asked["text"]))
        await asyncio.sleep(self.seconds)
        if self.failure:
            return JSONResponse({"error": self.failure}, status_code=503)
        samples = asked["rate"] * len(asked["text"]) // CHARACTERS_PER_SECOND
        timing = {"queue_seconds": 0.0, "compute_seconds": 0.1}
        head = pack({"rate": asked["rate"], "timing": timing}, b"\x10\x01" * samples)
        return Response(head + pack({"end": True}), media_type=MEDIA_TYPE)
