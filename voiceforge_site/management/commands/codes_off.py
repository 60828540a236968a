"""`manage.py codes_off NAME`: for the only administrator, who lost the telephone and the recovery codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlservices.audit import COMMAND, acting
from voiceforge_site.models import User
from voiceforge_site.people.actions import stop_requiring_codes


class Command(BaseCommand):
    help = "Switch a person's two-step sign-in off: the password alone lets them in again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    @acting(COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username__iexact=options["username"]).first()
        if user is None:
            raise CommandError(f"Nobody has the username {options['username']}.")
        stop_requiring_codes(user=user, by=user)
        self.stdout.write(f"{user.username} signs in by password alone.")
