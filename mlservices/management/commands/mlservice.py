"""manage.py mlservice: the ML service, until it is told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlservices.service.app import LOOPBACK_HOSTS, create_app
from mlservices.service.devices import devices, misnamed
from mlservices.service.layout import plans


class Command(BaseCommand):
    help = "Run the ML service: worker pools behind the Space API on a loopback port."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=settings.ML_PORT)
        parser.add_argument("--on", choices=["here", "ray"], default="here", help="where the workers are")
        parser.add_argument(
            "--ray-address",
            default="",
            help="host:port of a Ray cluster to join, or auto (default: RAY_ADDRESS, or one of its own)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        on_loopback = options["host"] in ("127.0.0.1", "::1", "localhost")
        if not (on_loopback or settings.ML_API_TOKEN):
            self.stderr.write(f"Whoever reaches {options['host']} may use this service: set ML_API_TOKEN.")
        with workers(options["on"], options["ray_address"] or settings.RAY_ADDRESS) as how:
            app = create_app(
                plans(has_gpu=len(how["devices"]()) > 1),
                settings.MODELS_DIR,
                allowed_hosts=LOOPBACK_HOSTS if on_loopback else ["*"],
                token=settings.ML_API_TOKEN,
                **how,
            )
            uvicorn.run(
                app,
                host=options["host"],
                port=options["port"],
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=3,
            )


@contextmanager
def workers(on: str, ray_address: str) -> Iterator[dict[str, Any]]:
    """What `create_app` is told of where workers are, while they may be there."""
    if on == "here":
        if problem := misnamed(settings.CUDA_VISIBLE_DEVICES):
            raise CommandError(problem)
        yield {"devices": partial(devices, settings.CUDA_VISIBLE_DEVICES)}
        return
    try:
        from mlservices.service.ray import Cluster, RayDeployment  # an extra, and slow to import
    except ModuleNotFoundError as error:
        raise CommandError(
            f"--on ray needs the library {error.name}: run `pip install -r requirements-ray.lock`"
        ) from None
    try:
        cluster = Cluster(ray_address)
    except ConnectionError as error:
        raise CommandError(
            f"There is no Ray cluster to join ({error}): run `ray start` on this machine first."
        ) from None
    try:
        yield {"devices": cluster.devices, "make": partial(RayDeployment, cluster=cluster)}
    finally:
        cluster.close()
