"""The Space API: whole answers in JSON, as any client of a Space speaks it. Live calls go before them."""

from __future__ import annotations

import time
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from ...errors import EngineError
from .. import forms
from ..answers import Whole
from ..deployments import Deployments

_SESSIONS = 1000
_MESSAGES_KEPT = 10


def add(app: FastAPI, service: Deployments) -> None:
    @app.post("/api/tts", response_model=forms.SpokenAnswer)
    async def tts(form: forms.SpeakForm) -> Response:
        by, told = service.speaker(form.voice, form.model)

        async def answer() -> bytes:
            params = {**form.params(), **told, "rate": 0}
            heads, pcm, timing = await service.whole("speak", params, asked=form, by=by)
            if not heads:
                raise EngineError("There is nothing to say in this text.", service="tts", permanent=True)
            rate = heads[0]["rate"]
            lasted = {"duration": len(pcm) / 2 / rate, **forms.times(timing)}
            return await forms.json_of_sound(pcm, rate, lasted)

        return Whole(answer)

    @app.post("/api/stt", response_model=forms.TranscribedAnswer)
    async def stt(form: forms.TranscribeForm) -> Response:
        pcm = await forms.sound(form.audio_base64)

        async def answer() -> dict[str, Any]:
            params = {"rate": forms.SPACE_RATE, "language": form.language}
            (head,), _, timing = await service.whole("transcribe", params, pcm, asked=form)
            duration = head.pop("duration_seconds")
            return {**head, "duration": duration, **forms.times(timing)}

        return Whole(answer)

    @app.post("/api/vad", response_model=forms.DetectedAnswer)
    async def vad(form: forms.DetectForm) -> Response:
        pcm = await forms.sound(form.audio_base64)

        async def answer() -> dict[str, Any]:
            params = {"rate": forms.SPACE_RATE, "threshold": form.threshold}
            (head,), _, timing = await service.whole("detect", params, pcm, asked=form)
            return {**head, **forms.times(timing)}

        return Whole(answer)

    @app.post("/api/vllm/chat", response_model=forms.ChatAnswer)
    async def chat(form: forms.ChatForm) -> Response:
        return Whole(lambda: _chat(service, form))


async def _chat(service: Deployments, form: forms.ChatForm) -> dict[str, Any]:
    """One message of a session; the session remembers it only when it was answered."""
    started = time.monotonic()
    history = service.chats.get(form.session_id, [])
    system = [{"role": "system", "content": form.system_prompt}] if form.system_prompt else []
    asked = {"role": "user", "content": form.message}
    messages = [*system, *history[-_MESSAGES_KEPT:], asked]
    params = {"messages": messages, "max_tokens": 150, "temperature": 0.7}
    heads, _, timing = await service.whole("reply", params, asked=form)
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
