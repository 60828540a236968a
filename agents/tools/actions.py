"""What can be done with tools, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from mlservices import audit

from ..flows.programs import flows_where, tools_named
from ..models import Flow, Tool

_TOLD = (  # of a tool, when it is changed
    "name",
    "description",
    "method",
    "url",
    "parameters",
    "headers",
    "secret_headers",
    "body",
    "results",
    "seconds",
    "repeatable",
    "filler",
)


def flows_with(tool: Tool) -> list[Flow]:
    """Flows that name it, in what is live or in their draft."""
    return flows_where(lambda graph: tool.name in tools_named(graph))


@transaction.atomic
def save_tool(*, tool: Tool, by: str) -> Tool:
    """A new one, or one that was changed and is valid."""
    tool.changed_by = by
    before = audit.stored_fields(tool, *_TOLD)
    tool.save()
    verb = "tool.changed" if before else "tool.created"
    audit.record(verb, tool, before=before, after=audit.fields_of(tool, *_TOLD), by=by)
    return tool


@transaction.atomic
def delete_tool(*, tool: Tool) -> None:
    """Raises ValidationError while a flow names it: its calls would come to nothing."""
    if flows := ", ".join(flow.name for flow in flows_with(tool)):
        raise ValidationError(_("Take it from these flows first: %(flows)s.") % {"flows": flows})
    audit.record("tool.deleted", tool, before=audit.fields_of(tool, *_TOLD))
    tool.delete()
