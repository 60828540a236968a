"""Two web processes on Redis: a call is held by one and watched, or hung up, from the other."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect

from telephony.models import Call, CallEvent, PhoneNumber
from telephony.providers.twilio.simulator import Carrier, Stream
from tests.telephony.conftest import NUMBER, Server, free_port, start_server, wait_until
from voiceforge_site.models import User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
]


@pytest.fixture
def redis_url() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
    )
    time.sleep(0.3)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()


@pytest.fixture
def servers(
    transactional_db: None, number: PhoneNumber, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Server, Server]]:
    monkeypatch.setenv("REDIS_URL", redis_url)
    both = start_server(), start_server()
    yield both
    for server in both:
        server.kill()


QUIET_SECONDS = 7  # longer than channels_redis waits for a message before it asks Redis again


class Operator:
    """A signed-in browser at one of the servers."""

    def __init__(self, user: User, server: Server) -> None:
        browser = Client()
        browser.force_login(user)
        self._server = server
        self._cookies = f"sessionid={browser.session.session_key}"

    def socket(self, path: str) -> connect:
        url = self._server.url.replace("http", "ws") + path
        return connect(url, additional_headers={"Cookie": self._cookies})

    async def post(self, path: str, **form: str) -> int:
        async with httpx.AsyncClient(base_url=self._server.url) as client:
            token = (await client.get("/login/")).cookies["csrftoken"]
            headers = {
                "Cookie": f"{self._cookies}; csrftoken={token}",
                "X-CSRFToken": token,
                "Origin": self._server.url,
                "X-Requested-With": "fetch",
            }
            return (await client.post(path, data=form, headers=headers)).status_code


@asynccontextmanager
async def calling(server: Server) -> AsyncIterator[tuple[Call, Stream]]:
    """A caller on the line of that server."""
    carrier = Carrier(server.account(), caller="+14155550199", callee=NUMBER)
    told = await carrier.ring()
    call = await Call.objects.aget()
    async with carrier.socket(told.socket_path) as socket:
        stream = Stream(socket, account_sid=server.account().sid, call_sid=carrier.call_sid)
        listening = asyncio.create_task(stream.listen())
        await stream.start(told.parameters)
        yield call, stream
        listening.cancel()


def test_the_other_process_sees_the_call_and_hangs_it_up(servers: tuple[Server, Server], bob: User) -> None:
    holder, watcher = servers
    browser = Operator(bob, watcher)
    seen: list[dict[str, Any]] = []

    async def watch(call: Call) -> None:
        async with browser.socket("/ws/live/") as socket:
            await socket.send(json.dumps({"sub": "call", "call": str(call.pk), "since": 0}))
            async for text in socket:
                message = json.loads(text)
                seen.extend(message["events"] if message["t"] == "call" else [])
                seen.extend([message["event"]] if message["t"] == "event" else [])
                if any(event["kind"] == "call_ended" for event in seen):
                    return

    async def talk() -> None:
        async with calling(holder) as (call, stream):
            watching = asyncio.create_task(watch(call))
            for _ in range(75):
                await stream.tick()
                await asyncio.sleep(0.02)
            assert await browser.post(f"/calls/{call.pk}/hang-up/") == 204
            async with asyncio.timeout(15):
                await watching
                await stream.ended.wait()

    asyncio.run(talk())
    call = Call.objects.get()
    assert call.end_reason == "operator_hung_up"
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert {"call_answered", "agent_said", "call_ended"} <= {event["kind"] for event in seen}


def test_a_page_on_which_nothing_happens_stays_connected(servers: tuple[Server, Server], bob: User) -> None:
    browser = Operator(bob, servers[0])

    async def watch() -> None:
        async with browser.socket("/ws/live/") as socket:
            await asyncio.sleep(QUIET_SECONDS)
            await socket.send(json.dumps({"ping": 1}))
            async with asyncio.timeout(5):
                assert json.loads(await socket.recv()) == {"t": "pong"}

    asyncio.run(watch())


def test_an_operator_at_the_other_process_listens_and_takes_over(
    servers: tuple[Server, Server], bob: User
) -> None:
    holder, watcher = servers
    operator = Operator(bob, watcher)
    hum, voice = (np.full(160, level, "<i2").tobytes() for level in (6000, -9000))  # 20 ms
    heard = bytearray()
    told: list[dict[str, Any]] = []

    def holds() -> bool:
        people = [message["people"] for message in told if message["t"] == "people"]
        return bool(people) and any(person["holds"] for person in people[-1])

    async def receive(page: ClientConnection) -> None:
        async for message in page:
            if isinstance(message, bytes):
                heard.extend(message)
            else:
                told.append(json.loads(message))

    async def talk() -> None:
        async with calling(holder) as (call, stream), operator.socket(f"/ws/calls/{call.pk}/attend/") as page:
            receiving = asyncio.create_task(receive(page))
            await page.send(json.dumps({"listen": True}))

            async def until(condition: Callable[[], bool]) -> None:
                for _ in range(500):
                    stream.say(hum)
                    await stream.tick()
                    await page.send(voice)  # which nobody wants before the call is taken over
                    if condition():
                        return
                    await asyncio.sleep(0.02)
                raise AssertionError(told)

            await until(lambda: len(heard) > 32_000)
            assert level_of(stream.agent_leg[-800:]) > -8000
            assert await operator.post(f"/calls/{call.pk}/take-over/") == 204
            await until(holds)
            await until(lambda: level_of(stream.agent_leg[-800:]) < -8000)
            assert await operator.post(f"/calls/{call.pk}/give-back/", note="All is well.") == 204
            await until(lambda: not holds())
            receiving.cancel()

    asyncio.run(talk())
    left = np.frombuffer(heard[: len(heard) // 4 * 4], "<i2")[::2]
    assert abs(int(left.max()) - 6000) < 200, "the caller hums"
    expected = {"operator_listened", "operator_took_over", "operator_gave_back"}
    wait_until(lambda: expected <= set(CallEvent.objects.values_list("kind", flat=True)))


def level_of(sound: bytes | bytearray) -> float:
    return float(np.median(np.frombuffer(sound, "<i2"))) if sound else 0.0
