"""Models in and out while the service runs."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from ..deployment import Deployment
from ..deployments import Deployments


class _Nothing(BaseModel):
    """`{}`: a body of JSON is what no web page can send to another's address without asking first."""

    model_config = ConfigDict(extra="forbid")


def add(app: FastAPI, service: Deployments) -> None:
    def entry(deployment: Deployment) -> dict[str, Any]:
        model, held = deployment.model, deployment.holding()
        return {
            "id": model.id,
            "name": model.name,
            "kind": model.kind,
            "pool": model.pool,
            "state": deployment.state()
            if held or deployment.refusal or service.has_files(deployment)
            else "absent",
            "reason": deployment.reason(),
            "at_start": deployment.plan.at_start,
            "default": service.defaults.get(model.kind) is deployment,
            "priority": model.priority,
            "memory_mb": model.memory_mb,
            "workers": deployment.report()["workers"],
            "devices": held.devices if held else (),
        }

    @app.get("/models")
    async def listed() -> dict[str, Any]:
        """Every model of the catalogue, and what memory there is; `state` is off, starting, loading, loaded,
        failed or absent (its files are not here)."""
        return {
            "models": [entry(each) for each in service.by_id.values()],
            "devices": [
                {"id": d.id, "name": d.name, "total_mb": d.total_mb, "free_mb": d.free_mb, "used": d.used}
                for d in await service.devices()
            ],
        }

    @app.post("/models/{model_id}/load", status_code=202)
    async def load(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        return entry(await service.load(model_id))

    @app.post("/models/{model_id}/unload")
    async def unload(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        await service.unload(model_id)
        return entry(service.named(model_id))

    @app.post("/models/{model_id}/warm")
    async def warm(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        await service.warm(model_id)
        return entry(service.named(model_id))
