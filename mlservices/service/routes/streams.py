"""The streaming face, which calls use: answers in `wire.py` frames."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ...catalog import Kind
from ...wire import PCM_TYPE
from .. import forms
from ..answers import Framed
from ..deployments import Deployments


def add(app: FastAPI, service: Deployments) -> None:
    """Each answers `wire.py` frames; sound in is raw pcm in the body, its rate in the query."""

    @app.post("/stream/tts")
    async def stream_tts(form: forms.StreamSpeakForm) -> Response:
        by, told = service.speaker(form.voice, form.model)
        return Framed(service.run("speak", {**form.params(), **told}, asked=form, by=by))

    @app.post("/stream/chat")
    async def stream_chat(form: forms.StreamChatForm) -> Response:
        return Framed(service.run("reply", form.params(), asked=form))

    @app.post("/stream/embed")
    async def stream_embed(form: forms.StreamEmbedForm) -> Response:
        return Framed(service.run("embed", form.params(), asked=form))

    @app.post("/stream/tokens")
    async def stream_tokens(form: forms.StreamTokensForm) -> Response:
        name = service.serving(Kind.LLM, form.model).model.name
        return Framed(service.run("count", {**form.params(), "model": name}, asked=form))

    @app.post("/stream/stt")
    async def stream_stt(
        request: Request, query: Annotated[forms.StreamTranscribeQuery, Query()]
    ) -> Response:
        pcm = await _pcm_body(request)
        return Framed(service.run("transcribe", query.params(), pcm, asked=query))

    @app.post("/stream/turn")
    async def stream_turn(request: Request, query: Annotated[forms.StreamJudgeQuery, Query()]) -> Response:
        pcm = await _pcm_body(request)
        return Framed(service.run("judge", query.params(), pcm, asked=query))


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
