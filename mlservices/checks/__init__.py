"""Services and how each is asked whether it works; every app adds those that it knows to SOURCES.

    def _services() -> Iterable[Service]:
        yield Service("database", _("Database"), PLATFORM, "database", (Probe("write", _("..."), ask),))

    SOURCES.append(_services)

A probe is asked anew each time: nothing here remembers an answer. `probing.ask` asks, `keeping.store` keeps.
Words of an outcome are kept in English and translated when they are shown: mark them with gettext_noop, and
give what varies in `values`: a number by one of the names in COUNTED is told with its noun.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from .. import errors

logger = logging.getLogger(__name__)

PLATFORM, MODELS, PROVIDERS = "platform", "models", "providers"
GROUPS: dict[str, Any] = {
    PLATFORM: _("VoiceForge itself"),
    MODELS: _("Speech and language"),
    PROVIDERS: _("Telephone providers"),
}


# How many of what: "2 workers", in the language of who reads.
COUNTED: dict[str, Any] = {
    "model_count": ngettext_lazy("%(n)s model", "%(n)s models", "n"),
    "worker_count": ngettext_lazy("%(n)s worker", "%(n)s workers", "n"),
    "requests_waiting": ngettext_lazy("%(n)s request waits", "%(n)s requests wait", "n"),
    "stretch_count": ngettext_lazy("%(n)s stretch of speech", "%(n)s stretches of speech", "n"),
    "dimension_count": ngettext_lazy("%(n)s dimension", "%(n)s dimensions", "n"),
}


class Status(StrEnum):
    PASS, WARN, FAIL = "pass", "warn", "fail"


SEVERITY = (Status.PASS, Status.WARN, Status.FAIL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one probe found. `reason` says why it did not pass, or what was found; `remedy` what to do.

    `figures` are for alerts: `served` and `failed` (requests since the service started), `seconds` (of one
    inference), `memory` (share in use, 0..1). `latency_ms` is measured by who asks, unless the probe did.
    """

    status: Status
    reason: str = ""
    remedy: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    latency_ms: int | None = None

    @property
    def words(self) -> str:
        """The reason in English."""
        with translation.override("en"):
            return worded(self.reason, self.values)


def worded(reason: str, values: Mapping[str, Any]) -> str:
    """In the current language, of which `reason` is."""
    return reason % {name: _counted(name, value) for name, value in values.items()} if values else reason


def _counted(name: str, value: Any) -> Any:
    return COUNTED[name] % {"n": int(value)} if name in COUNTED else value


def passed(reason: str = "", *, figures: Mapping[str, float] | None = None, **values: Any) -> Outcome:
    return Outcome(Status.PASS, reason, values=values, figures=figures or {})


def warned(reason: str, remedy: str = "", **values: Any) -> Outcome:
    return Outcome(Status.WARN, reason, remedy, values)


def failed(reason: str, remedy: str = "", **values: Any) -> Outcome:
    return Outcome(Status.FAIL, reason, remedy, values)


@dataclass(frozen=True, slots=True)
class Probe:
    """`ask` is given `patience_seconds`; what it raises is the reason of a failure. What costs money is asked
    `on_demand` alone, not every minute."""

    name: str
    title: Any
    ask: Callable[[], Awaitable[Outcome]]
    patience_seconds: float = 5.0
    on_demand: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """`key` is a slug; `about` says which one it is; `remedy` is for failures that know none of their own,
    and for which `remedies`, by how a request went wrong, has none; no reason shows one of the `secrets`;
    `address` is that of one that may sleep, as in SpaceAwake."""

    key: str
    title: Any
    group: str
    icon: str
    probes: tuple[Probe, ...]
    about: Any = ""
    remedy: str = ""
    secrets: tuple[str, ...] = ()
    address: str = ""
    remedies: Mapping[errors.Outcome, str] = field(default_factory=dict)


Source = Callable[[], Iterable[Service]]
SOURCES: list[Source] = []


def services() -> list[Service]:
    """All that are configured, by group. A source that fails (a database that is away) lists none of its own:
    the service it lacks says so itself."""
    found: list[Service] = []
    for source in SOURCES:
        try:
            found += source()
        except DatabaseError as error:
            logger.warning("The services of %s cannot be listed: %s", source.__module__, error)
        except Exception:
            logger.exception("The services of %s cannot be listed.", source.__module__)
    order = list(GROUPS)
    return sorted(found, key=lambda service: order.index(service.group))


def worst(statuses: Iterable[str]) -> Status:
    return max((Status(each) for each in statuses), key=SEVERITY.index, default=Status.PASS)
