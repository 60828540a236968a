"""The exchange format -> a `Flow`, with the place of everything that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import JSONDecodeError
from typing import Any, TypeVar

from pydantic import ValidationError

from mlservices.json_text import json_of

from .flow import Edge, Flow, Intent, Variable
from .nodes import TYPES, Node, Part
from .problems import Problem, Severity
from .scripted import MOST_TESTS, ScriptedTest

MOST_NODES = 1_000
MOST_EDGES = 4_000
LARGEST_BYTES = 2_000_000
_MOST = {"nodes": MOST_NODES, "edges": MOST_EDGES, "variables": 500, "intents": 200, "tests": MOST_TESTS}

_CODES = {
    "missing": "missing",
    "string_too_long": "too_long",
    "string_too_short": "missing",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_big",
    "literal_error": "not_among",
}
_P = TypeVar("_P", bound=Part)


class FlowError(ValueError):
    """It is no flow at all: `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def read_text(text: bytes | str) -> tuple[Flow, list[Problem]]:
    """A file's content. Raises FlowError where it is too large, or no JSON."""
    size = len(text.encode() if isinstance(text, str) else text)
    if size > LARGEST_BYTES:
        raise FlowError(Problem("too_large", values={"size": f"{size:,}", "limit": f"{LARGEST_BYTES:,}"}))
    try:
        raw = json_of(text)
    except JSONDecodeError as error:
        place = {"line": str(error.lineno), "column": str(error.colno), "reason": error.msg}
        raise FlowError(Problem("no_json", values=place)) from None
    return read(raw)


def read(raw: Any) -> tuple[Flow, list[Problem]]:
    """What can be read of it, and a problem for each part that cannot, which is left out.

    Raises FlowError where it is no object of lists, or has more parts than a flow may have.
    """
    if not isinstance(raw, Mapping):
        raise FlowError(Problem("no_object"))
    for name, most in _MOST.items():
        parts = raw.get(name, [])
        if not isinstance(parts, list):
            raise FlowError(Problem("no_list", path=name))
        if len(parts) > most:
            values = {"count": f"{len(parts):,}", "limit": f"{most:,}"}
            raise FlowError(Problem("too_many", path=name, values=values))
    problems: list[Problem] = []
    nodes = list(_nodes(raw.get("nodes", []), problems))
    edges = list(_each(Edge, "edges", raw.get("edges", []), problems))
    variables = list(_each(Variable, "variables", raw.get("variables", []), problems))
    intents = list(_each(Intent, "intents", raw.get("intents", []), problems))
    tests = list(_each(ScriptedTest, "tests", raw.get("tests", []), problems))
    rest = {key: value for key, value in raw.items() if key not in _MOST}
    try:
        flow = Flow.model_validate(rest)
    except ValidationError as error:
        problems += [Problem(**_told(each)) for each in error.errors()]
        flow = Flow()
    parts = {"nodes": tuple(nodes), "edges": tuple(edges), "variables": tuple(variables)}
    return flow.model_copy(update={**parts, "intents": tuple(intents), "tests": tuple(tests)}), problems


def _nodes(raw: list[Any], problems: list[Problem]) -> Iterator[Node]:
    for place, each in enumerate(raw):
        if not isinstance(each, Mapping):
            problems.append(Problem("no_object", path=f"nodes.{place}"))
            continue
        named = str(each.get("id", ""))
        kind = TYPES.get(str(each.get("type")))
        if kind is None:
            values = {"type": str(each.get("type"))[:40], "known": ", ".join(TYPES)}
            problems.append(Problem("unknown_type", node=named, path=f"nodes.{place}.type", values=values))
            continue
        try:
            node = kind.model_validate(each)
        except ValidationError as error:
            problems += [
                Problem(node=named, **_told(told, "" if named else f"nodes.{place}."))
                for told in error.errors()
            ]
            continue
        problems += [
            Problem("unknown_field", node=node.id, path=name, severity=Severity.WARNING)
            for name in _unknown(node.data)
        ]
        yield node


def _each(kind: type[_P], name: str, raw: list[Any], problems: list[Problem]) -> Iterator[_P]:
    for place, each in enumerate(raw):
        if not isinstance(each, Mapping):
            problems.append(Problem("no_object", path=f"{name}.{place}"))
            continue
        try:
            part = kind.model_validate(each)
        except ValidationError as error:
            named = str(each.get("id", "")) if kind is Edge else ""
            before = "" if named else f"{name}.{place}."
            problems += [Problem(edge=named, **_told(told, before)) for told in error.errors()]
            continue
        yield part


def _unknown(part: Part, before: str = "") -> Iterator[str]:
    """The paths of what it holds beside its fields."""
    for name in part.model_extra or ():
        yield f"{before}{name}"


def _told(error: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Code, path and values of a Problem, of what pydantic says."""
    path = ".".join(str(step) for step in error["loc"] if step != "data")
    limits = {key: str(value) for key, value in error.get("ctx", {}).items() if key != "error"}
    return {"code": _CODES.get(error["type"], "wrong_kind"), "path": before + path, "values": limits}
