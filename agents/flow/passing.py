"""Values that callers give in passing, before they are asked: "this is Anna Smith, I need Tuesday at three".

Read by the same readers as the answers to questions, and only where the words can hardly mean anything else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from .graph import Flow, nodes
from .hearing import is_negated, spoken_name
from .slots import Kind, Refusal, Slot, Value, read
from .slots.kinds import Moment

_FAMILIES: Mapping[Kind, str] = {
    "digits": "figures",
    "phone": "figures",
    "number": "figures",
    "date": "moment",
    "time": "moment",
    "datetime": "moment",
    "name": "name",
    "text": "name",
    "email": "email",
}
_READ: Collection[Kind] = ("phone", "email", "date", "time", "datetime", "number", "name")
_CLAUSES = re.compile(r"[,;.!?]\s+|\s+(?:and|but|so)\s+", re.I)
_ASKS = re.compile(r"\W*(?:are|do|does|is|what|when|where|who|which|why|how)\b", re.I)
_PAST = re.compile(r"\b(?:was|were|had|did|went|came|last|ago|yesterday|since|born)\b", re.I)
_TIME_OF_DAY = re.compile(
    r"\b(?:at|o'?clock|noon|midnight|morning|afternoon|evening|half past|quarter)\b|[ap]\.?m\b", re.I
)
_COMMON = frozenset(
    re.findall(r"\w+", "a an and as by caller for how in is its many much of on or the their to")
)
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\.\w+")
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|_")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A variable that may be filled in passing. `about` are words that tell it from others of its kind."""

    name: str
    kind: Kind
    about: frozenset[str]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """`value` None: the words are worth remembering until it is asked for, but leave something open."""

    words: str
    value: Value | None


def wanted_by(flow: Flow) -> tuple[Wanted, ...]:
    """The declared variables that are filled in passing; one that a step asks for is of the kind it asks."""
    gathers = [node.data for node in flow.nodes if isinstance(node, nodes.Gather)]
    asked: dict[str, Kind] = {data.variable: data.kind for data in gathers}
    wanted = []
    for each in flow.variables:
        about = _stems(f"{_JOINED.sub(' ', each.name)} {each.description}")
        kind: Kind = "name" if each.kind == "text" and "name" in about else each.kind
        if each.filled_in_passing:
            wanted.append(Wanted(each.name, asked.get(each.name, kind), about, each.description))
    return tuple(wanted)


def told_in(
    words: str, wanted: Iterable[Wanted], *, now: datetime, region: str, asked: Kind | None = None
) -> dict[str, Told]:
    """By variable. `asked` is the kind of value that the words answer a question for: what is like it is
    meant for that."""
    family = _FAMILIES.get(asked, "") if asked else ""
    sought = [each for each in wanted if each.kind in _READ and _FAMILIES[each.kind] != family]
    if _ASKS.match(words):
        return {}
    kinds = Counter(each.kind for each in sought)
    found = {}
    for each in sought:
        if told := _told(words, each, Slot(each.kind, "", region=region), now, alone=kinds[each.kind] == 1):
            found[each.name] = told
    return found


def _told(words: str, wanted: Wanted, slot: Slot, now: datetime, *, alone: bool) -> Told | None:
    pieces = _CLAUSES.split(words)
    if wanted.kind not in ("number", "name"):
        pieces = [words, *pieces] if alone else pieces
    if wanted.kind == "number":  # a sentence may hold several: the one beside what it counts
        pieces = [near for piece in pieces for near in _beside(wanted.about, piece)]
    for piece in pieces:
        meant = (alone and wanted.kind != "number") or wanted.about & _stems(piece)
        if meant and not is_negated(piece) and (told := _read(piece, wanted, slot, now)):
            return told
    return None


def _read(piece: str, wanted: Wanted, slot: Slot, now: datetime) -> Told | None:
    family = _FAMILIES[wanted.kind]
    if family == "moment" and _PAST.search(piece):
        return None
    if wanted.kind in ("time", "datetime") and not _TIME_OF_DAY.search(piece):
        return None
    if wanted.kind == "name" and not ((heard := spoken_name(piece)) and heard.introduced):
        return None
    if wanted.kind == "email":  # spoken ones run into the words before them
        address = _ADDRESS.search(piece)
        value = read(slot, address[0], now) if address else None
        return Told(address[0], value) if address and isinstance(value, Value) else None
    reading = read(slot, piece, now)
    if isinstance(reading, Refusal):
        moment = reading.so_far if isinstance(reading.so_far, Moment) else None
        return Told(piece, None) if moment and moment.day and moment.hour is not None else None
    return Told(piece, reading if reading.sure else None)


def _beside(about: frozenset[str], piece: str) -> Iterator[str]:
    """Each word of `about` in it, with the two words before it, then with those behind it."""
    words = piece.split()
    for at in (at for at, word in enumerate(words) if about & _stems(word)):
        yield " ".join(words[max(0, at - 2) : at + 1])
        yield " ".join(words[at : at + 3])


def _stems(text: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return frozenset(word.removesuffix("s") for word in words if word not in _COMMON)
