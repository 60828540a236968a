"""manage.py mlservice: the ML service, until it is told to stop."""

from __future__ import annotations

from functools import partial
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from mlservices.service.app import LOOPBACK_HOSTS, create_app
from mlservices.service.devices import devices
from mlservices.service.layout import plans


class Command(BaseCommand):
    help = "Run the ML service: worker pools behind the Space API on a loopback port."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=settings.ML_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        on_loopback = options["host"] in ("127.0.0.1", "::1", "localhost")
        if not (on_loopback or settings.ML_API_TOKEN):
            self.stderr.write(f"Whoever reaches {options['host']} may use this service: set ML_API_TOKEN.")
        look = partial(devices, settings.CUDA_VISIBLE_DEVICES)
        app = create_app(
            plans(has_gpu=len(look()) > 1),
            settings.MODELS_DIR,
            allowed_hosts=LOOPBACK_HOSTS if on_loopback else ["*"],
            devices=look,
            token=settings.ML_API_TOKEN,
        )
        uvicorn.run(
            app,
            host=options["host"],
            port=options["port"],
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=3,
        )
