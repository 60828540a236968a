"""`manage.py verify_audit`: see whether the audit trail is as it was written."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from voiceforge_site.audit.chain import DoesNotFit, Point, long_unsealed, stored_head, verify

TAMPERED, MISUSED, UNLINKED = 1, 2, 3


class Command(BaseCommand):
    help = (
        "Walk the whole chain of the audit trail, and name the first entry that does not fit. Prints the "
        "head, NUMBER:HASH: kept elsewhere and given with --head, it shows that nobody has made the chain "
        "anew. Exit code 0: all fits; 1: an entry was changed, put in, or is missing; 2: --head is no head; "
        "3: entries wait for more than a minute to be linked (a worker that runs links them within the hour)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", metavar="NUMBER:HASH", help="that an earlier run has printed")

    def handle(self, *, head: str | None, **options: Any) -> None:
        known = [stored_head(), *([_point(head)] if head else [])]
        try:
            end = verify(start=Point(), known=[point for point in known if point.number])
        except DoesNotFit as error:
            raise CommandError(str(error), returncode=TAMPERED) from None
        self.stdout.write(f"{end.number} entries, each as it was written.")
        self.stdout.write(f"{end.number}:{end.digest}")
        if waiting := long_unsealed(timezone.now()):
            self.stderr.write(f"{waiting} entries have waited for more than a minute to be linked.")
            sys.exit(UNLINKED)


def _point(text: str) -> Point:
    if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", text):
        raise CommandError("--head: give NUMBER:HASH, as this command prints it.", returncode=MISUSED)
    number, _colon, digest = text.partition(":")
    return Point(int(number), digest)
