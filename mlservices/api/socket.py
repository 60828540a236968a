"""`/ws/stt`: the words of a speaker while they speak.

The client says {"apiKey"?, "language"?, "rate"?, "model"?}, then sends PCM16LE mono in binary messages, then
{"end": true}. The server says {"type": "ready"}; "partial" {text} while somebody speaks; "final" {text,
start, end, confidence} for each utterance; "error" {error, service?, permanent?}, which ends the socket
unless it is of one utterance alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from .. import audio, registry
from ..errors import EngineError
from ..interfaces import WINDOW_SECONDS
from ..ledger import asking
from ..types import Transcript
from .answers import Refused
from .forms import ListenForm, checked
from .listening import Listening, Utterance
from .sound import HEARD_RATE

FIRST_MESSAGE_SECONDS = 10.0
IDLE_SECONDS = 30.0  # without a message
LONGEST_STREAM_SECONDS = 1800.0
LARGEST_MESSAGE = 256 * 2**10  # bytes
PARTIAL_SECONDS = 0.5  # from the beginning of one to the beginning of the next, at least
JUDGED_WITHIN_SECONDS = 20.0  # a window of sound; the detector may have to be loaded first
RECHECK_SECONDS = 10.0  # that who listens still may
MOST_AT_ONCE = 10  # sockets of one key, or of people
TIMES_AS_FAST = 4  # as it was spoken: a recording may be sent so fast, and is read no faster
FREE_SECONDS = 5.0  # of sound, which may come at once

_NORMAL, _POLICY, _TOO_BIG, _INTERNAL, _TRY_AGAIN = 1000, 1008, 1009, 1011, 1013
_WINDOW_BYTES = round(HEARD_RATE * WINDOW_SECONDS) * 2
_PIECE_BYTES = HEARD_RATE  # half a second: as much as the detector may have before it
_MOST_BACKLOG = 2 * _PIECE_BYTES // _WINDOW_BYTES  # windows

Admit = Callable[..., Awaitable[str]]
"""(scope, the key of the first message or "") -> the id of who asks. Raises NotAdmitted. Who was admitted is
asked again `after` seconds, or sooner if their key is revoked."""


class NotAdmitted(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Closing(Exception):
    """What ends a socket; `message` is told before."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _invalid(fields: dict[str, str]) -> _Closing:
    wrong = "; ".join(f"{field}: {why}" for field, why in fields.items())
    return _Closing(_POLICY, f"The first message is not valid: {wrong}")


class _Gone(Exception):
    """The client hung up."""


