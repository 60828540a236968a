"""A trail of a million entries in its chain, and what one more costs."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from tests.bench.data import REPOSITORY, PostgresTables, SqliteTables, tell

ENTRIES = 1_000_000
DAYS = 365
PEOPLE = ("alice", "bob", "carol", "VoiceForge itself")
SELDOM = 20_000  # one entry in so many is of somebody who does little, and says a word that nobody else does
KINDS = (
    ("agent.saved", "agents.agent", '{"greeting":["Hello","Good morning"]}', "greeting hello good morning"),
    ("events.downloaded", "telephony.call", "{}", "telephony call"),
    ("user.signed_in", "voiceforge_site.user", "{}", "sign in"),
    ("api_key.changed", "voiceforge_site.apikey", '{"requests_a_minute":[600,900]}', "600 900"),
)
BATCH = 20_000


def fill_trail(entries: int) -> None:
    """Unless it is there."""
    from django.core.management.color import no_style
    from django.db import connection, transaction

    from voiceforge_site.audit.chain import stored_head
    from voiceforge_site.models import AuditEntry, AuditHead

    if stored_head().number >= entries:
        return
    names = [field.attname for field in AuditEntry._meta.concrete_fields]
    tables = {"sqlite": SqliteTables, "postgresql": PostgresTables}
    made, done, last = _linked(entries), 0, ("", 0)
    while batch := [entry for _, entry in zip(range(BATCH), made, strict=False)]:
        with transaction.atomic():
            table: Any = tables[connection.vendor](connection)
            table.write(AuditEntry._meta.db_table, names, ([getattr(e, n) for n in names] for e in batch))
            last = (batch[-1].digest, batch[-1].number)
            AuditHead.objects.update_or_create(
                pk=AuditHead.ONLY, defaults={"digest": last[0], "number": last[1]}
            )
        done += len(batch)
        tell(f"{done / entries:4.0%}  {done} entries")
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [AuditEntry]):
            cursor.execute(statement)
        cursor.execute("ANALYZE voiceforge_site_auditentry")
    tell(f"{done} entries", end="\n")


def _linked(entries: int) -> Iterator[Any]:
    """Rows that are not stored, going on where the chain ends."""
    from django.utils import timezone

    from voiceforge_site.audit.chain import digest_of, seal, stored_head
    from voiceforge_site.models import AuditEntry

    seal()
    dice, head, now = random.Random(7), stored_head(), timezone.now()
    digest = head.digest
    ids = count(AuditEntry.objects.latest("pk").pk + 1)
    for number in range(head.number + 1, entries + 1):
        verb, kind, changes, words = dice.choice(KINDS)
        seldom = dice.randrange(SELDOM) == 0
        entry = AuditEntry(
            pk=next(ids),
            at=now - timedelta(days=DAYS) * ((entries - number) / entries),
            name="seldom" if seldom else dice.choice(PEOPLE),
            address="127.0.0.1",
            request=f"{dice.getrandbits(64):016x}",
            verb=verb,
            kind=kind,
            thing=str(dice.randrange(1, 5000)),
            label=f"{'Quokka' if seldom else 'Thing'} {number % 997}",
            changes=changes,
            words=f"{words} {'quokka' if seldom else 'thing'} {number % 997}",
            number=number,
            previous=digest,
        )
        digest = entry.digest = digest_of(entry)
        yield entry


def entry_cost() -> dict[str, float]:
    """Of one verb that is recorded, on SQLite with its defaults, in milliseconds; in a process of its own,
    for this one is on another database."""
    with tempfile.TemporaryDirectory() as folder:
        own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        own |= {"VAR_DIR": folder, "DATABASE_URL": f"sqlite:///{Path(folder) / 'one.sqlite3'}"}
        command = [sys.executable, "-m", "tests.bench.audit"]
        ran = subprocess.run(command, cwd=REPOSITORY, env=own, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures


def main(times: int = 500) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    from mlservices.audit import Thing, record
    from tests.bench.api import timed

    call_command("migrate", verbosity=0)
    thing = Thing("agents.agent", "1", "Front desk")

    def one() -> None:
        with transaction.atomic():
            record("agent.saved", thing, before={"greeting": "Hello"}, after={"greeting": "Good morning"})

    def nothing() -> None:
        """The transaction that the verb has anyway."""
        from voiceforge_site.models import AuditHead

        with transaction.atomic():
            AuditHead.objects.filter(pk=2).update(number=0)

    print(json.dumps({**timed(one, times), "without_p50_ms": timed(nothing, times)["p50_ms"]}))  # noqa: T201


if __name__ == "__main__":
    main()
