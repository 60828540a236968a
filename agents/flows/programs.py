"""Rows of flows -> what a call runs, and what a flow may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..flow.graph import Flow as Graph
from ..flow.graph import Known, nodes, read
from ..models import Agent, Flow, FlowVersion, KnowledgeBase, Tool


@dataclass(frozen=True, slots=True)
class Member:
    """Another agent whom a call may be handed over to, and what it follows."""

    agent: Agent
    version: FlowVersion | None


Crew = Mapping[str, Member]  # by the agents' addresses


def crew_of(version: FlowVersion | None) -> Crew:
    """All agents that a call which follows this version may come to."""
    found: dict[str, Member] = {}
    ahead = _agents_in(version)
    while ahead:
        agents = Agent.objects.filter(slug__in=set(ahead) - set(found)).select_related("flow__live")
        members = {agent.slug: Member(agent, agent.flow.live if agent.flow else None) for agent in agents}
        found |= members
        ahead = [slug for each in members.values() for slug in _agents_in(each.version)]
        ahead = [slug for slug in ahead if slug not in found]
    return found


UNREAD = ("server__offered", "server__news")  # of a server of tools: large, and no matter of a call


def tools_of(version: FlowVersion | None, crew: Crew) -> dict[str, Tool]:
    """All tools that a call may come to which follows this version, by their names."""
    versions = [version, *(member.version for member in crew.values())]
    flows = [flow for each in versions if each for flow in each.program.flows.values()]
    names = {name for flow in flows for name in tools_named(flow)}
    rows = Tool.objects.filter(name__in=names).select_related("server").defer(*UNREAD)
    return {tool.name: tool for tool in rows} if names else {}


def flows_where(names: Callable[[Graph], bool]) -> list[Flow]:
    """Flows whose draft, or what is live of them, is such a graph."""
    flows = Flow.objects.select_related("live")
    graphs = {flow: [flow.draft, *([flow.live.graph] if flow.live else [])] for flow in flows}
    return [flow for flow, each in graphs.items() if any(names(read(graph)[0]) for graph in each)]


def tools_named(graph: Graph) -> set[str]:
    """The tools that it asks itself, and those that its language models may."""
    asked = {node.data.tool_name for node in graph.nodes if isinstance(node, nodes.Tool)}
    return asked.union(*(node.data.tools for node in graph.nodes if isinstance(node, nodes.Subagent)))


def _agents_in(version: FlowVersion | None) -> list[str]:
    flows = version.program.flows.values() if version else ()
    return [slug for graph in flows for slug in named(graph, nodes.AgentTransfer)]


def known_to(flow: Flow) -> Known:
    """What the flow may name, for its validation: what its agents know and what is live."""
    live = Flow.objects.exclude(live=None).values_list("slug", flat=True)
    entered = {slug: entered_by(graph) for slug, graph in with_subflows(flow.draft).items()}
    constants = [set(agent.constants) for agent in flow.agents.all()] if flow.pk else []
    return Known(
        tools=frozenset(Tool.objects.values_list("name", flat=True)),
        knowledge=frozenset(KnowledgeBase.objects.values_list("slug", flat=True)),
        agents=frozenset(Agent.objects.exclude(status=Agent.Status.ARCHIVED).values_list("slug", flat=True)),
        flows={**dict.fromkeys(live, frozenset[str]()), **entered},
        flow_id=flow.slug,
        constants=frozenset(set.intersection(*constants)) if constants else frozenset(),
    )


def entered_by(graph: dict[str, Any]) -> frozenset[str]:
    """The sub-flows that it enters, by their addresses."""
    return frozenset(named(read(graph)[0], nodes.Subflow))


def named(graph: Graph, kind: type[nodes.Subflow] | type[nodes.AgentTransfer]) -> list[str]:
    """The sub-flows or agents that it names, each once."""
    found = (
        node.data.flow_id if isinstance(node, nodes.Subflow) else node.data.target_agent_id
        for node in graph.nodes
        if isinstance(node, nodes.Subflow | nodes.AgentTransfer) and isinstance(node, kind)
    )
    return [each for each in dict.fromkeys(found) if each]


def with_subflows(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The graphs of all sub-flows that it comes to, as they are live now."""
    found: dict[str, dict[str, Any]] = {}
    ahead = entered_by(graph)
    while ahead:
        rows = Flow.objects.exclude(live=None).filter(slug__in=ahead).values_list("slug", "live__graph")
        entered = dict(rows)
        found |= entered
        ahead = frozenset().union(*map(entered_by, entered.values())) - set(found)
    return found
