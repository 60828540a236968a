"""`manage.py rotate_credentials`: encrypt all that is stored with the first key of CREDENTIALS_KEY."""

from __future__ import annotations

import sys
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction

from mlservices import audit
from mlservices.audit import COMMAND, acting
from mlservices.secret_box import UnreadableSecret, reseal

# Columns that hold a sealed secret; "" is none.
SEALED = (
    ("telephony.Credential", "secret"),
    ("telephony.SipLine", "password"),
    ("agents.Tool", "secret_headers"),
    ("agents.ToolServer", "secret_headers"),
    ("voiceforge_site.User", "code_secret"),
    ("voiceforge_site.Webhook", "secret"),
    ("voiceforge_site.Webhook", "previous_secret"),
)


class Command(BaseCommand):
    help = "Encrypt stored secrets with the first key of CREDENTIALS_KEY. Afterwards the others can go."

    @acting(COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        done, unreadable = 0, []
        for name, column in SEALED:
            changed, left = rotated(name, column)
            done += changed
            unreadable += left
        self.stdout.write(f"{done} secrets are encrypted with the first key.")
        for each in unreadable:
            self.stderr.write(f"{each}: no key of CREDENTIALS_KEY opens its secret. Enter it again.")
        if unreadable:
            sys.exit(1)


@transaction.atomic
def rotated(name: str, column: str) -> tuple[int, list[str]]:
    """How many were encrypted anew, and what has a secret that no key opens."""
    done, unreadable = 0, []
    rows = apps.get_model(name).objects.select_for_update().exclude(**{column: ""})
    for row in rows:
        try:
            resealed = reseal(getattr(row, column))
        except UnreadableSecret:
            unreadable.append(f"{row._meta.verbose_name} {row}")
            continue
        type(row).objects.filter(pk=row.pk).update(**{column: resealed})
        audit.record("secret.rotated", row)
        done += 1
    return done, unreadable
