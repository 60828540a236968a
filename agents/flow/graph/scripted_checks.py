"""What is wrong with the tests of a flow: warnings, since no call is the worse for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .flow import Flow
from .node_checks import warning
from .nodes import Subflow
from .problems import Problem
from .scripted import MOST_TURNS, ScriptedTest


def problems_of_tests(flow: Flow) -> Iterator[Problem]:
    there = _names(flow)
    names = Counter(test.name for test in flow.tests)
    for place, test in enumerate(flow.tests):
        before = f"tests.{place}"
        if not test.name:
            yield warning("test_without_name", path=f"{before}.name", values={"number": str(place + 1)})
        elif names[test.name] > 1:
            yield warning("double_test", path=f"{before}.name", values={"test": test.name})
        yield from _turns(test, before)
        for path, kind, name in test.named:
            if kind in there and name not in there[kind]:
                values = {"test": test.name, "name": name}
                yield warning(f"test_unknown_{kind}", path=f"{before}.{path}", values=values)


def _turns(test: ScriptedTest, before: str) -> Iterator[Problem]:
    if not test.turns:
        yield warning("test_without_turns", path=f"{before}.turns", values={"test": test.name})
    if len(test.turns) > MOST_TURNS:
        values = {"test": test.name, "count": str(len(test.turns)), "limit": str(MOST_TURNS)}
        yield warning("test_too_long", path=f"{before}.turns", values=values)
    for place, turn in enumerate(test.turns):
        if turn.acts == 1 or (turn.acts == 0 and place == 0):
            continue
        code = "test_empty_turn" if turn.acts == 0 else "test_crowded_turn"
        values = {"test": test.name, "turn": str(place + 1)}
        yield warning(code, path=f"{before}.turns.{place}", values=values)


def _names(flow: Flow) -> dict[str, set[str]]:
    """What a test may name, by kind; steps and connections may be of a sub-flow, which is not known here."""
    there = {"intent": {name for each in flow.intents for name in (each.id, each.name)}}
    if not any(isinstance(node, Subflow) for node in flow.nodes):
        there["node"] = {name for node in flow.nodes for name in (node.id, node.data.label)}
        edges = (edge for leaving in flow.leaving.values() for edge in leaving)
        there["edge"] = {name for edge in edges for name in (edge.id, edge.label)}
    return there
