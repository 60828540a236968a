"""Full text of what was said in calls: `index` keeps it, `find` asks it.

Texts are cut into words here, on the way in and on the way out, so that PostgreSQL (a tsvector under a
GIN index) and SQLite (FTS5) find the same calls, and nothing that a person types is syntax to either.
The key of a text is its call's beginning: a common word's newest calls come without sorting all of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from .models import Call, CallEvent, CallText
from .session.events import event_from
from .transcript import Transcript

KINDS = ("caller_said", "agent_said", "agent_heard", "operator_said", "message_taken")
LONGEST_WORD = 40
SHORTEST_NUMBER = 3  # digits; fewer are a word
SHORTEST_BEGINNING = 2  # letters; fewer stand for themselves alone
PASSAGE = 140  # letters of a line that are shown, or a little more
TEL = "tel_"  # marks the ends of a number; no spoken word holds an underscore
BATCH = 500

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_WHO = {"c": "caller", "a": "agent", "o": "operator", "m": "message"}


@dataclass(frozen=True, slots=True)
class Hit:
    """`key` goes on where a list of hits ended."""

    key: int
    call_id: UUID


@dataclass(frozen=True, slots=True)
class Passage:
    """The line in which words were found: its text in parts, each with whether it is one of the words."""

    who: str
    at_seconds: float
    parts: list[tuple[str, bool]]


def words_of(text: str) -> list[str]:
    """In small letters and without accents: "Don't, Zoë" is dont, zoe."""
    return [_plain(match[0]) for match in _WORD.finditer(text)]


def _plain(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if letter.isalnum())[:LONGEST_WORD]


# ---- keeping ----------------------------------------------------------------------------------


def index(call_id: UUID) -> None:
    """Keep what was said in this call so far, in place of what was kept before."""
    index_many([call_id])


def index_many(call_ids: Iterable[UUID]) -> int:
    """Many calls in few statements; how many there were."""
    count = 0
    for batch in in_batches(call_ids, BATCH):
        with transaction.atomic():
            _save(list(_texts(batch)))
        count += len(batch)
    return count


def in_batches(items: Iterable[UUID], size: int) -> Iterator[list[UUID]]:
    batch: list[UUID] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class _Text:
    key: int
    call_id: UUID
    lines: str
    words: list[str]


def _texts(call_ids: Sequence[UUID]) -> Iterator[_Text]:
    events: dict[UUID, list[Any]] = {call_id: [] for call_id in call_ids}
    rows = CallEvent.objects.filter(call__in=call_ids, kind__in=KINDS).order_by("call", "seq")
    for call_id, *event in rows.values_list("call_id", "kind", "at_seconds", "payload"):
        events[call_id].append(event_from(*event))
    known = dict(CallText.objects.filter(call__in=call_ids).values_list("call_id", "id"))
    calls = list(Call.objects.filter(pk__in=call_ids).only("caller", "callee", "created_at"))
    wanted = [_key(call.created_at) for call in calls]
    taken = set(CallText.objects.filter(pk__in=wanted).values_list("id", flat=True))
    for call in calls:
        lines = list(_lines(Transcript(events[call.pk])))
        words = {word for _who, _at, text in lines for word in words_of(text)}
        words |= {*words_of(call.caller), *_numbers(call.caller), *_numbers(call.callee)}
        text = "\n".join(f"{who} {at:.2f} {text}" for who, at, text in lines)
        yield _Text(known.get(call.pk) or _free_key(call.created_at, taken), call.pk, text, sorted(words))


def _lines(transcript: Transcript) -> Iterator[tuple[str, float, str]]:
    for line in transcript.lines:
        if line.who != "note" and line.text:
            yield line.who[0], line.at_seconds, " ".join(line.text.split())
    for message in transcript.messages:
        text = " ".join(f"{message.name} {message.number} {message.words}".split())
        if text:
            yield "m", message.at_seconds, text


def _numbers(party: str) -> Iterator[str]:
    """Every end of a number, so that each part of it is the beginning of one of them."""
    digits = "".join(filter(str.isdecimal, party))
    for start in range(len(digits) - SHORTEST_NUMBER + 1):
        yield TEL + digits[start:]
    for word in words_of(party):
        if not word.isdecimal():
            yield TEL + word


def _key(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _free_key(moment: datetime, taken: set[int]) -> int:
    key = _key(moment)
    while key in taken:  # calls that began in the same microsecond
        key += 1
        if CallText.objects.filter(pk=key).exists():
            taken.add(key)
    taken.add(key)
    return key


def _save(texts: Sequence[_Text]) -> None:
    call_field = CallText._meta.get_field("call")
    rows = [
        (text.key, call_field.get_db_prep_value(text.call_id, connection), text.lines, text.words)
        for text in texts
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.executemany(
                "INSERT INTO telephony_calltext (id, call_id, lines, document)"
                " VALUES (%s, %s, %s, array_to_tsvector(%s::text[])) ON CONFLICT (call_id)"
                " DO UPDATE SET lines = excluded.lines, document = excluded.document",
                rows,
            )
            return
        cursor.executemany(
            "INSERT INTO telephony_calltext (id, call_id, lines) VALUES (%s, %s, %s)"
            " ON CONFLICT (call_id) DO UPDATE SET lines = excluded.lines",
            [row[:3] for row in rows],
        )
        cursor.executemany("DELETE FROM telephony_callwords WHERE rowid = %s", [row[:1] for row in rows])
        cursor.executemany(
            "INSERT INTO telephony_callwords (rowid, words) VALUES (%s, %s)",
            [(key, " ".join(words)) for key, _call, _lines, words in rows],
        )


# ---- asking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched for: all of `words` (the last may be a beginning), or a number that they are part
    of; `number` looks at numbers alone. Within a time, where one is given."""

    words: str = ""
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def sql(self, *, before: int | None = None) -> tuple[str, list[Any]] | None:
        """A query for the key and the call of all that is found, with its values; None for nothing."""
        asked = [query for query in (_asked(self.words), _asked_number(self.number)) if query is not None]
        if not asked or not all(asked):
            return None
        on_sqlite = connection.vendor == "sqlite"
        where, values = _sqlite(asked) if on_sqlite else _postgresql(asked)
        key = "telephony_callwords.rowid" if on_sqlite else "t.id"
        bounds = (
            (">=", _key(self.since) if self.since else None),
            ("<", _key(self.until) if self.until else None),
            ("<", before),
        )
        for sign, bound in bounds:
            if bound is not None:
                where += f" AND {key} {sign} %s"
                values.append(bound)
        source = "telephony_calltext t"
        if on_sqlite:
            # In this order: the words' rows come by themselves newest first, as many as are wanted.
            source = "telephony_callwords CROSS JOIN telephony_calltext t ON t.id = telephony_callwords.rowid"
        return f"SELECT t.id, t.call_id FROM {source} WHERE {where} ORDER BY {key} DESC", values


