"""What can be done with tools, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ..flows.programs import flows_where, tools_named
from ..models import Flow, Tool


def flows_with(tool: Tool) -> list[Flow]:
    """Flows that name it, in what is live or in their draft."""
    return flows_where(lambda graph: tool.name in tools_named(graph))


@transaction.atomic
def delete_tool(*, tool: Tool) -> None:
    """Raises ValidationError while a flow names it: its calls would come to nothing."""
    if flows := ", ".join(flow.name for flow in flows_with(tool)):
        raise ValidationError(_("Take it from these flows first: %(flows)s.") % {"flows": flows})
    tool.delete()
