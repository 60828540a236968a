"""A web server that is told to stop ends its calls: nothing is left to the next start."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from telephony.models import Call, Recording
from telephony.providers.twilio.simulator import Carrier, Stream
from tests.telephony.conftest import NUMBER, Server, kinds_of

pytestmark = pytest.mark.django_db(transaction=True)

SPOKEN_SECONDS = 1.5  # shorter than a piece of a recording


@pytest.mark.parametrize("server", ["daphne", "uvicorn", "granian"], indirect=True)
def test_its_calls_are_ended_and_their_recordings_kept(server: Server) -> None:
    async def talk() -> None:
        carrier = Carrier(server.account(), caller="+14155550199", callee=NUMBER)
        told = await carrier.ring()
        async with carrier.socket(told.socket_path) as socket:
            stream = Stream(socket, account_sid=server.account().sid, call_sid=carrier.call_sid)
            listening = asyncio.create_task(stream.listen())
            await stream.start(told.parameters)
            for _ in range(int(SPOKEN_SECONDS * 50)):
                await stream.tick()
                await asyncio.sleep(0.02)
            server.process.terminate()
            async with asyncio.timeout(10):
                await asyncio.gather(listening, return_exceptions=True)

    with suppress(ConnectionClosed):  # how it closes is the server's affair
        asyncio.run(talk())
    server.process.wait(timeout=10)

    call = Call.objects.get()
    assert (call.status, call.end_reason, call.held_at) == ("completed", "server_restarted", None)
    assert kinds_of(call)[-2:] == ["call_ended", "recording_saved"]
    assert Recording.objects.get().duration_seconds == pytest.approx(SPOKEN_SECONDS, abs=0.3)
