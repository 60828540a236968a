"""A peer that passes us on: it asks us (REFER) to go on with somebody else, whom we call.

Whoever may ring a line could have it call anybody, at its owner's cost. So a line takes none unless it is
told to, and then only for its own exchange, where what holds for other calls of the line holds too.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from uuid import UUID

from baresip import BaresipError, Call, CallState, TransferRequest

from ..threads import DatabaseThreads
from . import records
from .lines import Carried
from .records import LineFacts

logger = logging.getLogger(__name__)

RING_SECONDS = 60.0

in_database = DatabaseThreads(1, "sip referrals")


class Referral:
    """What the peer of one call asks for, if it does."""

    def __init__(self, call_id: UUID, carried: Carried, call: Call) -> None:
        self._call_id = call_id
        self._carried = carried
        self._call = call
        self._following: asyncio.Task[Call | None] | None = None
        call.on_transfer_request(self._asked)

    async def successor(self) -> Call | None:
        """The call that takes the place of the one that is over; None if there is none."""
        return await self._following if self._following else None

    async def give_up(self) -> None:
        """Nobody wants to go on."""
        if self._following is None:
            return
        self._following.cancel()
        with suppress(asyncio.CancelledError):
            if successor := await self._following:
                await hang_up(successor)

    def _asked(self, request: TransferRequest) -> None:
        if self._following is None or self._following.done():
            self._following = asyncio.get_running_loop().create_task(self._follow(request))

    async def _follow(self, request: TransferRequest) -> Call | None:
        """The stack ends the first call once the second is answered, and keeps it if that fails."""
        facts = self._carried.facts
        number = user_of(request.target)
        if why := refusal(request, facts) or await in_database(
            records.why_not, facts.pk, self._call_id, transfer_to=number
        ):
            logger.warning("Call %s is not passed on, as its peer wants: %s", self._call_id, why)
            with suppress(BaresipError):
                await self._call.reject_transfer()
            return None
        try:
            successor = await self._carried.follow(self._call)
        except BaresipError as error:
            logger.warning("Call %s could not be passed on: %s", self._call_id, error)
            await in_database(records.not_passed_on, facts.pk, self._call_id, transfer_to=number)
            return None
        try:
            await successor.wait_established(RING_SECONDS)
        except BaresipError as error:
            logger.warning("Call %s could not be passed on: %s", self._call_id, error)
            await in_database(records.not_passed_on, facts.pk, self._call_id, transfer_to=number)
            return None
        except asyncio.CancelledError:
            await asyncio.shield(hang_up(successor))
            raise
        await in_database(records.passed_on, facts.pk, self._call_id, number=number)
        return successor


def refusal(request: TransferRequest, facts: LineFacts) -> str:
    """Why a line does not do what its peer asks; "" where the number has to be looked at."""
    if not facts.takes_transfers:
        return "the line does not take transfers."
    if request.method != "INVITE" or not user_of(request.target):
        return "it asks for something else than a call."
    if host_of(request.target) not in (facts.domain, facts.host):
        return "it leads away from the line's own exchange."
    return ""


def user_of(address: str) -> str:
    """The part before the @ of `"Name" <sip:user@host;parameters>`, a telephone number as a rule."""
    bare = address.rpartition("<")[2].partition(">")[0].strip()
    bare = bare.removeprefix("sips:").removeprefix("sip:").removeprefix("tel:")
    return bare.partition(";")[0].partition("@")[0]


def host_of(address: str) -> str:
    """What follows the @, without port and parameters; "" where there is none."""
    host = address.partition("@")[2].partition(";")[0].partition(">")[0]
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


async def hang_up(call: Call) -> None:
    if call.state is not CallState.CLOSED:
        with suppress(BaresipError):
            await call.hangup()
