"""Two web processes on Redis: a call is held by one and watched, or hung up, from the other."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.test import Client
from websockets.asyncio.client import connect

from telephony.models import Call, PhoneNumber
from telephony.providers.twilio.simulator import Carrier, Stream
from tests.telephony.conftest import NUMBER, Server, free_port, start_server
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


def test_the_other_process_sees_the_call_and_hangs_it_up(servers: tuple[Server, Server], bob: User) -> None:
    holder, watcher = servers
    browser = Client()
    browser.force_login(bob)
    cookies = f"sessionid={browser.session.session_key}"
    seen: list[dict[str, Any]] = []

    async def watch(call: Call) -> None:
        url = watcher.url.replace("http", "ws") + "/ws/live/"
        async with connect(url, additional_headers={"Cookie": cookies}) as socket:
            await socket.send(json.dumps({"sub": "call", "call": str(call.pk), "since": 0}))
            async for text in socket:
                message = json.loads(text)
                seen.extend(message["events"] if message["t"] == "call" else [])
                seen.extend([message["event"]] if message["t"] == "event" else [])
                if any(event["kind"] == "call_ended" for event in seen):
                    return

    async def hang_up(call: Call) -> int:
        async with httpx.AsyncClient(base_url=watcher.url) as client:
            page = await client.get("/login/")
            token = page.cookies["csrftoken"]
            answer = await client.post(
                f"/calls/{call.pk}/hang-up/",
                headers={
                    "Cookie": f"{cookies}; csrftoken={token}",
                    "X-CSRFToken": token,
                    "Origin": watcher.url,
                    "X-Requested-With": "fetch",
                },
            )
            return answer.status_code

    async def talk() -> None:
        carrier = Carrier(holder.account(), caller="+14155550199", callee=NUMBER)
        told = await carrier.ring()
        call = await Call.objects.aget()
        async with carrier.socket(told.socket_path) as socket:
            stream = Stream(socket, account_sid=holder.account().sid, call_sid=carrier.call_sid)
            listening = asyncio.create_task(stream.listen())
            await stream.start(told.parameters)
            watching = asyncio.create_task(watch(call))
            for _ in range(75):
                await stream.tick()
                await asyncio.sleep(0.02)
            assert await hang_up(call) == 204
            async with asyncio.timeout(15):
                await watching
                await listening

    asyncio.run(talk())
    call = Call.objects.get()
    assert call.end_reason == "operator_hung_up"
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert {"call_answered", "agent_said", "call_ended"} <= {event["kind"] for event in seen}
