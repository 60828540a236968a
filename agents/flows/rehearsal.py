"""Playing a flow without a telephone, with the same conversation code as a call; nothing is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlservices.interfaces import ChatModel, Embedder
from mlservices.types import Tool

from ..conversations import chat_model_for, conversation_for
from ..flow.graph import Known, Problem, Severity, problems_of, read
from ..flow.graph.scripted import LONGEST_WORDS, MOST_TURNS
from ..flow.program import CallTool, Toolbox, ToolResult
from ..flow.runtime import FlowConversation
from ..flow.steps import HangUp, KeepMessage, Noted, Say, SendDigits, Step, Transfer
from ..models import Agent, FlowVersion
from ..replayed import Recording, ReplayedModel, ReplayedTools
from .programs import Crew, with_subflows

# With one of these a call comes to where nothing is.
_HOPELESS = frozenset({"empty", "no_start", "dangling", "intent_nowhere", "unknown_flow"})


@dataclass(frozen=True, slots=True)
class Move:
    """What the caller does in a turn: one of `say`, `keys` and `silence`; none of them, in the first turn, is
    to hear the greeting. `answers` are those of language models, recorded when the turn was played before."""

    say: str = ""
    keys: str = ""
    silence: bool = False
    answers: tuple[str, ...] = ()

    @property
    def is_greeting(self) -> bool:
        return not (self.say or self.keys or self.silence)


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a move. `events` are {kind, name, data} of each thing that was noted, in order; a kept
    message is one of the kind "message", keys that were sent one of the kind "digits". `flow` is the address
    of the sub-flow where the call is, "" the flow itself; it, `node` and `variables` are as they stand
    afterwards."""

    move: Move
    said: tuple[str, ...]
    events: tuple[dict[str, Any], ...]
    flow: str
    node: str
    variables: Mapping[str, Any]
    expects: str
    ended: bool
    transferred_to: str
    answers: tuple[str, ...]
    tools: tuple[str, ...]

    @property
    def is_last(self) -> bool:
        """Whether nobody listens to the caller after it."""
        return self.ended or bool(self.transferred_to)

    def as_json(self) -> dict[str, Any]:
        return {
            "say": self.move.say,
            "keys": self.move.keys,
            "silence": self.move.silence,
            "said": list(self.said),
            "events": list(self.events),
            "flow": self.flow,
            "node": self.node,
            "variables": dict(self.variables),
            "expects": self.expects,
            "ended": self.ended,
            "transferredTo": self.transferred_to,
            "answers": list(self.answers),
            "tools": list(self.tools),
        }


@dataclass(frozen=True, slots=True)
class _Tape:
    """What models and tools answer again."""

    answers: Recording
    tools: ReplayedTools


