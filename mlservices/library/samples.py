"""What voices have said already, kept on disk: the same words of the same model are made once.

The folder keeps to a size; what nobody has heard for longest goes first.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from pathlib import Path
from weakref import WeakValueDictionary

from django.conf import settings

from .. import registry
from ..speech import spoken
from ..voices import Voice
from .standing import Standing

logger = logging.getLogger(__name__)

RATE = 24000
LARGEST = 64 * 2**20  # bytes of all that is kept, some 300 greetings
PATIENCE_SECONDS = 150.0  # a Space wakes up in two minutes
_VERSION = 1  # raised when what a model makes of the same words changes

# One sentence is made once at a time; who asks for it meanwhile waits. A lock belongs to its event loop.
_making: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, str], asyncio.Lock] = WeakValueDictionary()


def folder() -> Path:
    return settings.VAR_DIR / "voice-samples"


def kept(key: str) -> bytes | None:
    """A WAV; asking for it keeps it longer."""
    path = folder() / f"{key}.wav"
    try:
        os.utime(path)
        return path.read_bytes()
    except FileNotFoundError:
        return None


def key_of(voice: Voice, standing: Standing, text: str) -> str:
    """Of the voice as its model speaks it now, here or on a Space."""
    source = standing.model.source
    parts = (
        voice.id,
        voice.prompt,
        standing.model.id,
        standing.told,
        source.version or source.revision,
        registry.who_speaks(),
        settings.HF_ML_API_URL,
        text,
        f"{_VERSION} {RATE}",
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


async def sample(voice: Voice, standing: Standing, text: str) -> bytes:
    """A WAV of the text in the voice. Raises EngineError; nothing is kept of what failed."""
    key = key_of(voice, standing, text)
    place = (asyncio.get_running_loop(), key)
    lock = _making.get(place)
    if lock is None:
        lock = _making[place] = asyncio.Lock()
    async with lock:
        if (known := await asyncio.to_thread(kept, key)) is not None:
            return known
        wav = await spoken(text, voice=standing.told, rate=RATE, seconds=PATIENCE_SECONDS)
        await asyncio.to_thread(_keep, key, wav)
        return wav


def _keep(key: str, wav: bytes) -> None:
    """Under its name once it is whole, since others may read it at any time.

    Where the disk takes it not, it is made anew next time: that is no reason for not hearing it now.
    """
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as scratch:
            made = Path(scratch) / key
            made.write_bytes(wav)
            os.replace(made, place / f"{key}.wav")
        _make_room(place)
    except OSError as error:
        logger.warning("A voice's sample is not kept in %s: %s", place, error)


def _make_room(place: Path) -> None:
    files = sorted(((path.stat(), path) for path in place.glob("*.wav")), key=lambda each: -each[0].st_mtime)
    size = 0
    for stat, path in files:
        size += stat.st_size
        if size > LARGEST:
            path.unlink(missing_ok=True)
