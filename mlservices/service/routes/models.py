"""Models in and out while the service runs, and their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from ..deployment import Deployment
from ..deployments import Deployments
from ..placement import Device, kept_back_mb


class _Nothing(BaseModel):
    """`{}`: a body of JSON is what no web page can send to another's address without asking first."""

    model_config = ConfigDict(extra="forbid")


def add(app: FastAPI, service: Deployments) -> None:
    @app.get("/models")
    async def listed() -> dict[str, Any]:
        """Every model of the catalogue, and what memory there is; `state` is off, starting, loading, loaded,
        unloading, failed or absent (its files are not here)."""
        devices = await service.devices.lately()
        return {
            "models": [_placed_entry(service, each, devices) for each in service.by_id.values()],
            "devices": [_memory_of(each) for each in devices],
        }

    @app.post("/models/{model_id}/download", status_code=202)
    async def download(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        service.download(model_id)
        return _entry(service, service.named(model_id))

    @app.post("/models/{model_id}/stop")
    async def stop(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        """Stop a download; the next one goes on from there."""
        await service.downloads.stop(service.named(model_id).model.id)
        return _entry(service, service.named(model_id))

    @app.post("/models/{model_id}/remove")
    async def remove(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        await service.remove(model_id)
        return _entry(service, service.named(model_id))

    @app.post("/models/{model_id}/load", status_code=202)
    async def load(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        return _entry(service, await service.load(model_id))

    @app.post("/models/{model_id}/unload")
    async def unload(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        await service.unload(model_id)
        return _entry(service, service.named(model_id))

    @app.post("/models/{model_id}/warm")
    async def warm(model_id: str, nothing: _Nothing) -> dict[str, Any]:
        await service.warm(model_id)
        return _entry(service, service.named(model_id))


def _state(deployment: Deployment, has_files: bool) -> str:
    if deployment.is_leaving:
        return "unloading"
    told = deployment.holding() or deployment.refusal or has_files
    return deployment.state() if told else "absent"


def _entry(service: Deployments, deployment: Deployment, devices: Sequence[Device] = ()) -> dict[str, Any]:
    """`gpu_mb` of a worker is what the driver of these devices tells of it, if it does."""
    taken = {pid: mb for device in devices for pid, mb in device.processes.items()}
    model, held, downloads = deployment.model, deployment.holding(), service.downloads
    has_files = service.has_files(deployment)
    problem = "" if has_files else downloads.problems.get(model.id, "")
    return {
        "id": model.id,
        "name": model.name,
        "kind": model.kind,
        "pool": model.pool,
        "state": _state(deployment, has_files),
        "reason": deployment.reason() or problem,
        "at_start": deployment.plan.at_start,
        "default": service.defaults.get(model.kind) is deployment,
        "priority": model.priority,
        "memory_mb": model.memory_mb,
        "workers": [each | {"gpu_mb": taken.get(each["pid"])} for each in deployment.workers()],
        "devices": held.devices if held else (),
        "fetching": downloads.is_under_way(model.id),
    }


def _placed_entry(service: Deployments, deployment: Deployment, devices: list[Device]) -> dict[str, Any]:
    """`place` is where a model that is not held would go, what would make room, or why it cannot."""
    place = None if deployment.holding() else service.place_for(deployment, devices)
    return _entry(service, deployment, devices) | {"place": asdict(place) if place else None}


def _memory_of(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "name": device.name,
        "total_mb": device.total_mb,
        "free_mb": device.free_mb,
        "used": device.used,
        "kept_back_mb": kept_back_mb(device),
    }
