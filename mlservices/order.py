"""Who is asked first to hear, speak and reply, and who in their stead."""

from __future__ import annotations

from django.conf import settings

SPACE, LOCAL, OPENAI = "space", "local", "openai"


def order() -> tuple[str, ...]:
    """As ML_FALLBACK says; else a Space that is named, or our own service where none is, and what is reached
    over an OpenAI-compatible API."""
    if settings.ML_FALLBACK:
        return tuple(settings.ML_FALLBACK)
    return (SPACE if settings.HF_ML_API_URL else LOCAL, OPENAI)
