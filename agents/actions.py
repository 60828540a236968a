"""What can be done with agents, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from mlservices import audit
from mlservices.registry import LOCAL

from .addresses import free_slug
from .demo import (
    DEMO_DESCRIPTION,
    DEMO_FACTS,
    DEMO_GREETING,
    DEMO_INSTRUCTIONS,
    DEMO_NAME,
    DEMO_SLUG,
    DEMO_TRANSFER_NUMBER,
)
from .demo_flow import DEMO_FLOW
from .facts import read_facts, write_facts
from .flows.actions import create_flow, publish
from .models import DEFAULT_MODEL, Agent, AgentVersion
from .outward import tell_of_agent
from .versions import apply_values, values_of

Kind = AgentVersion.Kind
_KIND_OF = {
    Agent.Status.ACTIVE: Kind.ACTIVATED,
    Agent.Status.PAUSED: Kind.PAUSED,
    Agent.Status.ARCHIVED: Kind.ARCHIVED,
}
# Addresses under /agents/ that are pages of their own.
RESERVED_SLUGS = frozenset({"new", "palette", "bulk", "speak", "tokens", "numbers", "pauses", "voice"})
API_SLUG, API_NAME = "realtime-api", "Realtime API"
API_DESCRIPTION = "Programs that talk over the realtime API without naming an agent."
API_GREETING = "Hello."
LONGEST_FOR_LOCAL = 6000  # characters of instructions and facts, some 1,500 tokens


class ChangedMeanwhile(Exception):
    """Somebody has saved the agent since it was read; `newest` is their version."""

    def __init__(self, newest: AgentVersion) -> None:
        super().__init__(str(newest))
        self.newest = newest


@transaction.atomic
def save_agent(
    *,
    agent: Agent,
    by: str,
    facts: Sequence[dict[str, Any]] | None = None,
    expected: int | None = None,
    kind: AgentVersion.Kind = Kind.SAVED,
    source: str = "",
) -> Agent:
    """Store a new or changed agent as its next version; a new one gets an address made of its name.

    `by` is the name of the user. `facts` take the place of those it had, as `agents.facts` reads them.
    `expected` is the version that was changed. What changes nothing makes no version. Raises
    ValidationError by field, ChangedMeanwhile if the newest version is another than `expected`.
    """
    if facts is not None:
        agent.facts = list(facts)
    if not agent.slug:
        agent.slug = _free_slug(agent.name)
    agent.full_clean()
    agent.facts = write_facts(read_facts(agent.facts))
    refuse_too_long_for_local(agent)
    if agent.pk is None:
        agent.version = 1
        agent.save()
        _write_version(agent, kind=Kind.CREATED if kind == Kind.SAVED else kind, by=by, source=source)
        return agent
    stored = Agent.objects.select_for_update().get(pk=agent.pk)
    if expected is not None and stored.version != expected:
        raise ChangedMeanwhile(stored.versions.get(number=stored.version))
    return _store(agent, stored, kind=kind, by=by, source=source)


@transaction.atomic
def duplicate_agent(*, agent: Agent, by: str) -> Agent:
    """A paused copy, so that it can be changed before it takes calls. Raises ValidationError by field."""
    twin = Agent(name=_free_name(agent.name), status=Agent.Status.PAUSED)
    apply_values(twin, {**values_of(agent), "name": twin.name})
    return save_agent(agent=twin, by=by, kind=Kind.DUPLICATED, source=agent.name)


@transaction.atomic
def set_statuses(*, statuses: Mapping[str, str], by: str) -> dict[str, str]:
    """Give each agent (by slug) a status; answers what those had that it changed, to undo it with."""
    before: dict[str, str] = {}
    for slug, status in sorted(statuses.items()):
        agent = Agent.objects.filter(slug=slug).first()
        if agent is None:
            continue
        stored = Agent.objects.select_for_update().get(pk=agent.pk)
        if stored.status != status:
            before[slug] = stored.status
            agent = copy(stored)
            agent.status = status
            _store(agent, stored, kind=_KIND_OF[Agent.Status(status)], by=by)
    return before


@transaction.atomic
def restore_version(*, agent: Agent, number: int, by: str) -> Agent:
    """Make the agent again as a version holds it, but for its status; that is a new version.

    Raises ValidationError by field where what was right then is not any more.
    """
    agent.refresh_from_db(from_queryset=Agent.objects.select_for_update())
    version = agent.versions.get(number=number)
    apply_values(agent, version.values)
    return save_agent(agent=agent, by=by, kind=Kind.RESTORED, source=str(number))


@transaction.atomic
def create_demo_agent() -> Agent:
    """The agent of a new installation. One that is there already, changed or not, stays as it is."""
    agent, created = Agent.objects.get_or_create(
        slug=DEMO_SLUG,
        defaults={
            "name": DEMO_NAME,
            "description": DEMO_DESCRIPTION,
            "greeting": DEMO_GREETING,
            "instructions": DEMO_INSTRUCTIONS,
            "facts": DEMO_FACTS,
            "transfer_number": DEMO_TRANSFER_NUMBER,
            "chat_model": DEFAULT_MODEL,
            "version": 1,
        },
    )
    if created:
        agent.flow = publish(flow=create_flow(graph=DEMO_FLOW, by=""), by="").flow
        agent.save(update_fields=["flow"])
        _write_version(agent, kind=Kind.CREATED, by="")
    return agent


@transaction.atomic
def ensure_api_agent() -> Agent:
    """In whose name programs talk that bring no agent of ours: whether such calls are recorded, and how long
    they may be, is set there like any agent's; one that is paused takes none."""
    agent, created = Agent.objects.get_or_create(
        slug=API_SLUG,
        defaults={
            "name": API_NAME,
            "description": API_DESCRIPTION,
            "greeting": API_GREETING,
            "record": False,
            "version": 1,
        },
    )
    if created:
        _write_version(agent, kind=Kind.CREATED, by="")
    return agent


