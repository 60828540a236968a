"""What pages stand before."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.fakes.speech_service import SpeechService
from tests.mlservices.conftest import serving


@pytest.fixture
def speech(settings, tmp_path):
    """A service with Joe; nothing is kept of what it said before."""
    settings.VAR_DIR = tmp_path
    service = SpeechService()
    with serving(service.app()) as url:
        settings.ML_PORT = urlsplit(url).port
        yield service
