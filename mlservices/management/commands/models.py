"""manage.py models prepare|install [ID ...]: make the files, or the libraries, of models ready."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlservices import catalog
from mlservices.environments import install
from mlservices.errors import PrepareError
from mlservices.prepare import is_ready, prepare
from mlservices.service.layout import configured_models


class Command(BaseCommand):
    help = "Prepare the configured models, or list all that can be configured."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["prepare", "install", "list"])
        parser.add_argument("ids", nargs="*", help="catalogue ids; default: those that are configured")

    def handle(self, *args: Any, **options: Any) -> None:
        ids = options["ids"] or configured_models()
        unknown = [id for id in ids if id not in catalog.BY_ID]
        if unknown:
            raise CommandError(f"Unknown model {unknown[0]}: see `manage.py models list`.")
        if options["verb"] == "list":
            for model in catalog.MODELS:
                state = "ready" if not model.recipe or is_ready(model, settings.MODELS_DIR) else "-"
                self.stdout.write(f"{model.id:28} {model.kind:8} {state:6} {model.name} [{model.licence}]")
            return
        try:
            if options["verb"] == "install":
                for id in ids:
                    install(catalog.BY_ID[id], settings.VAR_DIR, tell=self._tell)
                self.stdout.write("libraries ready")
                return
            prepare(ids, settings.MODELS_DIR, tell=self._tell)
        except PrepareError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("models ready")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
