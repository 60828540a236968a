from importlib import import_module

from django.apps import AppConfig


class MlServicesConfig(AppConfig):
    name = "mlservices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the services to be checked that this app knows, and what it tells other systems."""
        import_module("mlservices.checks.outward")
        checks = import_module("mlservices.checks")
        for name in ("pools", "spaces", "openai"):
            checks.SOURCES.append(import_module(f"mlservices.checks.{name}").configured)
