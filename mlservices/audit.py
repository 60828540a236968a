"""Who did what to which thing: told here by every verb, in its own transaction, kept by who registers for it.

    audit.record("agent.saved", agent, before=old, after=new, by=by)

Who acts is known from the request, command or socket around the verb (`acting`); only where nothing is around
it, as in the worker, `by` tells it. Secrets do not get in: `mlservices.audit_masks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db.models import BinaryField, Model

from .audit_masks import masked, masked_text

Values = Mapping[str, Any]
Changes = dict[str, tuple[Any, Any]]

LONGEST_NAME = 150  # of who acts
LONGEST_LABEL = 200
LONGEST_DETAIL = 500
# By which the parts of a list are told apart, where each has such a field: a flow's nodes, an agent's facts.
_NAMES_OF_PARTS = ("id", "name", "topic")


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is a username, or "" for somebody who is not signed in; `key` the beginning of an API key,
    `address` the IP address, `request` the id that log lines bear too."""

    name: str
    key: str = ""
    address: str = ""
    request: str = ""


# No username holds a space, so nobody can call themselves so.
COMMAND = Actor("command line")
ITSELF = Actor("VoiceForge itself")


@dataclass(frozen=True, slots=True)
class Thing:
    """What something was done to, named so that it can be read when it is gone. `type` is "app.model"."""

    type: str
    id: str
    label: str

    @classmethod
    def of(cls, row: Model) -> Thing:
        return cls(row._meta.label_lower, str(row.pk), str(row))


@dataclass(frozen=True, slots=True)
class Entry:
    """What the keeper gets: nothing secret in it, and nothing longer than told above. `changes` are JSON's
    kinds of values, by the name of the field, before and after."""

    verb: str
    thing: Thing
    actor: Actor
    changes: Changes
    detail: str


Keeper = Callable[[Entry], None]
Teller = Callable[[Thing], str]
Asked = Callable[[], Actor]

_acting: ContextVar[Asked | None] = ContextVar("audit_acting", default=None)
_keepers: list[tuple[Keeper, Teller]] = []


def keep_with(keeper: Keeper, teller: Teller) -> None:
    """What `record` is told goes to the one from now on, and `who_changed` asks the other."""
    _keepers[:] = [(keeper, teller)]


@contextmanager
def acting(actor: Actor | Asked) -> Iterator[None]:
    """Whatever is recorded inside was done by this one. A callable is asked at each record: who signs in is
    somebody only afterwards. Also a decorator."""
    token = _acting.set((lambda: actor) if isinstance(actor, Actor) else actor)
    try:
        yield
    finally:
        _acting.reset(token)


def record(
    verb: str,
    thing: Thing | Model,
    *,
    before: Values | None = None,
    after: Values | None = None,
    by: str = "",
    detail: str = "",
) -> None:
    """`verb` is what it was done to and what was done, in the past: "agent.saved". Of `before` and `after`
    only what differs is kept; without `before` it was made, without `after` it is gone."""
    named = thing if isinstance(thing, Thing) else Thing.of(thing)
    entry = Entry(
        verb=verb,
        thing=Thing(named.type, *(masked_text(text)[:LONGEST_LABEL] for text in (named.id, named.label))),
        actor=_actor(by),
        changes=masked(differences(before or {}, after or {})),
        detail=masked_text(detail)[:LONGEST_DETAIL],
    )
    for keep, _teller in _keepers:
        keep(entry)


def who_changed(row: Model) -> str:
    """The name of who changed it last (`Actor.name`); "" where nobody knows."""
    return next((teller(Thing.of(row)) for _keep, teller in _keepers), "")


def fields_of(row: Model, *names: str) -> dict[str, Any]:
    """What a row holds, of `names` or of all its fields; of another row that it points to, its name."""
    if not names:
        fields = (each for each in row._meta.concrete_fields if not isinstance(each, BinaryField))
        names = tuple(each.name for each in fields if not each.primary_key)
    values = {name: getattr(row, name) for name in names}
    return {name: str(value) if isinstance(value, Model) else value for name, value in values.items()}


def stored_fields(row: Model, *names: str) -> dict[str, Any]:
    """The same of the row as the database has it still; nothing of one that is new."""
    stored = type(row)._default_manager.filter(pk=row.pk).first() if row.pk else None
    return fields_of(stored, *names) if stored else {}


def _actor(by: str) -> Actor:
    asked = _acting.get()
    actor = asked() if asked else Actor("" if by else ITSELF.name)
    name = masked_text(actor.name or by)[:LONGEST_NAME]
    return Actor(name, actor.key, actor.address, actor.request)


def differences(before: Values, after: Values) -> Changes:
    """What differs, by its path ("voice.rate", "nodes.greet.text"); None for what was not there."""
    return dict(_differing(before, after, ""))


def _differing(before: Values, after: Values, path: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        inner = _parts(old), _parts(new)
        if inner[0] is not None and inner[1] is not None:
            yield from _differing(inner[0], inner[1], f"{path}{name}.")
        else:
            yield f"{path}{name}", (old, new)


def _parts(value: Any) -> Values | None:
    """What can be told apart in a value; None where it can only be told as a whole."""
    if isinstance(value, Mapping):
        return {str(name): part for name, part in value.items()}
    if isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value):
        for name in _NAMES_OF_PARTS:
            named = {part[name]: part for part in value if isinstance(part.get(name), str)}
            if len(named) == len(value):
                return named
    return None
