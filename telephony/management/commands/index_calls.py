"""Keep the text of all calls that are over anew, so that their words are found."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from telephony.models import Call
from telephony.search import BATCH, index_many


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        over = Call.objects.filter(ended_at__isnull=False).order_by("created_at")
        count = index_many(over.values_list("pk", flat=True).iterator(BATCH))
        self.stdout.write(f"{count} calls are indexed.")
