"""The HTTP face of the ML service: the Space API, and a streaming one for calls.

Access: there are no accounts here. The service listens on the loopback address and answers only requests that
name a loopback host, so that it serves this machine alone (and no web page that a browser was lured
to). Whoever binds it to another address gives it a token to ask for, or puts something in front that asks who
is there, as VoiceForge's own public API asks for its keys.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ..errors import EngineError
from .answers import error_response
from .bearer import BearerToken
from .body_limit import BodyLimit
from .deployment import Deployment
from .deployments import Deployments, Make
from .devices import devices as real_devices
from .forms import faults
from .json_body import JsonRoute
from .layout import Plan
from .placement import Device
from .routes import models, space, status, streams

LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
_LARGEST_BODY = 40 * 2**20  # ten minutes of sound in base64, and some


def create_app(
    plans: Sequence[Plan],
    models_dir: Path,
    *,
    allowed_hosts: Sequence[str] = LOOPBACK_HOSTS,
    devices: Callable[[], list[Device]] = real_devices,
    token: str = "",
    prepare_missing: bool = False,
    make: Make = Deployment,
) -> FastAPI:
    """`token`: what every request must bear, if any. `prepare_missing`: files are made at the start."""
    service = Deployments(plans, models_dir, devices, prepare_missing=prepare_missing, make=make)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.problems = find_problems(models_dir)
        await service.start()
        yield
        await service.close()

    app = FastAPI(title="VoiceForge ML service", version="1", lifespan=lifespan)
    app.router.route_class = JsonRoute
    app.state.service = service
    app.add_middleware(BodyLimit, largest=_LARGEST_BODY)
    if token:
        app.add_middleware(BearerToken, token=token)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts))
    _handle_errors(app)
    for routes in (status, models, space, streams):
        routes.add(app, service)
    return app


def find_problems(models_dir: Path) -> list[str]:
    """What would make every model fail: a models folder that is not there or cannot be written."""
    probe = models_dir / ".write-test"
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return [
            f"The models folder {models_dir} cannot be written ({error.strerror}): set HF_HOME to another."
        ]
    return []


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(
            {"error": "The request is not valid.", "fields": faults(error.errors())}, status_code=400
        )

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)

    @app.exception_handler(EngineError)
    async def engine_error(request: Request, error: EngineError) -> JSONResponse:
        return error_response(error)
