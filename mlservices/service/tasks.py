"""What a worker can be asked to do. A task yields its answer in pieces: (head, payload).

Between pieces it yields None wherever it can be stopped: its deadline then begins anew, and whoever gave it
up need not wait for the rest of a long recording.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import audio
from ..catalog import Kind
from ..engines import LlmEngine, MeaningEngine, SttEngine, TtsEngine, TurnEngine, VadEngine
from ..engines.stt.windows import windows
from ..engines.vad.segments import probabilities, speech_segments
from ..types import ChatMessage, Tool, ToolCall

Piece = tuple[dict[str, Any], bytes]
Pieces = Generator[Piece | None, None, None]
Params = dict[str, Any]

_WINDOWS_A_BEAT = 100  # of voice detection: 3 s of sound


def transcribe(engine: SttEngine, params: Params, payload: bytes) -> Pieces:
    """pcm at params["rate"] -> one transcript; long recordings in windows."""
    samples = audio.to_float(audio.resample(payload, params["rate"], engine.rate))
    parts = []
    for start, piece in windows(samples, engine.rate):
        parts.append((start, engine.transcribe(piece, params["language"])))
        yield None
    said = [transcript for _, transcript in parts if transcript.text]
    weights = [transcript.duration_seconds for transcript in said]
    segments = [
        asdict(replace(segment, start=segment.start + start, end=segment.end + start))
        for start, transcript in parts
        for segment in transcript.segments
    ]
    yield (
        {
            "text": " ".join(transcript.text for transcript in said),
            "language": parts[0][1].language,
            "confidence": float(np.average([t.confidence for t in said], weights=weights)) if said else 0.0,
            "duration_seconds": len(samples) / engine.rate,
            "segments": segments,
            "engine": parts[0][1].engine,
        },
        b"",
    )


def speak(engine: TtsEngine, params: Params, payload: bytes) -> Pieces:
    """A text -> pcm at params["rate"] (0: the engine's own), in pieces."""
    rate = params["rate"] or engine.rate
    resampler = audio.Resampler(engine.rate, rate)
    how = {name: params[name] for name in ("voice", "language", "speed")}
    for sound in engine.speak(params["text"], **how):
        pcm = resampler.feed(audio.from_float(sound))
        if pcm:
            yield {"rate": rate}, pcm
    pcm = resampler.flush()
    if pcm:
        yield {"rate": rate}, pcm


def reply(engine: LlmEngine, params: Params, payload: bytes) -> Pieces:
    """Messages -> the next message, a piece a token (some empty), tool calls whole."""
    pieces = engine.reply(
        [_message(fields) for fields in params["messages"]],
        max_tokens=params["max_tokens"],
        temperature=params["temperature"],
        tools=[Tool(**fields) for fields in params.get("tools", ())],
    )
    for piece in pieces:
        if piece is None:
            yield None
        elif isinstance(piece, ToolCall):
            yield {"text": "", "tool_call": asdict(piece)}, b""
        else:
            yield {"text": piece}, b""


def _message(fields: dict[str, Any]) -> ChatMessage:
    calls = tuple(ToolCall(**call) for call in fields.get("tool_calls", ()))
    return ChatMessage(fields["role"], fields["content"], calls, fields.get("tool_call_id", ""))


def count(engine: LlmEngine, params: Params, payload: bytes) -> Pieces:
    """Texts -> how many tokens each is, and how many a system prompt may have (0: no limit is known)."""
    counts = [engine.count(text) for text in params["texts"]]
    yield {"counts": counts, "limit": engine.longest_system_prompt, "model": params["model"]}, b""


def embed(engine: MeaningEngine, params: Params, payload: bytes) -> Pieces:
    """Texts -> rows of float32, little-endian."""
    yield _rows(engine.embed(params["texts"]))


def embed_many(engine: MeaningEngine, params: Sequence[Params], payloads: Sequence[bytes]) -> list[Piece]:
    """The texts of several requests in one run."""
    rows = engine.embed([text for each in params for text in each["texts"]])
    ends = np.cumsum([len(each["texts"]) for each in params])
    return [_rows(part) for part in np.split(rows, ends[:-1])]


def _rows(rows: NDArray[np.float32]) -> Piece:
    return {"rows": rows.shape[0], "dimensions": rows.shape[1]}, rows.astype("<f4").tobytes()


def judge(engine: TurnEngine, params: Params, payload: bytes) -> Pieces:
    """pcm that ends in a pause -> how complete the turn is."""
    samples = audio.to_float(audio.resample(payload, params["rate"], engine.rate))
    yield {"completeness": engine.judge(samples)}, b""


def detect(engine: VadEngine, params: Params, payload: bytes) -> Pieces:
    """A recording -> where somebody speaks."""
    rate = 16000
    samples = audio.to_float(audio.resample(payload, params["rate"], rate))
    heard = []
    for probability in probabilities(engine, samples, rate):
        heard.append(probability)
        if len(heard) % _WINDOWS_A_BEAT == 0:
            yield None
    found = speech_segments(heard, params["threshold"])
    yield {"segments": [asdict(segment) for segment in found]}, b""


TASKS: dict[str, tuple[Kind, Callable[[Any, Params, bytes], Pieces]]] = {
    "transcribe": (Kind.STT, transcribe),
    "speak": (Kind.TTS, speak),
    "reply": (Kind.LLM, reply),
    "count": (Kind.LLM, count),
    "embed": (Kind.MEANING, embed),
    "judge": (Kind.TURN, judge),
    "detect": (Kind.VAD, detect),
}

MANY: dict[str, Callable[[Any, Sequence[Params], Sequence[bytes]], list[Piece]]] = {"embed": embed_many}
"""Tasks that a model does faster for several requests at once than one by one; each answers in one piece."""
