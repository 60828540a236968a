"""The trail as a list: what the address asks for, a page of it at a time, each entry in words.

Entries come by their ids, which rise as they are written: as fast on the last page as on the first, whatever
is asked for. A day is looked up once, and is an id from then on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connection
from django.db.models import BinaryField, JSONField, Model, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from mlservices.audit_masks import HIDDEN
from mlservices.days import day_of
from mlservices.pages.lists import CursorPage
from mlservices.whole_numbers import whole_number
from telephony.search import SHORTEST_BEGINNING, words_of

from .models import AuditEntry
from .words import VERBS, kind_words, verb_words

PAGE_SIZE = 50
_OUT_OF_ORDER = timedelta(minutes=1)  # that verbs at the same time may be written


@dataclass(frozen=True, slots=True)
class Filters:
    """What an address asks for; what makes no sense there asks for nothing."""

    person: str = ""
    kind: str = ""
    thing: str = ""
    verb: str = ""
    since: date | None = None
    until: date | None = None
    words: str = ""

    @classmethod
    def read(cls, asked: QueryDict) -> Filters:
        def told(name: str) -> str:
            return asked.get(name, "").replace("\0", "").strip()[:200]

        kind = told("kind")
        return cls(
            person=told("person"),
            kind=kind,
            thing=told("thing") if kind else "",
            verb=told("verb"),
            since=day_of(told("from")),
            until=day_of(told("to")),
            words=told("q"),
        )

    @property
    def any(self) -> bool:
        return self != Filters()

    def entries(self) -> QuerySet[AuditEntry]:
        """In no order yet."""
        found = AuditEntry.objects.all()
        exact = {"name": self.person, "kind": self.kind, "thing": self.thing, "verb": self.verb}
        found = found.filter(**{field: value for field, value in exact.items() if value})
        if self.since:
            begin = _begin(self.since)
            found = found.filter(pk__gte=_first_id(begin - _OUT_OF_ORDER), at__gte=begin)
        if self.until:
            end = _begin(self.until + timedelta(days=1))
            found = found.filter(pk__lt=_first_id(end + _OUT_OF_ORDER), at__lt=end)
        return _with_words(found, self.words) if self.words else found


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _first_id(moment: datetime) -> int:
    """Of the entries from this moment on; after all that there are, if there is none."""
    first = AuditEntry.objects.filter(at__gte=moment).order_by("at").values_list("pk", flat=True).first()
    return first if first is not None else 2**62


def _with_words(found: QuerySet[AuditEntry], words: str) -> QuerySet[AuditEntry]:
    """All of these words; the last may be a beginning."""
    asked = words_of(words)
    if not asked:
        return found.none()
    beginning = "*" if len(asked[-1]) >= SHORTEST_BEGINNING else ""
    if connection.vendor == "postgresql":
        query = " & ".join(f"'{word}'" for word in asked) + (":*" if beginning else "")
        where = "to_tsvector('simple', voiceforge_site_auditentry.words) @@ %s::tsquery"
        return found.extra(where=[where], params=[query])
    match = " AND ".join(f'"{word}"' for word in asked) + beginning
    ids = RawSQL(
        "SELECT rowid FROM voiceforge_site_auditwords WHERE voiceforge_site_auditwords MATCH %s", [match]
    )
    return found.filter(pk__in=ids)


def page_of(rows: QuerySet[AuditEntry], asked: QueryDict) -> CursorPage:
    """The newest first; `?after=` goes on with older entries, `?before=` back."""
    after, before = (whole_number(asked.get(name, "")) for name in ("after", "before"))
    rows = rows.defer("words")
    if before and not after:
        found = list(rows.filter(pk__gt=before).order_by("pk")[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE][::-1]
        return CursorPage(shown, _cursor(shown[-1:]), _cursor(shown[:1]) if found[PAGE_SIZE:] else "")
    found = list((rows.filter(pk__lt=after) if after else rows).order_by("-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return CursorPage(
        shown, _cursor(shown[-1:]) if found[PAGE_SIZE:] else "", _cursor(shown[:1]) if after else ""
    )


def _cursor(row: Sequence[AuditEntry]) -> str:
    return str(row[0].pk) if row else ""


# ---- in words ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """A field before and after, as people read it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the list shows it; `url` is the thing's page, if it still is."""

    entry: AuditEntry
    url: str

    @property
    def verb(self) -> str:
        return verb_words(self.entry.verb)

    @property
    def kind(self) -> str:
        return kind_words(self.entry.kind)

    @property
    def who(self) -> str:
        return who_words(self.entry.name)

    @property
    def changes(self) -> list[Change]:
        model = _model(self.entry.kind)
        stored: dict[str, list[Any]] = json.loads(self.entry.changes)
        return [
            Change(_field_words(model, name), _value_words(before), _value_words(after))
            for name, (before, after) in stored.items()
        ]

    @property
    def count(self) -> int:
        return len(json.loads(self.entry.changes))


