"""The HTTP face of the ML service: the Space API, and a streaming one for calls.

Access: there are no accounts here. The service listens on the loopback address and answers only requests that
name a loopback host, so that it serves this machine alone (and no web page that a browser was lured
to). Whoever binds it to another address, as on a private Space, puts something in front that asks who is
there: a Space checks its token, VoiceForge's own public API its keys.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response

from .. import audio
from ..catalog import Kind, Model
from ..errors import EngineError
from ..types import Timing
from ..wire import PCM_TYPE
from . import forms
from .answers import Framed, Whole, error_response
from .body_limit import BodyLimit
from .layout import PoolPlan
from .pools import Answer, Pool
from .tasks import TASKS

LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
_LARGEST_BODY = 40 * 2**20  # ten minutes of sound in base64, and some
_SESSIONS = 1000
_MESSAGES_KEPT = 10
_SPACE_KEYS = {
    Kind.TTS: "tts",
    Kind.STT: "stt",
    Kind.VAD: "vad",
    Kind.LLM: "vllm",
    Kind.MEANING: "embed",
    Kind.TURN: "turn",
}


class Service:
    """The pools, and what is remembered between requests."""

    def __init__(self, plans: Sequence[PoolPlan], models_dir: Path) -> None:
        self.models: dict[Kind, tuple[Model, Pool]] = {}
        self.pools = [Pool(plan, models_dir) for plan in plans if plan.workers]
        for pool in self.pools:
            self.models |= {model.kind: (model, pool) for model in pool.plan.models}
        self.chats: OrderedDict[str, list[dict[str, str]]] = OrderedDict()
        self.problems: list[str] = []

    def run(self, task: str, params: dict[str, Any], payload: bytes = b"") -> AsyncGenerator[Answer, None]:
        """HTTPException when no pool offers the task."""
        return self._offered(TASKS[task][0])[1].run(task, params, payload)

    def _offered(self, kind: Kind) -> tuple[Model, Pool]:
        if kind not in self.models:
            raise HTTPException(404, f"This service offers no {_SPACE_KEYS[kind]}.")
        return self.models[kind]

    def model_name(self, kind: Kind) -> str:
        return self._offered(kind)[0].name

    def check_voice(self, voice: str) -> None:
        """RequestValidationError for a voice that nobody here has."""
        known = ("default", self._offered(Kind.TTS)[0].id)
        if voice not in known:
            message = f"There is no voice {voice!r}: use one of {', '.join(known)}."
            problem = {"loc": ("body", "voice"), "msg": message, "type": "value_error"}
            raise RequestValidationError([problem])

    async def whole(
        self, task: str, params: dict[str, Any], payload: bytes = b""
    ) -> tuple[list[dict[str, Any]], bytes, Timing]:
        """All pieces of an answer: heads, payloads joined, timing of the last."""
        heads, sound, timing = [], bytearray(), Timing()
        async with aclosing(self.run(task, params, payload)) as pieces:
            async for head, piece, timing in pieces:  # noqa: B007 (the last one is kept)
                heads.append(head)
                sound += piece
        return heads, bytes(sound), timing


def create_app(
    plans: Sequence[PoolPlan], models_dir: Path, *, allowed_hosts: Sequence[str] = LOOPBACK_HOSTS
) -> FastAPI:
    service = Service(plans, models_dir)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.problems = find_problems(models_dir)
        for pool in service.pools:
            pool.start()
        yield
        for pool in service.pools:
            await pool.close()

    app = FastAPI(title="VoiceForge ML service", version="1", lifespan=lifespan)
    app.state.service = service
    app.add_middleware(BodyLimit, largest=_LARGEST_BODY)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts))
    _handle_errors(app)
    _add_status(app, service)
    _add_space_api(app, service)
    _add_streams(app, service)
    return app


def find_problems(models_dir: Path) -> list[str]:
    """What would make every model fail: a models folder that is not there or cannot be written."""
    probe = models_dir / ".write-test"
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return [
            f"The models folder {models_dir} cannot be written ({error.strerror}): set HF_HOME to another."
        ]
    return []


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        fields = {
            ".".join(str(part) for part in problem["loc"] if part != "body") or "body": problem["msg"]
            for problem in error.errors()
        }
        return JSONResponse({"error": "The request is not valid.", "fields": fields}, status_code=400)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)

    @app.exception_handler(EngineError)
    async def engine_error(request: Request, error: EngineError) -> JSONResponse:
        return error_response(error)


def _add_status(app: FastAPI, service: Service) -> None:
    @app.get("/api/health")
    async def health() -> dict[str, Any]:
        """`healthy` once every model is loaded, else `starting` or `degraded`; `problems` in words."""
        states = {model.id: pool.state() for model, pool in service.models.values()}
        reasons = {
            f"{pool.plan.name}: {worker['reason']}"
            for pool in service.pools
            for worker in pool.report()["workers"]
            if worker["reason"]
        }
        problems = [*service.problems, *sorted(reasons)]
        if all(state == "loaded" for state in states.values()):
            status = "healthy"
        else:
            status = "degraded" if problems else "starting"
        return {
            "status": status,
            "timestamp": datetime.now(UTC).isoformat(),
            "models": states,
            "problems": problems,
            "pools": {pool.plan.name: pool.report() for pool in service.pools},
        }

    @app.get("/api/models")
    async def models() -> dict[str, Any]:
        available: dict[str, dict[str, Any]] = {
            _SPACE_KEYS[kind]: {
                "name": model.name,
                "id": model.id,
                "type": kind.value,
                "status": pool.state(),
                "languages": model.languages,
                "licence": model.licence,
                "rate": model.rate,
            }
            for kind, (model, pool) in service.models.items()
        }
        if Kind.TTS in service.models:  # each voice is a model of its own
            model = service.models[Kind.TTS][0]
            available["tts"]["voices"] = [{"id": model.id, "name": model.name}]
        return {"available_models": available, "streaming": True}


def _add_space_api(app: FastAPI, service: Service) -> None:
    @app.post("/api/tts", response_model=forms.SpokenAnswer)
    async def tts(form: forms.SpeakForm) -> Response:
        service.check_voice(form.voice)

        async def answer() -> dict[str, Any]:
            heads, pcm, timing = await service.whole("speak", {**form.model_dump(), "rate": 0})
            if not heads:
                raise EngineError("There is nothing to say in this text.", service="tts", permanent=True)
            rate = heads[0]["rate"]
            wav = audio.wav_bytes(pcm, rate)
            return {"audio_base64": forms.encode(wav), "duration": len(pcm) / 2 / rate, **forms.times(timing)}

        return Whole(answer)

    @app.post("/api/stt", response_model=forms.TranscribedAnswer)
    async def stt(form: forms.TranscribeForm) -> Response:
        pcm = await forms.sound(form.audio_base64)

        async def answer() -> dict[str, Any]:
            params = {"rate": forms.SPACE_RATE, "language": form.language}
            (head,), _, timing = await service.whole("transcribe", params, pcm)
            duration = head.pop("duration_seconds")
            return {**head, "duration": duration, **forms.times(timing)}

        return Whole(answer)

    @app.post("/api/vad", response_model=forms.DetectedAnswer)
    async def vad(form: forms.DetectForm) -> Response:
        pcm = await forms.sound(form.audio_base64)

        async def answer() -> dict[str, Any]:
            params = {"rate": forms.SPACE_RATE, "threshold": form.threshold}
            (head,), _, timing = await service.whole("detect", params, pcm)
            return {**head, **forms.times(timing)}

        return Whole(answer)

    @app.post("/api/vllm/chat", response_model=forms.ChatAnswer)
    async def chat(form: forms.ChatForm) -> Response:
        return Whole(lambda: _chat(service, form))


async def _chat(service: Service, form: forms.ChatForm) -> dict[str, Any]:
    """One message of a session; the session remembers it only when it was answered."""
    started = time.monotonic()
    history = service.chats.get(form.session_id, [])
    system = [{"role": "system", "content": form.system_prompt}] if form.system_prompt else []
    asked = {"role": "user", "content": form.message}
    messages = [*system, *history[-_MESSAGES_KEPT:], asked]
    heads, _, timing = await service.whole(
        "reply", {"messages": messages, "max_tokens": 150, "temperature": 0.7}
    )
    response = "".join(head["text"] for head in heads).strip()
    history = service.chats.get(form.session_id, [])  # as it is now: others may have asked meanwhile
    answered = [*history, asked, {"role": "assistant", "content": response}]
    service.chats[form.session_id] = answered[-_MESSAGES_KEPT:]
    service.chats.move_to_end(form.session_id)
    while len(service.chats) > _SESSIONS:
        service.chats.popitem(last=False)
    return {
        "response": response,
        "session_id": form.session_id,
        "mode": form.mode,
        "processing_time": time.monotonic() - started,
        "context_size": len(messages),
        "tokens": len(heads),
        **forms.times(timing),
    }


def _add_streams(app: FastAPI, service: Service) -> None:
    """Each answers `wire.py` frames; sound in is raw pcm in the body, its rate in the query."""

    @app.post("/stream/tts")
    async def stream_tts(form: forms.StreamSpeakForm) -> Response:
        service.check_voice(form.voice)
        return Framed(service.run("speak", form.model_dump()))

    @app.post("/stream/chat")
    async def stream_chat(form: forms.StreamChatForm) -> Response:
        return Framed(service.run("reply", form.model_dump()))

    @app.post("/stream/embed")
    async def stream_embed(form: forms.StreamEmbedForm) -> Response:
        return Framed(service.run("embed", form.model_dump()))

    @app.post("/stream/tokens")
    async def stream_tokens(form: forms.StreamTokensForm) -> Response:
        return Framed(service.run("count", {**form.model_dump(), "model": service.model_name(Kind.LLM)}))

    @app.post("/stream/stt")
    async def stream_stt(
        request: Request, rate: forms.Rate, language: str = Query("en", max_length=16)
    ) -> Response:
        pcm = await _pcm_body(request)
        return Framed(service.run("transcribe", {"rate": rate, "language": language}, pcm))

    @app.post("/stream/turn")
    async def stream_turn(request: Request, rate: forms.Rate) -> Response:
        return Framed(service.run("judge", {"rate": rate}, await _pcm_body(request)))


async def _pcm_body(request: Request) -> bytes:
    """Only of the type that no web page can send to another's address without asking first."""
    if request.headers.get("content-type") != PCM_TYPE:
        raise HTTPException(415, f"Content-Type: send {PCM_TYPE}.")
    body = await request.body()
    if not body:
        raise HTTPException(400, "The body is empty.")
    if len(body) % 2:
        raise HTTPException(400, "The body is not 16-bit PCM: it has an odd number of bytes.")
    return body