def find(search: Search, *, limit: int, before: int | None = None) -> list[Hit]:
    """Newest first. `before` is the key of the last hit known already."""
    found = search.sql(before=before)
    if found is None:
        return []
    query, values = found
    with connection.cursor() as cursor:
        cursor.execute(f"{query} LIMIT %s", [*values, limit])
        return [Hit(key, call_id if isinstance(call_id, UUID) else UUID(call_id)) for key, call_id in cursor]


Asked = list[list[str]]  # any of these lists, of which all words; a word that ends in * is a beginning


def _asked(words: str) -> Asked | None:
    """None where nothing is asked; an empty list where it can be found nowhere (a smile, a comma)."""
    if not words.strip():
        return None
    said = words_of(words)
    if said and len(said[-1]) >= SHORTEST_BEGINNING:
        said[-1] += "*"
    digits = digits_asked(words)
    return ([said] if said else []) + ([[f"{TEL}{digits}*"]] if digits else [])


def digits_asked(words: str) -> str:
    """The part of a number that somebody searches for, as people write numbers; empty where it is none."""
    digits = "".join(filter(str.isdecimal, words))
    return digits if len(digits) >= SHORTEST_NUMBER and not any(map(str.isalpha, words)) else ""


def _asked_number(number: str) -> Asked | None:
    if not number.strip():
        return None
    names = [word for word in words_of(number) if not word.isdecimal()]
    if names:
        return [[f"{TEL}{word}*" for word in names]]
    digits = digits_asked(number)
    return [[f"{TEL}{digits}*"]] if digits else []


def _postgresql(asked: Sequence[Asked]) -> tuple[str, list[Any]]:
    def lexeme(word: str) -> str:
        return f"'{word[:-1]}':*" if word.endswith("*") else f"'{word}'"

    queries = [" | ".join(f"({' & '.join(map(lexeme, all_of))})" for all_of in any_of) for any_of in asked]
    return "t.document @@ %s::tsquery", [" & ".join(f"({query})" for query in queries)]


def _sqlite(asked: Sequence[Asked]) -> tuple[str, list[Any]]:
    def term(word: str) -> str:
        return f'"{word[:-1]}"*' if word.endswith("*") else f'"{word}"'

    queries = [" OR ".join(f"({' AND '.join(map(term, all_of))})" for all_of in any_of) for any_of in asked]
    return "telephony_callwords MATCH %s", [" AND ".join(f"({query})" for query in queries)]


# ---- showing ----------------------------------------------------------------------------------


def passages(words: str, call_ids: Sequence[UUID]) -> dict[UUID, Passage]:
    """Where in each of these calls the words were said: the line that holds most of them."""
    said = words_of(words)
    if not said:
        return {}
    texts = CallText.objects.filter(call__in=call_ids).values_list("call_id", "lines")
    found = {call_id: _passage(lines, said) for call_id, lines in texts}
    return {call_id: passage for call_id, passage in found.items() if passage}


def _passage(lines: str, said: Sequence[str]) -> Passage | None:
    best, most = "", 0
    for line in lines.splitlines():
        spoken = set(words_of(line.split(" ", 2)[2]))
        held = sum(any(_same(word, asked, said) for word in spoken) for asked in set(said))
        if held > most:
            best, most = line, held
    if not best:
        return None
    who, at, text = best.split(" ", 2)
    return Passage(_WHO[who], float(at), _marked(text, said))


def _same(word: str, asked: str, said: Sequence[str]) -> bool:
    beginning = asked == said[-1] and len(asked) >= SHORTEST_BEGINNING
    return word.startswith(asked) if beginning else word == asked


def _marked(text: str, said: Sequence[str]) -> list[tuple[str, bool]]:
    spans = [
        match.span()
        for match in _WORD.finditer(text)
        if any(_same(_plain(match[0]), asked, said) for asked in said)
    ]
    start = max(0, spans[0][0] - PASSAGE // 3)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = len(text) if len(text) - start <= PASSAGE else text.rfind(" ", start, start + PASSAGE)
    end = end if end > spans[0][1] else len(text)
    parts, at = [("… " if start else "", False)], start
    for first, last in spans:
        if last <= end:
            parts += [(text[at:first], False), (text[first:last], True)]
            at = last
    parts.append((text[at:end] + (" …" if end < len(text) else ""), False))
    return [part for part in parts if part[0]]
