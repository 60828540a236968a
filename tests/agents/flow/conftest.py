"""A way to talk to a flow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from agents.facts import read_facts
from agents.flow.chat import ChatConversation
from agents.flow.directed import DirectedReceptionist
from agents.flow.graph import read
from agents.flow.knowledge import Profile
from agents.flow.matching import Meanings, Vector
from agents.flow.program import NO_TOOLS, Ports, Program, Toolbox, ToolResult
from agents.flow.program import Talk as Subagent
from agents.flow.runtime import FlowConversation
from agents.flow.steps import Conversation
from mlservices.interfaces import ChatModel
from mlservices.types import Tool
from tests.agents.conftest import NOW, SHOP_FACTS, Talk
from tests.agents.fakes import WordEmbedder


class Tools:
    """Answers what it was given, after so many seconds; remembers what it was asked."""

    def __init__(
        self,
        *results: ToolResult,
        seconds: float = 0,
        fillers: Mapping[str, str] = {},
        specs: Sequence[Tool] = (),
    ) -> None:
        self.results = list(results)
        self.seconds = seconds
        self.fillers = fillers
        self.specs = {each.name: each for each in specs}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def box(self) -> Toolbox:
        return Toolbox(self, fillers=self.fillers, specs=self.specs)

    async def __call__(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        self.asked.append((name, arguments))
        await asyncio.sleep(self.seconds)
        return self.results.pop(0)


Follow = Callable[..., Talk]


@pytest.fixture
def follow(embedder: WordEmbedder) -> Follow:
    """A call that follows a flow: `follow(raw, tools=..., model=..., subflows={...}, agents={...})`. `model`
    decides, `talker` speaks where a language model may."""

    known: dict[str, Vector] = {}

    def start(
        raw: dict[str, Any],
        *,
        tools: Tools | None = None,
        model: ChatModel | None = None,
        talker: ChatModel | None = None,
        subflows: Mapping[str, dict[str, Any]] = {},
        agents: Mapping[str, Conversation] = {},
        transfer_number: str = "",
        **ports: Any,
    ) -> Talk:
        flows = {name: read(each)[0] for name, each in {"": raw, **subflows}.items()}
        meanings = Meanings(embedder, known)

        def talk(*, prompt: str, greeting: str, knowledge_base: str, tools: Toolbox) -> Subagent:
            profile = Profile(greeting, read_facts(SHOP_FACTS), instructions=prompt)
            asked = tuple(question for fact in profile.facts for question in fact.questions)
            exact = DirectedReceptionist(profile, meanings=meanings, now=lambda: NOW)
            if talker is None:
                return Subagent(exact, knows=asked)
            talking = ChatConversation(
                profile, model=talker, receptionist=exact, now=lambda: NOW, tools=tools
            )
            return Subagent(talking, knows=asked)

        made = Ports(
            meanings=meanings,
            model=model,
            now=lambda: NOW,
            talk=talk,
            tools=tools.box() if tools else NO_TOOLS,
            other_agent=agents.get,
            transfer_number=transfer_number,
            greeting="Hello, this is the shop.",
            **ports,
        )
        return Talk(FlowConversation(Program(flows), made, variables={"clinic": "the clinic"}), embedder)

    return start
