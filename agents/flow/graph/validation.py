"""What would go wrong on a call, found before one: each problem with its place."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping

from ..expressions import ExpressionError, names_in
from ..variables import BUILT_IN, placeholders
from .circles import circles
from .flow import Edge, Flow, waits
from .node_checks import (
    DIGITS,
    FORMULA,
    NOTHING_KNOWN,
    Known,
    problems_of_formula,
    problems_of_node,
    warning,
)
from .nodes import ENDS, OUTCOMES, Gather, Node, Note, Say, Set, Subagent, Tool
from .problems import Problem
from .scripted_checks import problems_of_tests

_SPOKEN = (  # fields that may hold placeholders
    "system_prompt",
    "opening",
    "text",
    "prompt",
    "retry_prompt",
    "filler",
    "message",
    "context",
    "phone_number",
    "digits",
)


def problems_of(flow: Flow, known: Known = NOTHING_KNOWN) -> list[Problem]:
    """Errors and warnings, those of the flow itself first, then node by node in the order of the nodes, then
    those of its tests."""
    return [
        *_starts(flow),
        *_doubles(flow),
        *_edges(flow),
        *_reachability(flow),
        *_silent_loops(flow),
        *_intents(flow),
        *_unset(flow, known),
        *(problem for node in flow.nodes for problem in problems_of_node(flow, node, known)),
        *problems_of_tests(flow),
    ]


# --- The flow as a whole ---


def _starts(flow: Flow) -> Iterator[Problem]:
    if not any(not isinstance(node, Note) for node in flow.nodes):
        yield Problem("empty")
    elif not flow.starts:
        yield Problem("no_start")
    elif len(flow.starts) > 1:
        yield from (Problem("two_starts", node=each) for each in flow.starts)
    if not any(isinstance(node, ENDS) for node in flow.nodes):
        yield warning("no_end")


def _doubles(flow: Flow) -> Iterator[Problem]:
    for name, count in Counter(node.id for node in flow.nodes).items():
        if count > 1:
            yield Problem("double_id", node=name)
    for name, count in Counter(edge.id for edge in flow.edges).items():
        if count > 1:
            yield Problem("double_id", edge=name)
    for name, count in Counter(variable.name for variable in flow.variables).items():
        if count > 1:
            yield Problem("double_variable", values={"name": name})
        if not name.isidentifier() or name in BUILT_IN:
            yield Problem("bad_variable", values={"name": name})


def _edges(flow: Flow) -> Iterator[Problem]:
    for edge in flow.edges:
        source = flow.by_id.get(edge.source)
        for end, found in (("source", source), ("target", flow.by_id.get(edge.target))):
            if found is None:
                yield Problem("dangling", edge=edge.id, path=end, values={"node": getattr(edge, end)})
            elif isinstance(found, Note):
                yield Problem("note_edge", edge=edge.id, path=end)
        if isinstance(source, ENDS):
            yield Problem("after_end", edge=edge.id, node=edge.source)
        if source is not None:
            yield from _condition(edge, source)
    for node in flow.nodes:
        yield from _ways(flow, node)


def _condition(edge: Edge, source: Node) -> Iterator[Problem]:
    condition = edge.condition
    allowed = OUTCOMES.get(source.type, ())
    if condition.outcome and condition.outcome not in allowed:
        values = {"outcome": condition.outcome, "known": ", ".join(allowed)}
        yield Problem("unknown_outcome", edge=edge.id, path="condition.outcome", values=values)
    if set(condition.keys) - DIGITS:
        yield Problem("bad_keys", edge=edge.id, path="condition.keys", values={"keys": condition.keys})
    if condition.when:
        yield from problems_of_formula(condition.when, edge=edge.id, path="condition.when")
    if condition.otherwise and (condition.keys or condition.when or condition.examples):
        yield warning("otherwise_and_more", edge=edge.id)


def _ways(flow: Flow, node: Node) -> Iterator[Problem]:
    """What is wrong with the edges of a node together."""
    edges = flow.leaving.get(node.id, ())
    for name in ("keys", "outcome"):
        told = Counter(getattr(edge.condition, name) for edge in edges)
        for value, count in told.items():
            if value and count > 1:
                yield Problem("same_condition", node=node.id, path=name, values={"value": value})
    if sum(edge.condition.otherwise for edge in edges) > 1:
        yield Problem("two_otherwise", node=node.id)
    ways = flow.ways[node.id]
    if isinstance(node, Subagent | Say):
        yield from (
            warning("says_not_when", edge=edge.id) for edge in ways.described if not flow.described(edge)
        )
    if isinstance(node, (Note, Subagent, *ENDS)):
        return
    if not edges:
        yield Problem("dead_end", node=node.id)
    elif waits(node, ways) and isinstance(node, Say):
        return  # who means none of its ways is asked again, and then handed to a person
    elif ways.otherwise is None and not _covers(node, ways.outcomes):
        yield warning("no_otherwise", node=node.id)


def _covers(node: Node, outcomes: Mapping[str, Edge]) -> bool:
    allowed = OUTCOMES.get(node.type, ())
    return bool(allowed) and set(allowed) <= set(outcomes)


def _reachability(flow: Flow) -> Iterator[Problem]:
    if len(flow.starts) != 1:
        return
    seen = _reached(flow, [*flow.starts, *(intent.target for intent in flow.intents)])
    for node in flow.nodes:
        if node.id not in seen and not isinstance(node, Note):
            yield warning("unreachable", node=node.id)


def _reached(flow: Flow, begin: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    ahead = deque(each for each in begin if each in flow.by_id)
    while ahead:
        here = ahead.popleft()
        if here not in seen:
            seen.add(here)
            ahead.extend(edge.target for edge in flow.leaving[here] if edge.target in flow.by_id)
    return seen


def _silent_loops(flow: Flow) -> Iterator[Problem]:
    """Circles in which the flow never listens, and nothing can lead out of them: the runtime would stop the
    call. A circle with a way out is only bounded."""
    silent = {n.id for n in flow.nodes if not waits(n, flow.ways[n.id]) and not isinstance(n, (*ENDS, Note))}
    on = {each: [edge.target for edge in flow.leaving[each] if edge.target in silent] for each in silent}
    for circle in circles(on):
        if any(edge.target not in circle for each in circle for edge in flow.leaving[each]):
            yield warning("silent_loop", node=min(circle))
        else:
            yield Problem("loop_without_exit", node=min(circle))


def _intents(flow: Flow) -> Iterator[Problem]:
    for intent in flow.intents:
        place = f"intents.{intent.id}"
        if not intent.examples and not intent.keys:
            yield Problem("intent_without_examples", path=place, values={"name": intent.name})
        if intent.action == "go_to" and intent.target not in flow.by_id:
            yield Problem("intent_nowhere", path=place, values={"name": intent.name})


def _unset(flow: Flow, known: Known) -> Iterator[Problem]:
    """Placeholders and expressions that ask for what nothing sets."""
    given = {*BUILT_IN, *known.constants, *(variable.name for variable in flow.variables)}
    for node in flow.nodes:
        if isinstance(node, Gather) and node.data.variable:
            given.add(node.data.variable)
        if isinstance(node, Set):
            given |= set(node.data.values)
    for node in flow.nodes:
        for name, text in _texts(node):
            for asked in _asked_for(text):
                if asked not in given:
                    yield Problem("never_set", node=node.id, path=name, values={"name": asked})
    for edge in flow.edges:
        for asked in _names(edge.condition.when):
            if asked not in given:
                yield Problem("never_set", edge=edge.id, path="condition.when", values={"name": asked})


def _asked_for(text: str) -> Iterable[str]:
    return _names(text[1:]) if text.startswith(FORMULA) else placeholders(text)


def _names(expression: str) -> frozenset[str]:
    try:
        return names_in(expression) if expression else frozenset()
    except ExpressionError:
        return frozenset()


def _texts(node: Node) -> Iterator[tuple[str, str]]:
    """The texts of a node that may hold placeholders, by field."""
    if not isinstance(node, Note):
        texts = ((name, getattr(node.data, name, None)) for name in _SPOKEN)
        yield from ((name, text) for name, text in texts if text and isinstance(text, str))
    if isinstance(node, Set):
        yield from ((f"values.{name}", text) for name, text in node.data.values.items())
    if isinstance(node, Tool):
        for name, value in node.data.parameters.items():
            if isinstance(value, str):
                yield f"parameters.{name}", value
