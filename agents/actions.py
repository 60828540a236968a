"""What can be done with agents, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from mlservices.registry import LOCAL

from .demo import (
    DEMO_DESCRIPTION,
    DEMO_FACTS,
    DEMO_GREETING,
    DEMO_INSTRUCTIONS,
    DEMO_NAME,
    DEMO_SLUG,
    DEMO_TRANSFER_NUMBER,
)
from .facts import read_facts, write_facts
from .models import DEFAULT_MODEL, Agent

# Addresses under /agents/ that are pages of their own.
RESERVED_SLUGS = frozenset({"new", "palette"})
LONGEST_FOR_LOCAL = 6000  # characters of instructions and facts, some 1,500 tokens


@transaction.atomic
def save_agent(*, agent: Agent, facts: Sequence[dict[str, Any]] | None = None) -> Agent:
    """Store a new or changed agent; a new one gets an address made of its name.

    `facts` take the place of those it had, as `agents.facts` reads them. Raises ValidationError by field.
    """
    if facts is not None:
        agent.facts = list(facts)
    if not agent.slug:
        agent.slug = _free_slug(agent.name)
    agent.full_clean()
    agent.facts = write_facts(read_facts(agent.facts))
    _refuse_too_long_for_local(agent)
    agent.save()
    return agent


@transaction.atomic
def duplicate_agent(*, agent: Agent) -> Agent:
    """A paused copy, so that it can be changed before it takes calls. Raises ValidationError by field."""
    name = _("%(name)s (copy)") % {"name": agent.name[: 80 - 10]}
    values = {
        field.name: getattr(agent, field.name)
        for field in Agent._meta.concrete_fields
        if field.name not in ("id", "slug", "name", "status", "created_at", "updated_at")
    }
    return save_agent(agent=Agent(**values, name=name, status=Agent.Status.PAUSED))


@transaction.atomic
def create_demo_agent() -> Agent:
    """The agent of a new installation. One that is there already, changed or not, stays as it is."""
    agent, _created = Agent.objects.get_or_create(
        slug=DEMO_SLUG,
        defaults={
            "name": DEMO_NAME,
            "description": DEMO_DESCRIPTION,
            "greeting": DEMO_GREETING,
            "instructions": DEMO_INSTRUCTIONS,
            "facts": DEMO_FACTS,
            "transfer_number": DEMO_TRANSFER_NUMBER,
            "chat_model": DEFAULT_MODEL,
        },
    )
    return agent


def _refuse_too_long_for_local(agent: Agent) -> None:
    """The small model of our own ML service reads slowly: a longer prompt costs a caller many seconds."""
    if agent.chat_model != LOCAL:
        return
    length = len(agent.instructions) + sum(len(fact["topic"]) + len(fact["answer"]) for fact in agent.facts)
    if length > LONGEST_FOR_LOCAL:
        text = _(
            "Instructions and facts are %(length)d characters together; this small model reads at most "
            "%(most)d in time. Shorten them, or choose another model."
        )
        raise ValidationError({"chat_model": text % {"length": length, "most": LONGEST_FOR_LOCAL}})


def _free_slug(name: str) -> str:
    """An address made of the name that no other agent has."""
    base = slugify(name)[:70] or "agent"
    taken = RESERVED_SLUGS | set(Agent.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)
