from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest
from django.conf import LazySettings
from django.db import DatabaseError
from django.test import AsyncClient

from mlservices.clients import http
from voiceforge_site import health

pytestmark = pytest.mark.django_db(transaction=True)
LOADED = {"whisper": "loaded", "joe": "loaded"}


@pytest.fixture
def ml_service(monkeypatch: pytest.MonkeyPatch) -> Callable[[httpx.Response | Exception], None]:
    """Lets the ML service give this answer, or fail like this."""

    def set_answer(answer: httpx.Response | Exception) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            if isinstance(answer, Exception):
                raise answer
            return answer

        transport = httpx.MockTransport(handle)
        monkeypatch.setattr(http, "Client", lambda **how: httpx.AsyncClient(transport=transport, **how))

    set_answer(httpx.Response(200, json={"models": LOADED}))
    return set_answer


@pytest.fixture(autouse=True)
def a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.Stat, "get_all", lambda: ["a heartbeat"])


async def ask() -> tuple[int, dict[str, object]]:
    answer = await AsyncClient().get("/health/")
    return answer.status_code, answer.json()


async def test_all_well_is_said_without_a_login(ml_service: object) -> None:
    assert await ask() == (
        200,
        {
            "status": "healthy",
            "database": "ok",
            "live_events": "ok",
            "jobs": "ok",
            "ml": "ok",
            "models": LOADED,
        },
    )


async def test_models_still_loading_are_shown(ml_service: Callable[..., None]) -> None:
    ml_service(httpx.Response(200, json={"models": {"whisper": "loaded", "joe": "loading"}}))
    status, said = await ask()
    assert (status, said["status"], said["ml"]) == (200, "degraded", "loading")


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError("refused"), httpx.Response(500, text="<html>"), httpx.Response(200, json=[])],
    ids=["refused", "html", "other JSON"],
)
async def test_without_the_ml_service_no_call_can_be_taken(
    ml_service: Callable[..., None], failure: httpx.Response | Exception
) -> None:
    ml_service(failure)
    status, said = await ask()
    assert (status, said["status"], said["ml"], said["models"]) == (503, "down", "down", {})


async def test_before_any_model_is_loaded_no_call_can_be_taken(ml_service: Callable[..., None]) -> None:
    ml_service(httpx.Response(200, json={"models": dict.fromkeys(LOADED, "loading")}))
    assert (await ask())[0] == 503


async def test_a_database_that_says_nothing_is_down_in_time_and_holds_one_thread(
    ml_service: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = [], threading.Event()

    def hang() -> str:
        asked.append(1)
        answer.wait(20)
        return "ok"

    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(health, "_ask_database", hang)
    for _ in range(3):
        assert (await ask())[0] == 503
    assert len(asked) == 1
    answer.set()


async def test_a_space_is_asked_with_its_token_and_the_service_beside_us_as_well(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    settings.HF_ML_API_URL, settings.HF_TOKEN = "https://health.example.org", "hf-secret"
    asked = {}

    def handle(request: httpx.Request) -> httpx.Response:
        asked[request.url.host] = request.headers.get("authorization")
        return httpx.Response(200, json={"models": {f"of {request.url.host}": "loaded"}})

    transport = httpx.MockTransport(handle)
    monkeypatch.setattr(http, "Client", lambda **how: httpx.AsyncClient(transport=transport, **how))
    _, said = await ask()
    assert asked == {"health.example.org": "Bearer hf-secret", "127.0.0.1": None}
    assert (said["ml"], said["models"]) == (
        "ok",
        {"of health.example.org": "loaded", "of 127.0.0.1": "loaded"},
    )


async def test_without_a_worker_the_server_is_degraded(
    ml_service: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health.Stat, "get_all", list)
    status, said = await ask()
    assert (status, said["status"], said["jobs"]) == (200, "degraded", "down")


async def test_without_a_database_the_server_is_down(
    ml_service: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoDatabase:
        def cursor(self) -> None:
            raise DatabaseError

        def close(self) -> None: ...

    monkeypatch.setattr(health, "connection", NoDatabase())
    status, said = await ask()
    assert (status, said["status"], said["database"]) == (503, "down", "down")
