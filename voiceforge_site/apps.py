from importlib import import_module

from django.apps import AppConfig

from mlservices import audit, happenings


class SiteConfig(AppConfig):
    name = "voiceforge_site"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("voiceforge_site.checks")  # registers them
        import_module("voiceforge_site.platform_checks")
        audit.keep_with(import_module("voiceforge_site.audit.keeping").keep)
        happenings.receive(import_module("voiceforge_site.hooks.outbox").Outbox())
