"""`manage.py setup`: everything a start needs, done once; what is done already is left alone."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django_q.models import Schedule

from agents.actions import create_demo_agent
from mlservices import audit, keep_warm
from mlservices.audit import COMMAND, acting
from telephony.credentials import seed_from_environment
from telephony.sip import accounts
from voiceforge_site.access.roles import Role
from voiceforge_site.models import User

ADMINISTRATOR = "admin"


class Command(BaseCommand):
    help = "Bring the database up to date; make the administrator and the demo agent; prepare the models."

    @acting(COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            raise CommandError(f"The database does not work (DATABASE_URL): {error}") from None
        keep_warm.schedule()
        self.schedule_upkeep()
        self.collect_static_files()
        call_command("models", "prepare", stdout=self.stdout, stderr=self.stderr)
        try:
            demo = create_demo_agent()
            seed_from_environment(demo)
            accounts.seed_from_environment(demo)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(f"ZADARMA_SIP_*: {' '.join(error.messages)}") from None
        if not User.objects.filter(role=Role.ADMINISTRATOR).exists():
            self.make_administrator()

    def schedule_upkeep(self) -> None:
        every_minute = {
            "func": "mlservices.tasks.check_services",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
        }
        Schedule.objects.update_or_create(name="service checks", defaults={**every_minute, "repeats": -1})
        repeated = {**every_minute, "func": "voiceforge_site.hooks.tasks.send"}
        Schedule.objects.update_or_create(name="webhooks", defaults={**repeated, "repeats": -1})
        recordings = {**every_minute, "func": "telephony.recordings.fetching.fetch_due"}
        Schedule.objects.update_or_create(name="recordings", defaults={**recordings, "repeats": -1})
        ringing = {**every_minute, "func": "telephony.lines.reconciling.ask_about_ringing"}
        Schedule.objects.update_or_create(name="calls that ring", defaults={**ringing, "repeats": -1})
        hourly = {"func": "telephony.lines.reconciling.compare_all", "schedule_type": Schedule.HOURLY}
        Schedule.objects.update_or_create(name="reconciliation", defaults={**hourly, "repeats": -1})
        of_the_trail = {"func": "voiceforge_site.audit.tasks.look_through", "schedule_type": Schedule.HOURLY}
        Schedule.objects.update_or_create(name="audit trail", defaults={**of_the_trail, "repeats": -1})
        daily = {"func": "mlservices.tasks.forget_old_usage", "schedule_type": Schedule.DAILY}
        Schedule.objects.update_or_create(name="old usage", defaults={**daily, "repeats": -1})
        requests = {"func": "voiceforge_site.access.idempotency.forget_old", "schedule_type": Schedule.HOURLY}
        Schedule.objects.update_or_create(name="old requests", defaults={**requests, "repeats": -1})
        of_keys = {**daily, "func": "voiceforge_site.access.key_use.forget_old"}
        Schedule.objects.update_or_create(name="old uses of keys", defaults={**of_keys, "repeats": -1})
        daily = {**daily, "func": "voiceforge_site.hooks.tasks.forget_old"}
        Schedule.objects.update_or_create(name="old messages to webhooks", defaults={**daily, "repeats": -1})

    def make_administrator(self) -> None:
        password = secrets.token_urlsafe(12)
        admin = User.objects.create_superuser(ADMINISTRATOR, password=password, role=Role.ADMINISTRATOR)
        audit.record("person.created", admin, after={"role": admin.role})
        lines = (
            "First set-up is done. Sign in as",
            "",
            f"    user      {ADMINISTRATOR}",
            f"    password  {password}",
            "",
            "The password is shown this once. Keep it.",
        )
        width = max(map(len, lines))
        edge = "+" + "-" * (width + 2) + "+"
        self.stdout.write("\n".join(("", edge, *(f"| {line:<{width}} |" for line in lines), edge, "")))

    def collect_static_files(self) -> None:
        """Copied and compressed only after a change, which shows in their address: it takes seconds."""
        if settings.DEBUG:
            return
        marker = settings.STATIC_ROOT / ".collected"
        if not marker.exists() or marker.read_text() != settings.STATIC_URL:
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            marker.write_text(settings.STATIC_URL)
