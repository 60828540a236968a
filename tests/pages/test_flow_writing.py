"""Having flows written, from their pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import AsyncClient, Client

from agents.models import Flow, Tool
from mlservices.models.usage import UsageRow
from tests.agents.flow.samples import MENU
from tests.agents.flows.test_generation import GOOD, WRONG, Writer
from tests.fakes.openai import event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings: Any) -> Iterator[Writer]:
    server = Writer(GOOD)
    with server.served() as url:
        settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-swordfish"
        settings.AI_INTEGRATIONS_OPENAI_BASE_URL = url
        yield server


@pytest.fixture
async def browser(alice: Any) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(alice)
    return client


async def lines(browser: AsyncClient, **what: Any) -> list[dict[str, Any]]:
    answer = await browser.post("/flows/generate/write/", json.dumps(what), content_type="application/json")
    assert answer.status_code == 200, answer.content
    content = b"".join([piece async for piece in answer.streaming_content])
    return [json.loads(each) for each in content.splitlines()]


async def test_progress_is_told_line_by_line_and_then_the_flow(browser, server):
    await Tool.objects.acreate(name="book", url="https://booking.test/")
    server.answers = [(WRONG, "stop"), (GOOD, "stop")]
    told = await lines(browser, description="Book tables.")
    stages = [each["stage"] for each in told]
    assert list(dict.fromkeys(stages)) == ["asking", "checking", "mending", "done"]
    assert told[-1]["graph"]["name"] == "Tables" and told[-1]["problems"] == []
    assert told[-1]["tokens"] == 2000 and told[-2]["characters"] > 100
    assert "swordfish" not in json.dumps(told)


async def test_a_change_is_told_in_words(browser, server):
    changed = {name: MENU[name] for name in ("name", "nodes", "edges")}
    changed = json.loads(json.dumps(changed).replace("Sales or support?", "Buy or mend?"))
    server.answers = [(changed, "stop")]
    told = (await lines(browser, description="Other words.", graph=MENU))[-1]
    assert len(told["changes"]) == 1 and "Words" in told["changes"][0]
    assert list(told["drawn"]["lit"].values()) == ["changed"]


@pytest.mark.parametrize(
    "what, status, reason",
    [
        ({}, 400, "description"),
        ({"description": " "}, 400, "1 to 4000 characters"),
        ({"description": "x" * 5_000}, 400, "1 to 4000 characters"),
        *(
            ({"description": "x", "graph": graph}, 400, reason)
            for graph, reason in (
                ([], "This has to be an object"),
                ({"nodes": 5}, "“nodes” has to be a list"),
                ({"nodes": ["a"]}, "Step 1: This has to be an object"),
                ({"nodes": [], "edges": [None]}, "Connection 1: This has to be an object"),
                ({"intents": [[]]}, "What callers can say anywhere 1: This has to be an object"),
            )
        ),
        ([], 400, "description"),
    ],
)
def test_what_is_sent_wrongly_is_named(alices_browser: Client, server, what, status, reason):
    answer = alices_browser.post("/flows/generate/write/", json.dumps(what), content_type="application/json")
    assert answer.status_code == status and reason in answer.json()["error"] and not server.asked


async def test_what_goes_wrong_on_the_way_is_the_last_line(browser, server):
    server.answers = [("I'd rather not.", "stop")]
    assert "say it in other words" in (await lines(browser, description="x"))[-1]["error"]
    server.body, server.status = {"error": {"message": "Invalid key sk-swordfish"}}, 401
    told = (await lines(browser, description="x"))[-1]
    assert "AI_INTEGRATIONS_OPENAI_API_KEY" in told["error"] and "swordfish" not in told["error"]


async def test_leaving_ends_the_request_to_the_model(browser, server, monkeypatch):
    left = asyncio.Event()

    async def slowly() -> Any:
        try:
            while True:
                yield event(content=" ")
                await asyncio.sleep(0.02)
        finally:
            left.set()

    async def complete(request: Any) -> Any:
        from starlette.responses import StreamingResponse

        return StreamingResponse(slowly(), media_type="text/event-stream")

    monkeypatch.setattr(server, "_complete", complete)
    with server.served() as url:
        from django.conf import settings

        monkeypatch.setattr(settings, "AI_INTEGRATIONS_OPENAI_BASE_URL", url)
        body = json.dumps({"description": "x"})
        answer = await browser.post("/flows/generate/write/", body, content_type="application/json")
        stream = aiter(answer.streaming_content)
        for _ in range(3):
            await anext(stream)
        await stream.aclose()
        for _ in range(100):
            if left.is_set():
                break
            await asyncio.sleep(0.02)
    assert left.is_set()


def test_a_written_flow_is_kept(alices_browser: Client):
    body = json.dumps({"graph": MENU})
    told = alices_browser.post("/flows/generate/keep/", body, content_type="application/json").json()
    assert told["address"] == Flow.objects.get().get_absolute_url()
    for wrong in ("{}", '{"graph": 5}', '{"graph": {"name": "x", "nodes": ["a"]}}'):
        refused = alices_browser.post("/flows/generate/keep/", wrong, content_type="application/json")
        assert refused.status_code == 400 and refused.json()["error"] and Flow.objects.count() == 1


def test_without_a_key_the_page_says_what_to_set(alices_browser: Client, settings: Any):
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = ""
    page = alices_browser.get("/flows/generate/").content.decode()
    assert "AI_INTEGRATIONS_OPENAI_API_KEY" in page and "Begin with a template" in page
    body = json.dumps({"description": "x"})
    answer = alices_browser.post("/flows/generate/write/", body, content_type="application/json")
    assert answer.status_code == 503


async def test_what_it_used_is_noted(browser, server):
    from mlservices.ledger import ledger

    ledger.open()
    try:
        await lines(browser, description="Book tables.")
    finally:
        await asyncio.to_thread(ledger.close)
    rows = [each async for each in UsageRow.objects.all()]
    assert [(row.service, row.amount) for row in rows] == [("llm", 1000)] * 3  # there is no tool "book"
    assert rows[0].engine.endswith("gpt-4o-mini")
