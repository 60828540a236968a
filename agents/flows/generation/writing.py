"""A description -> a flow: asked for, checked, mended by the model itself, laid out."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from mlservices.interfaces import ChatModel
from mlservices.json_text import json_of
from mlservices.types import ChatMessage

from ...flow.graph import FlowError, Known, Problem, Severity, problems_of, read
from ...flow.graph.layout import placed
from ..texts import sentence
from .merging import merged
from .schema import as_answered

TEMPERATURE = 0.7
CHARACTERS_A_TOKEN = 4  # where the server counts none
TOKENS, MOST_TOKENS = 2_000, 16_000  # of an answer; doubled where one was cut
MOST_REPAIRS = 2
MOST_PROBLEMS_TOLD = 40
LONGEST_DESCRIPTION = 4_000  # characters

_RULES = (Path(__file__).parent / "prompt.txt").read_text(encoding="utf-8")
_MEND = """\
This flow cannot be used yet. Answer with the whole flow again, with these mended and nothing else changed:
{problems}"""
_CHANGE = """\
This is a flow that is in use:
{graph}
Change it as follows, and leave everything else, ids above all, exactly as it is:
{description}"""

Stage = Literal["asking", "longer", "checking", "mending", "done"]


class NotWritten(Exception):
    """The model gave nothing that could be made a flow of."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where it stands. `attempt` counts repairs, from 0; tokens are those used so far, as the server counts
    them, or by the words of the answer. `graph` and its `problems` come with "done"."""

    stage: Stage
    attempt: int = 0
    tokens: int = 0
    answer: str = ""  # as far as it is written
    seconds: float = 0.0
    room: int = TOKENS  # for an answer
    graph: dict[str, Any] | None = None
    problems: tuple[Problem, ...] = ()


async def written(
    description: str, *, model: ChatModel, known: Known, graph: Mapping[str, Any] | None = None
) -> AsyncGenerator[Progress, None]:
    """A new flow, or `graph` changed as is described; the last progress has it. Closing it ends the request.

    Raises NotWritten, EngineError, and FlowError where `graph` is no flow at all.
    """
    shown, asked = {}, description
    if graph:
        shown = as_answered(read(graph)[0])
        asked = _CHANGE.format(graph=json.dumps(shown), description=description)
    messages = [ChatMessage("system", f"{_RULES}\n{_listed(known)}"), ChatMessage("user", asked)]
    now, begun, told = Progress("asking"), monotonic(), ""
    for attempt in range(MOST_REPAIRS + 1):
        async with aclosing(_answered(messages, model, now)) as pieces:
            async for now in pieces:
                yield replace(now, seconds=monotonic() - begun)
        now = replace(now, stage="checking", seconds=monotonic() - begun)
        yield now
        made, problems = _read(now.answer, known, graph or {}, shown)
        faults = [each for each in problems if each.severity is Severity.ERROR]
        if made is not None and (not faults or attempt == MOST_REPAIRS):
            yield replace(now, stage="done", graph=_laid_out(made), problems=tuple(problems))
            return
        told = "\n".join(f"- {_told(each)}" for each in faults[:MOST_PROBLEMS_TOLD])
        messages += [ChatMessage("assistant", now.answer), ChatMessage("user", _MEND.format(problems=told))]
        now = replace(now, stage="mending", attempt=attempt + 1, answer="")
    raise NotWritten(told)


async def _answered(
    messages: Sequence[ChatMessage], model: ChatModel, now: Progress
) -> AsyncGenerator[Progress, None]:
    """The answer as it grows; one that is cut is asked for anew with more room, as are the next ones then."""
    cut = True
    while cut:
        cut, used, now = False, 0, replace(now, answer="")
        yield now
        reply = model.reply(messages, max_tokens=now.room, temperature=TEMPERATURE, priority="batch")
        async with aclosing(reply) as deltas:
            async for delta in deltas:
                cut |= delta.is_cut
                used = (delta.used.prompt or 0) + delta.used.answer if delta.used else used
                now = replace(now, answer=now.answer + delta.text)
                yield now
        now = replace(now, tokens=now.tokens + (used or len(now.answer) // CHARACTERS_A_TOKEN))
        yield now
        if now.room * 2 > MOST_TOKENS:
            return
        if cut:
            now = replace(now, stage="longer", room=now.room * 2)


def _read(
    answer: str, known: Known, before: Mapping[str, Any], shown: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The flow in the exchange format, None where the answer is none, and what is wrong with it."""
    try:
        made = merged(before, shown, json_of(answer))
        flow, unreadable = read(made)
    except (ValueError, RecursionError):
        return None, [Problem("no_json_answer")]
    except FlowError as error:
        return None, [error.problem]
    if not flow.nodes:
        return None, unreadable or [Problem("empty")]
    return made, [*unreadable, *problems_of(flow, known)]


def _laid_out(made: dict[str, Any]) -> dict[str, Any]:
    """With a position for each step that has none."""
    flow, _ = read(made)
    ends = [(edge.source, edge.target) for edges in flow.leaving.values() for edge in edges]
    nodes, edges = (
        [each for each in made.get(name, []) if isinstance(each, dict)] for name in ("nodes", "edges")
    )
    places = placed([str(each.get("id")) for each in nodes], ends)
    for place, node in enumerate(nodes):
        x, y = places[str(node.get("id"))]
        nodes[place] = {"position": {"x": x, "y": y}, **node}
    return {**made, "nodes": nodes, "edges": edges}


def _listed(known: Known) -> str:
    """What a flow may name."""
    kinds = {
        "tools": known.tools,
        "agents": known.agents,
        "knowledge bases": known.knowledge,
        "flows": known.flows,
    }
    return "\n".join(
        f"The {kind}: {', '.join(sorted(names or ())) or 'none'}." for kind, names in kinds.items()
    )


def _told(problem: Problem) -> str:
    where = problem.node or problem.edge
    return f"{where}: {sentence(problem)}" if where else sentence(problem)
