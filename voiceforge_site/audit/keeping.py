"""The keeper of the trail: what `mlservices.audit` is told becomes a row, in the verb's own transaction."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from mlservices.audit import Entry, Thing
from telephony.search import words_of

from .chain import canonical, seal
from .models import AuditEntry
from .words import CHANGE_NOTHING

MOST_WORDS = 400  # by which one entry is found


def keep(entry: Entry) -> None:
    """Nothing is written where the verb comes to nothing."""
    changes = canonical(entry.changes)
    thing, actor = entry.thing, entry.actor
    AuditEntry.objects.create(
        at=timezone.now(),
        name=actor.name,
        key=actor.key,
        address=actor.address,
        request=actor.request,
        verb=entry.verb,
        kind=thing.type,
        thing=thing.id,
        label=thing.label,
        changes=changes,
        detail=entry.detail,
        words=_words(thing.id, thing.label, entry.detail, actor.name, str(entry.changes)),
    )
    after_commit: list[Any] = [task[1] for task in connection.run_on_commit]
    if seal not in after_commit:  # once for all that a verb does
        transaction.on_commit(seal, robust=True)


def who_changed(thing: Thing) -> str:
    """The name in the newest entry of its changes; "" where the trail has none."""
    entries = AuditEntry.objects.filter(kind=thing.type, thing=thing.id).exclude(verb__in=CHANGE_NOTHING)
    return entries.order_by("-pk").values_list("name", flat=True).first() or ""


def _words(*texts: str) -> str:
    found = dict.fromkeys(word for text in texts for word in words_of(text))
    return " ".join(list(found)[:MOST_WORDS])
