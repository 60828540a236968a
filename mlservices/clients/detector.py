"""Voice activity of all calls of a process in one thread, one batch a tick.

`feed` only appends to the call's own list; every 32 ms the thread takes a window of each call that has one,
asks the model once for all, and hands all results to an event loop in one `call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import audio, engines
from ..catalog import BY_ID
from ..engines import VadEngine
from ..errors import EngineError
from ..interfaces import WINDOW_SECONDS

logger = logging.getLogger(__name__)

_RATES = (8000, 16000)
_LONGEST_BACKLOG_SECONDS = 2.0  # of one call; what is older is dropped and counted

_Result = tuple["Track", float]


class Track:
    """The ear on one call; made by `BatchedDetector.open`."""

    def __init__(self, detector: BatchedDetector, on_window: Callable[[float], None], rate: int) -> None:
        self.rate = rate
        self.engine: VadEngine | None = None  # that made the state; both set by the detector's thread
        self.state: Any = None
        self.window_bytes = round(rate * WINDOW_SECONDS) * 2
        self.loop = asyncio.get_running_loop()
        self.dropped_windows = 0
        self._detector = detector
        self._on_window = on_window
        self._pending = bytearray()
        self._windows: deque[bytes] = deque()
        self._untold_windows = 0  # dropped, and not yet delivered as silence
        self._lock = threading.Lock()
        self._most_windows = int(_LONGEST_BACKLOG_SECONDS / WINDOW_SECONDS)
        self._open = True

    def feed(self, pcm: bytes) -> None:
        self._pending += pcm
        size = self.window_bytes
        with self._lock:
            while len(self._pending) >= size:
                if len(self._windows) >= self._most_windows:
                    self._windows.popleft()
                    self._untold_windows += 1
                    self.dropped_windows += 1
                self._windows.append(bytes(self._pending[:size]))
                del self._pending[:size]

    def close(self) -> None:
        self._open = False
        with self._lock:
            self._windows.clear()
        self._detector.forget(self)

    def take(self) -> tuple[int, bytes | None]:
        """For the detector's thread: the windows dropped since the last time, and the next one that was not.

        The dropped ones are always older, so whoever counts windows as a clock keeps the right time.
        """
        with self._lock:
            dropped, self._untold_windows = self._untold_windows, 0
            return dropped, self._windows.popleft() if self._windows else None

    def deliver(self, probability: float) -> None:
        """On the event loop; a call that has ended hears nothing more."""
        if not self._open:
            return
        try:
            self._on_window(probability)
        except Exception:  # one call's fault is not to silence the others of its batch
            logger.exception("a call failed to take its voice activity, and is told no more")
            self.close()


class BatchedDetector:
    """Meets VoiceDetector. Its thread loads the model at once: the first call need not wait for it."""

    def __init__(self, models_dir: Path, model_ids: Sequence[str] = ("silero-vad", "energy")) -> None:
        """The first of the models that works is used."""
        self._models_dir, self._model_ids = models_dir, deque(model_ids)
        self._tracks: set[Track] = set()
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._closed = False
        self._engine: VadEngine
        self.model_id = ""  # in use
        self.cpu_seconds = 0.0  # used by the thread so far
        self.windows = 0  # judged so far
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._thread.start()

    def open(self, on_window: Callable[[float], None], *, rate: int) -> Track:
        if rate not in _RATES:
            raise ValueError(f"rate={rate}: voice is detected at 8000 or 16000 Hz")
        track = Track(self, on_window, rate)
        with self._lock:
            self._tracks.add(track)
        self._awake.set()
        return track

    def forget(self, track: Track) -> None:
        with self._lock:
            self._tracks.discard(track)

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._closed = True
        self._awake.set()
        self._thread.join(timeout=2)

    def _next_engine(self) -> VadEngine:
        """The next of the models that can be loaded, warm."""
        while self._model_ids:
            self.model_id = self._model_ids.popleft()
            try:
                engine: VadEngine = engines.load(BY_ID[self.model_id], self._models_dir)
                engine.warm()
                return engine
            except Exception:
                logger.exception("voice detection goes on without %s", self.model_id)
        raise EngineError("no voice detector is left", service="vad", permanent=True)

    def _run(self) -> None:
        self._engine = self._next_engine()
        due = time.monotonic()
        while not self._closed:
            tracks = self._open_tracks()
            if not tracks:
                self._awake.wait()
                due = time.monotonic()
                continue
            try:
                self._tick(tracks)
            except EngineError:
                raise  # no detector is left
            except Exception:  # of a window or a call; the next windows of all are judged again
                logger.exception("voice activity of %d calls was missed", len(tracks))
            self.cpu_seconds = time.thread_time()
            due = max(due + WINDOW_SECONDS, time.monotonic() - WINDOW_SECONDS)
            time.sleep(max(0.0, due - time.monotonic()))

    def _open_tracks(self) -> list[Track]:
        with self._lock:
            if not self._tracks and not self._closed:
                self._awake.clear()
            return list(self._tracks)

    def _tick(self, tracks: list[Track]) -> None:
        """Judge all windows that wait, one of each call in a batch, and deliver them at once."""
        results: dict[asyncio.AbstractEventLoop, list[_Result]] = defaultdict(list)
        while ready := self._next_windows(tracks, results):
            for rate in _RATES:
                batch = [(track, window) for track, window in ready if track.rate == rate]
                if batch:
                    for (track, _), probability in zip(batch, self._judge(rate, batch), strict=True):
                        results[track.loop].append((track, probability))
        for loop, delivered in results.items():
            try:
                loop.call_soon_threadsafe(_deliver, delivered)
            except RuntimeError:  # the loop has ended, and its calls with it
                for track, _ in delivered:
                    self.forget(track)

    def _next_windows(
        self, tracks: list[Track], results: dict[asyncio.AbstractEventLoop, list[_Result]]
    ) -> list[tuple[Track, bytes]]:
        """The next window of each call that has one; those dropped before it are put down as silence."""
        ready = []
        for track in tracks:
            dropped, window = track.take()
            if dropped:
                results[track.loop] += [(track, 0.0)] * dropped
            if window is not None:
                ready.append((track, window))
        return ready

    def _judge(self, rate: int, batch: list[tuple[Track, bytes]]) -> list[float]:
        """How surely each window holds speech; by the next model if the one in use fails."""
        while True:
            try:
                return self._probabilities(self._engine, rate, batch)
            except Exception:
                logger.exception("the voice detector %s failed", self.model_id)
                self._engine = self._next_engine()

    def _probabilities(self, engine: VadEngine, rate: int, batch: list[tuple[Track, bytes]]) -> list[float]:
        for track, _ in batch:
            if track.engine is not engine:
                track.engine, track.state = engine, engine.open(rate)
        sound = audio.to_float(b"".join(window for _, window in batch)).reshape(len(batch), -1)
        heard: list[float] = engine.probabilities([track.state for track, _ in batch], sound).tolist()
        self.windows += len(batch)
        return heard


def _deliver(results: list[_Result]) -> None:
    for track, probability in results:
        track.deliver(probability)
