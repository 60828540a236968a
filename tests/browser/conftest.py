"""A real server, a real Chromium, and a guard: no test passes over a console error or a missing file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from mlservices.audio import wav_bytes
from tests.site.ports import free_port
from voiceforge_site.models import User

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 40
SOON_MS = 15_000  # in which a page shows what it should; what a test stores itself, a page learns within 5 s
OPENED_MS = 45_000  # for a page to be there, however busy the machine is
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# The browser is driven from a thread that also has an event loop, which Django would refuse to share.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: from the first of them on the main thread has a running event loop,
    beside which no test could run one of its own."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: here in item.path.parents)


class Server:
    """The site, with engines that answer at once, in a process of its own on the tests' database."""

    def __init__(self, ml_port: int = 0) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ml_port = ml_port or free_port()  # nobody answers there, unless a test does
        self.models_dir = Path(settings.VAR_DIR) / "models"  # the prepared ones, and what a test adds

    def start(self) -> None:
        self.models_dir.mkdir(exist_ok=True)
        for prepared in settings.MODELS_DIR.glob("*"):
            if not (self.models_dir / prepared.name).exists():
                (self.models_dir / prepared.name).symlink_to(prepared)
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "ENV_FILE": "",
            "DEBUG": "true",
            "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
            "VAR_DIR": str(settings.VAR_DIR),
            "PUBLIC_URL": self.url,
            "ALLOWED_HOSTS": "voice.test",
            "SESSION_SECRET": settings.SECRET_KEY,
            "CREDENTIALS_KEY": settings.CREDENTIALS_KEYS[0],
            "HF_HOME": str(self.models_dir),
            "ML_PORT": str(self.ml_port),
        }
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "-v", "0"]
        self.process = subprocess.Popen([*command, "tests.fakes.asgi:application"], env=environment)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/login/", timeout=5)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        self.stop()
        raise RuntimeError("The server did not start; what it said stands above.")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


@pytest.fixture(scope="session")
def session_server(django_db_setup: None, django_db_blocker: object) -> Iterator[Server]:
    if connection.vendor != "sqlite":
        pytest.skip("Browser tests run on SQLite.")
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(session_server: Server, transactional_db: None) -> Server:
    return session_server


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=SOON_MS)
    with sync_playwright() as driver:
        yield driver


def launch(playwright: Playwright, *flags: str) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A person who has a microphone, and says no when a page asks for it."""
    browser = launch(playwright, "--use-fake-device-for-media-stream")
    yield browser
    browser.close()


def speaking(playwright: Playwright, sound: Path) -> Browser:
    """A person who says yes, and whose words are in a WAV file."""
    return launch(
        playwright,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    )


@pytest.fixture(scope="session")
def chromium_with_microphone(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """Who is silent for two seconds, hums for one, and then listens."""
    time = np.arange(48_000) / 48_000
    hum = (np.sin(2 * np.pi * 200 * time) * 12_000).astype("<i2").tobytes()
    sound = tmp_path_factory.mktemp("sound") / "hum.wav"
    sound.write_bytes(wav_bytes(bytes(2 * len(hum)) + hum + bytes(20 * len(hum)), 48_000))
    browser = speaking(playwright, sound)
    yield browser
    browser.close()


class Guard:
    """Pages of one test, and whatever went wrong in them."""

    def __init__(self, server: Server, user: User) -> None:
        self.server = server
        self.user = user
        self.contexts: list[BrowserContext] = []
        self.faults: list[str] = []
        # htmx tells of a request that is under way when a page is left as of one that failed
        self.expected = ["htmx:afterRequest", "htmx:sendAbort"]

    def expect(self, *parts: str) -> None:
        """Faults that hold one of these words are what the test is about."""
        self.expected += parts

    def context(
        self,
        browser: Browser,
        *,
        theme: str = "light",
        viewport: dict[str, int] = DESK,
        url: str = "",
        **options: Any,
    ) -> BrowserContext:
        """Signed in as Alice, without going through the form."""
        context = browser.new_context(
            viewport=viewport,
            color_scheme=theme,
            base_url=url or self.server.url,
            **options,
        )
        context.add_cookies([{"name": "sessionid", "value": self._session(), "url": url or self.server.url}])
        context.set_default_timeout(SOON_MS)
        context.set_default_navigation_timeout(OPENED_MS)
        context.on("page", self._watch)
        self.contexts.append(context)
        return context

    def page(self, browser: Browser, **options: object) -> Page:
        return self.context(browser, **options).new_page()  # type: ignore[arg-type]

    def _session(self) -> str:
        client = Client()
        client.force_login(self.user)
        return client.cookies["sessionid"].value

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda said: said.type == "error" and self.faults.append(f"{page.url}: {said.text}"),
        )
        page.on(
            "response",
            lambda answer: answer.status >= 400 and self.faults.append(f"{answer.status} {answer.url}"),
        )

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        unexpected = [f for f in self.faults if not any(part in f for part in self.expected)]
        assert not unexpected, "\n".join(unexpected)


@pytest.fixture
def guard(server: Server, alice: User) -> Iterator[Guard]:
    guard = Guard(server, alice)
    yield guard
    guard.close()


@pytest.fixture
def page(guard: Guard, chromium: Browser) -> Page:
    return guard.page(chromium)
