"""What the library says of a voice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = ""  # a model's own voice, of which nobody says


@dataclass(frozen=True, slots=True)
class Voice:
    """Either a description that some models follow (`prompt`), or what one model sounds like (`model`)."""

    id: str
    name: str
    language: str  # BCP 47
    gender: Gender
    description: str  # a sentence for people; what callers are to expect
    prompt: str = ""  # how the voice sounds, in English, as Parler-TTS reads it
    model: str = ""  # catalogue id of the one model whose own voice it is


Row = tuple[str, str, str, str]  # "aditi-f", name, description, prompt


def group(prefix: str, language: str, rows: Iterable[Row]) -> tuple[Voice, ...]:
    """The voices of one language; the last letter of a row's first word says the gender."""
    genders = {"f": Gender.FEMALE, "m": Gender.MALE}
    return tuple(
        Voice(f"{prefix}-{key}", name, language, genders[key[-1]], description, prompt)
        for key, name, description, prompt in rows
    )
