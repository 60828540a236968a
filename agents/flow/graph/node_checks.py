"""What is wrong with one node, whatever stands around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...e164 import as_e164
from ..expressions import ExpressionError, names_in
from ..variables import BUILT_IN
from .flow import Flow
from .nodes import (
    AgentTransfer,
    Branch,
    Gather,
    Message,
    Node,
    PhoneTransfer,
    Say,
    SendDigits,
    Set,
    Subagent,
    Subflow,
    Tool,
)
from .problems import Problem, Severity

FORMULA = "="  # a text that begins with it is worked out
DIGITS = frozenset("0123456789*#,wW")


@dataclass(frozen=True, slots=True)
class Known:
    """What there is beside the flow; None: not known here, and not asked. `flows` are the sub-flows that may
    be entered, each with those that it enters itself; `constants` an agent's own placeholders."""

    tools: frozenset[str] | None = None
    agents: frozenset[str] | None = None
    knowledge: frozenset[str] | None = None
    flows: Mapping[str, frozenset[str]] | None = None
    flow_id: str = ""  # of this one
    constants: frozenset[str] = field(default_factory=frozenset)


NOTHING_KNOWN = Known()


def warning(code: str, **place: object) -> Problem:
    return Problem(code, severity=Severity.WARNING, **place)  # type: ignore[arg-type]


def problems_of_node(flow: Flow, node: Node, known: Known) -> Iterator[Problem]:
    match node:
        case Say():
            yield from _wanted(node, "text")
        case Gather():
            yield from _gather(node)
        case Subagent():
            yield from _subagent(node, known)
        case Branch():
            if not flow.ways[node.id].expressions:
                yield warning("branch_without_conditions", node=node.id)
        case Set():
            yield from _set(node)
        case SendDigits():
            yield from _wanted(node, "digits")
            if "{{" not in node.data.digits and set(node.data.digits) - DIGITS:
                yield Problem("bad_digits", node=node.id, path="digits", values={"digits": node.data.digits})
        case Message():
            yield from _wanted(node, "text")
        case Subflow():
            yield from _subflow(node, known)
        case Tool():
            yield from _tool(flow, node, known)
        case AgentTransfer():
            yield from _named(node, "target_agent_id", known.agents, "unknown_agent")
        case PhoneTransfer():
            yield from _phone(node)


def _wanted(node: Node, name: str) -> Iterator[Problem]:
    if not str(getattr(node.data, name) or "").strip():
        yield Problem("missing", node=node.id, path=name)


def _named(node: Node, name: str, there: Iterable[str] | None, code: str) -> Iterator[Problem]:
    """A name that has to be filled, and to be among those that there are."""
    value = getattr(node.data, name)
    if not value:
        yield Problem("missing", node=node.id, path=name)
    elif there is not None and value not in there:
        yield Problem(code, node=node.id, path=name, values={"name": value})


def _gather(node: Gather) -> Iterator[Problem]:
    data = node.data
    yield from _wanted(node, "prompt")
    yield from _wanted(node, "variable")
    if data.variable and (not data.variable.isidentifier() or data.variable in BUILT_IN):
        yield Problem("bad_variable", node=node.id, path="variable", values={"name": data.variable})
    if data.kind == "choice":
        if len(data.options) < 2:
            yield Problem("few_options", node=node.id, path="options")
        for place, option in enumerate(data.options):
            if not option.value:
                yield Problem("missing", node=node.id, path=f"options.{place}.value")
    if data.min_digits > data.max_digits:
        yield Problem("turned_limits", node=node.id, path="max_digits")
    if data.minimum is not None and data.maximum is not None and data.minimum > data.maximum:
        yield Problem("turned_limits", node=node.id, path="maximum")


def _subagent(node: Subagent, known: Known) -> Iterator[Problem]:
    yield from _wanted(node, "system_prompt")
    for place, tool in enumerate(node.data.tools):
        if known.tools is not None and tool not in known.tools:
            yield Problem("unknown_tool", node=node.id, path=f"tools.{place}", values={"name": tool})
    base = node.data.knowledge_base
    if base and known.knowledge is not None and base not in known.knowledge:
        yield Problem("unknown_knowledge", node=node.id, path="knowledge_base", values={"name": base})


def _set(node: Set) -> Iterator[Problem]:
    if not node.data.values:
        yield Problem("missing", node=node.id, path="values")
    for name, text in node.data.values.items():
        if not name.isidentifier() or name in BUILT_IN:
            yield Problem("bad_variable", node=node.id, path=f"values.{name}", values={"name": name})
        if text.startswith(FORMULA):
            yield from problems_of_formula(text[1:], node=node.id, path=f"values.{name}")


def _subflow(node: Subflow, known: Known) -> Iterator[Problem]:
    yield from _named(node, "flow_id", known.flows, "unknown_flow")
    wanted = node.data.flow_id
    if known.flows is None or not known.flow_id or wanted not in {*known.flows, known.flow_id}:
        return
    ahead, seen = [wanted], set[str]()
    while ahead:
        here = ahead.pop()
        if here == known.flow_id:
            yield Problem("cyclic_subflow", node=node.id, path="flow_id", values={"name": wanted})
            return
        if here not in seen:
            seen.add(here)
            ahead += known.flows.get(here, ())


def _tool(flow: Flow, node: Tool, known: Known) -> Iterator[Problem]:
    yield from _named(node, "tool_name", known.tools, "unknown_tool")
    for name in ("on_success", "on_failure"):
        target = getattr(node.data, name)
        if target and target not in flow.by_id:
            yield Problem("dangling", node=node.id, path=name, values={"node": target})


def _phone(node: PhoneTransfer) -> Iterator[Problem]:
    number = node.data.phone_number
    if not number:
        yield Problem("missing", node=node.id, path="phone_number")
    elif "{{" not in number and not as_e164(number):
        yield Problem("no_e164", node=node.id, path="phone_number", values={"number": number})


def problems_of_formula(expression: str, **place: str) -> Iterator[Problem]:
    try:
        names_in(expression)
    except ExpressionError as error:
        values = {"expression": expression, "reason": str(error)}
        yield Problem("bad_expression", values=values, **place)  # type: ignore[arg-type]
