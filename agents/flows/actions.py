"""What can be done with flows, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from mlservices import audit

from ..addresses import free_slug
from ..flow.graph import FlowError, Problem, Severity, problems_of, read
from ..models import Flow, FlowVersion
from ..outward import tell_of_version
from .programs import known_to, with_subflows
from .rehearsal import Unplayable, as_version, hopeless
from .results import Row, not_passed
from .texts import sentence

# Addresses under /flows/ that are pages of their own.
RESERVED_SLUGS = frozenset({"new", "import", "palette", "templates", "generate"})


class ChangedMeanwhile(Exception):
    """Somebody has saved the draft since it was read; `flow` is as they left it."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow.changed_by)
        self.flow = flow


class Unpublishable(Exception):
    """Its errors have to be mended first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(sentence(each) for each in problems))
        self.problems = problems


class Untested(Exception):
    """The flow requires its tests, and these have failed, or were not run since the draft was changed."""

    def __init__(self, rows: list[Row]) -> None:
        super().__init__(", ".join(row.plan.name for row in rows))
        self.rows = rows


@transaction.atomic
def create_flow(*, graph: Any, by: str, name: str = "") -> Flow:
    """A new draft, valid or not. Raises ValidationError where it is no flow at all, or has no name."""
    flow = _new_flow(graph, by, name)
    audit.record("flow.created", flow, after=flow.draft, by=by)
    return flow


def _new_flow(graph: Any, by: str, name: str) -> Flow:
    graph = _object(graph)
    name = (name or str(graph.get("name") or "")).strip()
    flow = Flow(name=name, description=_description(graph), changed_by=by)
    flow.slug = _free_slug(name)
    flow.draft = {**graph, "name": name}
    flow.full_clean()
    flow.save()
    return flow


@transaction.atomic
def save_draft(*, flow: Flow, graph: Any, by: str, expected: int) -> Flow:
    """Store a changed draft as the next revision; what changes nothing makes none.

    `expected` is the revision that was changed. Raises ChangedMeanwhile if there is a newer one,
    ValidationError where `graph` is no flow at all.
    """
    graph = _object(graph)
    stored = Flow.objects.select_for_update().get(pk=flow.pk)
    if stored.draft == graph:
        return stored
    if stored.revision != expected:
        raise ChangedMeanwhile(stored)
    before, stored.draft = stored.draft, graph
    stored.name = str(graph.get("name") or "").strip() or stored.name
    stored.description = _description(graph)
    stored.revision += 1
    stored.changed_by, stored.changed_at = by, timezone.now()
    stored.full_clean()
    stored.save()
    audit.record("flow.changed", stored, before=before, after=graph, by=by)
    return stored


@transaction.atomic
def publish(*, flow: Flow, by: str, note: str = "") -> FlowVersion:
    """Make the draft what new calls follow. Raises Unpublishable with its errors, Untested where the
    flow requires its tests: `results.run_and_keep` runs them first, since that may take its time."""
    stored = Flow.objects.select_for_update().get(pk=flow.pk)
    errors = [each for each in problems_in(stored) if each.severity is Severity.ERROR]
    if errors:
        raise Unpublishable(errors)
    if stored.tests_required and (rows := not_passed(stored)):
        raise Untested(rows)
    before = stored.live.graph if stored.live else None
    version = _make_live(stored, stored.draft, with_subflows(stored.draft), by=by, note=note)
    audit.record("flow.published", stored, before=before, after=version.graph, by=by, detail=version.title)
    tell_of_version(version)
    return version


@transaction.atomic
def require_tests(*, flow: Flow, required: bool) -> Flow:
    """Whether publishing asks for all tests of the draft to pass."""
    stored = Flow.objects.select_for_update().get(pk=flow.pk)
    before, stored.tests_required = stored.tests_required, required
    stored.save(update_fields=["tests_required"])
    old, new = {"tests_required": before}, {"tests_required": required}
    audit.record("flow.tests_required", stored, before=old, after=new)
    return stored


@transaction.atomic
def keep_for_trial(*, flow: Flow, by: str) -> FlowVersion:
    """The draft as one call is to follow it, published or not. Raises Unplayable."""
    version = as_version(flow.draft)
    if problems := hopeless(version):
        raise Unplayable(problems)
    version.flow, version.by = flow, by
    version.save()
    audit.record("flow.tried", flow, by=by)
    return version


@transaction.atomic
def roll_back(*, version: FlowVersion, by: str) -> FlowVersion:
    """Publish an earlier version again, as a new one; the draft stays as it is."""
    stored = Flow.objects.select_for_update().get(pk=version.flow_id)
    note = _("Back to version %(number)d") % {"number": version.number}
    before = stored.live.graph if stored.live else None
    made = _make_live(stored, version.graph, version.subflows, by=by, note=note)
    audit.record("flow.rolled_back", stored, before=before, after=made.graph, by=by, detail=note)
    tell_of_version(made, restored=version.number)
    return made


@transaction.atomic
def duplicate_flow(*, flow: Flow, by: str) -> Flow:
    twin = _new_flow(flow.draft, by, _("%(name)s (copy)") % {"name": flow.name[: 120 - 15]})
    audit.record("flow.duplicated", twin, after=twin.draft, by=by, detail=flow.name)
    return twin


@transaction.atomic
def delete_flow(*, flow: Flow) -> None:
    """Only a flow that was never published. Raises ValidationError: calls name their versions."""
    if flow.all_versions.exists():
        raise ValidationError(_("Calls have followed this flow, so it is kept. Take it from its agents."))
    if agents := ", ".join(flow.agents.values_list("name", flat=True)):
        raise ValidationError(_("Take it from its agents first: %(agents)s.") % {"agents": agents})
    audit.record("flow.deleted", flow, before=flow.draft)
    flow.delete()


def problems_in(flow: Flow) -> list[Problem]:
    """Of its draft."""
    graph, unreadable = read(flow.draft)
    return [*unreadable, *problems_of(graph, known_to(flow))]


def _make_live(flow: Flow, graph: Any, subflows: Any, *, by: str, note: str) -> FlowVersion:
    newest = flow.versions.values_list("number", flat=True).first() or 0
    version = FlowVersion.objects.create(
        flow=flow,
        number=newest + 1,
        graph=graph,
        subflows=subflows,
        by=by,
        note=note,
    )
    flow.live = version
    flow.save(update_fields=["live"])
    return version


def _object(graph: Any) -> dict[str, Any]:
    try:
        read(graph)
    except FlowError as error:
        raise ValidationError({"draft": sentence(error.problem)}) from None
    return dict(graph)


def _description(graph: dict[str, Any]) -> str:
    return str(graph.get("description") or "").strip()[:300]


def _free_slug(name: str) -> str:
    return free_slug(Flow.objects.all(), slugify(name)[:100] or "flow", reserved=RESERVED_SLUGS)
