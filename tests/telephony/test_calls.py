"""Whole calls through a real server: signed webhook, socket, session, recording, end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from telephony.models import Call
from telephony.providers.twilio.simulator import Caller, Carrier, Instructions, Stream
from tests.telephony.conftest import NUMBER, Server, kinds_of, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def voice(seconds: float, *, rate: int = 8000) -> bytes:
    """Sound that the stand-in for voice detection takes for speech."""
    return (np.sin(np.arange(int(rate * seconds)) * 0.3) * 6000).astype("<i2").tobytes()


async def call_in(server: Server, turns: Sequence[bytes]) -> tuple[Carrier, Instructions, Stream]:
    carrier = Carrier(server.account(), caller="+14155550199", callee=NUMBER)
    told = await carrier.ring()
    async with carrier.socket(told.socket_path) as socket:
        stream = Stream(socket, account_sid=server.account().sid, call_sid=carrier.call_sid)
        listening = asyncio.create_task(stream.listen())
        await stream.start(told.parameters)
        await Caller(stream, turns).talk()
        await listening
    return carrier, told, stream


def test_a_caller_rings_talks_and_hangs_up(server: Server) -> None:
    carrier, told, _ = asyncio.run(call_in(server, [voice(1.0)]))

    call = Call.objects.get(provider_call_id=carrier.call_sid)
    wait_until(lambda: "recording_saved" in kinds_of(call))
    call.refresh_from_db()
    assert told.verbs == ("Connect", "Redirect")
    assert call.status == "completed"
    assert call.end_reason == "caller_hung_up"
    assert call.card["words"] == "You said: what are your opening hours?"
