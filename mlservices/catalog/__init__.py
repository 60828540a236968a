"""Every model that VoiceForge runs itself: where it comes from, what it needs, what its licence allows.

Knows no libraries: an entry names its engine and the recipe that prepares its files by dotted path.
"""

from __future__ import annotations

from .embedded import EMBEDDED
from .entry import Kind, Model, Source
from .hub import HUB

__all__ = ["BY_ID", "MODELS", "Kind", "Model", "Source", "ids"]

MODELS: tuple[Model, ...] = (*EMBEDDED, *HUB)
BY_ID = {model.id: model for model in MODELS}


def ids(kind: Kind) -> list[str]:
    return [model.id for model in MODELS if model.kind is kind]
