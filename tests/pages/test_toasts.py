"""Toasts with the page, and with the answers to htmx requests."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.factories import make_agent


@pytest.fixture(autouse=True)
def bench(settings):
    settings.ROOT_URLCONF = "tests.fakes.workbench"


def test_what_can_be_undone_is_a_form_with_what_it_needs(alices_browser: Client) -> None:
    one, two = make_agent("Ada"), make_agent("Bea")
    answer = alices_browser.post("/workbench/do/", {"do": "archive", "id": [one.pk, two.pk]}, follow=True)
    assert 'action="/workbench/undo/"' in answer.text
    for agent in (one, two):
        assert f'name="id" value="{agent.pk}" data-undo-field' in answer.text
    alices_browser.post("/workbench/undo/", {"id": [one.pk, two.pk]})
    one.refresh_from_db()
    assert one.status == "active"


def test_an_htmx_request_brings_its_toast_in_a_header_and_no_page_shows_it_again(
    alices_browser: Client,
) -> None:
    answer = alices_browser.post("/workbench/poke/", headers={"HX-Request": "true"})
    [told] = json.loads(answer["HX-Trigger"])["toasts"]
    assert told == {"text": "Pöked", "level": "success", "undo": {"url": "/workbench/undo/", "fields": []}}
    assert answer["HX-Trigger"].isascii()
    assert "Pöked" not in alices_browser.get("/workbench/form/").text


def test_an_answer_that_leads_to_another_page_leaves_the_toast_to_it(alices_browser: Client) -> None:
    answer = alices_browser.post("/workbench/form/", {"name": "Ada"}, headers={"HX-Request": "true"})
    assert "HX-Trigger" not in answer
    assert "Saved" in alices_browser.get("/workbench/form/").text
