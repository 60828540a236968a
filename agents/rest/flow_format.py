"""The exchange format of flows in the API: how its parts are described, and what is wrong with those that are
sent, by the path of the field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from ..flow.graph import Edge, FlowError, Intent, Problem, ScriptedTest, Severity, Variable, problems_of, read
from ..flow.graph.nodes import TYPES
from ..flow.graph.reading import MOST_EDGES, MOST_NODES
from ..flows.texts import sentence

Parts = Mapping[str, Any]
PARTS = ("variables", "intents", "nodes", "edges", "tests")
# A draft may be half-written, but not torn.
_TORN = frozenset({"double_id", "dangling", "note_edge", "after_end"})
_OF_NODE = ("id", "type", "position")
_WANTED = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


# ---- described ------------------------------------------------------------------------------------


def _schema(part: type[BaseModel]) -> dict[str, Any]:
    """Without references and titles, so that it can stand anywhere."""
    schema = part.model_json_schema()
    inside = schema.pop("$defs", {})

    def inlined(each: Any) -> Any:
        if isinstance(each, list):
            return [inlined(one) for one in each]
        if not isinstance(each, dict):
            return each
        if "$ref" in each:
            return inlined(inside[each["$ref"].rpartition("/")[2]])
        return {name: inlined(one) for name, one in each.items() if name != "title" or isinstance(one, dict)}

    told: dict[str, Any] = inlined(schema)
    return told


@cache
def node_schemas() -> dict[str, dict[str, Any]]:
    """By the type of the step."""
    return {name: _schema(part) for name, part in TYPES.items()}


@cache
def edge_schema() -> dict[str, Any]:
    return _schema(Edge)


@cache
def test_schema() -> dict[str, Any]:
    """A tool of a test answers once, or with one of a list each time."""
    schema = _schema(ScriptedTest)
    tools = schema["properties"]["tools"]
    answers = tools["additionalProperties"]
    tools["additionalProperties"] = {"anyOf": [answers["items"], answers]}
    return schema


@cache
def part_schemas() -> dict[str, dict[str, Any]]:
    """Of what each list of a flow holds."""
    return {
        "variables": _schema(Variable),
        "intents": _schema(Intent),
        "nodes": {"oneOf": list(node_schemas().values())},
        "edges": edge_schema(),
        "tests": test_schema(),
    }


def list_schema(name: str) -> dict[str, Any]:
    most = {"nodes": MOST_NODES, "edges": MOST_EDGES, "variables": 500, "intents": 200, "tests": 200}
    return {"type": "array", "maxItems": most[name], "items": part_schemas()[name]}


# ---- judged ---------------------------------------------------------------------------------------


def refuse_wrong(sent: Parts, *, whole: Parts | None = None) -> None:
    """Raises ValidationError by field where parts of a flow cannot be read, or steps and connections do not
    fit together; `whole` is the flow that they become part of."""
    wrong = unreadable_in(sent)
    if not wrong and ("nodes" in sent or "edges" in sent):
        wrong = torn_in(whole or sent)
    if wrong:
        raise ValidationError(wrong)


def unreadable_in(sent: Parts) -> dict[str, str]:
    """What is of no known form, by field."""
    try:
        _graph, unreadable = read(sent)
    except FlowError as error:
        return {error.problem.path or "nodes": sentence(error.problem)}
    return by_field(unreadable, sent) or _of_wrong_kind(sent)


def torn_in(whole: Parts) -> dict[str, str]:
    """Where steps and connections do not fit together, by field."""
    graph, _unreadable = read(whole)
    return by_field((each for each in problems_of(graph) if each.code in _TORN), whole)


def by_field(problems: Iterator[Problem] | list[Problem], parts: Parts) -> dict[str, str]:
    """What is wrong in sentences, by the path of the field; warnings are left out."""
    wrong: dict[str, str] = {}
    for each in problems:
        if each.severity is Severity.ERROR:
            wrong.setdefault(_field(each, parts), sentence(each))
    return wrong


def _field(problem: Problem, parts: Parts) -> str:
    """ "nodes.2.data.prompt" """
    kind = "edges" if problem.edge else "nodes"
    named = problem.edge or problem.node
    if not named or problem.path.startswith(f"{kind}."):
        return problem.path or "nodes"
    places = [place for place, each in enumerate(parts.get(kind, [])) if _is(each, named)]
    if not places:
        return problem.path or kind
    before = f"{kind}.{places[-1]}"
    if problem.code == "double_id":
        return f"{before}.id"
    head, _dot, rest = problem.path.partition(".")
    name = to_camel(head) if head else ""
    inside = "" if kind == "edges" or not head or head in _OF_NODE else "data"
    return ".".join(filter(None, (before, inside, name, rest)))


def _is(part: Any, named: str) -> bool:
    return isinstance(part, Mapping) and part.get("id") == named


def _of_wrong_kind(sent: Parts) -> dict[str, str]:
    """What could be read as something else than it is: "5" is no number."""
    wrong: dict[str, str] = {}
    for name in PARTS:
        for place, part in enumerate(sent.get(name, [])):
            checks = _check(name, str(part.get("type")) if name == "nodes" else "")
            for error in checks(part):
                path = ".".join(map(str, (name, place, *error.absolute_path)))
                wrong.setdefault(path, _told(error))
    return wrong


@cache
def _check(name: str, type: str) -> Callable[[Any], Iterator[Any]]:
    schema = node_schemas()[type] if name == "nodes" else part_schemas()[name]
    return Draft202012Validator(schema).iter_errors


def _told(error: Any) -> str:
    if error.validator == "anyOf":
        wanted = [each.get("type", "") for each in error.schema["anyOf"]]
    else:
        wanted = [error.validator_value] if error.validator == "type" else []
    words = " or ".join(_WANTED.get(each, "null") for each in wanted if each)
    return f"Send {words}." if words else error.message
