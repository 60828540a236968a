from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from channels.routing import ProtocolTypeRouter, URLRouter

from mlservices.api.routing import sockets
from tests.mlservices.conftest import serving
from voiceforge_site.access import key_actions
from voiceforge_site.access.gate import admit_to_api, guarded
from voiceforge_site.handler import http_application
from voiceforge_site.models import User


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the site, with its own handler, middleware and door."""
    websocket = URLRouter(guarded(sockets(admit_to_api)))
    with serving(ProtocolTypeRouter({"http": http_application(), "websocket": websocket})) as url:
        yield url


@pytest.fixture
def site(server, stand_in_service, settings, transactional_db) -> str:
    """The site in front of a service of stand-ins."""
    settings.ML_PORT = urlsplit(stand_in_service).port
    return server


@pytest.fixture
def real_site(server, real_service, settings, transactional_db) -> str:
    settings.ML_PORT = urlsplit(real_service).port
    return server


@pytest.fixture
def new_key(transactional_db) -> Callable[..., str]:
    """A key of somebody with this role."""

    def made(role: str = "operator") -> str:
        return key_actions.create("a test", User.objects.create_user(f"of-{role}", role=role))[1]

    return made


@pytest.fixture
def api(site, new_key) -> Iterator[httpx.Client]:
    """A program that has a key."""
    with httpx.Client(base_url=site, headers=bearer(new_key()), timeout=20) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
