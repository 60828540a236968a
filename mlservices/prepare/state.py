"""How far a model's files are, told by whoever fetches them and read by every process.

An attempt has a folder of its own in MODELS_DIR/.underway: a lock that its process holds until it ends,
however that is, its figures, and what it has fetched so far. Success leaves none of it; a failure leaves
its reason and the parts that the next attempt goes on from.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..catalog import Model
from . import stamp

State = Literal["absent", "downloading", "preparing", "ready", "failed"]
UNDERWAY: tuple[State, ...] = ("downloading", "preparing")

_FOLDER = ".underway"
_WRITE_SECONDS = 0.5
_RATE_SECONDS = 10.0  # over which the rate is taken
_LOOK_SECONDS = 0.3
_GLANCES = 3  # at a lock before it counts as taken: who reads a state holds it for a moment


@dataclass(frozen=True, slots=True)
class FileState:
    """`done_bytes` of `total_bytes` are here; both are 0 where nothing is fetched, or how much is unknown."""

    state: State
    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    reason: str = ""  # of a failure
    commit: str = ""  # of the hub's repository
    size_bytes: int = 0  # on disk, once ready
    by: str = ""  # who is at it
    interrupted: bool = False  # it failed only because somebody or something ended it


def state(model: Model, models_dir: Path) -> FileState:
    """What is so now, by the files of this moment; asks nobody."""
    place = models_dir / _FOLDER / model.id
    held = _is_held(place)
    written = _read(place)
    if held or (written.get("state") in UNDERWAY and _is_held(place)):  # it may just have begun
        return _state_of(written) if written else FileState("preparing")
    if not model.recipe:
        return FileState("ready")
    if whole := stamp.read_whole(model, models_dir):
        commit = whole.get("sources", {}).get(model.source.hub, {}).get("commit", "")
        return FileState("ready", commit=commit, size_bytes=sum(whole["files"].values()))
    if not written:
        return FileState("absent")
    if written["state"] in UNDERWAY:
        written |= {"state": "failed", "reason": _interrupted(model, written), "interrupted": True}
    return _state_of(written)


def _state_of(written: dict[str, Any]) -> FileState:
    done, total, rate = written["done_bytes"], written["total_bytes"], written["bytes_per_second"]
    return FileState(
        written["state"],
        done_bytes=done,
        total_bytes=total,
        bytes_per_second=rate,
        seconds_left=(total - done) / rate if rate and written["state"] == "downloading" else None,
        reason=written["reason"],
        commit=written["commit"],
        by=f"process {written['pid']} on {written['host']}",
        interrupted=written.get("interrupted", False),
    )


def _interrupted(model: Model, written: dict[str, Any]) -> str:
    done, total = written["done_bytes"], written["total_bytes"]
    share = f" at {done * 100 // total} %" if total else ""
    return f"It was interrupted{share}: `manage.py models download {model.id}` goes on from there."


def _read(place: Path) -> dict[str, Any]:
    try:
        written: dict[str, Any] = json.loads((place / "state.json").read_text())
    except (OSError, ValueError):
        return {}
    return written


def _is_held(place: Path) -> bool:
    try:
        lock = os.open(place / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


class Attempt:
    """The one attempt at a model's files on this machine. Made by `attempt`."""

    def __init__(self, model: Model, place: Path, progress: Callable[[FileState], None]) -> None:
        self._model, self._place, self._progress = model, place, progress
        self._written_at = 0.0
        self._received: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._figures: dict[str, Any] = {
            "state": "downloading" if model.source.hub else "preparing",
            "done_bytes": 0,
            "total_bytes": 0,
            "bytes_per_second": 0.0,
            "reason": "",
            "commit": "",
            "since": time.time(),
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        self._write()

    @property
    def scratch(self) -> Path:
        """A folder for this attempt, empty at its start and gone at its end."""
        return self._place / "scratch"

    @property
    def fetched(self) -> Path:
        """The folder of what is fetched, which outlives an attempt that fails."""
        return self._place / "fetched"

    def expects(self, total_bytes: int, commit: str) -> None:
        self._figures |= {"state": "downloading", "total_bytes": total_bytes, "commit": commit}
        self._received = deque([(time.monotonic(), 0)])
        self._write()

    def found(self, count: int) -> None:
        """So many bytes lie here from before; or, below zero, were here and are not any more."""
        self._figures["done_bytes"] += count
        self._write_now_and_then()

    def received(self, count: int) -> None:
        now = time.monotonic()
        self._received.append((now, self._received[-1][1] + count))
        while len(self._received) > 2 and now - self._received[0][0] > _RATE_SECONDS:
            self._received.popleft()
        self.found(count)

    def makes(self) -> None:
        """All is fetched, and is now made ready to load."""
        self._figures["state"] = "preparing"
        self._write()

    def failed(self, reason: str) -> None:
        self._figures |= {"state": "failed", "reason": reason}
        try:
            self._write()
        except OSError:  # no room for another file, mostly; what is there has its room already
            with suppress(OSError), (self._place / "state.json").open("r+") as written:
                written.write(json.dumps(self._figures))
                written.truncate()

    def interrupted(self) -> None:
        self._figures["interrupted"] = True
        self.failed(_interrupted(self._model, self._figures))

    def _write_now_and_then(self) -> None:
        if time.monotonic() - self._written_at >= _WRITE_SECONDS:
            self._write()

    def _write(self) -> None:
        self._written_at = time.monotonic()
        (begin, before), (end, after) = self._received[0], self._received[-1]
        self._figures["bytes_per_second"] = (after - before) / (end - begin) if end > begin else 0.0
        new = self._place / "state.json.new"
        new.write_text(json.dumps(self._figures))
        os.replace(new, self._place / "state.json")
        self._progress(_state_of(self._figures))


@contextmanager
def attempt(
    model: Model, models_dir: Path, tell: Callable[[str], None], progress: Callable[[FileState], None]
) -> Iterator[Attempt]:
    """The right to make this model's files, for as long as the block lasts; waits while another has it.

    `progress` hears twice a second how far it is, be it ours or the one that is waited for; what it raises
    ends the attempt and keeps what is fetched.
    """
    place = models_dir / _FOLDER / model.id
    lock = _wait_for_lock(model, models_dir, tell, progress)
    try:
        ours = Attempt(model, place, progress)
        try:
            yield ours
        except BaseException as error:
            _tell_why(ours, error)
            shutil.rmtree(ours.scratch, ignore_errors=True)
            raise
        _clear(place)
    finally:
        os.close(lock)


def _tell_why(ours: Attempt, error: BaseException) -> None:
    if isinstance(error, Exception):
        lines = str(error).strip().splitlines()
        ours.failed(lines[0] if lines else type(error).__name__)
    else:  # Ctrl-C
        ours.interrupted()


def _wait_for_lock(
    model: Model, models_dir: Path, tell: Callable[[str], None], progress: Callable[[FileState], None]
) -> int:
    looks = 0
    while (lock := _take_lock(models_dir / _FOLDER / model.id)) is None:
        looks += 1
        now = state(model, models_dir)
        if looks == _GLANCES:
            tell(f"{model.id} is being fetched by {now.by or 'another process'} already: waiting for it ...")
        if looks > _GLANCES and now.state in UNDERWAY:
            progress(now)
        time.sleep(_LOOK_SECONDS)
    return lock


def _take_lock(place: Path) -> int | None:
    """The lock of this place, None where another has it."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except (FileNotFoundError, FileExistsError):  # cleared away in this very moment
        return None
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it may have cleared it away: then this lock is of a file that nobody else can see.
        if os.path.samestat(os.fstat(lock), os.stat(place / "lock")):
            return lock
    os.close(lock)
    return None


def bytes_here(model: Model, models_dir: Path) -> int:
    """Of a model's files, and of what attempts have fetched."""
    places = (models_dir / model.id, models_dir / _FOLDER / model.id / "fetched")
    return sum(file.stat().st_size for place in places for file in place.rglob("*") if file.is_file())


def remove(model: Model, models_dir: Path) -> bool:
    """Delete a model's files, and what attempts have left; False while one is under way."""
    place = models_dir / _FOLDER / model.id
    for _ in range(_GLANCES):
        if (lock := _take_lock(place)) is not None:
            break
        time.sleep(_LOOK_SECONDS)
    else:
        return False
    try:
        shutil.rmtree(models_dir / model.id, ignore_errors=True)
        _clear(place)
    finally:
        os.close(lock)
    return True


def _clear(place: Path) -> None:
    """Out of sight first: the next attempt may make the same folder anew at once."""
    gone = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    os.rename(place, gone)
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(OSError):  # others are under way
        place.parent.rmdir()
