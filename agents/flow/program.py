"""What a call needs of the world to follow a flow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from mlservices.interfaces import ChatModel
from mlservices.types import Tool

from .graph import Flow
from .matching import Meanings
from .steps import Conversation, Step


@dataclass(frozen=True, slots=True)
class Program:
    """A published flow with the sub-flows that it was published with, by their ids; "" is the flow itself."""

    flows: Mapping[str, Flow]

    @property
    def main(self) -> Flow:
        return self.flows[""]


UNNOTICED_SECONDS = 0.7  # a wait as long as any pause in speech: nothing is said meanwhile
LONGEST_TEXT = 4_000  # characters of a tool's answer that a language model is told


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`values` are the variables that it sets; `text` is what a model is told, `reason` why it failed."""

    ok: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    reason: str = ""


CallTool = Callable[[str, Mapping[str, Any]], Awaitable[ToolResult]]  # by its name, with its arguments


async def _no_tool(name: str, arguments: Mapping[str, Any]) -> ToolResult:
    return ToolResult(ok=False, reason=f"There is no tool {name}.")


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools that a call may use. By name: `fillers` are said while the caller waits for one, `specs` are
    what a language model is told of it."""

    call: CallTool = _no_tool
    fillers: Mapping[str, str] = field(default_factory=dict)
    specs: Mapping[str, Tool] = field(default_factory=dict)


NO_TOOLS = Toolbox()


@dataclass(frozen=True, slots=True)
class Talk:
    """A subagent's own conversation, and the sentences that it answers by itself."""

    conversation: Conversation
    knows: tuple[str, ...] = ()


class Aside(Protocol):
    async def __call__(self, words: str, *, may_answer: bool) -> Sequence[Step]:
        """What the agent knows for sure to a question that comes in place of an answer; nothing where it
        knows nothing, or where the words `may_answer` what was asked. Raises EngineError."""


async def _no_aside(words: str, *, may_answer: bool) -> Sequence[Step]:
    return ()


class Talks(Protocol):
    def __call__(self, *, prompt: str, greeting: str, knowledge_base: str, tools: Toolbox) -> Talk:
        """`greeting` is what the caller was told as it begins, `tools` those of its step alone."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What the runtime asks for; each may raise EngineError. `model` None: the flow decides without one."""

    meanings: Meanings
    model: ChatModel | None
    now: Callable[[], datetime]  # on the clock that the agent lives by
    talk: Talks
    tools: Toolbox
    other_agent: Callable[[str], Conversation | None]
    transfer_number: str = ""  # the agent's own, for "operator" and for a flow that is lost
    region: str = ""  # where the agent's callers are, as in "US"
    aside: Aside = _no_aside
    announcement: str = ""  # said first, and heard out
    greeting: str = ""  # for a flow that begins with a talk
