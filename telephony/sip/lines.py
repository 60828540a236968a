"""SIP lines while the gateway has them: each with an account of the stack, and kept registered."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from baresip import Account, BaresipError, Call, Event, UserAgent

from ..models import SipLine
from ..threads import DatabaseThreads
from . import records
from .records import LineFacts
from .sources import networks_of

logger = logging.getLogger(__name__)

# Asked for; a registrar may grant less. Over UDP a router on the way forgets us after a minute or so.
REGISTER_SECONDS = {"udp": 60, "tcp": 300, "tls": 300}
REGISTER_PATIENCE_SECONDS = 40.0  # past SIP's own timer of 32 s
SHORTEST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 2.0, 120.0

in_database = DatabaseThreads(1, "sip lines")
State = SipLine.State


def account_of(line: LineFacts) -> Account:
    """Raises ValueError for what no SIP account can have."""
    # Without the first the stack sends a re-INVITE right after each answer.
    more = ["video_codecs=none"]
    if line.transport == SipLine.Transport.TLS:
        more.append("mediaenc=srtp-mand")
    if line.nat:
        more += [f"medianat={line.nat}", f"stunserver=stun:{line.stun_server}", "natpinhole=yes"]
    return Account(
        user=line.user,
        domain=line.domain,
        password=line.password,
        auth_user=line.auth_user or None,
        registrar=f"{line.host}:{line.port};transport={line.transport}",
        reg_interval=REGISTER_SECONDS[line.transport] if line.registers else 0,
        transport=line.transport,  # type: ignore[arg-type]
        audio_codecs=("pcma", "pcmu"),
        extra_params=tuple(more),
    )


class Carried:
    """One line while the gateway has it."""

    def __init__(self, facts: LineFacts, account: Account, agent: UserAgent) -> None:
        self.facts = facts
        self.agent = agent
        self.calls = 0
        self._account = account
        self._failed = asyncio.Event()
        self._why = ""
        self._keeping: asyncio.Task[None] | None = None
        agent.on(self._happened)

    @property
    def free(self) -> int:
        """How many calls it takes beside those that go on."""
        return max(0, self.facts.max_calls - self.calls)

    def takes(self, facts: LineFacts) -> bool:
        """Whether these are the same account of the stack; the rest may change while it is registered."""
        return account_of(facts) == self._account

    async def admits(self, address: str) -> bool:
        """Whether a call may come from there: an allowed peer, or the registrar."""
        if not address:
            return False
        peers = await networks_of(self.facts.host) if self.facts.registers else []
        return any(ipaddress.ip_address(address) in network for network in (*self.facts.peers, *peers))

    def _happened(self, event: Any) -> None:
        if event.event is Event.REGISTER_FAIL:
            self._why = event.text or "no answer"
            self._failed.set()

    def look_after(self) -> None:
        """See that it is kept, and that this goes on: whoever keeps it fails where the database does."""
        failure = self._keeping.exception() if self._keeping and self._keeping.done() else None
        if failure:
            logger.error("SIP line %s was not kept, and is again.", self.facts.label, exc_info=failure)
        if self._keeping is None or failure:
            self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        """Registered, for as long as the line is carried; the wait grows while the registrar refuses."""
        if not self.facts.registers:
            await in_database(records.set_state, self.facts.pk, State.READY)
            return
        wait = SHORTEST_RETRY_SECONDS
        await in_database(records.set_state, self.facts.pk, State.REGISTERING)
        while True:
            self._failed.clear()
            try:
                await self.agent.register(timeout=REGISTER_PATIENCE_SECONDS)
            except BaresipError as error:
                self._why = self._why or str(error)
            else:
                wait = SHORTEST_RETRY_SECONDS
                await in_database(records.set_state, self.facts.pk, State.READY)
                logger.info("SIP line %s is registered.", self.facts.label)
                await self._failed.wait()
            logger.warning("SIP line %s is not registered: %s", self.facts.label, self._why)
            await in_database(records.set_state, self.facts.pk, State.FAILED, self._why)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_RETRY_SECONDS)
            self._why = ""

    async def dial(self, number: str, happened: Callable[[Any], None]) -> Call:
        """`happened` is told all events of the call. Raises BaresipError, ValueError."""
        return await self._placed(self.agent.dial(f"sip:{number}@{self.facts.domain}"), happened)

    async def follow(self, call: Call) -> Call:
        """Call whom the peer of `call` wants us to. Raises BaresipError."""
        return await self._placed(call.accept_transfer(), lambda event: None)

    async def _placed(self, placing: Coroutine[Any, Any, Call], happened: Callable[[Any], None]) -> Call:
        early: list[Any] = []
        hear = early.append
        self.agent.on(hear)
        try:
            call = await placing
        finally:
            self.agent.off(hear)
        call.on(happened)
        # What came in between, a refusal say, the stack's `Call` has missed: it would wait for ever.
        for event in early:
            if event.call == call.handle:
                call._on_stack_event(event)
        return call

    async def leave(self) -> None:
        if self._keeping:
            self._keeping.cancel()
        with suppress(BaresipError):
            if self.facts.registers:
                await self.agent.unregister(timeout=2)
