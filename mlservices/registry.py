"""Who serves what in this process: settings in, clients that meet `interfaces.py` out.

Each function answers the same client every time; clients open their connections on first use and keep
them, one set for each event loop.
"""

from __future__ import annotations

from functools import cache

from django.conf import settings

from .clients.service import ServiceClient
from .interfaces import Embedder, SpeechToText, TextToSpeech, TurnJudge


@cache
def service() -> ServiceClient:
    """The ML service at settings.ML_URL, ours or a Space."""
    return ServiceClient(settings.ML_URL)


def speech_to_text() -> SpeechToText:
    return service()


def text_to_speech() -> TextToSpeech:
    return service()


def embedder() -> Embedder:
    return service()


def turn_judge() -> TurnJudge:
    return service()
