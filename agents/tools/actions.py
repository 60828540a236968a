"""What can be done with tools, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ..flow.graph import read
from ..flows.programs import tools_named
from ..models import Flow, Tool


def flows_with(tool: Tool) -> list[Flow]:
    """Flows that name it, in what is live or in their draft."""
    flows = Flow.objects.select_related("live")
    return [flow for flow in flows if any(tool.name in tools_named(read(each)[0]) for each in _graphs(flow))]


@transaction.atomic
def delete_tool(*, tool: Tool) -> None:
    """Raises ValidationError while a flow names it: its calls would come to nothing."""
    if flows := ", ".join(flow.name for flow in flows_with(tool)):
        raise ValidationError(_("Take it from these flows first: %(flows)s.") % {"flows": flows})
    tool.delete()


def _graphs(flow: Flow) -> list[object]:
    return [flow.draft, *([flow.live.graph] if flow.live else [])]
