"""What happens here that other systems may want to know. It is told where it happens, inside the transaction
that makes it so, and nobody below has to know who listens.

Each app names the kinds it tells in a module of its own; pages and documents list `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

Data = Mapping[str, Any]  # as JSON takes it


@dataclass(frozen=True, slots=True)
class Kind:
    """`what` says in words when it is told, `example` is what its data looks like."""

    name: str  # "call.ended"
    what: Any
    example: Data


@dataclass(frozen=True, slots=True)
class Happening:
    """`about` is the thing that it happened to ("call:<id>"), if any; `sequence` never falls for one."""

    kind: str
    data: Data
    about: str = ""
    sequence: int | None = None
    at: datetime = field(default_factory=timezone.now)


class Receiver(Protocol):
    """Asked in the transaction of whoever tells: it only reads and writes rows."""

    def wanted(self) -> Collection[str]: ...

    def take(self, happening: Happening) -> None: ...

    def forget(self, abouts: Collection[str]) -> None: ...


KINDS: dict[str, Kind] = {}
_receivers: list[Receiver] = []


def declare(*kinds: Kind) -> None:
    KINDS.update((kind.name, kind) for kind in kinds)


def receive(receiver: Receiver) -> None:
    """From now on it is asked what it wants, each time that something is told."""
    if receiver not in _receivers:
        _receivers.append(receiver)


def wanted() -> set[str]:
    """The kinds that somebody wants to know of just now."""
    return {name for receiver in _receivers for name in receiver.wanted()}


def tell(kind: str, data: Data | Callable[[], Data], *, about: str = "", sequence: int | None = None) -> None:
    """Call it once for each happening. `data` may be what makes it, called only if somebody wants it."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of happening: declare it.")
    listening = [receiver for receiver in _receivers if kind in receiver.wanted()]
    if listening:
        happening = Happening(kind, data() if callable(data) else data, about, sequence)
        for receiver in listening:
            receiver.take(happening)


def forget(*abouts: str) -> None:
    """These things are deleted: what was told of them and is still kept goes too."""
    for receiver in _receivers:
        receiver.forget(abouts)


# ---- jobs of the worker, whichever app they are of ---------------------------------------------------

JOB_FINISHED, JOB_FAILED = "job.finished", "job.failed"
_JOB = {"kind": "export", "id": "0f9c6d3e-6a54-4f0c-9d55-1c8f7b7c2f10", "name": "calls-2026-03-02.csv"}
declare(
    Kind(
        JOB_FINISHED,
        _("An export of calls is written, or a source of knowledge is read"),
        {"job": _JOB, "done": 1204},
    ),
    Kind(
        JOB_FAILED,
        _("An export or the reading of a source has failed"),
        {"job": _JOB, "problem": "No space left on device"},
    ),
)


def tell_of_job(kind: str, *, id: str, name: str, done: int = 0, problem: str = "") -> None:
    """It has ended: `done` says how much it did, `problem` why it failed."""
    job = {"kind": kind, "id": id, "name": name}
    if problem:
        tell(JOB_FAILED, {"job": job, "problem": problem}, about=f"{kind}:{id}")
    else:
        tell(JOB_FINISHED, {"job": job, "done": done}, about=f"{kind}:{id}")