class Unplayable(Exception):
    """The call came to where nothing is: `problems` say why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(", ".join(each.code for each in problems))
        self.problems = problems


async def no_tools(name: str, arguments: Mapping[str, Any]) -> ToolResult:
    return ToolResult(ok=False, reason=f"Nothing is called in a rehearsal: {name} has no answer here.")


def as_version(graph: dict[str, Any]) -> FlowVersion:
    """A draft as a call would follow it, with the sub-flows that are live now; unsaved. Asks the database.

    Raises FlowError where it is no flow at all.
    """
    read(graph)
    return FlowVersion(graph=graph, subflows=with_subflows(graph))


async def rehearse(
    version: FlowVersion,
    agent: Agent | None,
    moves: Sequence[Move],
    *,
    embedder: Embedder,
    chat_model: ChatModel | None,
    crew: Crew | None = None,
    call_tool: CallTool = no_tools,
    offered: Mapping[str, Tool] = {},
    called: Sequence[str] = (),
    again: bool = False,
    caller: str = "",
    variables: Mapping[str, Any] | None = None,
) -> list[Turn]:
    """The greeting and a turn for each further move, up to the one that ends the call. Asks no database.

    Language models are asked only for what the moves have no answers of: hand back those of each turn with
    its move, and change or add a move at the end. What tools answered before is `called`, as
    `replayed.as_recorded` makes it; one of these is called again with the same arguments only in the last
    turn, and in none where all is played `again`. `agent` None is one that knows nothing beside the flow,
    `offered` are the tools that language models are told of, `variables` have these values as the call
    begins. Raises Unplayable, EngineError, and ValueError where the moves or `called` are none.
    """
    greeting, *further = moves if moves and moves[0].is_greeting else [Move(), *moves]
    if len(further) > MOST_TURNS:
        raise ValueError(f"turns: at most {MOST_TURNS}.")
    moves = (greeting, *further)
    tape = _Tape(Recording([each.answers for each in moves]), ReplayedTools(call_tool, called))
    conversation = conversation_for(
        agent or Agent(name=version.program.main.name, greeting=""),
        embedder=embedder,
        chat_model=_replayed(chat_model, tape.answers),
        model_of=lambda other: _replayed(chat_model_for(other), tape.answers),
        version=version,
        crew=crew,
        caller=caller,
        values=variables,
        tools=Toolbox(tape.tools, specs=offered),
    )
    assert isinstance(conversation, FlowConversation)
    try:
        return await _played(conversation, greeting, further, tape, again)
    except (IndexError, KeyError):  # no start, or no step where an edge leads: a draft may be half-written
        if problems := hopeless(version):
            raise Unplayable(problems) from None
        raise
    finally:
        conversation.ended()  # nothing of it goes on; what it would keep is kept of calls alone


def moves_of(raw: object) -> list[Move]:
    """Of turns as `Turn.as_json` made them, or {say, keys, silence} alone. Raises ValueError."""
    if not isinstance(raw, list) or not all(isinstance(each, Mapping) for each in raw):
        raise ValueError("turns: a list of objects.")
    if len(raw) > MOST_TURNS + 1:
        raise ValueError(f"turns: at most {MOST_TURNS}.")
    return [_move_of(each) for each in raw]


def _move_of(raw: Mapping[str, Any]) -> Move:
    say, keys = raw.get("say") or "", raw.get("keys") or ""
    if not isinstance(say, str) or not isinstance(keys, str) or len(say) > LONGEST_WORDS or len(keys) > 40:
        raise ValueError(f"turns: words of at most {LONGEST_WORDS} characters, or at most 40 keys.")
    silence = raw.get("silence") is True
    return Move(say.strip(), keys, silence, texts(raw.get("answers"), "turns: answers"))


def texts(raw: object, name: str) -> tuple[str, ...]:
    """Raises ValueError."""
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(each, str) for each in raw):
        raise ValueError(f"{name}: a list of texts.")
    return tuple(raw)


def hopeless(version: FlowVersion) -> list[Problem]:
    """What a call can come to grief on, first what could not even be read of the flow."""
    found: list[Problem] = []
    known = Known(flows=dict.fromkeys(version.subflows, frozenset[str]()))
    for graph in (version.graph, *version.subflows.values()):
        flow, unreadable = read(graph)
        fatal = [each for each in problems_of(flow, known) if each.code in _HOPELESS]
        if fatal:
            found += [*(each for each in unreadable if each.severity is Severity.ERROR), *fatal]
    return found


def _replayed(model: ChatModel | None, recording: Recording) -> ReplayedModel | None:
    return ReplayedModel(model, recording) if model else None


def _answered(conversation: FlowConversation, move: Move, silent: int) -> AsyncGenerator[Step, None]:
    if move.silence:
        return conversation.silence(silent)
    if move.keys:
        return conversation.digits(move.keys)
    if not move.say:
        raise ValueError("turns: words, keys or silence in each but the first.")
    return conversation.reply(move.say)


async def _played(
    conversation: FlowConversation, greeting: Move, further: Sequence[Move], tape: _Tape, again: bool
) -> list[Turn]:
    turns, silent = [await _turn(conversation, greeting, conversation.greet(), tape)], 0
    for place, move in enumerate(further, 1):
        if turns[-1].is_last:
            break
        silent = silent + 1 if move.silence else 0
        tape.tools.asks_anew = place == len(further) and not again
        turns.append(await _turn(conversation, move, _answered(conversation, move, silent), tape))
    return turns


async def _turn(
    conversation: FlowConversation, move: Move, steps: AsyncGenerator[Step, None], tape: _Tape
) -> Turn:
    """Played to its end, all of it heard, and with what models find in the caller's words afterwards."""
    done = [step async for step in steps]
    done += await conversation.settled()
    said = tuple(step.text for step in done if isinstance(step, Say))
    conversation.heard(" ".join(said), interrupted=False)
    answers, tools = tuple(tape.answers.answers), tuple(tape.tools.answers)
    tape.answers.next_turn()
    tape.tools.next_turn()
    flow, node = conversation.place
    return Turn(
        move=move,
        said=said,
        events=tuple(event for step in done for event in _events(step)),
        flow=flow,
        node=node,
        variables=conversation.values,
        expects=conversation.expects,
        ended=any(isinstance(step, HangUp) for step in done),
        transferred_to=next((step.number for step in done if isinstance(step, Transfer)), ""),
        answers=answers,
        tools=tools,
    )


def _events(step: Step) -> list[dict[str, Any]]:
    match step:
        case Noted():
            return [{"kind": step.kind, "name": step.name, "data": step.data}]
        case KeepMessage():
            return [{"kind": "message", "name": step.name, "data": asdict(step)}]
        case SendDigits():
            return [{"kind": "digits", "name": step.digits, "data": {}}]
    return []
