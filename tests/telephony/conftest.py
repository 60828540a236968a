"""A telephone line, and real servers with engines that answer at once."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection, connections
from django.test import override_settings

from agents.models import Agent
from telephony.credentials import save_credential
from telephony.eventlog import eventlog
from telephony.lines import limiting
from telephony.models import Call, Credential, PhoneNumber
from telephony.providers.twilio.simulator import Account
from voiceforge_site.management.commands.web import arguments

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT_SID = "AC" + "1" * 32
NUMBER = "+14155550123"
PUBLIC_URL = "https://voice.example.org"


@pytest.fixture
def agent(db: None) -> Agent:
    return Agent.objects.create(name="Front desk", slug="front-desk", greeting="Hello.")


@pytest.fixture
def credential(db: None) -> Credential:
    return save_credential(provider="twilio", account=ACCOUNT_SID, secret=AUTH_TOKEN, label="Main")


@pytest.fixture
def number(agent: Agent, credential: Credential) -> PhoneNumber:
    return PhoneNumber.objects.create(number=NUMBER, credential=credential, agent=agent)


@pytest.fixture(autouse=True)
def _no_thread_outlives_its_database() -> Iterator[None]:
    yield
    eventlog.close()
    asyncio.run(sync_to_async(connections.close_all)())  # of the thread behind `aget` and its like


@pytest.fixture(autouse=True)
def _carriers_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "PAUSES_SECONDS", ())


@dataclass
class Server:
    """A web server of ours in a process of its own, on this test's database."""

    url: str
    process: subprocess.Popen[bytes]

    def account(self) -> Account:
        return Account(ACCOUNT_SID, AUTH_TOKEN, server=self.url, public_url=PUBLIC_URL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url() -> str:
    """Of the database that the tests run on."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    login = ":".join(quote(str(database[key])) for key in ("USER", "PASSWORD") if database[key])
    # A path is a socket's folder, as in postgres://%2Frun%2Fpostgresql/name
    place = quote(str(database["HOST"]), safe="") + (f":{database['PORT']}" if database["PORT"] else "")
    return f"postgres://{login}@{place}/{database['NAME']}"


def server_environment() -> dict[str, str]:
    """Of a process of ours that shares this test's database and secrets."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "voiceforge_site.settings",
        "ENV_FILE": "",
        "TWILIO_API_URL": settings.TWILIO_API_URL,
        "DATABASE_URL": database_url(),
        "VAR_DIR": str(settings.VAR_DIR),
        "PUBLIC_URL": PUBLIC_URL,
        "ALLOWED_HOSTS": "*",
        "CREDENTIALS_KEY": settings.CREDENTIALS_KEYS[0],
        "SESSION_SECRET": settings.SECRET_KEY,
    }


def start_server(web_server: str = "daphne") -> Server:
    """With the arguments that our own `manage.py web` gives it."""
    port = free_port()
    with override_settings(HOST="127.0.0.1", WEB_CONCURRENCY=1):
        command = arguments(web_server, port=port, application="tests.fakes.asgi:application")
    process = subprocess.Popen([sys.executable, "-m", *command], env=server_environment())
    server = Server(f"http://127.0.0.1:{port}", process)
    deadline = time.monotonic() + 60  # on a busy machine; 3 s are the rule
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(server.url + "/login/", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return server
    server.kill()
    raise RuntimeError("The server did not start; what it said stands above.")


@pytest.fixture
def server(transactional_db: None, number: PhoneNumber, request: pytest.FixtureRequest) -> Iterator[Server]:
    """On daphne, or on the web server that a test's parameter names."""
    server = start_server(getattr(request, "param", "daphne"))
    yield server
    server.process.terminate()
    server.process.wait(timeout=10)


def wait_until(condition: object, *, seconds: float = 10.0) -> object:
    """What `condition()` answers as soon as it is true; fails after `seconds`."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)
    return answer


def kinds_of(call: Call) -> list[str]:
    return list(call.events.values_list("kind", flat=True))


@pytest.fixture(autouse=True)
def layer_of_one_process() -> Iterator[None]:
    """Tests within one process have an event loop each, between which a Redis layer's locks cannot move.
    Servers that a test starts in processes of their own use Redis where there is one."""
    layers = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    with override_settings(CHANNEL_LAYERS=layers):
        yield
