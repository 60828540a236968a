"""A stand-in Space: a real HTTP server on loopback with the plain API, that misbehaves on command.

It answers as the original Space does (facebook/mms-tts-eng, openai/whisper-tiny, simple_energy_vad,
microsoft/DialoGPT-small); `queue` and `always` put something else in the place of an answer. It writes its
answers byte by byte itself: no framework would send less than it promises.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import soundfile

from mlservices import audio

RATE = 16000  # of its voice
PAGE = b"<!DOCTYPE html><html><style>p {}</style><body><h1>Your Space is building</h1></body></html>"


@dataclass(frozen=True)
class Reply:
    """What goes over the wire. `promised` is the Content-Length where it is a lie."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    silent_seconds: float = 0.0  # before the first byte
    drip_seconds: float = 0.0  # between two bytes of the body
    hangs_up: bool = False  # without a byte


Behaviour = Callable[[Reply], Reply]  # the right answer in, what is sent out


def waking(reply: Reply) -> Reply:
    return Reply(PAGE, 503, "text/html")


def busy(reply: Reply) -> Reply:
    return Reply(b'{"error": "the queue is full", "retry_after": 7}', 503, headers={"Retry-After": "7"})


def gateway_timeout(reply: Reply) -> Reply:
    return Reply(b"<html><body>504 Gateway Time-out</body></html>", 504, "text/html")


def not_loaded(reply: Reply) -> Reply:
    return Reply(b'{"detail": "Model not loaded"}', 500)


def on_fire(reply: Reply) -> Reply:
    return Reply(b'{"detail": "CUDA out of memory"}', 500)


def missing(reply: Reply) -> Reply:
    return Reply(b'{"detail": "Not Found"}', 404)


def hidden(reply: Reply) -> Reply:
    """A private Space, to who may not see it."""
    return Reply(
        b"<html><body>Sorry, we can't find the page you are looking for.</body></html>", 404, "text/html"
    )


def page(reply: Reply) -> Reply:
    return Reply(PAGE, 200, "text/html; charset=utf-8")


def unauthorized(reply: Reply) -> Reply:
    return Reply(b'{"error": "Invalid credentials in Authorization header"}', 401)


def redirect(reply: Reply) -> Reply:
    return Reply(b"", 307, headers={"Location": "https://elsewhere.example/api?token=secret"})


def refused(reply: Reply) -> Reply:
    return Reply(b'{"detail": "text is too long"}', 400)


def takes_audio_only(reply: Reply) -> Reply:
    """The original's LLM route, asked with a text."""
    problem = {"type": "missing", "loc": ["body", "audio"], "msg": "Field required", "input": None}
    return Reply(json.dumps({"detail": [problem]}).encode(), 422)


def silent(seconds: float) -> Behaviour:
    return lambda reply: replace(reply, silent_seconds=seconds)


def dripping(seconds: float) -> Behaviour:
    return lambda reply: replace(reply, drip_seconds=seconds)


def hanging_up(reply: Reply) -> Reply:
    return replace(reply, hangs_up=True)


def cut(reply: Reply) -> Reply:
    """Half of what its Content-Length promises."""
    return replace(reply, promised=len(reply.body), body=reply.body[: len(reply.body) // 2])


def cut_json(reply: Reply) -> Reply:
    """Half an answer that says it is whole."""
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def raw(body: bytes) -> Behaviour:
    return lambda reply: replace(reply, body=body)


def changed(**fields: Any) -> Behaviour:
    return lambda reply: replace(reply, body=json.dumps(json.loads(reply.body) | fields).encode())


def without(field_name: str) -> Behaviour:
    def behave(reply: Reply) -> Reply:
        answer = json.loads(reply.body)
        del answer[field_name]
        return replace(reply, body=json.dumps(answer).encode())

    return behave


def sound(
    *,
    rate: int = RATE,
    channels: int = 1,
    subtype: str = "PCM_16",
    seconds: float = 1.0,
    told: float | None = None,
) -> Behaviour:
    """A WAV of another form; `told` is its duration in the words of the Space."""
    wav = wav_file(rate=rate, channels=channels, subtype=subtype, seconds=seconds)
    encoded = base64.b64encode(wav).decode()
    return changed(audio_base64=encoded, duration=seconds if told is None else told)


def wav_file(*, rate: int, channels: int = 1, subtype: str = "PCM_16", seconds: float = 1.0) -> bytes:
    """A tone of 440 Hz at a quarter of full scale."""
    tone = 0.25 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)
    file = io.BytesIO()
    soundfile.write(file, np.repeat(tone[:, None], channels, axis=1), rate, subtype, format="WAV")
    return file.getvalue()


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]
    form: dict[str, Any]


