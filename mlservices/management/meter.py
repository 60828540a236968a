"""How far a model is, on a terminal as a bar that moves, elsewhere as a line now and then."""

from __future__ import annotations

import time

from django.core.management.base import OutputWrapper

from ..catalog import Model
from ..prepare import FileState

_BAR = 24
_STEP = 0.1  # of the whole between two lines
_LINE_SECONDS = 30.0
_CLEAR = "\r\033[K"


def size(count: float) -> str:
    """ "145 MB", "12.5 GB": as the hub's pages count, in thousands."""
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def told(state: FileState) -> str:
    """ "45 %, 12 MB of 30 MB, 1.0 MB/s, 18 s left" """
    parts = []
    if state.total_bytes:
        parts += [f"{state.done_bytes * 100 // state.total_bytes} %"]
        parts += [f"{size(state.done_bytes)} of {size(state.total_bytes)}"]
    if state.bytes_per_second:
        parts.append(f"{state.bytes_per_second / 1e6:.1f} MB/s")
    if state.seconds_left is not None:
        parts.append(f"{duration(state.seconds_left)} left")
    return ", ".join(parts)


class Meter:
    """Writes to a command's output; `tell` for lines between."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out, self._moves = out, out.isatty()
        self._bar_is_shown = False
        self._told: tuple[str, str] = ("", "")  # model and state of the last line
        self._share, self._told_at = 0.0, 0.0

    def tell(self, line: str) -> None:
        self.clear()
        self._out.write(line)
        self._out.flush()

    def clear(self) -> None:
        if self._bar_is_shown:
            self._out.write(_CLEAR, ending="")
            self._bar_is_shown = False

    def show(self, model: Model, state: FileState) -> None:
        if state.state == "failed":  # the error tells of it
            self.clear()
        elif state.state == "downloading" and state.total_bytes:
            share = state.done_bytes / state.total_bytes
            if self._moves:
                self._draw(f"{'#' * int(share * _BAR):.<{_BAR}}  {told(state)}")
            elif self._is_worth_a_line(model, state, share):
                self.tell(f"  {told(state)}")
        elif state.state == "preparing" and model.source.hub and self._told != (model.id, "preparing"):
            self._told = (model.id, "preparing")
            self.tell("  fetched and checked")

    def _draw(self, line: str) -> None:
        self._out.write(f"{_CLEAR}  {line}", ending="")
        self._out.flush()
        self._bar_is_shown = True

    def _is_worth_a_line(self, model: Model, state: FileState, share: float) -> bool:
        now = time.monotonic()
        new = self._told != (model.id, "downloading")
        if not (new or share >= self._share + _STEP or now > self._told_at + _LINE_SECONDS):
            return False
        self._told, self._share, self._told_at = (model.id, state.state), share, now
        return True
