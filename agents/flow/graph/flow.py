"""A flow as a whole, and what its edges ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field

from .nodes import Gather, Node, Note, Part, Say, Subagent, Tool, VariableKind
from .scripted import ScriptedTest


class Condition(Part):
    """When an edge is taken. What is named is tried in this order; one that holds is enough."""

    outcome: str = ""  # of the node that it leaves: nodes.OUTCOMES
    keys: str = Field("", max_length=20)  # of the keypad
    when: str = Field("", max_length=500)  # an expression over the variables
    examples: tuple[str, ...] = ()  # what callers say who mean it
    otherwise: bool = False  # if nothing else holds

    def __bool__(self) -> bool:
        return bool(self.outcome or self.keys or self.when or self.examples or self.otherwise)


class Edge(Part):
    id: str = Field(min_length=1, max_length=80)
    source: str
    target: str
    label: str = Field("", max_length=300)
    condition: Condition = Condition()


class Variable(Part):
    """`filled_in_passing`: wherever the caller says it, not only where it is asked for."""

    name: str
    kind: VariableKind = "text"
    description: str = Field("", max_length=300)
    initial: str = Field("", max_length=500)
    filled_in_passing: bool = True


class Intent(Part):
    """What the caller can say anywhere in the flow. "repeat" says the last words again, "go_to" goes on at
    `target`, "transfer" and "end" do that."""

    id: str = Field(min_length=1, max_length=80)
    name: str = Field("", max_length=80)
    examples: tuple[str, ...] = ()
    keys: str = Field("", max_length=20)
    action: Literal["repeat", "go_to", "transfer", "end"] = "go_to"
    target: str = ""


class Flow(Part):
    """`start` is the node that a call begins at; "" is the only one that no edge leads to."""

    name: str = Field("", max_length=120)
    description: str = Field("", max_length=2_000)
    start: str = ""
    variables: tuple[Variable, ...] = ()
    intents: tuple[Intent, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    tests: tuple[ScriptedTest, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def leaving(self) -> Mapping[str, tuple[Edge, ...]]:
        """The edges of each node, in their order; a tool's `onSuccess` and `onFailure` are edges too."""
        edges: dict[str, list[Edge]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            edges.setdefault(edge.source, []).append(edge)
        for node in self.nodes:
            if isinstance(node, Tool):
                edges[node.id] += _outcome_edges(node)
        return {source: tuple(leaving) for source, leaving in edges.items()}

    @cached_property
    def starts(self) -> tuple[str, ...]:
        """The ids of the nodes that a call may begin at: one, in a flow that can be run."""
        if self.start:
            return (self.start,) if self.start in self.by_id else ()
        reached = {edge.target for edges in self.leaving.values() for edge in edges}
        reached |= {intent.target for intent in self.intents}
        return tuple(n.id for n in self.nodes if n.id not in reached and not isinstance(n, Note))

    @cached_property
    def ways(self) -> Mapping[str, Ways]:
        """The ways out of each node, by its id."""
        return {node.id: Ways.of(node, self.leaving[node.id]) for node in self.nodes}

    def described(self, edge: Edge) -> str:
        """When it is taken, in words: its own, or what it leads to; "" where neither has any."""
        target = self.by_id.get(edge.target)
        return edge.label or (target.data.label if target else "")


def _outcome_edges(node: Tool) -> list[Edge]:
    named = (("success", node.data.on_success), ("failure", node.data.on_failure))
    return [
        Edge(id=f"{node.id}:{outcome}", source=node.id, target=target, condition=Condition(outcome=outcome))
        for outcome, target in named
        if target
    ]


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out of one node, by what decides between them; each edge may stand in several."""

    outcomes: Mapping[str, Edge]
    keys: Mapping[str, Edge]
    expressions: tuple[Edge, ...]
    examples: tuple[Edge, ...]
    described: tuple[Edge, ...]  # that say in words alone when they are taken
    otherwise: Edge | None

    @classmethod
    def of(cls, node: Node, edges: tuple[Edge, ...]) -> Ways:
        """An edge without a condition is the way on, unless there are several, or the node is a talk that
        goes on until one is wanted: then its label says when it is taken."""
        bare = [edge for edge in edges if not edge.condition]
        plain = None if isinstance(node, Subagent) or len(bare) != 1 else bare[0]
        told = next((edge for edge in edges if edge.condition.otherwise), None)
        return cls(
            outcomes={edge.condition.outcome: edge for edge in reversed(edges) if edge.condition.outcome},
            keys={edge.condition.keys: edge for edge in reversed(edges) if edge.condition.keys},
            expressions=tuple(edge for edge in edges if edge.condition.when),
            examples=tuple(edge for edge in edges if edge.condition.examples),
            described=tuple(edge for edge in bare if edge is not plain),
            otherwise=told or plain,
        )

    @property
    def ask_the_caller(self) -> bool:
        """Whether it takes the caller's words or keys to choose one."""
        return bool(self.keys or self.examples or self.described)


def waits(node: Node, ways: Ways) -> bool:
    """Whether the flow listens at this node before it goes on."""
    return isinstance(node, Subagent | Gather) or (isinstance(node, Say) and ways.ask_the_caller)
