"""`/api/tts`, `/api/stt`, `/api/vad`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import pybase64
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from .. import audio, registry
from ..errors import EngineError, Outcome
from ..ledger import asking
from ..types import Segment
from . import sound
from .answers import key_of, refusing
from .bodies import heard, json_body
from .forms import DetectForm, SpeakForm, TranscribeForm, checked
from .streams import Stream

# What a request says that wants sound, and not the JSON in which a Space answers.
_PUBLIC_FORM = {"model", "format", "stream"}


@refusing
async def tts(request: HttpRequest) -> HttpResponseBase:
    """A text as a sound file; chunk by chunk while it is spoken if `stream` is true."""
    body = await json_body(request)
    form = checked(SpeakForm, body)
    rate = registry.speech_rate(form.voice, form.model)
    with asking(key=key_of(request)):
        speech = _Speech(form, rate)
        if form.stream:
            return await _streamed(speech)
        pcm = b"".join([piece async for piece in speech.pcm()])
    if not pcm:
        raise _nothing_to_say()
    if _PUBLIC_FORM & body.keys():
        file = await asyncio.to_thread(sound.whole_file, pcm, rate, form.format)
        return _unstored(speech.signed(HttpResponse(file, content_type=sound.TYPES[form.format])))
    encoded = pybase64.b64encode_as_string(audio.wav_bytes(pcm, rate))
    told = {"audio_base64": encoded, "duration": len(pcm) / 2 / rate}
    return _unstored(JsonResponse({**told, "engine": speech.engine, "degraded": speech.degraded}))


class _Speech:
    """A text while it is spoken; by whom is known once it has begun."""

    def __init__(self, form: SpeakForm, rate: int) -> None:
        self.form, self._rate = form, rate
        self.engine, self.degraded = "", False

    async def pcm(self) -> AsyncGenerator[bytes, None]:
        form = self.form
        chunks = registry.text_to_speech().speak(
            form.text, rate=self._rate, voice=form.voice, speed=form.speed, model=form.model, priority="batch"
        )
        async with aclosing(chunks):
            async for chunk in chunks:
                self.engine, self.degraded = chunk.engine, chunk.degraded
                yield chunk.pcm

    async def encoded(self) -> AsyncGenerator[bytes, None]:
        """Encoding is done in a thread: calls are carried on this loop."""
        encoder, begun = sound.encoder(self._rate, self.form.format), False
        async with aclosing(self.pcm()) as pieces:
            async for pcm in pieces:
                begun = True
                if made := await asyncio.to_thread(encoder.feed, pcm):
                    yield made
        if begun and (rest := await asyncio.to_thread(encoder.finish)):
            yield rest

    def signed(self, answer: HttpResponseBase) -> HttpResponseBase:
        """What JSON tells in its fields, sound does in its headers."""
        answer["X-Engine"] = " ".join(self.engine.split())
        answer["X-Degraded"] = str(self.degraded).lower()
        return answer


async def _streamed(speech: _Speech) -> HttpResponseBase:
    stream = Stream(speech.encoded())
    if not await stream.begin():
        raise _nothing_to_say()
    answer = StreamingHttpResponse(stream, content_type=sound.TYPES[speech.form.format])
    answer["X-Accel-Buffering"] = "no"  # a proxy before us is not to gather it
    return _unstored(speech.signed(answer))


@refusing
async def stt(request: HttpRequest) -> HttpResponseBase:
    """The words of a recording."""
    form, pcm = await heard(request, TranscribeForm, defaults={"language": "auto"})
    with asking(key=key_of(request)):
        transcript = await registry.speech_to_text().transcribe(
            pcm, rate=sound.HEARD_RATE, language=form.language, model=form.model, priority="batch"
        )
    return _unstored(
        JsonResponse(
            {
                "text": transcript.text,
                "language": transcript.language,
                "confidence": transcript.confidence,
                "duration": len(pcm) / 2 / sound.HEARD_RATE,
                "segments": [asdict(segment) for segment in transcript.segments],
                "engine": transcript.engine,
                "degraded": transcript.degraded,
                **asdict(transcript.timing),
            }
        )
    )


@refusing
async def vad(request: HttpRequest) -> HttpResponseBase:
    """Where in a recording somebody speaks, in seconds."""
    form, pcm = await heard(request, DetectForm)
    with asking(key=key_of(request)):
        segments = await registry.speech_finder().detect(pcm, rate=sound.HEARD_RATE, threshold=form.threshold)
    return _unstored(JsonResponse({"segments": [_voiced(segment) for segment in segments]}))


def _voiced(segment: Segment) -> dict[str, Any]:
    return {"start": segment.start, "end": segment.end, "confidence": segment.confidence}


def _nothing_to_say() -> EngineError:
    return EngineError(
        "There is nothing to say in this text.", service="tts", permanent=True, outcome=Outcome.REFUSED
    )


def _unstored(answer: HttpResponseBase) -> HttpResponseBase:
    answer["Cache-Control"] = "no-store"
    return answer
