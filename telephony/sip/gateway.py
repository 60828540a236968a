"""The SIP gateway: one SIP stack, the lines it carries, and their calls."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from baresip import BaresipError, Call, Config, Runtime, UserAgent

from ..models import SipLine
from ..threads import DatabaseThreads
from . import records
from .calls import Calls
from .lines import Carried, account_of
from .records import LineFacts
from .sources import Sources

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5  # how soon a line that was changed is taken anew, and a call that waits is placed
HOLD_SECONDS = 5.0
HEADERS = ("To", "CALLED_DID", "P-Asserted-Identity", "Diversion")

in_database, beside = DatabaseThreads(1, "sip gateway"), DatabaseThreads(1, "sip warm-up")
State = SipLine.State


@dataclass(frozen=True, slots=True)
class Network:
    """Where the gateway is on the network. `address` is an interface or an address of ours, "" for any."""

    address: str
    port: int  # of SIP; 0: any that is free
    rtp_ports: str  # "first-last"
    rtp_timeout_seconds: int = 30
    ca_file: str = ""

    def config(self) -> Config:
        listen = f"sip_listen {self.address or '0.0.0.0'}:{self.port}\n" if self.port else ""
        authorities = f"sip_cafile {self.ca_file}\n" if self.ca_file else ""
        return Config(
            net_interface=self.address or None,
            max_concurrent_calls=None,  # lines have limits of their own
            rtp_timeout=self.rtp_timeout_seconds,
            expose_headers=HEADERS,
            sip_trace=True,  # for `Sources`
            extra_config_text=(
                f"{listen}rtp_ports {self.rtp_ports}\n"
                # A fixed buffer, which is the stack's default, makes every answer 100 ms late.
                "audio_jitter_buffer_type adaptive\naudio_jitter_buffer_ms 20-160\n"
                f"sip_verify_server yes\n{authorities}"
            ),
        )


class Gateway:
    def __init__(self, network: Network, *, server: str) -> None:
        self._network = network
        self._runtime = Runtime()
        self._sources = Sources()
        self._calls = Calls(server, self._sources)
        self._lines: dict[int, Carried] = {}
        self._refused: dict[int, LineFacts] = {}  # by the stack, until they are changed

    async def run(self, stopping: asyncio.Event, *, drain_seconds: float) -> None:
        """Until `stopping` is set, and then until the calls are over, but not for longer than that.
        Raises RuntimeError when the SIP stack has died: nothing but a new process brings it back."""
        dead = asyncio.Event()
        self._runtime.on_dead = dead.set
        self._sources.listen()
        await in_database(records.end_left_over)
        await self._runtime.start(self._network.config())
        watching = asyncio.create_task(self._watch(stopping))
        warming = asyncio.create_task(beside(records.warm_up))
        waits = [asyncio.create_task(event.wait()) for event in (stopping, dead)]
        try:
            await asyncio.wait([watching, *waits], return_when=asyncio.FIRST_COMPLETED)
            if dead.is_set():
                raise RuntimeError("The SIP stack has died.")
            draining = asyncio.create_task(self._runtime.drain())
            await self._calls.close(drain_seconds)
            draining.cancel()
        finally:
            watching.cancel()
            warming.cancel()
            await asyncio.gather(*(self._drop(line_id) for line_id in list(self._lines)))
            await self._runtime.close()

    async def _watch(self, stopping: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        held_at = clock()
        while True:
            try:
                await self._take_lines(await in_database(records.lines))
                if not stopping.is_set():
                    await self._place_calls()
                if clock() - held_at > HOLD_SECONDS:
                    held_at = clock()
                    await in_database(records.hold)
            except Exception:  # the database may be away for a while; the calls go on
                logger.exception("The SIP lines could not be looked after.")
            await asyncio.sleep(WATCH_SECONDS)

    async def _place_calls(self) -> None:
        await self._calls.give_up()
        free = {line_id: carried.free for line_id, carried in self._lines.items() if carried.free}
        for outgoing in await in_database(records.claim, free):
            self._calls.place(self._lines[outgoing.line_id], outgoing)

    async def _take_lines(self, wanted: list[LineFacts]) -> None:
        by_id = {facts.pk: facts for facts in wanted}
        for line_id, carried in list(self._lines.items()):
            facts = by_id.get(line_id)
            if facts and carried.takes(facts):
                carried.facts = facts
            else:
                await self._drop(line_id)
        for facts in wanted:
            if facts.pk not in self._lines and self._refused.get(facts.pk) != facts:
                await self._add(facts)
        for carried in self._lines.values():
            carried.look_after()

    async def _add(self, facts: LineFacts) -> None:
        try:
            account = account_of(facts)
            agent = await UserAgent.create(self._runtime, account)
        except (BaresipError, ValueError) as error:
            await in_database(records.set_state, facts.pk, State.FAILED, str(error))
            self._refused[facts.pk] = facts
            return
        agent.on_incoming(lambda call: self._ring(facts, call))
        self._lines[facts.pk] = Carried(facts, account, agent)

    def _ring(self, facts: LineFacts, call: Call) -> None:
        """The stack cannot forget an account, so a line may be rung by one that it had before."""
        address = (facts.host, facts.port, facts.user)
        lines = self._lines.values()
        now = (line for line in lines if (line.facts.host, line.facts.port, line.facts.user) == address)
        self._calls.take(next(now, None), call)

    async def _drop(self, line_id: int) -> None:
        """Its calls go on."""
        await self._lines.pop(line_id).leave()
        await in_database(records.set_state, line_id, State.OFF)
