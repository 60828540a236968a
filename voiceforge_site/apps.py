from importlib import import_module

from django.apps import AppConfig

from mlservices import audit, happenings


class SiteConfig(AppConfig):
    name = "voiceforge_site"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("voiceforge_site.checks")  # registers them
        import_module("voiceforge_site.platform_checks")
        keeping = import_module("voiceforge_site.audit.keeping")
        audit.keep_with(keeping.keep, keeping.who_changed)
        happenings.receive(import_module("voiceforge_site.hooks.outbox").Outbox())
