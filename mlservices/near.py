"""The model of meaning inside this process, for commands: they need no server that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from .catalog import BY_ID
from .engines import load
from .service.layout import NEAR
from .types import Priority


class NearEmbedder:
    """An `Embedder`, loaded when it is first asked."""

    async def embed(self, texts: Sequence[str], *, priority: Priority = "live") -> NDArray[np.float32]:
        """EngineError names the command that prepares the model where it is not there."""
        embedded: NDArray[np.float32] = await asyncio.to_thread(lambda: self._engine.embed(texts))
        return embedded

    @cached_property
    def _engine(self) -> Any:
        return load(BY_ID[NEAR[0]], settings.MODELS_DIR)
