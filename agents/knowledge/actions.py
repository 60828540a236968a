"""What can be done with knowledge bases, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from mlservices import audit

from ..addresses import free_slug
from ..flow.graph import Flow as Graph
from ..flow.graph import nodes
from ..flows.programs import flows_where
from ..models import Flow, KnowledgeBase, Source
from .reading import LARGEST_BYTES, Unreadable, blocks_of

READ = "agents.knowledge.tasks.read_source"
RESERVED_SLUGS = frozenset({"new"})


@transaction.atomic
def create_base(*, name: str) -> KnowledgeBase:
    base = KnowledgeBase(name=name.strip())
    base.slug = free_slug(KnowledgeBase.objects.all(), slugify(name)[:100] or "base", reserved=RESERVED_SLUGS)
    base.full_clean()
    base.save()
    audit.record("knowledge.created", base, after={"name": base.name})
    return base


@transaction.atomic
def add_file(*, base: KnowledgeBase, name: str, content: bytes, by: str) -> Source:
    """It is read by the worker. Raises ValidationError where that could never succeed."""
    if len(content) > LARGEST_BYTES:
        told = {"name": name, "size": f"{len(content):,}", "most": f"{LARGEST_BYTES:,}"}
        raise ValidationError(_("%(name)s has %(size)s bytes; %(most)s are allowed. Divide it.") % told)
    source = Source.objects.create(base=base, kind=Source.Kind.FILE, name=name[:200], content=content, by=by)
    return _added(source)


@transaction.atomic
def add_page(*, base: KnowledgeBase, address: str, by: str) -> Source:
    source = Source.objects.create(
        base=base, kind=Source.Kind.PAGE, name=address[:200], address=address, by=by
    )
    return _added(source)


@transaction.atomic
def add_pairs(*, base: KnowledgeBase, name: str, pairs: Sequence[tuple[str, str]], by: str) -> Source:
    """Questions with their answers. Raises ValidationError that names the entry."""
    content = json.dumps([{"question": question, "answer": answer} for question, answer in pairs]).encode()
    try:
        blocks_of(content, "pairs.json")
    except Unreadable as error:
        raise ValidationError(str(error)) from None
    source = Source.objects.create(base=base, kind=Source.Kind.PAIRS, name=name[:200], content=content, by=by)
    return _added(source)


@transaction.atomic
def read_again(*, source: Source, by: str) -> Source:
    """Its passages stay until the newer ones are there."""
    source.by = by
    audit.record("source.read_again", source, by=by)
    return _read_soon(source)


@transaction.atomic
def remove_source(*, source: Source) -> None:
    base = source.base_id
    audit.record("source.removed", source, before=_told(source))
    source.delete()
    changed(base)


@transaction.atomic
def delete_base(*, base: KnowledgeBase) -> None:
    """Raises ValidationError while a flow names it."""
    if flows := ", ".join(flow.name for flow in flows_with(base)):
        raise ValidationError(_("Take it from these flows first: %(flows)s.") % {"flows": flows})
    audit.record(
        "knowledge.deleted", base, before={"name": base.name, "sources": list(map(str, base.sources.all()))}
    )
    base.delete()


def flows_with(base: KnowledgeBase) -> list[Flow]:
    """Flows that name it, in what is live or in their draft."""
    return flows_where(lambda graph: _names(graph, base.slug))


def changed(base_id: int) -> None:
    """Its passages are others now."""
    KnowledgeBase.objects.filter(pk=base_id).update(stamp=F("stamp") + 1)


def _added(source: Source) -> Source:
    audit.record("source.added", source, after=_told(source), by=source.by)
    return _read_soon(source)


def _told(source: Source) -> dict[str, Any]:
    return audit.fields_of(source, "base", "kind", "name", "address")


def _read_soon(source: Source) -> Source:
    """One that somebody removed meanwhile stays removed."""
    source.state, source.reason, source.at = Source.State.WAITING, "", timezone.now()
    fields = {name: getattr(source, name) for name in ("state", "reason", "at", "by")}
    Source.objects.filter(pk=source.pk).update(**fields)
    transaction.on_commit(lambda: async_task(READ, source.pk))
    return source


def _names(graph: Graph, slug: str) -> bool:
    talks = (node for node in graph.nodes if isinstance(node, nodes.Subagent))
    return any(node.data.knowledge_base == slug for node in talks)
