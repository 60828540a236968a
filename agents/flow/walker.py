"""Walking through a flow: node by node as far as it goes without the world; no clock, no network.

It stops at a node that listens, at one that wants something of the world (`pending`), or at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..e164 import as_e164
from . import phrases
from .deciding import By, Decision, noted
from .expressions import ExpressionError, holds, value_of
from .graph import Edge, Flow, Intent, Node, nodes
from .graph.flow import Ways, waits
from .graph.node_checks import FORMULA
from .memory import quoted
from .passing import Told, Wanted, told_in, wanted_by
from .program import Program, ToolResult
from .slots import Gatherer, Option, Slot
from .steps import ForgetWords, HangUp, KeepMessage, Manner, Noted, Pause, Say, SendDigits, Step, Transfer
from .variables import fill
from .wording import shown

MOST_NODES_AT_ONCE = 60  # without a word of the caller's
MOST_MISSED = 3  # turns in a row that no edge was meant by
AS_SET_UP = Manner()


@dataclass(frozen=True, slots=True)
class State:
    """Where a call is. `values` are the variables, `spoken` how those that were gathered are said."""

    flow: str = ""
    node: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    spoken: Mapping[str, str] = field(default_factory=dict)
    returns: tuple[tuple[str, str], ...] = ()  # the sub-flow nodes that were entered, with their flows
    gatherer: Gatherer | None = None
    said: str = ""  # the last question, or the last thing worth repeating
    missed: int = 0
    passing: Mapping[str, str] = field(default_factory=dict)  # what callers said of variables, until asked
    manner: Manner = AS_SET_UP
    messages: int = 0  # that were kept


class Walker:
    """`fixed` are the placeholders that are known before the call, `values` the variables. `transfer_number`
    is where "operator" leads, and a flow that is lost; "" is nowhere. `now` is on the callers' clock,
    `region` where they are ("US"): a number without a country code is one of it."""

    def __init__(
        self,
        program: Program,
        *,
        fixed: Mapping[str, str],
        values: Mapping[str, Any],
        now: Callable[[], datetime],
        greeting: str,
        transfer_number: str,
        region: str,
    ) -> None:
        self.program = program
        self._initial = {each.name: each.initial for each in program.main.variables if each.initial}
        self.state = State(values={**self._initial, **values})
        self._wanted = wanted_by(program.main)
        self.pending: nodes.Tool | nodes.AgentTransfer | None = None
        self._fixed = dict(fixed)
        self._now = now
        self._region = region
        self._greeting = greeting
        self._transfer_number = transfer_number

    # ---- where it is ------------------------------------------------------------------------

    @property
    def flow(self) -> Flow:
        return self.program.flows[self.state.flow]

    @property
    def node(self) -> Node:
        return self.flow.by_id[self.state.node]

    @property
    def ways(self) -> Ways:
        return self.flow.ways[self.state.node]

    @property
    def listens(self) -> bool:
        return waits(self.node, self.ways)

    @property
    def place(self) -> tuple[str, str]:
        return self.state.flow, self.state.node

    @property
    def question(self) -> str:
        """What the caller has still to answer, or the last thing worth repeating."""
        gatherer = self.state.gatherer
        return (gatherer.question() if gatherer else "") or self.state.said or phrases.LISTENING[0]

    @property
    def known(self) -> Mapping[str, Any]:
        """What expressions are worked out of."""
        return {**self._fixed, **self.state.values}

    def filled(self, text: str) -> str:
        """With its placeholders as they are said."""
        return fill(text, {**self._values, **self.state.spoken})

    def instructed(self, text: str) -> str:
        """With its placeholders as a language model is to see them: what callers and tools told, as data."""
        texts = {name: value for name, value in self.state.values.items() if isinstance(value, str)}
        told = {name: quoted(text) for name, text in texts.items() if text != self._initial.get(name)}
        return fill(text, {**self._values, **self.state.spoken, **told})

    def exactly(self, text: str) -> str:
        """With its placeholders as machines keep them."""
        return fill(text, self._values)

    @property
    def _values(self) -> dict[str, str]:
        return {**self._fixed, **{name: shown(value) for name, value in self.state.values.items()}}

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    # ---- on and on --------------------------------------------------------------------------

    def start(self) -> Iterator[Step]:
        yield from self.go_to(self.program.main.starts[0])

    def go_to(self, at: str) -> Iterator[Step]:
        """From the node `at` on. A flow in which it could go on for ever is lost."""
        for _ in range(MOST_NODES_AT_ONCE):
            self._set(node=at, gatherer=None, missed=0)
            node = self.node
            place = {"id": node.id, "type": node.type} | (
                {"flow": self.state.flow} if self.state.flow else {}
            )
            yield Noted("node", node.data.label or node.id, place)
            yield from self._behave(node)
            yield from self._act(node)
            known = self.state.gatherer is not None and self.state.gatherer.done is not None
            if not known and (self.pending or isinstance(node, nodes.ENDS) or self.listens):
                return
            if isinstance(node, nodes.Subflow):
                self._set(returns=(*self.state.returns, self.place), flow=node.data.flow_id)
                at = self.flow.starts[0]
            elif way := self._way_on("done" if known else ""):
                yield noted(Decision(*way))
                at = way[0].target
            else:
                break
        yield from self.lost()

    def _behave(self, node: Node) -> Iterator[Step]:
        data = node.data
        manner = Manner(data.interruptible, data.turn_eagerness, data.timeout, data.speed)
        if manner != self.state.manner:
            self._set(manner=manner)
            yield manner

    def _act(self, node: Node) -> Iterator[Step]:
        """What a node does as it is entered."""
        match node:
            case nodes.Say():
                yield self._say(self.filled(node.data.text))
            case nodes.Subagent():
                if opening := self.filled(node.data.opening) or ("" if self.state.said else self._greeting):
                    yield self._say(opening)
            case nodes.Gather():
                yield from self._ask(node.data)
            case nodes.Set():
                for name, text in node.data.values.items():
                    yield self._assign(name, self._worked_out(text), by="set")
            case nodes.SendDigits():
                yield SendDigits(self.exactly(node.data.digits))
            case nodes.Message():
                yield self._message(node.data)
            case nodes.Wait():
                yield Pause(node.data.seconds)
            case nodes.Tool() | nodes.AgentTransfer():
                self.pending = node
            case nodes.PhoneTransfer() if number := as_e164(self.exactly(node.data.phone_number)):
                yield Say(self.filled(node.data.message or "") or phrases.TRANSFER, interruptible=False)
                yield Transfer(number)
            case nodes.PhoneTransfer():
                yield from self.lost()
            case nodes.EndCall():
                if not node.data.save_transcript:
                    yield ForgetWords()
                yield Say(self.filled(node.data.message or "") or phrases.GOODBYE)
                yield HangUp()

    def take(self, edge: Edge, by: By) -> Iterator[Step]:
        yield noted(Decision(edge, by))
        yield from self.go_to(edge.target)

    def leave(self, outcome: str) -> Iterator[Step]:
        """By the way that what was done here asks for."""
        if way := self._way_on(outcome):
            yield from self.take(*way)
        else:
            yield from self.lost()

    def _way_on(self, outcome: str) -> tuple[Edge, By] | None:
        """Out of this node, or, where it was a sub-flow's last, out of the node that entered it."""
        while True:
            if outcome in self.ways.outcomes:
                return self.ways.outcomes[outcome], "outcome"
            if outcome == "failed":  # what was asked for is not there: no other way may be taken
                return None
            if edge := self.wanted():
                return edge, "expression"
            if self.ways.otherwise:
                return self.ways.otherwise, "otherwise" if self.ways.otherwise.condition else "next"
            if not self.state.returns:
                return None
            *returns, (flow, node) = self.state.returns
            self._set(returns=tuple(returns), flow=flow, node=node)
            outcome = ""

    def wanted(self) -> Edge | None:
        """The way out that an expression opens now."""
        known = self.known
        return next((edge for edge in self.ways.expressions if holds(edge.condition.when, known)), None)

    # ---- what the caller did ----------------------------------------------------------------

    def follow(self, decision: Decision) -> Iterator[Step]:
        """Where the caller's words or keys lead."""
        yield noted(decision)
        match decision.to:
            case Edge():
                yield from self.go_to(decision.to.target)
            case Intent(action="go_to"):
                self._set(flow="", returns=())
                yield from self.go_to(decision.to.target)
            case Intent(action="repeat"):
                yield Say(self.question)
            case Intent(action="transfer"):
                yield from self._to_a_person()
            case Intent(action="end"):
                yield Say(phrases.GOODBYE)
                yield HangUp()

    def told(self, words: str) -> Iterator[Step]:
        """Words for what this node gathers."""
        yield from self._gathered(lambda gatherer: gatherer.take(words))

    def keyed(self, digits: str) -> Iterator[Step]:
        yield from self._gathered(lambda gatherer: gatherer.key(digits))

    def missed(self) -> Iterator[Step]:
        """The words meant none of the ways: the one that is always there, or the question again."""
        self._set(missed=self.state.missed + 1)
        if self.ways.otherwise:
            yield from self.take(self.ways.otherwise, "otherwise")
        elif self.state.missed >= MOST_MISSED:
            yield from self.lost()
        else:
            yield Say(f"{phrases.NOT_CAUGHT} {self.question}")

    def done(self, node: nodes.Tool, result: ToolResult) -> Iterator[Step]:
        """A tool has answered."""
        self.pending = None
        yield Noted("tool", node.data.tool_name, {"ok": result.ok, "reason": result.reason})
        yield from self.fill_in(result.values)
        yield from self.leave("success" if result.ok else "failure")

    def fill_in(self, values: Mapping[str, Any]) -> list[Step]:
        """What a tool answered."""
        return [self._assign(name, value, by="tool") for name, value in values.items()]

    def lost(self) -> Iterator[Step]:
        """The flow cannot go on: never in silence."""
        self.pending = None
        yield Noted("node", "lost", {"at": self.state.node})
        if self._transfer_number:
            yield from self._to_a_person()
        else:
            yield Say(phrases.LOST, interruptible=False)
            yield HangUp()

    def notice(self, words: str) -> Iterator[Step]:
        """Fill the variables that the caller gives in passing."""
        asked = self.node.data if isinstance(self.node, nodes.Gather) else None
        wanted = [each for each in self.unfilled if asked is None or each.name != asked.variable]
        kind = asked.kind if asked else None
        yield from self.learn(
            told_in(words, wanted, now=self._now(), region=self._region, asked=kind), by="passing"
        )

    def learn(self, found: Mapping[str, Told], *, by: str) -> Iterator[Step]:
        """What was found in the caller's words."""
        self._set(passing={**self.state.passing, **{name: told.words for name, told in found.items()}})
        for name, told in found.items():
            if told.value:
                yield self._assign(name, told.value.value, told.value.spoken, by=by)

    @property
    def unfilled(self) -> list[Wanted]:
        """What may still be given in passing."""
        values, initial = self.state.values, self._initial
        return [each for each in self._wanted if values.get(each.name) in (None, initial.get(each.name))]

    # ---- inside -----------------------------------------------------------------------------

    def _message(self, data: nodes.MessageData) -> KeepMessage:
        """For people to read: variables as they are written."""
        self._set(messages=self.state.messages + 1)
        number = self.exactly(data.phone).strip()
        number = number if re.fullmatch(r"\+?[0-9]{3,15}", number) else ""  # who withholds theirs has none
        return KeepMessage(
            name=self.exactly(data.name).strip(),
            number=number,
            number_confirmed=bool(number),  # the caller's own, or one that a step asked for until it was sure
            words=self.exactly(data.text),
            complete=True,
            ordinal=self.state.messages,
        )

    def _ask(self, data: nodes.GatherData) -> Iterator[Step]:
        """Unless it has been told in passing; then at most if that is right."""
        gatherer = Gatherer(self._slot(data), self._now())
        passing = dict(self.state.passing)
        if words := passing.pop(data.variable, ""):
            gatherer.offer(words)
        self._set(gatherer=gatherer, passing=passing)
        if value := gatherer.done:
            yield self._assign(data.variable, value.value, value.spoken, by="passing")
            return
        if words:
            values = self.state.values
            self._set(values={name: values[name] for name in values if name != data.variable})
        yield self._say(self.question)

    def _gathered(self, answer: Callable[[Gatherer], list[Step]]) -> Iterator[Step]:
        """Go on where the value is known, or cannot be had; else ask on."""
        assert self.state.gatherer is not None and isinstance(self.node, nodes.Gather)
        gatherer = self.state.gatherer.copy()
        yield from answer(gatherer)
        self._set(gatherer=gatherer)
        if value := gatherer.done:
            yield self._assign(self.node.data.variable, value.value, value.spoken, by="answer")
        if gatherer.done or gatherer.failed:
            yield from self.leave("done" if gatherer.done else "failed")

    def _slot(self, data: nodes.GatherData) -> Slot:
        options = tuple(
            Option(each.value, each.label or each.value, each.phrases, each.key) for each in data.options
        )
        told = data.model_dump(include=_OF_SLOT)
        return Slot(
            **told,
            prompt=self.filled(data.prompt),
            retry_prompt=self.filled(data.retry_prompt),
            options=options,
            region=self._region,
        )

    def _say(self, text: str) -> Say:
        self._set(said=text)
        return Say(text, interruptible=self.state.manner.interruptible is not False)

    def _assign(self, name: str, value: Any, spoken: str = "", *, by: str) -> Noted:
        others = {each: text for each, text in self.state.spoken.items() if each != name}
        if spoken:
            others[name] = spoken
        self._set(values={**self.state.values, name: value}, spoken=others)
        return Noted("variable", name, {"value": value, "by": by})

    def _worked_out(self, text: str) -> Any:
        if not text.startswith(FORMULA):
            return self.exactly(text)
        try:
            return value_of(text.removeprefix(FORMULA), self.known)
        except ExpressionError:
            return None

    def _to_a_person(self) -> Iterator[Step]:
        if self._transfer_number:
            yield Say(phrases.TRANSFER, interruptible=False)
            yield Transfer(self._transfer_number)
        else:
            yield Say(f"{phrases.CANNOT_TRANSFER} {self.question}")


_OF_SLOT = {
    "kind", "min_digits", "max_digits", "minimum", "maximum", "must_be_future", "confirm", "attempts",
}  # fmt: skip
