"""Scripted tests that a flow keeps with it: what a caller does, turn by turn, and what is to come of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from .nodes import Part

MOST_TESTS = 200
MOST_TURNS = 60
LONGEST_WORDS = 1_000


class ToolAnswer(Part):
    """What a tool answers in a test, which never calls the world."""

    ok: bool = True
    values: dict[str, Any] = {}  # the variables that it sets
    text: str = Field("", max_length=20_000)  # what a model is told
    reason: str = Field("", max_length=1_000)  # why it failed


# An answer, or a list of them: one for each time the tool is called, the last for all further ones.
ToolAnswers = Annotated[
    tuple[ToolAnswer, ...], BeforeValidator(lambda told: told if isinstance(told, list | tuple) else (told,))
]


class Expected(Part):
    """What has to be so after a turn; what is None is not looked at."""

    node: str | None = None  # id or label of the step where the call is
    edge: str | None = None  # id or label of a connection that was taken in this turn
    intent: str | None = None  # id or name of what the words were taken for
    by: str | None = None  # what decided, one of agents.flow.deciding.By
    variables: dict[str, Any] = {}
    tool: str | None = None  # called in this turn
    said: str | None = None  # these words, somewhere in the answer
    ended: bool | None = None  # whether the agent hung up
    transferred_to: str | None = None


class ScriptedTurn(Part):
    """One of `say`, `keys` and `silence`. None of them, in a first turn, is the greeting."""

    say: str | None = Field(None, max_length=LONGEST_WORDS)
    keys: str | None = Field(None, max_length=40)
    silence: bool = False
    expect: Expected = Expected()

    @property
    def acts(self) -> int:
        """How many things the caller does in it: one, in a turn that can be played."""
        return bool(self.say) + bool(self.keys) + self.silence


class ScriptedTest(Part):
    name: str = Field("", max_length=120)
    caller: str = Field("", max_length=40)  # the number that calls
    variables: dict[str, Any] = {}  # that have a value before the call begins
    tools: dict[str, ToolAnswers] = {}  # by the tools' names
    turns: tuple[ScriptedTurn, ...] = ()

    @property
    def named(self) -> Iterator[tuple[str, str, str]]:
        """(path in the test, "node", "edge" or "intent", the name) of all that its turns name in a flow."""
        for place, turn in enumerate(self.turns):
            for kind in ("node", "edge", "intent"):
                if name := getattr(turn.expect, kind):
                    yield f"turns.{place}.expect.{kind}", kind, name
