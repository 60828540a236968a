"""Stereo recordings: caller left, agent right, on the media clock.

The event loop hands over some seconds at a time; one thread for each process looks now and then what
there is to write (to wake it for each piece cost the event loop more than the writing). The WAV header
is made good after each piece, so that a file whose process died can be read up to there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from django.conf import settings

from .models import Call, Recording

logger = logging.getLogger(__name__)

PIECE_SECONDS = 2.0
LOOK_SECONDS = 0.25
PEAKS_PER_SECOND = 10
WRITER_GONE_SECONDS = 5 * PIECE_SECONDS  # a file that has not grown for so long has no writer
LONGEST_QUEUE = 1024  # pieces, of all calls of this process
DROPS_TOLD = 100  # a line in the log for the first of so many
HEADER_BYTES = 44


@dataclass(frozen=True, slots=True)
class Saved:
    """A finished recording; `peaks` as `Recording.peaks` holds them."""

    duration_seconds: float
    bytes: int
    peaks: dict[str, Any]


@dataclass(slots=True)
class _Piece:
    recording: StereoFile
    start: int  # bytes of one leg since the call began
    caller: bytes
    agent: bytes


@dataclass(slots=True)
class StereoFile:
    """One WAV being written. Not thread-safe: the writer's thread alone touches it."""

    path: Path
    rate: int
    written: int = 0  # bytes of one leg
    caller_peaks: list[int] = field(default_factory=list)
    agent_peaks: list[int] = field(default_factory=list)
    _file: int | None = None  # descriptor

    def write(self, start: int, caller: bytes, agent: bytes) -> None:
        missing = start - self.written  # pieces that were dropped: keep the clock
        if missing > 0:
            self._append(bytes(missing), bytes(missing))
        self._append(caller, agent)

    def close(self) -> Saved:
        os.close(self._opened())
        return Saved(
            duration_seconds=self.written / (2 * self.rate),
            bytes=HEADER_BYTES + 2 * self.written,
            peaks={"rate": PEAKS_PER_SECOND, "caller": self.caller_peaks, "agent": self.agent_peaks},
        )

    def _append(self, caller: bytes, agent: bytes) -> None:
        file = self._opened()
        left, right = np.frombuffer(caller, "<i2"), np.frombuffer(agent, "<i2")
        os.pwrite(file, np.column_stack((left, right)).tobytes(), HEADER_BYTES + 2 * self.written)
        self.written += len(caller)
        os.pwrite(file, self._header(), 0)
        self.caller_peaks += peaks(left, self.rate)
        self.agent_peaks += peaks(right, self.rate)

    def _opened(self) -> int:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
            os.pwrite(self._file, self._header(), 0)
        return self._file

    def _header(self) -> bytes:
        data = 2 * self.written
        fmt = struct.pack("<IHHIIHH", 16, 1, 2, self.rate, 4 * self.rate, 4, 16)
        return (
            struct.pack("<4sI4s4s", b"RIFF", 36 + data, b"WAVE", b"fmt ")
            + fmt
            + struct.pack("<4sI", b"data", data)
        )


def peaks(samples: np.ndarray, rate: int) -> list[int]:
    """The loudest sample (0..100) of each tenth of a second; the last one may be shorter."""
    step = rate // PEAKS_PER_SECOND
    padded = np.pad(np.abs(samples.astype(np.int32)), (0, -len(samples) % step))
    return [int(peak) for peak in padded.reshape(-1, step).max(axis=1) * 100 // 32768]


class RecordingWriter:
    """The thread that writes all recordings of this process; its queue is bounded."""

    def __init__(self) -> None:
        self._waiting: deque[_Piece | tuple[StereoFile, Future[Saved]]] = deque()
        self._thread: threading.Thread | None = None
        self.dropped = 0  # pieces; they are silent in the recording

    def put(self, piece: _Piece) -> None:
        if len(self._waiting) >= LONGEST_QUEUE:
            self.dropped += 1
            if self.dropped % DROPS_TOLD == 1:
                logger.error("The disk is behind: %d pieces of recordings were dropped.", self.dropped)
            return
        self._waiting.append(piece)
        self._start()

    def finish(self, recording: StereoFile) -> Future[Saved]:
        saved: Future[Saved] = Future()
        self._waiting.append((recording, saved))
        self._start()
        return saved

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            while self._waiting:
                item = self._waiting.popleft()
                if isinstance(item, _Piece):
                    self._write(item)
                else:
                    self._close(*item)

    @staticmethod
    def _write(piece: _Piece) -> None:
        try:
            piece.recording.write(piece.start, piece.caller, piece.agent)
        except OSError as error:  # a full disk costs the recording, never the call
            logger.error("The recording %s cannot be written: %s", piece.recording.path.name, error)

    @staticmethod
    def _close(recording: StereoFile, saved: Future[Saved]) -> None:
        awaited = saved.set_running_or_notify_cancel()
        try:
            result = recording.close()
        except OSError as error:
            if awaited:
                saved.set_exception(error)
        else:
            if awaited:
                saved.set_result(result)


writer = RecordingWriter()


class Recorder:
    """The tap on one call's line: `tap(caller, agent)` never waits."""

    def __init__(self, path: Path, rate: int) -> None:
        self.rate = rate
        self._file = StereoFile(path, rate)
        self._piece_bytes = int(PIECE_SECONDS * rate) * 2
        self._start = 0
        self._caller, self._agent = bytearray(), bytearray()

    def tap(self, caller: bytes, agent: bytes) -> None:
        self._caller += caller
        self._agent += agent
        while len(self._caller) >= self._piece_bytes:
            self._hand_over()

    async def close(self) -> Saved:
        """Raises OSError when the disk did not take it."""
        if self._caller:
            self._hand_over()
        return await asyncio.wrap_future(writer.finish(self._file))

    def _hand_over(self) -> None:
        length = min(self._piece_bytes, len(self._caller))
        writer.put(_Piece(self._file, self._start, bytes(self._caller[:length]), bytes(self._agent[:length])))
        self._start += length
        del self._caller[:length], self._agent[:length]


def name_of(call: Call) -> str:
    """Where the recording of a call is kept, relative to MEDIA_ROOT."""
    return f"recordings/{call.created_at:%Y/%m}/{call.pk}.wav"


def path_of(call: Call) -> Path:
    return Path(settings.MEDIA_ROOT) / name_of(call)


def is_being_written(call: Call) -> bool:
    try:
        return time.time() - path_of(call).stat().st_mtime < WRITER_GONE_SECONDS
    except FileNotFoundError:
        return False


def salvage(call: Call) -> Recording | None:
    """The recording that a process which died has left, if it left one that can be read."""
    path = path_of(call)
    if not path.exists() or Recording.objects.filter(call=call).exists():
        return None
    try:
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        logger.error("The recording that call %s has left cannot be read: %s", call.pk, error)
        return None
    recording, _ = Recording.objects.update_or_create(
        call=call,
        defaults={
            "file": name_of(call),
            "rate": rate,
            "duration_seconds": len(samples) / rate,
            "bytes": path.stat().st_size,
            "peaks": {
                "rate": PEAKS_PER_SECOND,
                "caller": peaks(samples[:, 0], rate),
                "agent": peaks(samples[:, 1], rate),
            },
        },
    )
    return recording
