"""Running the tests that a flow keeps: what was expected, what happened, at which turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.core.exceptions import ValidationError

from mlservices.errors import EngineError
from mlservices.interfaces import ChatModel, Embedder
from mlservices.types import Tool

from ..conversations import chat_model_for
from ..flow.graph import Expected, Problem, ScriptedTest, ScriptedTurn, read
from ..flow.graph.scripted_checks import problems_of_tests
from ..flow.program import ToolResult
from ..flow.wording import shown
from ..models import Agent, Flow, FlowVersion
from ..tools.calling import toolbox_of
from .programs import Crew, crew_of, tools_of
from .rehearsal import Move, Turn, Unplayable, as_version, rehearse

LONGEST_SECONDS = 60.0  # of one test, all its turns together


@dataclass(frozen=True, slots=True)
class Failure:
    """`code` and `values` make the sentence (`failure_texts.sentence_of`). `turn` counts from 1, 0 is the
    test as a whole; `did` is what the caller did in it."""

    code: str
    turn: int = 0
    did: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    seconds: float
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class Stage:
    """What the tests of one flow are played on: a version, or its draft as one, with the agent that answers
    for it and all agents that a call may come to."""

    version: FlowVersion
    agent: Agent | None
    crew: Crew
    chat_model: ChatModel | None
    tests: tuple[PlannedTest, ...]
    offered: Mapping[str, Tool] = field(default_factory=dict)  # to language models


@dataclass(frozen=True, slots=True)
class PlannedTest:
    """`problems` are what is wrong with it as it is written; it is not played then. `test` None could not be
    read."""

    name: str
    test: ScriptedTest | None
    problems: tuple[Problem, ...]


def stage_of(flow: Flow, *, draft: bool) -> Stage:
    """Asks the database. The agent is the first that follows the flow; without one, an agent that knows
    nothing beside it. Raises ValueError where the flow was never published."""
    version = as_version(flow.draft) if draft else flow.live
    if version is None:
        raise ValueError(f"{flow.slug} was never published.")
    agent = flow.agents.exclude(status=Agent.Status.ARCHIVED).order_by("pk").first()
    crew = crew_of(version)
    return Stage(
        version=version,
        agent=agent,
        crew=crew,
        offered=toolbox_of(tools_of(version, crew)).specs,
        chat_model=chat_model_for(agent or Agent()),
        tests=tuple(planned(version.graph)),
    )


def planned(graph: Mapping[str, Any]) -> Iterator[PlannedTest]:
    """All tests of a flow in the exchange format, in their order, also those that cannot be read."""
    flow, unreadable = read(graph)
    faulty = [each for each in unreadable if each.path.startswith("tests.")]
    left_out = {int(each.path.split(".")[1]) for each in faulty}
    readable = iter(enumerate(flow.tests))
    told = list(problems_of_tests(flow))
    raw = graph.get("tests") or []
    for place in range(len(raw)):
        if place in left_out:
            problems = [each for each in faulty if each.path.split(".")[1] == str(place)]
            yield PlannedTest(_raw_name(raw[place]), None, tuple(problems))
        else:
            where, test = next(readable)
            problems = [each for each in told if each.path.split(".")[1] == str(where)]
            yield PlannedTest(test.name, test, tuple(problems))


async def run_all(stage: Stage, *, embedder: Embedder) -> AsyncGenerator[Result, None]:
    """The results one after the other, as each is known."""
    for each in stage.tests:
        yield await run(each, stage, embedder=embedder)


async def run(plan: PlannedTest, stage: Stage, *, embedder: Embedder) -> Result:
    """Never raises for what a flow, a test or an engine does: that is a failure of the test."""
    begun = monotonic()
    failures = [_of_problem(each) for each in plan.problems]
    if plan.test and not failures:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                failures = await _played(plan.test, stage, embedder)
        except TimeoutError:
            failures = [Failure("too_slow", values={"seconds": f"{LONGEST_SECONDS:g}"})]
        except Unplayable as error:
            failures = [_of_problem(each) for each in error.problems]
        except ValidationError as error:  # the agent's facts cannot be read
            failures = [Failure("not_played", values={"reason": " ".join(error.messages)})]
        except (EngineError, ValueError) as error:
            failures = [Failure("not_played", values={"reason": str(error)})]
    return Result(plan.name, round(monotonic() - begun, 3), tuple(failures))


async def _played(test: ScriptedTest, stage: Stage, embedder: Embedder) -> list[Failure]:
    unanswered: set[str] = set()
    answers = {name: list(each) for name, each in test.tools.items()}

    async def call_tool(name: str, arguments: Mapping[str, Any]) -> ToolResult:
        left = answers.get(name)
        if not left:
            unanswered.add(name)
            return ToolResult(ok=False, reason=f"The test does not say what {name} answers.")
        answer = left.pop(0) if len(left) > 1 else left[0]
        return ToolResult(answer.ok, answer.values, answer.text, answer.reason)

    turns = await rehearse(
        stage.version,
        stage.agent,
        [Move(each.say or "", each.keys or "", each.silence) for each in test.turns],
        embedder=embedder,
        chat_model=stage.chat_model,
        crew=stage.crew,
        call_tool=call_tool,
        offered=stage.offered,
        caller=test.caller,
        variables=test.variables,
    )
    unsaid = [Failure("tool_without_answer", values={"tool": name}) for name in sorted(unanswered)]
    return [*unsaid, *_compared(test, turns, stage.version)]


def _compared(test: ScriptedTest, turns: Sequence[Turn], version: FlowVersion) -> Iterator[Failure]:
    if test.turns[0].acts:
        turns = turns[1:]  # the greeting, of which the test says nothing
    for number, scripted in enumerate(test.turns, 1):
        if number > len(turns):
            yield Failure("over_before", number, _did(scripted), {"last": str(len(turns))})
            return
        for code, values in _differences(scripted.expect, turns[number - 1], version):
            yield Failure(code, number, _did(scripted), values)


def _differences(
    expected: Expected, turn: Turn, version: FlowVersion
) -> Iterator[tuple[str, dict[str, str]]]:
    """(code, values) of each thing that is not as expected after the turn."""
    yield from _place(expected, turn, version)
    yield from _decision(expected, turn, version)
    for name, value in expected.variables.items():
        if shown(turn.variables.get(name)) != shown(value):
            told = shown(turn.variables.get(name))
            yield (
                "variable" if told else "variable_unset",
                {"name": name, "expected": shown(value), "found": told},
            )
    if expected.tool and expected.tool not in (called := _names(turn, "tool")):
        yield _listed("tool", expected.tool, called)
    if expected.said and _plain(expected.said) not in _plain(answer := " ".join(turn.said)):
        yield _listed("said", expected.said, [answer] if answer else [])
    if expected.ended is not None and expected.ended != turn.ended:
        yield "not_ended" if expected.ended else "ended", {}
    if expected.transferred_to is not None and expected.transferred_to != turn.transferred_to:
        went = [turn.transferred_to] if turn.transferred_to else []
        code = "transfer" if expected.transferred_to else "unwanted_transfer"
        yield _listed(code, expected.transferred_to, went)


def _place(expected: Expected, turn: Turn, version: FlowVersion) -> Iterator[tuple[str, dict[str, str]]]:
    node = version.program.flows[turn.flow].by_id[turn.node]
    if expected.node and expected.node not in (node.id, node.data.label):
        yield "node", {"expected": expected.node, "found": node.data.label or node.id}


def _decision(expected: Expected, turn: Turn, version: FlowVersion) -> Iterator[tuple[str, dict[str, str]]]:
    """Whether what was expected to be taken was, and whether that, or anything, was decided as expected."""
    edges = [each for each in turn.events if each["kind"] == "edge"]
    intents = [each for each in turn.events if each["kind"] == "intent"]
    decisions = [*edges, *intents]
    if expected.edge:
        decisions = [each for each in edges if expected.edge in (each["name"], each["data"].get("id"))]
        if not decisions:
            yield _listed("edge", expected.edge, [each["name"] for each in edges])
            return
    if expected.intent:
        names = {each.id: each.name or each.id for each in version.program.main.intents}
        wanted = (expected.intent, names.get(expected.intent))
        decisions = [each for each in intents if each["name"] in wanted]
        if not decisions:
            yield _listed("intent", expected.intent, [each["name"] for each in intents])
            return
    deciders = [str(each["data"]["by"]) for each in decisions if "by" in each["data"]]
    if expected.by and expected.by not in deciders:
        yield _listed("by", expected.by, deciders)


def _listed(code: str, expected: str, found: Sequence[str]) -> tuple[str, dict[str, str]]:
    """`code` with what was there instead, or as "no_" + `code` where nothing was."""
    told = ", ".join(dict.fromkeys(found))
    return (code if told else f"no_{code}"), {"expected": expected, "found": told}


def _names(turn: Turn, kind: str) -> list[str]:
    return [str(each["name"]) for each in turn.events if each["kind"] == kind]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _did(turn: ScriptedTurn) -> str:
    return turn.say or turn.keys or ""


def _of_problem(problem: Problem) -> Failure:
    return Failure(problem.code, values={**problem.values, "path": problem.path})


def _raw_name(raw: Any) -> str:
    return str(raw.get("name") or "") if isinstance(raw, Mapping) else ""
