"""JSON that is nested too deeply is refused in words wherever a person can send it."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.flows.actions import create_flow
from agents.models import Flow, Tool
from tests.agents.flow.samples import MENU
from tests.factories import make_agent
from tests.mlservices.test_json_text import TOO_DEEP


@pytest.fixture
def shop(alice) -> Flow:
    return create_flow(graph=MENU, name="Shop", by="alice")


@pytest.mark.parametrize("deep", TOO_DEEP, ids=["unclosed", "near the limit", "objects"])
@pytest.mark.parametrize(
    "address",
    [
        "/flows/shop/try/",
        "/flows/generate/write/",
        "/flows/generate/keep/",
        "/flows/shop/draft/",
    ],
)
def test_a_page_s_script_is_told(alices_browser: Client, shop, address, deep):
    for body in (deep, f'{{"graph": {deep}, "turns": [], "description": "x", "revision": 1}}'):
        answer = alices_browser.post(address, body, content_type="application/json")
        assert answer.status_code == 400 and answer.json()["error"]
    assert Flow.objects.get().draft == shop.draft


@pytest.mark.parametrize("deep", TOO_DEEP, ids=["unclosed", "near the limit", "objects"])
def test_a_form_is_told(alices_browser: Client, shop, deep):
    file = SimpleUploadedFile("deep.json", deep.encode())
    told = alices_browser.post("/flows/import/", {"file": file}, follow=True)
    assert "nested too deeply" in told.text and Flow.objects.count() == 1
    Tool.objects.create(name="order", url="https://shop.test/")
    sent = {"name": "order", "method": "POST", "url": "https://shop.test/", "seconds": 5, "parameters": deep}
    for name in ("parameters", "body"):
        told = alices_browser.post("/tools/order/", {**sent, "parameters": "", name: deep[:7_000]})
        assert told.status_code == 422 and "nested too deeply" in told.text, name
    make_agent("Desk", slug="desk")
    told = alices_browser.post("/agents/desk/try/", {"words": "hi", "transcript": deep})
    assert told.status_code == 200 and "Start again" in told.text