def _store(agent: Agent, stored: Agent, *, kind: AgentVersion.Kind, by: str, source: str = "") -> Agent:
    """The next version, if anything differs; before the first one that of the agent as it was found."""
    agent.version = stored.version
    if values_of(agent) == values_of(stored):
        return agent
    if stored.version == 0:
        stored.version = agent.version = 1
        _write_version(stored, kind=Kind.FOUND, by="", at=stored.updated_at)
    agent.version += 1
    agent.save()
    _write_version(agent, kind=kind, by=by, source=source, before=values_of(stored))
    return agent


def _write_version(
    agent: Agent,
    *,
    kind: AgentVersion.Kind,
    by: str,
    source: str = "",
    at: datetime | None = None,
    before: Mapping[str, Any] | None = None,
) -> None:
    values = values_of(agent)
    version = AgentVersion.objects.create(
        agent=agent,
        number=agent.version,
        kind=kind,
        by=by,
        at=at or timezone.now(),
        values=values,
        source=source,
    )
    if kind != Kind.FOUND:  # which nobody did
        audit.record(f"agent.{kind}", agent, before=before, after=values, by=by, detail=source)
        tell_of_agent(agent, version)


def refuse_too_long_for_local(agent: Agent) -> None:
    """The small model of our own ML service reads slowly: a longer prompt costs a caller many seconds.

    Raises ValidationError by field.
    """
    if agent.chat_model != LOCAL:
        return
    length = len(agent.instructions) + sum(len(fact["topic"]) + len(fact["answer"]) for fact in agent.facts)
    if length > LONGEST_FOR_LOCAL:
        text = _(
            "Instructions and facts are %(length)d characters together; this small model reads at most "
            "%(most)d in time. Shorten them, or choose another model."
        )
        raise ValidationError({"chat_model": text % {"length": length, "most": LONGEST_FOR_LOCAL}})


def _free_name(name: str) -> str:
    """That of a copy, which no other agent has: two in a list could not be told apart."""
    short = name[: 80 - 15]
    taken = set(Agent.objects.filter(name__startswith=short).values_list("name", flat=True))
    first = _("%(name)s (copy)") % {"name": short}
    further = (
        _("%(name)s (copy %(number)d)") % {"name": short, "number": number}
        for number in range(2, len(taken) + 3)
    )
    return next(each for each in (first, *further) if each not in taken)


def _free_slug(name: str) -> str:
    return free_slug(Agent.objects.all(), slugify(name)[:70] or "agent", reserved=RESERVED_SLUGS)
