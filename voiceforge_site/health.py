"""`/health/`: whether this server can take calls, in words that need no login."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import redis
from channels.layers import get_channel_layer
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_q.status import Stat

from mlservices import registry
from mlservices.errors import EngineError

PATIENCE_SECONDS = 3.0
OK, DOWN, LOADING = "ok", "down", "loading"
IMPORTANT = ("database", "live_events")  # without these no page and no call works


@require_safe
@never_cache
async def health(request: HttpRequest) -> JsonResponse:
    """200 while calls can be taken, `degraded` if a part of less importance is missing; else 503."""
    database, live_events, jobs, (ml, models) = await asyncio.gather(
        database_state(), live_events_state(), jobs_state(), ml_state()
    )
    states = {"database": database, "live_events": live_events, "jobs": jobs, "ml": ml}
    speaks = ml == OK or "loaded" in models.values()
    able = speaks and all(states[name] == OK for name in IMPORTANT)
    status = "healthy" if set(states.values()) == {OK} else "degraded" if able else "down"
    return JsonResponse({"status": status, **states, "models": models}, status=200 if able else 503)


_asked: dict[str, asyncio.Future[str]] = {}


async def _in_time(ask: Callable[[], str]) -> str:
    """What a blocking question comes to. One that hangs is not asked a second time meanwhile: threads
    cannot be stopped, and each who waits for an answer would hold one more."""
    under_way = _asked.get(ask.__name__)
    if under_way is None or under_way.done():
        loop = asyncio.get_running_loop()
        under_way = _asked[ask.__name__] = loop.run_in_executor(None, ask)
    done, _ = await asyncio.wait({under_way}, timeout=PATIENCE_SECONDS)
    return under_way.result() if done else DOWN


async def database_state() -> str:
    return await _in_time(_ask_database)


async def jobs_state() -> str:
    """Whether a worker has shown its heart beating in the last seconds."""
    return await _in_time(_ask_jobs)


def _ask_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return DOWN
    finally:
        connection.close()  # this thread's own
    return OK


async def live_events_state() -> str:
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            channel = await layer.new_channel("health")
            await layer.send(channel, {"type": "health"})
            await layer.receive(channel)
    except (OSError, TimeoutError, redis.RedisError):
        return DOWN
    return OK


def _ask_jobs() -> str:
    try:
        return OK if Stat.get_all() else DOWN
    except redis.RedisError:
        return DOWN


async def ml_state() -> tuple[str, dict[str, Any]]:
    """And what the ML service says of each of its models; beside a Space there are two services."""
    services = {registry.service(), registry.own_service()}
    models: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for answer in await asyncio.gather(*(service.health() for service in services)):
                models |= answer["models"]
    except (EngineError, TimeoutError, KeyError, TypeError):
        return DOWN, {}
    return (OK if all(state == "loaded" for state in models.values()) else LOADING), models
