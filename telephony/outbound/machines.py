"""What answers a call of ours and is no person: known by the provider's word, and left a message."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from agents.flow.steps import Expectation, HangUp, KeepMessage, Say, Step

from ..models import Call, PlannedCall

_MACHINES = ("machine", "fax")  # what Twilio says of them begins so; "unknown" is taken for a person


def is_machine(call: Call) -> bool:
    return call.answered_by.startswith(_MACHINES)


def message_to_machine(call: Call, planned: PlannedCall | None) -> str:
    """What a machine that has answered is to be told; "" where nothing is. A fax is told nothing."""
    if planned is None or planned.machine != PlannedCall.Machine.MESSAGE:
        return ""
    return planned.message if is_machine(call) and call.answered_by != "fax" else ""


class MessageLeft:
    """A `Conversation` that says one thing and hangs up, whatever it hears."""

    expects: Expectation = "anything"

    def __init__(self, message: str) -> None:
        self._message = message

    async def greet(self) -> AsyncGenerator[Step, None]:
        yield Say(self._message, interruptible=False)
        yield HangUp()

    async def _nothing(self) -> AsyncGenerator[Step, None]:
        yield HangUp()

    def reply(self, words: str) -> AsyncGenerator[Step, None]:
        return self._nothing()

    def digits(self, digits: str) -> AsyncGenerator[Step, None]:
        return self._nothing()

    def silence(self, count: int) -> AsyncGenerator[Step, None]:
        return self._nothing()

    def farewell(self, reason: Literal["max_duration", "silence"]) -> AsyncGenerator[Step, None]:
        return self._nothing()

    def go_on(self) -> AsyncGenerator[Step, None]:
        return self._nothing()

    def resume(self, note: str) -> AsyncGenerator[Step, None]:
        return self._nothing()

    def heard(self, text: str, *, interrupted: bool) -> None: ...

    async def direct(self, words: str) -> bool:
        return False

    def overheard(self, who: Literal["caller", "operator"], words: str) -> None: ...

    def ended(self, last_words: str = "") -> list[KeepMessage]:
        return []
