from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from baresip import Call, CallState, Event
from baresip.events import StackEvent

from telephony.sip.lines import Carried, account_of
from telephony.sip.records import LineFacts

FACTS = LineFacts(
    pk=1,
    label="Desk",
    host="sip.example.org",
    port=5060,
    transport="udp",
    user="100",
    auth_user="",
    password="",
    domain="sip.example.org",
    registers=True,
    max_calls=2,
    peers=(),
)


class NoRuntime:
    """Where a `Call` of the stack asks for its events."""

    def subscribe(self, listener: object) -> None: ...

    def unsubscribe(self, listener: object) -> None: ...


@dataclass
class HastyAgent:
    """A user agent of the stack whose call gets its answers before `dial` returns, as on a fast network."""

    answers: list[Event]
    listeners: list[Callable[[Any], None]] = field(default_factory=list)

    def on(self, listener: Callable[[Any], None]) -> None:
        self.listeners.append(listener)

    def off(self, listener: Callable[[Any], None]) -> None:
        self.listeners.remove(listener)

    async def dial(self, uri: str) -> Call:
        for answer in self.answers:
            for listener in list(self.listeners):
                listener(StackEvent(answer, handle=1, ua=1, call=7))
        return Call(NoRuntime(), handle=7, ua_handle=1, state=CallState.OUTGOING, peer=uri)  # type: ignore[arg-type]


async def test_what_a_callee_answers_at_once_is_not_missed() -> None:
    agent = HastyAgent([Event.CALL_RINGING, Event.CALL_ESTABLISHED])
    heard: list[Event] = []
    carried = Carried(FACTS, account_of(FACTS), agent)  # type: ignore[arg-type]
    call = await carried.dial("200", lambda event: heard.append(event.event))
    assert heard == [Event.CALL_RINGING, Event.CALL_ESTABLISHED]
    assert call.state is CallState.ESTABLISHED
