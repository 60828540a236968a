"""A call that follows a flow: a `Conversation` whose walker goes from node to node.

It goes on by itself until a node listens, then waits for the caller. Edges are decided cheapest first: what
a node's own work came to, keys, expressions, examples, a language model, else the way that is always there.
Nothing that a caller says, or a tool answers, is ever read as a node, an edge, a tool or a prompt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal, TypeVar

from mlservices.errors import EngineError

from . import phrases
from .deciding import Choice, Decision, decide, is_meant
from .extracting import Extraction
from .graph import Intent, nodes
from .hearing import plain
from .last_turn import LastTurn
from .memory import quoted
from .passing import Told
from .program import UNNOTICED_SECONDS, Ports, Program, Talk, Toolbox, ToolResult
from .slots import Gatherer
from .steps import Conversation, Expectation, HangUp, KeepMessage, Noted, Say, Step
from .understanding import UNMISTAKABLE
from .walker import MOST_MISSED, State, Walker

Steps = AsyncGenerator[Step, None]
Counted = TypeVar("Counted", bound=Step)


class FlowConversation:
    """A `Conversation`. `variables` are what is known before the call: built-in ones and the agent's own;
    `values` those of the flow's variables that have one already."""

    def __init__(
        self,
        program: Program,
        ports: Ports,
        *,
        variables: Mapping[str, str],
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self._ports = ports
        self._walker = Walker(
            program,
            fixed=variables,
            values=values or {},
            now=ports.now,
            greeting=ports.greeting,
            transfer_number=ports.transfer_number,
            region=ports.region,
        )
        self._last_turn = LastTurn[State]()
        self._heard_of_it = ""  # the part that reached a caller who spoke over it
        self._filled: list[Step] = []  # of variables, by the tools of a talk, to be told
        self._extraction = Extraction(ports)
        self._ordinals: dict[tuple[Conversation | None, int], int] = {}  # of messages, by who keeps them
        self._talks: dict[tuple[str, str], Talk] = {}
        self._other: Conversation | None = None  # another agent, who has taken the call over
        self._calling: asyncio.Future[ToolResult] | None = None  # a tool

    @property
    def expects(self) -> Expectation:
        if inner := self._inner:
            return inner.expects
        gatherer = self._walker.state.gatherer
        return gatherer.expects if gatherer else "anything"

    @property
    def place(self) -> tuple[str, str]:
        """(sub-flow, node) where the call is; "" is the flow itself, or no node yet."""
        return self._walker.place

    @property
    def values(self) -> Mapping[str, Any]:
        """Of the flow's variables."""
        return self._walker.state.values

    async def greet(self) -> Steps:
        if self._ports.announcement:
            yield Say(self._ports.announcement, interruptible=False)
        async with aclosing(self._carried_out(self._walker.start())) as steps:
            async for step in steps:
                yield step

    async def reply(self, words: str) -> Steps:
        if self._last_turn.comes_again(words):
            self._walker.state = self._last_turn.taken_back()
        gatherer = self._walker.state.gatherer
        agrees = gatherer is not None and gatherer.is_agreed_by(words)
        nothing_to_agree_to = self._last_turn.unheard and agrees
        self._last_turn.begins(words, self._walker.state)
        if nothing_to_agree_to and self._other is None:
            yield Say(self._walker.question)
            return
        answer = self._passed(self._other, self._other.reply(words)) if self._other else self._heard(words)
        async with aclosing(answer) as steps:
            async for step in steps:
                yield step

    async def digits(self, digits: str) -> Steps:
        self._last_turn.stands()  # keys once pressed are never taken back
        walker = self._walker
        intent = next((each for each in walker.program.main.intents if each.keys == digits), None)
        if self._other:
            steps = self._passed(self._other, self._other.digits(digits))
        elif walker.pending:
            steps = self._left_or_waiting(Decision(intent, "keys") if intent else None)
        elif digits in walker.ways.keys:
            steps = self._carried_out(walker.take(walker.ways.keys[digits], "keys"))
        elif (gatherer := walker.state.gatherer) and (gatherer.takes_keys or not intent):
            steps = self._carried_out(walker.keyed(digits))
        elif intent:
            steps = self._carried_out(walker.follow(Decision(intent, "keys")))
        elif inner := self._inner:
            steps = self._passed(inner, inner.digits(digits))
        else:
            steps = self._carried_out(walker.missed())
        async with aclosing(steps):
            async for step in steps:
                yield step

    async def silence(self, count: int) -> Steps:
        self._last_turn.stands()
        again = f"{phrases.ARE_YOU_THERE} " if count > 1 else ""
        if inner := self._inner:
            async with aclosing(self._passed(inner, inner.silence(count))) as steps:
                async for step in steps:
                    yield step
        elif count >= MOST_MISSED:
            yield Say(phrases.SILENCE_END, interruptible=False)
            yield HangUp("silence")
        else:
            yield Say(again + self._walker.question)

    async def farewell(self, reason: Literal["max_duration", "silence"]) -> Steps:
        for message in self.ended():
            yield message
        yield Say(phrases.FAREWELLS[reason], interruptible=False)

    def heard(self, text: str, *, interrupted: bool) -> None:
        self._last_turn.unheard = interrupted and not text
        self._heard_of_it = text if interrupted else ""
        if inner := self._inner:
            inner.heard(text, interrupted=interrupted)

    async def direct(self, words: str) -> bool:
        return await self._inner.direct(words) if self._inner else False

    async def go_on(self) -> Steps:
        if inner := self._inner:
            async with aclosing(self._passed(inner, inner.go_on())) as steps:
                async for step in steps:
                    yield step

    def overheard(self, who: Literal["caller", "operator"], words: str) -> None:
        if inner := self._inner:
            inner.overheard(who, words)

    async def resume(self, note: str) -> Steps:
        if inner := self._inner:
            async with aclosing(self._passed(inner, inner.resume(note))) as steps:
                async for step in steps:
                    yield step
        elif not self._walker.state.node:  # a person had the call from its first moment
            async with aclosing(self.greet()) as steps:
                async for step in steps:
                    yield step
        else:
            yield Say(f"{phrases.BACK_AGAIN} {self._walker.question}")

    async def settled(self) -> list[Step]:
        """What is still being looked for in the caller's words, once it is found: for those who have time."""
        if isinstance(self._other, FlowConversation):
            return await self._other.settled()
        await self._extraction.finish()
        return self._learnt(self._extraction.found())

    def ended(self, last_words: str = "") -> list[KeepMessage]:
        self._extraction.cancel()
        told = [(self._other, last_words)] if self._other else []
        for place, talk in self._talks.items():
            here = place == self._walker.place and self._other is None
            told.append((talk.conversation, last_words if here else ""))
        return [self._counted(each, by) for by, words in told for each in by.ended(words)]

    # ---- inside -----------------------------------------------------------------------------

    @property
    def _talk(self) -> Talk | None:
        """The conversation of the node, where it is a subagent."""
        walker = self._walker
        if not walker.state.node or not isinstance(node := walker.node, nodes.Subagent):
            return None
        if walker.place not in self._talks:
            self._talks[walker.place] = self._ports.talk(
                prompt=walker.instructed(node.data.system_prompt),
                greeting=walker.state.said or self._ports.greeting,
                knowledge_base=node.data.knowledge_base or "",
                tools=self._toolbox(node.data.tools),
            )
        return self._talks[walker.place]

    def _toolbox(self, names: Sequence[str]) -> Toolbox:
        """Of these tools alone; what one answers fills variables as a step's tool does."""
        whole, walker = self._ports.tools, self._walker

        async def call(name: str, arguments: Mapping[str, Any]) -> ToolResult:
            self._last_turn.stands()  # what is done is not taken back
            result = await whole.call(name, arguments)
            self._filled += walker.fill_in(result.values)
            return result

        specs = {name: whole.specs[name] for name in names if name in whole.specs}
        return Toolbox(call, fillers=whole.fillers, specs=specs)

    @property
    def _inner(self) -> Conversation | None:
        """Who leads the conversation now, if not the flow itself."""
        return self._other or (self._talk.conversation if self._talk else None)

    async def _decided(self, words: str) -> Decision | None:
        walker = self._walker
        if isinstance(walker.node, nodes.Subagent) and (edge := walker.wanted()):
            return Decision(edge, "expression")
        gatherer = walker.state.gatherer
        if gatherer and gatherer.is_answered_by(words):
            return None
        decision = await decide(
            words,
            self._choices(),
            meanings=self._ports.meanings,
            model=None if walker.pending else self._ports.model,
            situation=self._situation,
        )
        if decision is None or decision.to is None:
            return None
        if gatherer and gatherer.takes_any_words and (decision.score or 0) < UNMISTAKABLE:
            return None
        return decision if is_meant(decision, words) else None

    @property
    def _situation(self) -> str:
        """What the caller's words answer: what they were told, or the part of it that they heard."""
        if self._heard_of_it:
            return f"They spoke over you, and had heard: {quoted(self._heard_of_it, 'agent')}"
        return f"They were told: {quoted(said, 'agent')}" if (said := self._walker.state.said) else ""

    def _choices(self) -> list[Choice]:
        walker, told_of = self._walker, self._walker.flow.described
        described = ((edge, told_of(edge)) for edge in walker.ways.described)
        choices = [
            *(Choice(edge, edge.condition.examples, told_of(edge)) for edge in walker.ways.examples),
            *(Choice(edge, (told,), told) for edge, told in described if told),
            *(Choice(each, each.examples, each.name) for each in self._intents),
        ]
        if talk := self._talk:
            taken = {plain(example) for choice in choices for example in choice.examples}
            choices.append(Choice(None, tuple(each for each in talk.knows if plain(each) not in taken)))
        return choices

    @property
    def _intents(self) -> list[Intent]:
        """What can be said now; a talk knows best itself what it said last."""
        intents = self._walker.program.main.intents
        return [each for each in intents if each.action != "repeat" or not self._talk]

    async def _heard(self, words: str) -> Steps:
        walker = self._walker
        for step in (*self._learnt(self._extraction.found()), *walker.notice(words)):
            yield step
        # What the caller spoke over is taken as said, and the words as an answer to what comes then.
        skipped = [] if walker.listens or walker.pending else list(walker.leave(""))
        decision = await self._decided(words) if walker.listens or walker.pending else None
        if walker.pending:
            answer = self._left_or_waiting(decision)
        elif decision:
            answer = self._carried_out(walker.follow(decision))
            skipped = [step for step in skipped if not isinstance(step, Say)]
        elif skipped:
            answer = self._carried_out(())
        elif talk := self._talk:
            answer = self._passed(talk.conversation, talk.conversation.reply(words))
        elif gatherer := walker.state.gatherer:
            aside = await self._aside(gatherer, words)
            answer = self._carried_out(aside or walker.told(words))
        else:
            answer = self._carried_out(walker.missed())
        for step in skipped:
            yield self._counted(step)
        talk = self._talk if self._ports.model else None
        async with aclosing(answer) as steps:
            async for step in steps:
                yield step
                while self._filled:
                    yield self._filled.pop(0)
        if talk and talk is self._talk:
            for step in self._learnt(await self._extraction.read(words, walker.unfilled)):
                yield step

    async def _aside(self, gatherer: Gatherer, words: str) -> list[Step]:
        """The answer to a question that comes in place of one, and what is still to be answered."""
        if gatherer.is_answered_by(words):
            return []
        steps = list(await self._ports.aside(words, may_answer=gatherer.takes_any_words))
        return [*steps, Say(self._walker.question)] if steps else []

    def _learnt(self, found: Mapping[str, Told]) -> list[Step]:
        """Values from the caller's words to a talk, but for variables that were filled meanwhile."""
        unfilled = {each.name for each in self._walker.unfilled}
        found = {name: told for name, told in found.items() if name in unfilled}
        return list(self._walker.learn(found, by="model"))

    async def _passed(self, by: Conversation, steps: Steps) -> Steps:
        """Steps of a conversation that this one holds."""
        async with aclosing(steps) as each:
            async for step in each:
                yield self._counted(step, by)

    def _counted(self, step: Counted, by: Conversation | None = None) -> Counted:
        """Messages are counted over the whole call, whoever keeps them; None is the flow itself."""
        if not isinstance(step, KeepMessage):
            return step
        known = self._ordinals.setdefault((by, step.ordinal), len(self._ordinals) + 1)
        return replace(step, ordinal=known)

    async def _carried_out(self, steps: Iterable[Step]) -> Steps:
        """The walker's steps, and what it waits for in the world between them."""
        for step in steps:
            yield self._counted(step)
        while pending := self._walker.pending:
            if isinstance(pending, nodes.AgentTransfer):
                async with aclosing(self._hand_over(pending)) as handed:
                    async for step in handed:
                        yield step
                return
            self._last_turn.stands()  # what is done is not taken back
            begun = self._calling is not None  # and the caller interrupted the wait for it
            calling = self._calling = self._calling or asyncio.ensure_future(self._call(pending))
            if (filler := self._filler(pending)) and not begun and not await _is_soon(calling):
                yield Say(filler, interruptible=False)
            try:
                result = await asyncio.shield(calling)
            finally:
                if calling.done():
                    self._calling = None
            for step in self._walker.done(pending, result):
                yield self._counted(step)

    def _left_or_waiting(self, decision: Decision | None) -> Steps:
        """While a tool is at work: out of its step by an intent that leads away, else on with the wait. The
        tool is not stopped; nobody waits for its answer any more."""
        walker = self._walker
        if decision is None or not isinstance(decision.to, Intent) or decision.to.action == "repeat":
            return self._carried_out(())
        walker.pending, self._calling = None, None
        return self._carried_out(walker.follow(decision))

    async def _call(self, node: nodes.Tool) -> ToolResult:
        given = {name: self._given(value) for name, value in node.data.parameters.items()}
        try:
            return await self._ports.tools.call(node.data.tool_name, given)
        except EngineError as error:
            return ToolResult(ok=False, reason=str(error))

    def _filler(self, node: nodes.Tool) -> str:
        own = self._ports.tools.fillers.get(node.data.tool_name, "")
        return self._walker.filled(node.data.filler or own)

    def _given(self, value: object) -> object:
        return self._walker.exactly(value) if isinstance(value, str) else value

    async def _hand_over(self, node: nodes.AgentTransfer) -> Steps:
        self._walker.pending = None
        self._other = self._ports.other_agent(node.data.target_agent_id)
        if self._other is None:
            for step in self._walker.lost():
                yield step
            return
        yield Noted("agent", node.data.target_agent_id)
        async with aclosing(self._passed(self._other, self._other.greet())) as steps:
            async for step in steps:
                yield step


async def _is_soon(calling: asyncio.Future[ToolResult]) -> bool:
    done, _ = await asyncio.wait([calling], timeout=UNNOTICED_SECONDS)
    return bool(done)