class Space:
    """`with Space() as space:` serves at `space.url`, in a thread of its own."""

    def __init__(self, *, text: str = "what are your opening hours?", response: str = "Hi there!") -> None:
        self.text, self.response = text, response
        self.asked: list[Asked] = []
        self.url = ""
        self._queues: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._always: dict[str, Behaviour] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def queue(self, path: str, *behaviours: Behaviour) -> None:
        """The next answers at this path."""
        self._queues[path].extend(behaviours)

    def always(self, path: str, behaviour: Behaviour | None) -> None:
        """From now on; "" is every path, None is right again."""
        if behaviour is None:
            self._always.pop(path, None)
        else:
            self._always[path] = behaviour

    def forms(self, path: str) -> list[dict[str, Any]]:
        return [asked.form for asked in self.asked if asked.path == path]

    def __enter__(self) -> Space:
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    # ---- the wire ---------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # it is over: nobody waits for this task
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection can bear another."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split()
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        path = target.partition("?")[0]
        form = json.loads(body) if headers.get("content-type") == "application/json" else {}
        self.asked.append(Asked(path, headers, form))
        reply = self._behaviour(path)(self._right_answer(method, path, form))
        await asyncio.sleep(reply.silent_seconds)
        if reply.hangs_up:
            return False
        length = len(reply.body) if reply.promised is None else reply.promised
        lines = [f"HTTP/1.1 {reply.status} -", f"Content-Type: {reply.kind}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if reply.drip_seconds:
            for byte in reply.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(reply.drip_seconds)
        else:
            writer.write(reply.body)
        await writer.drain()
        return reply.promised is None

    def _behaviour(self, path: str) -> Behaviour:
        if self._queues[path]:
            return self._queues[path].popleft()
        return self._always.get(path) or self._always.get("") or (lambda reply: reply)

    # ---- what is right ----------------------------------------------------------------------

    def _right_answer(self, method: str, path: str, form: dict[str, Any]) -> Reply:
        answers: dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]] = {
            ("GET", "/api/health"): self._health,
            ("GET", "/api/models"): self._models,
            ("POST", "/api/tts"): self._tts,
            ("POST", "/api/stt"): self._stt,
            ("POST", "/api/vad"): self._vad,
            ("POST", "/api/vllm/chat"): self._chat,
        }
        answer = answers.get((method, path))
        return Reply(json.dumps(answer(form)).encode()) if answer else missing(Reply(b""))

    def _health(self, form: dict[str, Any]) -> dict[str, Any]:
        models = dict.fromkeys(("tts", "stt", "vad", "vllm"), "loaded")
        return {"status": "healthy", "timestamp": "2025-11-01T12:00:00", "models": models}

    def _models(self, form: dict[str, Any]) -> dict[str, Any]:
        names = {
            "tts": ("facebook/mms-tts-eng", "text-to-speech"),
            "stt": ("openai/whisper-tiny", "speech-to-text"),
            "vad": ("simple_energy_vad", "voice-activity-detection"),
            "vllm": ("microsoft/DialoGPT-small", "conversational"),
        }
        entries = {
            key: {"name": name, "type": kind, "status": "loaded"} for key, (name, kind) in names.items()
        }
        streams = [
            path for path, queue in list(self._queues.items()) if queue and path.startswith("/stream/")
        ]
        return {"available_models": entries, "streaming": streams}

    def _tts(self, form: dict[str, Any]) -> dict[str, Any]:
        """15 characters a second."""
        seconds = max(0.2, len(form["text"]) / 15)
        wav = wav_file(rate=RATE, seconds=seconds)
        return {"audio_base64": base64.b64encode(wav).decode(), "duration": seconds}

    def _stt(self, form: dict[str, Any]) -> dict[str, Any]:
        seconds = len(base64.b64decode(form["audio_base64"])) / 2 / 16000
        segment = {"start": 0.0, "end": seconds, "text": self.text, "confidence": 0.9}
        return {
            "text": self.text,
            "language": "en",
            "confidence": 0.9,
            "duration": seconds,
            "segments": [segment],
        }

    def _vad(self, form: dict[str, Any]) -> dict[str, Any]:
        pcm = base64.b64decode(form["audio_base64"])
        loud = np.abs(audio.to_float(pcm)) > 0.0003
        if not loud.any():
            return {"segments": []}
        start, end = (float(at) / 16000 for at in np.flatnonzero(loud)[[0, -1]])
        return {"segments": [{"start": start, "end": end, "confidence": 0.8}]}

    def _chat(self, form: dict[str, Any]) -> dict[str, Any]:
        return {
            "response": self.response,
            "session_id": form["session_id"],
            "mode": form.get("mode", "assistant"),
            "processing_time": 0.21,
            "context_size": 2,
            "tokens": len(self.response.split()),
        }
