from django.apps import AppConfig


class MlServicesConfig(AppConfig):
    name = "mlservices"
    default_auto_field = "django.db.models.BigAutoField"
