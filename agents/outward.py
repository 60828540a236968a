"""What other systems are told of agents and flows."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from mlservices.happenings import Kind, declare, tell

from .models import Agent, AgentVersion, FlowVersion

PUBLISHED, ROLLED_BACK = "flow.published", "flow.rolled_back"

_FLOW = {
    "flow": {"slug": "front-desk", "name": "Front desk"},
    "version": 4,
    "by": "alice",
    "note": "Opening hours",
}
declare(
    Kind(PUBLISHED, _("A flow is published: new calls follow it"), _FLOW),
    Kind(ROLLED_BACK, _("An earlier version of a flow is live again"), _FLOW | {"version": 5, "restored": 3}),
    Kind(
        "agent.changed",
        _("An agent is made, changed, activated, paused or archived"),
        {
            "agent": {"slug": "front-desk", "name": "Front desk"},
            "status": "active",
            "version": 12,
            "change": "saved",
            "by": "alice",
        },
    ),
)


def tell_of_version(version: FlowVersion, *, restored: int | None = None) -> None:
    """It is live now; `restored` is the number of the earlier one that it repeats."""
    flow = version.flow
    data: dict[str, Any] = {
        "flow": {"slug": flow.slug, "name": flow.name},
        "version": version.number,
        "by": version.by,
        "note": version.note,
    }
    if restored is None:
        tell(PUBLISHED, data, about=f"flow:{flow.slug}", sequence=version.number)
    else:
        tell(ROLLED_BACK, data | {"restored": restored}, about=f"flow:{flow.slug}", sequence=version.number)


def tell_of_agent(agent: Agent, version: AgentVersion) -> None:
    data = {
        "agent": {"slug": agent.slug, "name": agent.name},
        "status": agent.status,
        "version": version.number,
        "change": version.kind,
        "by": version.by,
    }
    tell("agent.changed", data, about=f"agent:{agent.slug}", sequence=version.number)
