"""Servers that offer tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.mcp_servers import Clinics, clinics


@pytest.fixture(scope="session")
def _running() -> Iterator[Clinics]:
    with clinics() as running:
        yield running


@pytest.fixture
def real(_running: Clinics, settings: Any) -> Clinics:
    """Clinics, which VoiceForge may ask."""
    settings.TOOL_PRIVATE_HOSTS = [httpx.URL(url).netloc.decode() for url in _running.urls.values()]
    _running.asked.clear()
    _running.connections.clear()
    return _running
