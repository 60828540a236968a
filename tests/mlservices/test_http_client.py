"""Names of servers that are none: faults in our words, wherever they stand."""

from __future__ import annotations

import httpx
import pytest

from mlservices.clients.addresses import is_loopback
from mlservices.clients.http import LoopClients, Party, fetch
from mlservices.errors import EngineError, Outcome
from telephony.providers.zadarma.client import ZadarmaError
from telephony.providers.zadarma.recordings import download
from tests.mlservices.conftest import serving

NONE = {
    "Punycode that is none": "http://xn--a/",
    "a snowman": "http://\u2603..com/",
    "a long label": f"http://{'a' * 64}.com/",
    "half a sign": "http://\ud800.com/",
}
API = "https://api.zadarma.com"


async def _asked(address: str) -> EngineError:
    clients = LoopClients("", timeout=httpx.Timeout(5))
    with pytest.raises(EngineError) as refused:
        await fetch(clients.get(), "GET", address, party=Party("It", "ITS_URL"), kind="stt", seconds=5)
    await clients.close()
    return refused.value


@pytest.mark.parametrize("address", NONE.values(), ids=NONE)
async def test_who_asks_where_nobody_can_be_is_told_so(address: str) -> None:
    error = await _asked(address)
    assert error.outcome == Outcome.UNREACHABLE
    assert "is ITS_URL right" in str(error)


@pytest.mark.parametrize("address", NONE.values(), ids=NONE)
def test_such_a_name_is_not_this_machine(address: str) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize("address", NONE.values(), ids=NONE)
async def test_who_is_sent_there_is_told_so(address: str) -> None:
    async def elsewhere(scope, receive, send):
        sent = {"status": 302, "headers": [(b"location", address.encode(errors="replace"))]}
        await send({"type": "http.response.start", **sent})
        await send({"type": "http.response.body", "body": b""})

    with serving(elsewhere) as url:
        clients = LoopClients(url, timeout=httpx.Timeout(5))
        try:
            answer = await fetch(clients.get(), "GET", "/", party=Party("It"), kind="stt", seconds=5)
            assert answer.status == 302
        except EngineError as error:
            assert error.outcome == Outcome.UNREACHABLE
        await clients.close()


@pytest.mark.parametrize("link", NONE.values(), ids=NONE)
async def test_a_recording_that_is_said_to_lie_there_is_refused(link: str) -> None:
    with pytest.raises(ZadarmaError, match="somebody who is not Zadarma"):
        await download(link, api=API)
