"""The SIP gateway: keeps lines registered, takes their calls, and carries these to the web process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from baresip import Account, BaresipError, Call, Config, Event, RegistrationError, Runtime, UserAgent

from ..models import SipLine
from ..threads import DatabaseThreads
from . import records
from .bridge import Bridge, Ended, NotTaken
from .records import LineFacts

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0  # how soon a line that was changed is taken anew
HOLD_SECONDS = 5.0
REGISTER_SECONDS = 300  # asked for; a registrar may grant less
REGISTER_PATIENCE_SECONDS = 40.0  # past SIP's own timer of 32 s
SHORTEST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 2.0, 120.0
TRANSFER_SECONDS = 30.0
HEADERS = ("To", "CALLED_DID", "P-Asserted-Identity", "Diversion")

in_database = DatabaseThreads(2, "sip")
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
            extra_config_text=(
                f"{listen}rtp_ports {self.rtp_ports}\n"
                # A fixed buffer, which is the stack's default, makes every answer 100 ms late.
                "audio_jitter_buffer_type adaptive\naudio_jitter_buffer_ms 20-160\n"
                f"sip_verify_server yes\n{authorities}"
            ),
        )


def account_of(line: LineFacts) -> Account:
    """Raises ValueError for what no SIP account can have."""
    secure = line.transport == SipLine.Transport.TLS
    return Account(
        user=line.user,
        domain=line.domain,
        password=line.password,
        auth_user=line.auth_user or None,
        registrar=f"{line.host}:{line.port};transport={line.transport}",
        reg_interval=REGISTER_SECONDS if line.registers else 0,
        transport=line.transport,  # type: ignore[arg-type]
        audio_codecs=("pcma", "pcmu"),
        # Without the first the stack sends a re-INVITE right after each answer.
        extra_params=("video_codecs=none", *(("mediaenc=srtp-mand",) if secure else ())),
    )


class Carried:
    """One line while the gateway has it."""

    def __init__(self, facts: LineFacts, agent: UserAgent) -> None:
        self.facts = facts
        self.agent = agent
        self.calls = 0
        self._failed: asyncio.Event = asyncio.Event()
        self._why = ""
        agent.on(self._happened)

    def _happened(self, event: Any) -> None:
        if event.event is Event.REGISTER_FAIL:
            self._why = event.text or "no answer"
            self._failed.set()

    async def keep(self) -> None:
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
            except (RegistrationError, BaresipError) as error:
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

    async def leave(self) -> None:
        with suppress(BaresipError):
            if self.facts.registers:
                await self.agent.unregister(timeout=2)


class Gateway:
    def __init__(self, network: Network, *, server: str) -> None:
        self._network = network
        self._server = server  # ws://host:port of the web process
        self._runtime = Runtime()
        self._lines: dict[int, Carried] = {}
        self._keepers: dict[int, asyncio.Task[None]] = {}
        self._calls: set[asyncio.Task[Any]] = set()
        self.dead = asyncio.Event()

    async def run(self, stopping: asyncio.Event, *, drain_seconds: float) -> None:
        """Until `stopping` is set, and then until the calls are over, but not for longer than that.
        Raises RuntimeError when the SIP stack has died: nothing but a new process brings it back."""
        self._runtime.on_dead = self.dead.set
        await self._runtime.start(self._network.config())
        try:
            watching = asyncio.create_task(self._watch())
            waits = [asyncio.create_task(event.wait()) for event in (stopping, self.dead)]
            await asyncio.wait([watching, *waits], return_when=asyncio.FIRST_COMPLETED)
            watching.cancel()
            if self.dead.is_set():
                raise RuntimeError("The SIP stack has died.")
            await self._drain(drain_seconds)
        finally:
            for keeper in self._keepers.values():
                keeper.cancel()
            await asyncio.gather(*(carried.leave() for carried in self._lines.values()))
            for line_id in self._lines:
                await in_database(records.set_state, line_id, State.OFF)
            await self._runtime.close()

    async def _drain(self, seconds: float) -> None:
        """No new calls; those that go on may end by themselves, what is left is hung up."""
        draining = asyncio.create_task(self._runtime.drain())
        if self._calls:
            logger.info("%d calls may go on for %.0f s.", len(self._calls), seconds)
            await asyncio.wait(self._calls, timeout=seconds)
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        draining.cancel()

    # ---- lines ------------------------------------------------------------------------------

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        held_at = clock()
        while True:
            try:
                await self._take_lines(await in_database(records.lines))
                if clock() - held_at > HOLD_SECONDS:
                    held_at = clock()
                    await in_database(records.hold, list(self._lines))
            except Exception:  # the database may be away for a while; the calls go on
                logger.exception("The SIP lines could not be looked after.")
            await asyncio.sleep(WATCH_SECONDS)

    async def _take_lines(self, wanted: list[LineFacts]) -> None:
        by_id = {facts.pk: facts for facts in wanted}
        for line_id, carried in list(self._lines.items()):
            if by_id.get(line_id) != carried.facts:
                await self._drop(line_id)
        for facts in wanted:
            if facts.pk not in self._lines:
                await self._add(facts)

    async def _add(self, facts: LineFacts) -> None:
        try:
            agent = await UserAgent.create(self._runtime, account_of(facts), transfer_policy="reject")
        except (BaresipError, ValueError) as error:
            await in_database(records.set_state, facts.pk, State.FAILED, str(error))
            return
        carried = self._lines[facts.pk] = Carried(facts, agent)
        agent.on_incoming(lambda call: self._spawn(self._incoming(carried, call)))
        self._keepers[facts.pk] = asyncio.create_task(carried.keep())

    async def _drop(self, line_id: int) -> None:
        self._keepers.pop(line_id).cancel()
        await self._lines.pop(line_id).leave()
        await in_database(records.set_state, line_id, State.OFF)

    # ---- calls ------------------------------------------------------------------------------

    async def _incoming(self, carried: Carried, call: Call) -> None:
        if self._lines.get(carried.facts.pk) is not carried or carried.calls >= carried.facts.max_calls:
            logger.warning("A call on SIP line %s was turned away: it takes no more.", carried.facts.label)
            await _reject(call)
            return
        carried.calls += 1
        try:
            await self._serve(carried, call)
        finally:
            carried.calls -= 1

    async def _serve(self, carried: Carried, call: Call) -> None:
        announced = await in_database(
            records.announce,
            carried.facts.pk,
            sip_call_id=call.call_id or "",
            caller=user_of(call.peer or ""),
            callee=user_of(call.headers.get("CALLED_DID") or call.headers.get("To", ""))
            or carried.facts.user,
        )
        if announced is None:
            logger.warning("A call on SIP line %s was turned away: no agent.", carried.facts.label)
            await _reject(call)
            return
        try:
            bridge = await Bridge.open(
                self._server, token=announced.token, provider_call_id=announced.provider_call_id
            )
        except NotTaken as error:
            logger.error("Call %s was turned away: %s.", announced.call_id, error)
            await _reject(call)
            await in_database(records.never_answered, announced.call_id)
            return
        try:
            await call.answer()
            await call.wait_established()
        except BaresipError:  # the caller gave up
            await bridge.close(hung_up=True)
            return
        await self._carry(announced.call_id, carried, call, bridge)

    async def _carry(self, call_id: UUID, carried: Carried, call: Call, bridge: Bridge) -> None:
        try:
            ended = await bridge.carry(call)
        finally:
            await bridge.close(hung_up=True)
        await self._finish(call_id, carried, call, ended)

    async def _finish(self, call_id: UUID, carried: Carried, call: Call, ended: Ended | None) -> None:
        if ended and ended.transfer_to:
            target = f"sip:{ended.transfer_to}@{carried.facts.domain}"
            try:
                await call.transfer(target, timeout=TRANSFER_SECONDS)
            except BaresipError as error:
                logger.warning("Call %s could not be transferred: %s", call_id, error)
        with suppress(BaresipError):
            await call.hangup()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._calls.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A SIP call failed.", exc_info=error)


async def _reject(call: Call) -> None:
    with suppress(BaresipError):
        await call.reject()


def user_of(address: str) -> str:
    """The part before the @ of `"Name" <sip:user@host;parameters>`, a telephone number as a rule."""
    bare = address.rpartition("<")[2].partition(">")[0].strip()
    bare = bare.removeprefix("sips:").removeprefix("sip:").removeprefix("tel:")
    return bare.partition(";")[0].partition("@")[0]
