"""Hearing and speaking over any OpenAI-compatible API: /audio/transcriptions and /audio/speech."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx

from .. import audio
from ..catalog.languages import WHISPER_NAMES
from ..errors import EngineError, Outcome
from ..text import sentences
from ..types import Priority, Segment, SpeechChunk, Timing, Transcript
from .http import (
    Answer,
    LoopClients,
    Party,
    fetch,
    no_choice,
    patience,
    refusal,
    sound_of,
    status_error,
    transport_error,
)

_SECONDS, _CONNECT_SECONDS = 30.0, 5.0  # for the transcript of an utterance
_TIMEOUT = httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS)  # reading: until the next piece
_HEARD_RATE = 16000
_PCM_RATE = 24000  # of the format "pcm": s16le mono
_LONGEST_TEXT = 4096  # characters
_LARGEST_FILE = 32 * 2**20
_SLOWEST, _FASTEST = 0.25, 4.0


class OpenAIHearing:
    """Meets SpeechToText. `base_url` ends before /audio/transcriptions."""

    def __init__(self, *, party: Party, base_url: str, model: str) -> None:
        self._party, self._model = party, model
        self.engine = f"{party.name} {model}"  # as its answers tell it
        self._clients = LoopClients(base_url, timeout=_TIMEOUT, headers=party.headers)

    async def close(self) -> None:
        await self._clients.close()

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str = "en", model: str = "", priority: Priority = "live"
    ) -> Transcript:
        """Nobody chooses its model but the settings, and it knows no priorities."""
        if model:
            raise no_choice(self._party.name, "stt")
        wav = audio.wav_bytes(audio.resample(pcm, rate, _HEARD_RATE), _HEARD_RATE)
        # Only Whisper tells how sure it is of what.
        form = {
            "model": self._model,
            "response_format": "verbose_json" if "whisper" in self._model else "json",
            **({"language": language} if language not in ("", "auto") else {}),
        }
        asked = time.monotonic()
        seconds = max(_SECONDS, patience(len(pcm) / 2 / rate))
        answer = await fetch(
            self._clients.get(),
            "POST",
            "/audio/transcriptions",
            party=self._party,
            kind="stt",
            seconds=seconds,
            timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
            data=form,
            files={"file": ("speech.wav", wav, "audio/wav")},
        )
        told = self._checked(answer)
        segments = _segments(told.get("segments"), len(pcm) / 2 / rate)
        return Transcript(
            text=told["text"].strip(),
            language=_language(told.get("language"), language),
            confidence=_confidence(segments),
            duration_seconds=len(pcm) / 2 / rate,
            segments=segments,
            engine=self.engine,
            timing=Timing(compute_seconds=time.monotonic() - asked),
        )

    def _checked(self, answer: Answer) -> dict[str, Any]:
        if not 200 <= answer.status < 300:
            raise status_error(answer, self._party, "stt")
        told = answer.fields()
        if isinstance(told.get("text"), str):
            return told
        outcome = Outcome.HTML_PAGE if answer.is_page else Outcome.WRONG_FIELDS if told else Outcome.NOT_JSON
        quoted = self._party.quote(answer.body)
        raise EngineError(f"{self._party.name} sent no transcript: {quoted}", service="stt", outcome=outcome)


def _language(told: Any, asked: str) -> str:
    """The code of what was heard, which Whisper tells by its name; as was asked for where that says more."""
    if not isinstance(told, str) or not told:
        return asked
    heard = WHISPER_NAMES.get(told.lower(), told)
    return asked if asked.partition("-")[0] == heard else heard


def _segments(items: Any, seconds: float) -> tuple[Segment, ...]:
    """Those that make sense; the words of a transcript do not depend on them."""
    found = []
    for item in items if isinstance(items, list) else ():
        try:
            start, end = float(item["start"]), min(float(item["end"]), seconds)
            sure = min(1.0, math.exp(float(item["avg_logprob"])))
            text = str(item["text"]).strip()
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        if 0 <= start <= end and 0 <= sure <= 1:
            found.append(Segment(start, end, text, sure))
    return tuple(found)


def _confidence(segments: tuple[Segment, ...]) -> float:
    """The mean by length; 0 where nothing is told, as nothing is to be made up."""
    whole = sum(segment.end - segment.start for segment in segments)
    if not whole:
        return 0.0
    return sum(segment.confidence * (segment.end - segment.start) for segment in segments) / whole


class OpenAIVoice:
    """Meets TextToSpeech, by the format "pcm" piece by piece; of a server that only makes files, whole.

    Our voices are none of theirs: its own `voice` speaks whatever is asked.
    """

    def __init__(self, *, party: Party, base_url: str, model: str, voice: str) -> None:
        self._party, self._model, self._voice = party, model, voice
        self.engine = f"{party.name} {model}"  # as its answers tell it
        self._clients = LoopClients(base_url, timeout=_TIMEOUT, headers=party.headers)

    async def close(self) -> None:
        await self._clients.close()

    async def speak(
        self,
        text: str,
        *,
        rate: int,
        voice: str = "default",
        speed: float = 1.0,
        model: str = "",
        priority: Priority = "live",
    ) -> AsyncGenerator[SpeechChunk, None]:
        if model:
            raise no_choice(self._party.name, "tts")
        if not text.strip():
            return
        asked = time.monotonic()
        for part in _parts(text):
            async with aclosing(self._spoken(part, rate, speed)) as pieces:
                async for pcm in pieces:
                    timing = Timing(compute_seconds=time.monotonic() - asked)
                    yield SpeechChunk(pcm, rate, timing, engine=self.engine)

    async def _spoken(self, text: str, rate: int, speed: float) -> AsyncGenerator[bytes, None]:
        """pcm at `rate` of a text that the server takes at once."""
        body = {
            "model": self._model,
            "input": text,
            "voice": self._voice,
            "response_format": "pcm",
            "speed": min(max(speed, _SLOWEST), _FASTEST),
        }
        begun = False
        try:
            async with self._clients.get().stream("POST", "/audio/speech", json=body) as response:
                if not response.is_success:
                    raise await refusal(response, self._party, "tts")
                begun = True
                async with aclosing(self._sound(response, rate)) as pieces:
                    async for pcm in pieces:
                        yield pcm
        except httpx.HTTPError as error:
            raise transport_error(error, self._party, "tts", begun=begun) from error

    async def _sound(self, response: httpx.Response, rate: int) -> AsyncGenerator[bytes, None]:
        """pcm at `rate` out of a body of pcm, or of a file: some servers send what they can, and not what
        they are asked for."""
        resampler = audio.Resampler(_PCM_RATE, rate)
        gathered, is_pcm = bytearray(), False
        async for data in response.aiter_bytes():
            if _is_text(response):
                raise self._no_sound(response, data)
            if not is_pcm:
                gathered += data
                if len(gathered) > _LARGEST_FILE:
                    raise self._no_sound(response, b"a file of more than 32 MB")
                if not _tells_what_it_is(gathered) or audio.file_kind(gathered):
                    continue
                is_pcm, data = True, bytes(gathered)
            if pcm := resampler.feed(data):
                yield pcm
        if not is_pcm and audio.file_kind(gathered):
            yield audio.resample(*sound_of(bytes(gathered), self._party), rate)
            return
        if pcm := (b"" if is_pcm else resampler.feed(bytes(gathered))) + resampler.flush():
            yield pcm

    def _no_sound(self, response: httpx.Response, data: bytes) -> EngineError:
        quoted = self._party.quote(data)
        kind = response.headers.get("content-type", "no type")
        return EngineError(
            f"{self._party.name} sent no sound ({kind}): {quoted}",
            service="tts",
            outcome=Outcome.HTML_PAGE if "html" in kind else Outcome.WRONG_SOUND,
        )


def _parts(text: str) -> list[str]:
    """The text, or as many of its sentences at a time as the server takes."""
    if len(text) <= _LONGEST_TEXT:
        return [text]
    parts: list[str] = [""]
    for sentence in sentences(text):
        longer = f"{parts[-1]} {sentence}".strip()
        if len(longer) <= _LONGEST_TEXT:
            parts[-1] = longer
        else:
            parts.append(sentence)
    return parts


def _tells_what_it_is(begun: bytes | bytearray) -> bool:
    """Whether enough has come to know by its first bytes: more of what may be an MP3."""
    return len(begun) >= (audio.SIGN_BYTES if begun[:1] == b"\xff" else 4)


def _is_text(response: httpx.Response) -> bool:
    """pcm may begin with any byte, so the server's word counts."""
    kind = response.headers.get("content-type", "")
    return kind.startswith("text/") or "json" in kind
