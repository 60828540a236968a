"""Record the sentences that are played when engines fail, with the voice that is in use."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mlservices import registry
from mlservices.audio import wav_bytes
from telephony.prompts import DEFAULT_LANGUAGE, FOLDER
from telephony.session.reply import PROMPT_TEXTS

RATE = 16_000


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--voice", default="default")

    def handle(self, *args: Any, voice: str, **options: Any) -> None:
        for name, sound in asyncio.run(_spoken(voice)).items():
            path = FOLDER / DEFAULT_LANGUAGE / f"{name}.wav"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(wav_bytes(sound, RATE))
            self.stdout.write(f"{path.name}: {len(sound) / 2 / RATE:.1f} s")


async def _spoken(voice: str) -> dict[str, bytes]:
    tts = registry.first_voice()
    try:
        return {
            name: b"".join([chunk.pcm async for chunk in tts.speak(text, rate=RATE, voice=voice)])
            for name, text in PROMPT_TEXTS.items()
        }
    finally:
        await registry.close()
