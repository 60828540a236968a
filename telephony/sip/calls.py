"""The calls of the gateway, each a task: taken or placed, carried to the web process, and finished."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from uuid import UUID

from baresip import (
    BaresipError,
    Call,
    CallFailed,
    CallState,
    CallTimeout,
    Event,
    TransferFailed,
)
from django.db import Error

from ..models import Call as Row
from ..session.events import TransferStatus
from ..threads import DatabaseThreads
from . import records
from .bridge import Bridge, Ended, NotTaken, press
from .lines import Carried
from .records import Announced, Forward, Outgoing, Sentence
from .referrals import Referral, hang_up, user_of
from .saying import say, tell
from .sources import Sources

logger = logging.getLogger(__name__)

RING_SECONDS = 60.0
TRANSFER_SECONDS = 30.0

in_database = DatabaseThreads(2, "sip calls")
asking = DatabaseThreads(2, "sip transfers")  # a provider may be slow to tell what a minute costs
Status = Row.Status
# What else a registrar answers is a failure, told in its own words.
STATUSES = {
    408: Status.NO_ANSWER,
    480: Status.NO_ANSWER,
    486: Status.BUSY,
    487: Status.CANCELED,
    600: Status.BUSY,
    603: Status.BUSY,
}
# Of somebody who is put through
TRANSFERS: dict[int, TransferStatus] = {
    408: "no-answer",
    480: "no-answer",
    486: "busy",
    487: "canceled",
    600: "busy",
    603: "busy",
}


class Calls:
    def __init__(self, server: str, sources: Sources) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self._sources = sources
        self._server = server  # ws://host:port of the web process
        self._ringing: dict[UUID, Call] = {}  # that we have placed

    def take(self, carried: Carried | None, call: Call) -> None:
        """None: the line is carried no more."""
        if carried is None or not carried.free:
            what = f"on SIP line {carried.facts.label}" if carried else "on a SIP line that was dropped"
            logger.warning("A call %s was turned away: it takes no more.", what)
            self._spawn(_reject(call))
            return
        self._spawn(self._on(carried, self._incoming(carried, call)))

    def place(self, carried: Carried, outgoing: Outgoing) -> None:
        self._spawn(self._on(carried, self._outgoing(carried, outgoing)))

    async def give_up(self) -> None:
        """Ring no longer where nobody wants the call any more."""
        if not self._ringing:
            return
        for call_id in await in_database(records.given_up, list(self._ringing)):
            logger.info("Call %s is no longer wanted: it rings no more.", call_id)
            with suppress(BaresipError, KeyError):
                await self._ringing[call_id].hangup()

    async def close(self, seconds: float) -> None:
        """Those that go on may end by themselves for so long; what is left then is hung up."""
        if self.tasks:
            logger.info("%d calls may go on for %.0f s.", len(self.tasks), seconds)
            await asyncio.wait(self.tasks, timeout=seconds)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    # ---- in ---------------------------------------------------------------------------------

    async def _incoming(self, carried: Carried, call: Call) -> None:
        try:
            await self._taken(carried, call)
        finally:  # of a call that was carried this finds nothing left
            await asyncio.shield(_reject(call))

    async def _taken(self, carried: Carried, call: Call) -> None:
        facts = carried.facts
        source = await self._sources.of(call.call_id or "")
        if not await carried.admits(source):
            logger.warning(
                "A call on SIP line %s from %s was turned away: add that address to the line's allowed peers "
                "if it may ring it.",
                facts.label,
                source or "nowhere known",
            )
            return
        announced = await in_database(
            records.announce,
            facts.pk,
            sip_call_id=call.call_id or "",
            caller=user_of(call.peer or ""),
            callee=user_of(call.headers.get("CALLED_DID") or call.headers.get("To", "")) or facts.user,
        )
        if announced is None:
            logger.warning("A call on SIP line %s was turned away: no agent takes it.", facts.label)
            return
        if isinstance(announced, Forward):
            await self._forward(announced, carried, call)
            return
        if isinstance(announced, Sentence):
            await tell(announced, call)
            return
        bridge = await self._bridge_while_it_rings(announced, call)
        if bridge and await _answered(call):
            await self._carry(announced, carried, call, bridge)
            return
        try:
            if call.state is CallState.CLOSED:
                await in_database(records.given_up_by_caller, announced.call_id)
            else:
                await _reject(call)
                await in_database(records.never_answered, announced.call_id)
        finally:
            if bridge:
                await bridge.close()

    async def _forward(self, forward: Forward, carried: Carried, call: Call) -> None:
        try:
            await call.answer()
            await call.wait_established()
            if await self._put_through(forward.of, carried, call, forward.number) != "answered":
                await say(call, forward.sorry)
        except BaresipError as error:
            logger.info("Call %s was not put through, as its caller gave up: %s", forward.of, error)
        finally:
            await asyncio.shield(hang_up(call))

    # ---- out --------------------------------------------------------------------------------

    async def _outgoing(self, carried: Carried, outgoing: Outgoing) -> None:
        call_id = outgoing.call_id
        try:
            call = await carried.dial(outgoing.number, lambda event: self._rang(call_id, event))
        except (BaresipError, ValueError) as error:
            await in_database(records.told, call_id, Status.FAILED, str(error))
            return
        try:
            if await self._answers(call, call_id):
                await self._serve(carried, call, outgoing)
        finally:
            await asyncio.shield(hang_up(call))

    async def _answers(self, call: Call, call_id: UUID) -> bool:
        self._ringing[call_id] = call
        try:
            await call.wait_established(RING_SECONDS)
        except CallFailed as error:
            await in_database(records.told, call_id, *outcome_of(error))
            return False
        finally:
            del self._ringing[call_id]
        return True

    async def _serve(self, carried: Carried, call: Call, outgoing: Outgoing) -> None:
        call_id = outgoing.call_id
        await press(call, outgoing.send_digits)
        announced = await in_database(records.picked_up, call_id, sip_call_id=call.call_id or "")
        bridge = await self._bridge(announced) if announced else None
        if announced is None or bridge is None:
            await hang_up(call)
            await in_database(records.told, call_id, Status.FAILED)
            return
        try:
            async with asyncio.timeout(None) as longest:
                ending = asyncio.create_task(_end_in_time(outgoing, longest))
                try:
                    await self._carry(announced, carried, call, bridge)
                finally:
                    ending.cancel()
        except TimeoutError:
            if not longest.expired():
                raise
            logger.error("Call %s was hung up: it had lasted as long as it may.", call_id)

    def _rang(self, call_id: UUID, event: Any) -> None:
        if event.event is Event.CALL_RINGING:
            self._spawn(_tell_ringing(call_id))

    # ---- both -------------------------------------------------------------------------------

    async def _bridge_while_it_rings(self, announced: Announced, call: Call) -> Bridge | None:
        """None as well where its caller gives up meanwhile, who is waited for no longer."""
        opening = asyncio.create_task(self._bridge(announced))
        given_up = asyncio.create_task(_closed(call))
        try:
            await asyncio.wait([opening, given_up], return_when=asyncio.FIRST_COMPLETED)
            return opening.result() if opening.done() else None
        finally:
            opening.cancel()
            given_up.cancel()

    async def _bridge(self, announced: Announced) -> Bridge | None:
        """None, said in the log, where the web process does not take the call."""
        try:
            return await Bridge.open(
                self._server, token=announced.token, provider_call_id=announced.provider_call_id
            )
        except NotTaken as error:
            logger.error("Call %s was turned away: %s.", announced.call_id, error)
            return None

    async def _carry(self, announced: Announced, carried: Carried, call: Call, bridge: Bridge) -> None:
        referral = Referral(announced.call_id, carried, call)
        try:
            ended = await bridge.carry(call)
            while ended is None and (successor := await referral.successor()):
                call, referral = successor, Referral(announced.call_id, carried, successor)
                ended = await bridge.carry(call)
        except BaseException:  # we stop, or failed
            farewell = (bridge.close(restarting=True), referral.give_up(), hang_up(call))
            await asyncio.shield(asyncio.gather(*farewell))
            raise
        await referral.give_up()
        await bridge.close()
        if call.state is CallState.CLOSED:
            return
        try:
            await self._finish(announced, carried, call, ended)
        finally:
            await asyncio.shield(hang_up(call))

    async def _finish(self, announced: Announced, carried: Carried, call: Call, ended: Ended | None) -> None:
        """The peer is still there."""
        transfer_to = ended.transfer_to if ended else announced.failure_number
        if ended is None:
            logger.error("The web server vanished in the middle of call %s.", announced.call_id)
            await in_database(records.web_is_gone, announced.call_id, transfer_to=transfer_to)
        elif ended.reason == "server_restarted":
            transfer_to = announced.failure_number
        if ended is None or ended.reason == "server_restarted":
            await say(call, announced.last_words)
        if transfer_to:
            status = await self._put_through(announced.call_id, carried, call, transfer_to)
            await in_database(records.transfer_ended, announced.call_id, status)
            if status != "answered":
                await say(call, announced.sorry)

    async def _put_through(
        self, call_id: UUID | str, carried: Carried, call: Call, number: str
    ) -> TransferStatus:
        """What holds for calls that we place holds for those that we pass on, whoever named the number."""
        if why := await asking(records.why_not, carried.facts.pk, call_id, transfer_to=number):
            logger.warning("Call %s was not put through: %s", call_id, why)
            return "refused"
        try:
            await call.transfer(f"sip:{number}@{carried.facts.domain}", timeout=TRANSFER_SECONDS)
        except (BaresipError, ValueError) as error:
            logger.warning("Call %s could not be put through: %s", call_id, error)
            if isinstance(error, TransferFailed):  # else nobody knows what the peer does yet
                await in_database(records.not_passed_on, carried.facts.pk, call_id, transfer_to=number)
            return TRANSFERS.get(getattr(error, "status", None) or 0, "failed")
        return "answered"

    async def _on(self, carried: Carried, work: Coroutine[Any, Any, None]) -> None:
        carried.calls += 1
        try:
            await work
        finally:
            carried.calls -= 1

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A SIP call failed.", exc_info=error)


async def _tell_ringing(call_id: UUID) -> None:
    await in_database(records.told, call_id, Status.RINGING)


async def _end_in_time(outgoing: Outgoing, longest: asyncio.Timeout) -> None:
    """Let `longest` expire once the call has lasted as long as it may, which is longer for whoever has taken
    it over meanwhile."""
    loop, call_id, may_last = asyncio.get_running_loop(), outgoing.call_id, outgoing.most_seconds
    answered = loop.time()
    while may_last is not None and (left := answered + may_last - loop.time()) > 0:
        await asyncio.sleep(left)
        with suppress(Error, Row.DoesNotExist):  # then it lasts no longer than it was meant to
            may_last = await in_database(records.may_last, call_id)
    if may_last is None:
        return
    with suppress(Error):
        await in_database(records.has_lasted, call_id)
    longest.reschedule(loop.time())


async def _closed(call: Call) -> None:
    """Until it is."""
    closed = asyncio.Event()

    def told(event: Any) -> None:
        if event.event is Event.CALL_CLOSED:
            closed.set()

    call.on(told)
    try:
        if call.state is not CallState.CLOSED:
            await closed.wait()
    finally:
        call.off(told)


async def _answered(call: Call) -> bool:
    """False where its caller gave up first, or the answer did not get through to them."""
    try:
        await call.answer()
        await call.wait_established()
    except BaresipError:
        return False
    return call.state is not CallState.CLOSED


async def _reject(call: Call) -> None:
    if call.state is not CallState.CLOSED:
        with suppress(BaresipError):
            await call.reject()


def outcome_of(error: CallFailed) -> tuple[Status, str]:
    """The state of a call that was not answered, and the peer's words for it."""
    if isinstance(error, CallTimeout):
        return Status.NO_ANSWER, f"no answer within {RING_SECONDS:.0f} s"
    words = f"{error.status} {error.reason}" if error.status else error.reason or str(error)
    return STATUSES.get(error.status or 0, Status.FAILED), words
