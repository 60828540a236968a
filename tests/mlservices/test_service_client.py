"""The client of our own ML service, by its streaming face."""

import asyncio
import socket
import threading
from contextlib import aclosing
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from mlservices.clients import service
from mlservices.clients.service import ServiceClient
from mlservices.clients.service_model import ServiceModel
from mlservices.errors import EngineBusy, EngineError, EngineTimeout
from mlservices.service.app import create_app
from mlservices.types import ChatMessage, Tool, ToolCall
from tests.mlservices import stand_ins
from tests.mlservices.conftest import serving, stand_in_plans, wait_until_healthy

SECOND = b"\x10\x00" * 16000


@pytest.fixture
async def client(stand_in_service):
    client = ServiceClient(stand_in_service)
    yield client
    await client.close()


async def spoken(client, text, rate=16000):
    async with aclosing(client.speak(text, rate=rate)) as chunks:
        return [chunk async for chunk in chunks]


async def test_it_hears_speaks_replies_and_judges(client):
    transcript = await client.transcribe(SECOND, rate=16000)
    assert (transcript.text, transcript.duration_seconds, transcript.engine) == (
        "1.0 seconds",
        1.0,
        "stand-in",
    )
    assert transcript.segments[0].end == 1.0
    assert transcript.timing.compute_seconds > 0
    chunks = await spoken(client, "hello", rate=8000)
    assert sum(len(chunk.pcm) for chunk in chunks) == stand_ins.PIECES * 800 * 2
    assert {(chunk.rate, chunk.engine) for chunk in chunks} == {(8000, "stand-in-tts")}
    messages = [ChatMessage("system", "s"), ChatMessage("user", "good day")]
    assert "".join([delta.text async for delta in client.reply(messages)]) == "[2] good day"
    rows = await client.embed(["a", "bcd"])
    assert rows.shape == (2, 2)
    assert rows.dtype == np.float32
    assert (await client.judge(SECOND[:16000], rate=16000)).completeness == pytest.approx(0.5)


async def test_one_of_its_models_is_asked_by_name(client):
    messages = [ChatMessage("user", "good day")]
    deltas = [delta async for delta in ServiceModel(client, "stand-in-llm").reply(messages)]
    assert "".join(delta.text for delta in deltas) == "[1] good day"
    assert {delta.engine for delta in deltas} == {"stand-in-llm"}
    with pytest.raises(EngineError, match="gone"):
        async for _ in ServiceModel(client, "gone").reply(messages):
            pass


async def test_it_finds_where_somebody_speaks_and_shows_the_services_measures(client):
    loud = (b"\x00\x40" * 8 + b"\x00\xc0" * 8) * 500
    (segment,) = await client.detect(bytes(8000) + loud + bytes(8000), rate=8000)
    assert 0.2 < segment.start < 0.6 < 1.3 < segment.end < 1.7
    assert "voiceforge_ml_requests" in await client.metrics()


async def test_a_model_is_chosen_by_its_id(client):
    transcript = await client.transcribe(SECOND, rate=16000, model="stand-in-stt", priority="batch")
    assert transcript.text == "1.0 seconds"
    async with aclosing(client.speak("hello", rate=16000, model="stand-in-stt")) as chunks:
        with pytest.raises(EngineError, match="no model 'stand-in-stt' for this") as caught:
            await anext(chunks)
    assert set(caught.value.fields) == {"model"}
    assert caught.value.permanent


async def test_it_counts_the_tokens_of_texts_and_tells_the_limit(client):
    counted = await client.count_tokens(["good day to you", ""])
    assert (counted.counts, counted.limit, counted.model) == ((4, 0), 50, "Stand-in llm")


async def test_tools_are_offered_called_and_answered(client):
    tool = Tool("look_up", "Looks something up.", {"type": "object"})
    asked = ChatMessage("user", "good day")
    deltas = [delta async for delta in client.reply([asked], tools=[tool])]
    (call,) = [delta.tool_call for delta in deltas if delta.tool_call]
    assert call == ToolCall("call_0", "look_up", {"said": "good day", "type": "object"})
    assert "".join(delta.text for delta in deltas) == "[1] good day"
    result = ChatMessage("tool", "it rains", tool_call_id=call.id)
    told = [ChatMessage("assistant", "", (call,)), result]
    answer = "".join([delta.text async for delta in client.reply([asked, *told])])
    assert answer == "look_up {'said': 'good day', 'type': 'object'} call_0: [3] it rains"


async def test_a_service_without_the_streaming_face_offers_no_tools():
    async def models(request):
        return JSONResponse({"available_models": {}})

    with serving(Starlette(routes=[Route("/api/models", models)])) as url:
        client = ServiceClient(url)
        tool = Tool("look_up", "", {"type": "object"})
        with pytest.raises(EngineError, match="does not offer tools") as caught:
            [delta async for delta in client.reply([ChatMessage("user", "hi")], tools=[tool])]
        await client.close()
    assert caught.value.permanent