class ListenConsumer:
    """The ASGI application of the address."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit
        self._open = Counter[str]()  # by the key that opened them

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await ListenSocket(self._admit, self._open, scope, receive, send).serve()


class ListenSocket:
    """One socket, from its handshake to its close."""

    def __init__(self, admit: Admit, open: Counter[str], scope: Any, receive: Any, send: Any) -> None:
        self._admit, self._scope, self._receive, self._socket_send = admit, scope, receive, send
        self._open = open
        self._key = ""  # of the first message

    async def serve(self) -> None:
        await self._receive()  # websocket.connect
        await self._socket_send({"type": "websocket.accept"})
        code = _NORMAL
        try:
            form = await self._first_message()
            key = await self._admit(self._scope, form.apiKey)
            with asking(key=key), self._one_more(key):
                if wrong := registry.unheard(form.language, form.model):
                    raise _invalid(wrong)
                await self._listen(form)
        except (_Gone, OSError):  # servers have kinds of OSError of their own for "disconnected"
            return
        except (_Closing, NotAdmitted) as error:
            code = error.code
            await self._send("error", error=str(error))
        except EngineError as error:
            code = _POLICY if error.blames_input else _INTERNAL
            await self._send("error", error=str(error), service=error.service, permanent=error.permanent)
        await self._socket_send({"type": "websocket.close", "code": code})

    @contextmanager
    def _one_more(self, key: str) -> Iterator[None]:
        if self._open[key] >= MOST_AT_ONCE:
            raise _Closing(_TRY_AGAIN, f"{MOST_AT_ONCE} sockets are open: close one, or wait until one ends.")
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1

    async def _first_message(self) -> ListenForm:
        content = _json(await self._next(FIRST_MESSAGE_SECONDS))
        if content is None:
            raise _Closing(_POLICY, 'The first message is to be JSON: {"apiKey": ..., "language": "en"}.')
        try:
            form = checked(ListenForm, content)
        except Refused as error:
            raise _invalid(error.fields or {}) from None
        self._key = form.apiKey
        return form

    async def _listen(self, form: ListenForm) -> None:
        ear = Ear(form)
        writer = Writer(form, ear, self._send)
        try:
            await self._send("ready")
            await _until_first(writer.write(), self._read(ear), self._recheck())
        finally:
            ear.close()

    async def _read(self, ear: Ear) -> None:
        """Until it is cancelled, or the client hangs up."""
        while True:
            message = await self._next(None if ear.is_finished else IDLE_SECONDS)
            if ear.is_finished:
                continue
            if (pcm := message.get("bytes")) is not None:
                await ear.hear(pcm)
            elif (_json(message) or {}).get("end") is True:
                await ear.finish()
            else:
                raise _Closing(_POLICY, 'Send sound in binary messages, and {"end": true} after it.')

    async def _recheck(self) -> None:
        while True:
            await self._admit(self._scope, self._key, after=RECHECK_SECONDS)

    async def _next(self, seconds: float | None) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                message: dict[str, Any] = await self._receive()
        except TimeoutError:
            raise _Closing(_POLICY, f"Nothing came for {seconds:g} seconds.") from None
        if message["type"] == "websocket.disconnect":
            raise _Gone
        if len(message.get("bytes") or message.get("text") or "") > LARGEST_MESSAGE:
            raise _Closing(_TOO_BIG, f"A message is larger than {LARGEST_MESSAGE // 1024} KB.")
        return message

    async def _send(self, type: str, **content: Any) -> None:
        text = orjson.dumps({"type": type, **content}).decode()
        await self._socket_send({"type": "websocket.send", "text": text})


class Ear:
    """Sound in; utterances out, in `ended`. `changed` is set when there is something new to say."""

    def __init__(self, form: ListenForm) -> None:
        self.listening = Listening()
        self.ended: deque[Utterance] = deque()
        self.changed = asyncio.Event()
        self.is_finished = False
        self._rate = form.rate
        self._resampler = audio.Resampler(form.rate, HEARD_RATE)
        self._track = registry.voice_detector().open(self._on_window, rate=HEARD_RATE)
        self._unjudged = bytearray()
        self._judged = asyncio.Event()
        self._started = time.monotonic()
        self._seconds = 0.0  # of sound that came

    async def hear(self, pcm: bytes) -> None:
        """Waits where sound comes faster than it can be judged, or than is fair."""
        self._seconds += len(pcm) / 2 / self._rate
        if self._seconds > LONGEST_STREAM_SECONDS:
            raise _Closing(_POLICY, f"Longer than {LONGEST_STREAM_SECONDS / 60:g} minutes.")
        await self._judge(self._resampler.feed(pcm))
        ahead = self._seconds - FREE_SECONDS - TIMES_AS_FAST * (time.monotonic() - self._started)
        if ahead > 0:
            await asyncio.sleep(ahead / TIMES_AS_FAST)

    async def finish(self) -> None:
        rest = self._resampler.flush()
        missing = -(len(self._unjudged) + len(rest)) % _WINDOW_BYTES
        await self._judge(rest + bytes(missing))
        await self._backlog_of(0)
        self._end(self.listening.finish())
        self.is_finished = True
        self.changed.set()

    def close(self) -> None:
        self._track.close()

    async def _judge(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), _PIECE_BYTES):
            await self._backlog_of(_MOST_BACKLOG)
            piece = pcm[start : start + _PIECE_BYTES]
            self._unjudged += piece
            self._track.feed(piece)

    async def _backlog_of(self, windows: int) -> None:
        """The detector takes what comes too fast for silence, hence nothing does."""
        while len(self._unjudged) // _WINDOW_BYTES > windows:
            self._judged.clear()
            try:
                async with asyncio.timeout(JUDGED_WITHIN_SECONDS):
                    await self._judged.wait()
            except TimeoutError:
                raise EngineError("The voice detector does not answer.", service="vad") from None

    def _on_window(self, probability: float) -> None:
        window = bytes(self._unjudged[:_WINDOW_BYTES])
        del self._unjudged[:_WINDOW_BYTES]
        self._end(self.listening.hear(window, probability))
        self._judged.set()
        self.changed.set()

    def _end(self, utterance: Utterance | None) -> None:
        if utterance:
            self.ended.append(utterance)


class Writer:
    """Words of what an ear heard: one request at a time, those of whole utterances first."""

    def __init__(self, form: ListenForm, ear: Ear, send: Callable[..., Awaitable[None]]) -> None:
        self._form, self._ear, self._send = form, ear, send
        self._next_partial = 0.0  # when it may begin
        self._told = ""  # of the utterance that goes on

    async def write(self) -> None:
        """Until the ear has finished and all is said."""
        while True:
            self._ear.changed.clear()
            if self._ear.ended:
                await self._final(self._ear.ended.popleft())
            elif self._ear.is_finished:
                return
            elif time.monotonic() >= self._next_partial and (sound := self._ear.listening.so_far()):
                await self._partial(sound)
            else:
                await self._ear.changed.wait()

    async def _final(self, utterance: Utterance) -> None:
        times = {"start": round(utterance.start, 3), "end": round(utterance.end, 3)}
        told, self._told = self._told, ""
        try:
            transcript = await self._transcribe(utterance.pcm, "live")
        except EngineError as error:
            why = {"service": error.service, "permanent": error.permanent}
            await self._send("error", error=str(error), **why, **times)
            return
        if transcript.text or told:
            await self._send("final", text=transcript.text, confidence=transcript.confidence, **times)

    async def _partial(self, sound: bytes) -> None:
        """Given up when the utterance ends meanwhile. One that fails is followed by another."""
        started, number = time.monotonic(), self._ear.listening.number
        asked = asyncio.create_task(self._transcribe(sound, "batch"))
        try:
            while not asked.done() and self._ear.listening.number == number:
                self._ear.changed.clear()
                changed = asyncio.create_task(self._ear.changed.wait())
                await asyncio.wait({asked, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
        finally:
            asked.cancel()
        # The slower the engine is, the longer it is left to others.
        self._next_partial = started + max(PARTIAL_SECONDS, 2 * (time.monotonic() - started))
        await asyncio.wait({asked})
        if asked.cancelled() or isinstance(asked.exception(), EngineError):
            return
        text = asked.result().text
        if text and text != self._told:
            self._told = text
            await self._send("partial", text=text)

    async def _transcribe(self, pcm: bytes, priority: Any) -> Transcript:
        return await registry.speech_to_text().transcribe(
            pcm,
            rate=HEARD_RATE,
            language=self._form.language,
            model=self._form.model,
            priority=priority,
        )


def _json(message: dict[str, Any]) -> dict[str, Any] | None:
    """None for what is no JSON object."""
    try:
        content = orjson.loads(message.get("text") or "")
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


async def _until_first(*parts: Coroutine[Any, Any, None]) -> None:
    """All parts until the first ends, whose fault is raised; the others are cancelled."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
