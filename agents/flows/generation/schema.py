"""The strict JSON schema of a flow that a language model writes, and back from it to the exchange format.

Strict schemas know no optional fields and no free names: what may be left out is null, and a mapping is a
list of pairs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from ...flow.graph import Flow
from ...flow.graph.nodes import VariableKind
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
        "turnEagerness": MAYBE_NUMBER,
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
    "tool": {
        "toolName": TEXT,
        "parameters": PAIRS,
        "filler": MAYBE_TEXT,
        "onSuccess": MAYBE_TEXT,
        "onFailure": MAYBE_TEXT,
    },
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
PAIRED = ("values", "parameters")
_TRUE_BY_DEFAULT = ("saveTranscript",)


def as_exchanged(answer: Any, name: str = "") -> Any:
    """An answer, or the part of one that is called `name`, in the exchange format: without what is null,
    empty or false (or true, where that is the default), pairs as mappings. What is of another form stays as
    it is, for `read` to find fault with."""
    match answer:
        case dict():
            kept = {key: as_exchanged(each, key) for key, each in answer.items()}
            return {key: each for key, each in kept.items() if not is_left_out(key, each)}
        case list() if name in PAIRED:
            return {str(each.get("name")): each.get("value") for each in answer if isinstance(each, dict)}
        case list():
            return [as_exchanged(each) for each in answer]
    return answer


def is_left_out(name: str, value: Any) -> bool:
    """Whether the exchange format says nothing where a field has this value."""
    if isinstance(value, bool):
        return value is (name in _TRUE_BY_DEFAULT)
    return value is None or value in ("", [], {})


def as_answered(flow: Flow) -> dict[str, Any]:
    """A flow as a model would have answered it: what the schema knows of it, and nothing else."""
    answered: dict[str, Any] = _said(SCHEMA, flow.model_dump(by_alias=True, mode="json"))
    return answered


def _said(schema: Mapping[str, Any], value: Any) -> Any:
    if schema["type"] == "string" and not isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, dict) and schema["type"] == "array":  # a mapping
        value = [{"name": name, "value": each} for name, each in value.items()]
    match value:
        case dict():
            return {name: _said(each, value.get(name)) for name, each in schema["properties"].items()}
        case list():
            told = ((_kind_of(schema["items"], each), each) for each in value)
            return [_said(kind, each) for kind, each in told if kind]
    return value


def _kind_of(schema: Mapping[str, Any], value: Any) -> Mapping[str, Any] | None:
    """Of several schemas the one for a step of this type; None: a model does not write such steps."""
    if "anyOf" not in schema:
        return schema
    types = {each["properties"]["type"]["enum"][0]: each for each in schema["anyOf"]}
    return types.get(value["type"])
