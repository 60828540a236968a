"""What runs inside a worker process: one file an engine, heavy libraries imported there and nowhere else.

Engines are synchronous and serve one request at a time, but in the middle of a generator, between two pieces,
another may be run to its end. Sound is float32 mono in -1..1 at the rate that
the engine names. Generators are closed between two pieces when a request is cancelled. A request that an
engine can never serve raises `EngineError(permanent=True)`.

Where a library cannot be stopped in the middle, an engine may say `side_by_side = 2`: it bears a second call
while the one that nobody wants any more ends by itself (`service/worker.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..catalog import Model
from ..errors import EngineError
from ..types import ChatMessage, Tool, ToolCall, Transcript

Sound = NDArray[np.float32]


class Engine(Protocol):
    """Made as `Class(folder, model)` with the files that its recipe prepared."""

    def __init__(self, folder: Path, model: Model) -> None: ...

    def warm(self) -> None:
        """Run once on something short, so that the first caller does not pay for first use."""


class SttEngine(Engine, Protocol):
    rate: int

    def transcribe(self, samples: Sound, language: str) -> Transcript:
        """The words of at most 30 s."""


class TtsEngine(Engine, Protocol):
    rate: int

    def speak(self, text: str, *, voice: str, language: str, speed: float) -> Iterator[Sound]:
        """The text as sound, the first piece as early as the model allows.

        It may be long: the model is given a sentence at a time, since what it needs grows with the square.

        `voice` is "default", or what the voice library tells this model of a voice; `language` is "" for the
        model's own first one.
        """


class LlmEngine(Engine, Protocol):
    longest_system_prompt: int  # tokens; 0 where no limit is known

    def count(self, text: str) -> int:
        """Its tokens."""

    def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        tools: Sequence[Tool] = (),
    ) -> Iterator[str | ToolCall | None]:
        """A piece a token (some empty), and the calls among them, each whole; None while it reads.

        EngineError(permanent=True) for tools, or messages about them, that the model knows nothing of.
        """


class MeaningEngine(Engine, Protocol):
    at_once: int  # requests that are worth doing together

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Rows of unit length, shape (len(texts), dimensions)."""


class TurnEngine(Engine, Protocol):
    rate: int

    def judge(self, samples: Sound) -> float:
        """How probable it is that the speaker who paused at the end is done."""


class VadEngine(Engine, Protocol):
    def open(self, rate: int) -> Any:
        """A handle that keeps one stream's state; `rate` is 8000 or 16000."""

    def probabilities(self, streams: Sequence[Any], windows: Sound) -> Sound:
        """The probability of speech in the next window of each stream.

        `windows` has shape (streams, samples of WINDOW_SECONDS); all streams have the same rate.
        """


def load(model: Model, models_dir: Path) -> Any:
    """The engine of a model, its files loaded but not warm.

    EngineError names the command that helps when a library or the prepared files are missing.
    """
    folder = models_dir / model.id
    if model.recipe and not folder.is_dir():
        raise EngineError(
            f"{model.id} is not prepared: run `manage.py models prepare`",
            service=model.service,
            permanent=True,
        )
    module, _, name = model.engine.rpartition(".")
    try:
        engine = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        remedy = f"manage.py models install {model.id}" if model.extra else "pip install -r requirements.lock"
        raise EngineError(
            f"{model.id} needs the library {error.name}: run `{remedy}`",
            service=model.service,
            permanent=True,
        ) from error
    return engine(folder, model)
