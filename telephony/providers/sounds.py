"""Which kind of sound file a provider has sent."""

from __future__ import annotations

SMALLEST = 128  # bytes; less is no sound


def sound_kind(content: bytes) -> str | None:
    """Of a file that begins so, with `SMALLEST` bytes at least: "wav", or "mp3" with or without its tag."""
    if len(content) < SMALLEST:
        return None
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    is_frame = content[0] == 0xFF and content[1] & 0xE0 == 0xE0 and content[1] & 0x06 != 0
    return "mp3" if content[:3] == b"ID3" or is_frame else None
