"""What is played when engines fail: sentences recorded beforehand, one WAV (16 kHz mono) each.

`manage.py record_prompts` makes them with the voice that is in use; those that ship were made with the
demonstration voice.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from mlservices.audio import read_wav, resample
from telephony.session.reply import PROMPT_TEXTS

FOLDER = Path(__file__).parent
DEFAULT_LANGUAGE = "en"


@lru_cache(maxsize=8)
def load(language: str, rate: int) -> dict[str, bytes]:
    """pcm (s16le mono at `rate` Hz) by name; a language without recordings gets the English ones."""
    folder = FOLDER / language.split("-")[0]
    if not folder.is_dir():
        folder = FOLDER / DEFAULT_LANGUAGE
    return {name: resample(*read_wav(folder / f"{name}.wav"), rate) for name in PROMPT_TEXTS}