async def test_many_requests_share_one_connection(client, stand_in_service):
    for _ in range(5):
        await client.embed(["x"])
        await spoken(client, "hello")
    (pool,) = [client._clients.get()._transport._pool]
    assert len(pool.connections) == 1


async def test_no_texts_have_no_rows_and_no_words_have_no_sound(client):
    assert (await client.embed([])).shape[0] == 0
    assert await spoken(client, "  ") == []


async def test_closing_a_sentence_in_the_middle_frees_the_voice(client):
    chunks = client.speak("endless", rate=16000)
    await anext(chunks)
    await chunks.aclose()
    async with asyncio.timeout(20):
        assert await spoken(client, "hello")


async def test_cancelling_a_task_frees_the_voice(client):
    speaking = asyncio.create_task(spoken(client, "endless"))
    async with asyncio.timeout(20):
        while (await client.health())["pools"]["tts"]["workers"][0]["state"] != "busy":
            await asyncio.sleep(0.02)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        assert await spoken(client, "hello")


async def test_what_an_engine_refuses_is_permanent(client):
    with pytest.raises(EngineError, match="cannot say this") as caught:
        await spoken(client, "refuse")
    assert caught.value.permanent


async def test_a_voice_that_breaks_in_the_middle_is_an_error_after_what_came(client):
    chunks = []
    with pytest.raises(EngineError, match="middle of the answer"):
        async for chunk in client.speak("break", rate=16000):
            chunks.append(chunk)
    assert len(chunks) == 2
    wait_until_healthy(str(client._clients.get().base_url).rstrip("/"))


async def test_a_voice_that_hangs_is_a_timeout(client):
    with pytest.raises(EngineTimeout):
        await spoken(client, "hang")
    wait_until_healthy(str(client._clients.get().base_url).rstrip("/"))


async def test_a_full_queue_says_when_to_come_back(tmp_path):
    with serving(create_app(stand_in_plans(queue_limit=1), tmp_path)) as url:
        wait_until_healthy(url)
        client = ServiceClient(url)
        asked = [asyncio.create_task(spoken(client, "slow")) for _ in range(8)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        await client.close()
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert refused
    assert all(isinstance(busy, EngineBusy) and busy.retry_after >= 1 for busy in refused)
    assert {busy.service for busy in refused} == {"tts"}
    assert all(urlsplit(url).netloc in str(busy) for busy in refused)


async def test_a_burst_beyond_all_connections_says_when_to_come_back(monkeypatch):
    monkeypatch.setattr(service, "_STREAM_TIMEOUT", httpx.Timeout(30, pool=0.2))
    enough = threading.Event()

    async def slow(scope, receive, send):
        while scope["type"] == "http" and not enough.is_set():
            await asyncio.sleep(0.05)
        await JSONResponse({"error": "no words"}, status_code=422)(scope, receive, send)

    with serving(slow) as url:
        client = ServiceClient(url)
        burst = [asyncio.create_task(client.transcribe(SECOND, rate=16000)) for _ in range(230)]
        async with asyncio.timeout(20):
            while sum(each.done() for each in burst) < 30:
                await asyncio.sleep(0.05)
        enough.set()
        errors = await asyncio.gather(*burst, return_exceptions=True)
        await client.close()
    busy = [error for error in errors if isinstance(error, EngineBusy) and error.retry_after >= 1]
    assert len(busy) == 30
    assert sum("no words" in str(error) for error in errors) == 200


async def test_a_machine_too_busy_to_connect_to_itself_says_when_to_come_back(monkeypatch):
    monkeypatch.setattr(service, "_STREAM_TIMEOUT", httpx.Timeout(10, connect=0.3))
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):  # which nobody takes: there is no room for a second one
            client = ServiceClient(f"http://127.0.0.1:{address[1]}")
            with pytest.raises(EngineBusy, match="no room for another request") as caught:
                await client.transcribe(SECOND, rate=16000)
            await client.close()
    assert caught.value.retry_after >= 1


async def test_a_service_that_was_restarted_is_asked_again_by_the_same_client(tmp_path):
    with serving(create_app(stand_in_plans(), tmp_path)) as url:
        wait_until_healthy(url)
        client = ServiceClient(url)
        assert (await client.embed(["x"])).shape == (1, 2)
    with pytest.raises(EngineError, match="cannot be reached") as caught:
        await client.embed(["x"])
    assert not caught.value.permanent
    assert caught.value.service == "embed"
    with serving(create_app(stand_in_plans(), tmp_path), port=int(url.rpartition(":")[2])):
        with pytest.raises(EngineBusy, match="loading"):
            await client.embed(["x"])
        wait_until_healthy(url)
        assert (await client.embed(["x"])).shape == (1, 2)
    await client.close()


def test_one_client_serves_several_event_loops_one_after_another(stand_in_service):
    client = ServiceClient(stand_in_service)
    for _ in range(2):
        assert asyncio.run(client.embed(["x"])).shape == (1, 2)
