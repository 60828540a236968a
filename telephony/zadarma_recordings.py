"""Recordings that Zadarma made of calls whose sound went past us, kept like our own."""

from __future__ import annotations

import io
from pathlib import Path

import soundfile
from asgiref.sync import async_to_sync

from .actions import keep_recording
from .models import Call, Recording
from .providers.zadarma.errors import ZadarmaError
from .providers.zadarma.recordings import Sound
from .recorder import path_of
from .zadarma import client_of

BLOCK = 65536  # samples decoded at once


def fetch(call_id: str, name: str) -> str:
    """Fetch one recording by the name that Zadarma has for it; a call that has one keeps it. For the worker,
    which tries again after ZadarmaError."""
    call = Call.objects.select_related("phone_number__credential").filter(pk=call_id).first()
    if call is None or call.phone_number is None or Recording.objects.filter(call=call).exists():
        return "nothing to do"
    client = client_of(call.phone_number.credential)
    [link, *_others] = async_to_sync(client.record_links)(call_id=name).links
    sound = async_to_sync(client.recording)(link)
    _write(sound, path_of(call))
    keep_recording(call)
    return f"{len(sound.content)} bytes"


def _write(sound: Sound, path: Path) -> None:
    """As a WAV of two sides. Of one side alone nobody knows who speaks: it is on both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with (
            soundfile.SoundFile(io.BytesIO(sound.content)) as source,
            soundfile.SoundFile(
                part, "w", samplerate=source.samplerate, channels=2, subtype="PCM_16", format="WAV"
            ) as target,
        ):
            for block in source.blocks(BLOCK, dtype="int16", always_2d=True):
                target.write(block[:, [0, -1]])
        part.replace(path)
    except soundfile.LibsndfileError as error:
        raise ZadarmaError(f"Zadarma's recording cannot be decoded: {error}", permanent=True) from None
    finally:
        part.unlink(missing_ok=True)
