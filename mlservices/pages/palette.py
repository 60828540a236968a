"""What the command palette (Ctrl K) is told by each app: functions of the person and of what was typed.

An app keeps its own in `<app>/palette.py`; voiceforge_site.palette puts them in a row. A source gives only
what the person may see, best first, and asks the database for no more than SHOWN rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

SHOWN = 6  # of one group


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `url` is opened, or `act` is one of static/js/app.js; `hint` stands at its end, grey."""

    title: str
    icon: str
    url: str = ""
    act: str = ""
    hint: str = ""
    keys: str = ""  # its shortcut, one key a word: "g l"


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    entries: list[Entry]
    rank: int = 3  # of its best entry: a group with a better one goes before


# (user, words) -> groups. `words` is "" where nothing was typed yet: then only what is always at hand.
Source = Callable[[Any, str], Iterable[Group]]


def rank(title: str, words: str) -> int | None:
    """0 the very title, 1 its beginning, 2 the beginning of one of its words, 3 somewhere; None: not all of
    the words are in it."""
    title, words = title.casefold(), words.casefold().strip()
    if not all(word in title for word in words.split()):
        return None
    if title == words:
        return 0
    if title.startswith(words):
        return 1
    return 2 if any(part.startswith(words) for part in title.split()) else 3


def matching(label: str, entries: Iterable[Entry], words: str) -> Iterable[Group]:
    """The entries that have the words in their titles, best first, as a group; none where none has."""
    found = [(place, entry) for entry in entries if (place := rank(entry.title, words)) is not None]
    found.sort(key=lambda each: each[0])
    if found:
        yield Group(label, [entry for _place, entry in found[:SHOWN]], found[0][0])
