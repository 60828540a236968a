"""How the service is: for people, for probes, for Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ...catalog import Kind
from ..deployment import Deployment, Held
from ..deployments import SPACE_KEYS, Deployments
from ..measures import OUTCOMES

_SUMS = ("queue", *OUTCOMES, "retried", "restarts")


_HOME = """<!doctype html><html lang="en"><meta charset="utf-8"><title>VoiceForge ML service</title>
<body style="font:16px system-ui;margin:3rem auto;max-width:34rem;padding:0 1rem">
<h1>VoiceForge ML service</h1><p>Speech and language models behind one HTTP API.</p>
<ul><li><a href="docs">How to use it</a><li><a href="api/health">How it is</a></ul>"""


def add(app: FastAPI, service: Deployments) -> None:
    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def home() -> str:
        return _HOME

    @app.get("/api/health")
    async def health(request: Request) -> dict[str, Any]:
        """`healthy` once all models of the start are loaded, else `starting`, or `degraded` by `problems`.
        Who lacks the service's token is told no reasons, which name files, and nothing of the machine."""
        return await _health(service, stranger=getattr(request.state, "stranger", False))

    @app.get("/api/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/api/ready")
    async def ready() -> Response:
        """200 once every kind that is offered has a model; until then 503 and what is missing."""
        waiting = [
            SPACE_KEYS[kind] for kind, each in service.defaults.items() if each.state() is not Held.LOADED
        ]
        answer = {"status": "ready" if not waiting else "not ready", "waiting": waiting}
        return JSONResponse(answer, status_code=503 if waiting else 200)

    @app.get("/api/models")
    async def models() -> dict[str, Any]:
        available = {SPACE_KEYS[kind]: _entry(each) for kind, each in service.defaults.items()}
        if Kind.TTS in service.defaults:
            available["tts"]["voices"] = service.voices()
        paths = [route.path for route in app.routes if isinstance(route, Route)]
        return {
            "available_models": available,
            "streaming": [path for path in paths if path.startswith("/stream/")],
        }

    @app.get("/api/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _entry(deployment: Deployment) -> dict[str, Any]:
    model = deployment.model
    return {
        "name": model.name,
        "id": model.id,
        "type": model.kind.value,
        "status": deployment.state(),
        "languages": model.languages,
        "licence": model.licence,
        "commercial_use": model.commercial_use,
        "rate": model.rate,
    }


def _pools(deployments: list[Deployment]) -> dict[str, Any]:
    """By the pools' names: sums over their models, and each model."""
    pools: dict[str, dict[str, Any]] = {}
    for deployment in deployments:
        pools.setdefault(deployment.model.pool, {})[deployment.model.id] = deployment.report()
    order = [Held.LOADED, Held.LOADING, Held.STARTING, Held.FAILED, Held.OFF]
    return {
        name: {
            "state": min((report["state"] for report in reports.values()), key=order.index),
            "queue_limit": max(report["queue_limit"] for report in reports.values()),
            "workers": [worker for report in reports.values() for worker in report["workers"]],
            "mean_seconds": max((s for r in reports.values() if (s := r["mean_seconds"])), default=None),
            **{key: sum(report[key] for report in reports.values()) for key in _SUMS},
            "models": reports,
        }
        for name, reports in pools.items()
    }


async def _health(service: Deployments, *, stranger: bool) -> dict[str, Any]:
    awaited = [each for each in service.by_id.values() if each.plan.at_start]
    there = [each for each in service.by_id.values() if each in awaited or each.holding() or each.refusal]
    problems = [*service.problems, *sorted({f"{e.model.id}: {e.reason()}" for e in there if e.reason()})]
    if all(each.state() is Held.LOADED for each in awaited):
        status = "healthy"
    else:
        status = "degraded" if problems else "starting"
    told = {
        "status": status,
        "timestamp": datetime.now(UTC).isoformat(),
        "models": {each.model.id: each.state() for each in there},
    }
    if stranger:
        return told
    return told | {
        "problems": problems,
        "pools": _pools(there),
        "devices": [
            {"id": d.id, "name": d.name, "total_mb": d.total_mb, "free_mb": d.free_mb}
            for d in await service.devices.lately()
        ],
    }
