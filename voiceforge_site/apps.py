from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "voiceforge_site"
    default_auto_field = "django.db.models.BigAutoField"
