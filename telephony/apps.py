from importlib import import_module

from django.apps import AppConfig


class TelephonyConfig(AppConfig):
    name = "telephony"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Lend the agents' list the figures that only calls can tell; name the accounts to be checked, and
        what other systems are told. Models are there from now on."""
        import_module("telephony.figures")
        import_module("telephony.checks")
        import_module("telephony.outward")
