"""`/health/`: whether this server can take calls, in words that need no login."""

from __future__ import annotations

import asyncio
from typing import Any

import redis
from channels.layers import get_channel_layer
from django.contrib.auth.decorators import login_not_required
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
@login_not_required
async def health(request: HttpRequest) -> JsonResponse:
    """503 if pages and calls cannot work at all; 200 otherwise, `degraded` if a part is missing."""
    database, live_events, jobs, (ml, models) = await asyncio.gather(
        asyncio.to_thread(database_state), live_events_state(), asyncio.to_thread(jobs_state), ml_state()
    )
    states = {"database": database, "live_events": live_events, "jobs": jobs, "ml": ml}
    able = all(states[name] == OK for name in IMPORTANT)
    status = "healthy" if set(states.values()) == {OK} else "degraded" if able else "down"
    return JsonResponse({"status": status, **states, "models": models}, status=200 if able else 503)


def database_state() -> str:
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


def jobs_state() -> str:
    """Whether a worker has shown its heart beating in the last seconds."""
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