def who_words(name: str) -> str:
    from_us = {
        "": _("Nobody signed in"),
        "command line": _("Command line"),
        "VoiceForge itself": "VoiceForge",
    }
    return from_us.get(name, name)


def lines_of(entries: Iterable[AuditEntry]) -> list[Line]:
    """With one query for each kind of thing that has pages."""
    entries = list(entries)
    wanted: dict[str, set[str]] = {}
    for entry in entries:
        wanted.setdefault(entry.kind, set()).add(entry.thing)
    urls = {(kind, id): url for kind, ids in wanted.items() for id, url in _urls(kind, ids).items()}
    return [Line(entry, urls.get((entry.kind, entry.thing), "")) for entry in entries]


_PAGES = {"telephony.sipline": "lines:sip_line"}  # of rows that do not know their page
_LONG = (JSONField, TextField, BinaryField)


def _urls(kind: str, ids: set[str]) -> dict[str, str]:
    model = _model(kind)
    if model is None or not (hasattr(model, "get_absolute_url") or kind in _PAGES):
        return {}
    long = [field.name for field in model._meta.concrete_fields if isinstance(field, _LONG)]
    rows = model._default_manager.defer(*long).in_bulk(list(_keys(model, ids)))
    if view := _PAGES.get(kind):
        return {str(pk): reverse(view, args=[pk]) for pk in rows}
    named: dict[Any, Any] = dict(rows)
    return {str(pk): row.get_absolute_url() for pk, row in named.items()}


def _keys(model: type[Model], ids: Iterable[str]) -> Iterator[Any]:
    for id in ids:
        with suppress(ValidationError):
            yield model._meta.pk.to_python(id)


def _model(kind: str) -> type[Model] | None:
    try:
        return apps.get_model(kind)
    except (LookupError, ValueError):
        return None


def _field_words(model: type[Model] | None, path: str) -> str:
    """ "nodes.greet.text" of a flow stays what it is; a field of the model has a name of its own."""
    name, _dot, rest = path.partition(".")
    try:
        field = model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        field = None
    words = str(getattr(field, "verbose_name", name.replace("_", " ")))
    words = words[:1].upper() + words[1:]
    return f"{words} / {rest.replace('.', ' / ')}" if rest else words


def _value_words(value: Any) -> str:
    if value is None or value == "" or value == [] or value == {}:
        return "–"
    if value == HIDDEN:
        return _("(secret)")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return ", ".join(map(_value_words, value))
    if isinstance(value, list | dict):
        return json.dumps(value, indent=2, ensure_ascii=False)
    return str(value)


def verb_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """For a select: by kind of thing, in the order of the table."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for verb, words in VERBS.items():
        groups.setdefault(verb.partition(".")[0], []).append((verb, str(words)))
    return [(name.replace("_", " ").capitalize(), choices) for name, choices in groups.items()]
