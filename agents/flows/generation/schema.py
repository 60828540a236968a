"""The strict JSON schema of a flow that a language model writes, and back from it to the exchange format.

Strict schemas know no optional fields and no free names: what may be left out is null, and a mapping is a
list of pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from ...flow.graph.nodes import TYPES, VariableKind
from ...flow.slots.kinds import Confirm
from ...flow.slots.kinds import Kind as SlotKind

TEXT: dict[str, Any] = {"type": "string"}
MAYBE_TEXT: dict[str, Any] = {"type": ["string", "null"]}
NUMBER: dict[str, Any] = {"type": "number"}
MAYBE_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
WHETHER: dict[str, Any] = {"type": "boolean"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}


def _one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _object(**fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


PAIRS = _list(_object(name=TEXT, value=TEXT))
_OPTION = _object(value=TEXT, label=TEXT, phrases=TEXTS, key=MAYBE_TEXT)

# What a model is asked for of each kind of step, beside its label; notes it does not write.
FIELDS: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "subagent": {
        "systemPrompt": TEXT,
        "opening": MAYBE_TEXT,
        "tools": TEXTS,
        "knowledgeBase": MAYBE_TEXT,
        "turnEagerness": NUMBER,
        "timeout": MAYBE_NUMBER,
    },
    "say": {"text": TEXT},
    "gather": {
        "prompt": TEXT,
        "variable": TEXT,
        "kind": _one_of(*get_args(SlotKind)),
        "options": _list(_OPTION),
        "retryPrompt": MAYBE_TEXT,
        "confirm": _one_of(*get_args(Confirm)),
        "minimum": MAYBE_NUMBER,
        "maximum": MAYBE_NUMBER,
        "minDigits": MAYBE_NUMBER,
        "maxDigits": MAYBE_NUMBER,
        "mustBeFuture": WHETHER,
    },
    "branch": {},
    "set": {"values": PAIRS},
    "tool": {"toolName": TEXT, "parameters": PAIRS, "filler": MAYBE_TEXT},
    "agent_transfer": {"targetAgentId": TEXT, "context": MAYBE_TEXT},
    "phone_transfer": {"phoneNumber": TEXT, "message": MAYBE_TEXT},
    "end_call": {"message": MAYBE_TEXT, "saveTranscript": WHETHER},
    "send_digits": {"digits": TEXT},
    "message": {"text": TEXT, "name": MAYBE_TEXT, "phone": MAYBE_TEXT},
    "wait": {"seconds": NUMBER},
    "subflow": {"flowId": TEXT},
}
_CONDITION = _object(outcome=MAYBE_TEXT, keys=MAYBE_TEXT, when=MAYBE_TEXT, examples=TEXTS, otherwise=WHETHER)
SCHEMA = _object(
    name=TEXT,
    description=TEXT,
    variables=_list(
        _object(name=TEXT, kind=_one_of(*get_args(VariableKind)), description=TEXT, initial=MAYBE_TEXT)
    ),
    intents=_list(
        _object(
            id=TEXT,
            name=TEXT,
            examples=TEXTS,
            action=_one_of("repeat", "go_to", "transfer", "end"),
            target=MAYBE_TEXT,
        )
    ),
    nodes=_list(
        {
            "anyOf": [
                _object(id=TEXT, type=_one_of(kind), data=_object(label=TEXT, **fields))
                for kind, fields in FIELDS.items()
            ]
        }
    ),
    edges=_list(_object(id=TEXT, source=TEXT, target=TEXT, label=MAYBE_TEXT, condition=_CONDITION)),
)
WRITTEN = tuple(kind for kind in TYPES if kind in FIELDS)
_PAIRED = ("values", "parameters")


def as_exchanged(answer: Any) -> Any:
    """An answer in the exchange format: without what is null, false or empty, pairs as mappings. What is of
    another form stays as it is, for `read` to find fault with."""
    match answer:
        case dict():
            kept = {name: _field(name, each) for name, each in answer.items()}
            return {name: each for name, each in kept.items() if not _is_nothing(each)}
        case list():
            return [as_exchanged(each) for each in answer]
    return answer


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _field(name: str, value: Any) -> Any:
    if name in _PAIRED and isinstance(value, list):
        pairs = [each for each in value if isinstance(each, dict)]
        return {str(each.get("name")): each.get("value") for each in pairs}
    if name == "saveTranscript":
        return None if value else value
    return as_exchanged(value)


def as_answered(graph: Mapping[str, Any]) -> dict[str, Any]:
    """A flow as a model may be shown it, to change it: without positions, notes and tests."""
    nodes = [
        {name: each for name, each in node.items() if name != "position"}
        for node in graph.get("nodes", [])
        if node.get("type") in FIELDS
    ]
    names = ("name", "description", "variables", "intents", "edges")
    return {**{name: graph[name] for name in names if name in graph}, "nodes": nodes}
