"""What is answered when something cannot be, to people and to scripts."""

from __future__ import annotations

import logging
import re

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client

from voiceforge_site.errors import FAULTS, error_page
from voiceforge_site.logs import SafeFormatter

SHELL = 'class="vf-side"'


@pytest.fixture
def bench(settings):
    settings.ROOT_URLCONF = "tests.fakes.workbench"


def test_who_may_not_is_told_what_it_takes_and_who_has_it(bobs_browser: Client) -> None:
    answer = bobs_browser.get("/agents/new/")
    assert answer.status_code == 403
    assert "“Make, change and archive agents and flows”" in answer.text
    assert "Administrator, Designer" in answer.text
    assert SHELL in answer.text


def test_who_may_do_nothing_is_led_to_another_account_and_not_in_a_circle(charlies_browser: Client) -> None:
    answer = charlies_browser.get("/")
    assert answer.status_code == 403
    assert "Go to the overview" not in answer.text and "Sign in with another account" in answer.text


def test_a_missing_page_keeps_the_shell_for_who_is_signed_in(alices_browser: Client, db: None) -> None:
    assert SHELL in alices_browser.get("/nothing/").text
    stranger = Client().get("/nothing/")
    assert stranger.status_code == 404 and SHELL not in stranger.text


def test_a_method_that_is_not_known_is_said_to_change_nothing(alices_browser: Client) -> None:
    answer = alices_browser.post("/session/")
    assert answer.status_code in (403, 405)
    answer = alices_browser.get("/logout/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Nothing was changed." in answer.text


def test_too_many_requests_keep_what_the_view_said_about_when(alices_browser: Client, bench: None) -> None:
    answer = alices_browser.get("/workbench/too-many/")
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert "Wait a minute" in answer.text


def test_what_is_too_much_is_said_to_be(alices_browser: Client, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = alices_browser.post("/agents/new/", {"name": "x" * 200})
    assert answer.status_code == 413
    assert "This is too much at once" in answer.text


def test_what_cannot_be_read_is_said_to_be(alices_browser: Client, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise SuspiciousOperation

    monkeypatch.setattr("voiceforge_site.palette.found", refuse)
    answer = alices_browser.get("/palette/")
    assert answer.status_code == 400
    assert answer["X-Request-ID"] in answer.text


@pytest.mark.parametrize("status", FAULTS)
def test_every_fault_has_a_page_for_strangers_too(rf, status: int) -> None:
    request = rf.get("/")
    answer = error_page(request, status)
    assert answer.status_code == status
    assert str(FAULTS[status].title) in answer.content.decode()


def test_a_script_gets_no_page(alices_browser: Client, bobs_browser: Client) -> None:
    wanted = {"Accept": "application/json"}
    answer = alices_browser.get("/nothing/", headers=wanted)
    assert answer.json()["error"]["code"] == "not_found"
    assert answer.json()["error"]["request"] == answer["X-Request-ID"]
    for headers in ({"HX-Request": "true"}, {"X-Requested-With": "fetch"}, {"Accept": "*/*"}):
        answer = bobs_browser.get("/agents/new/", headers=headers)
        assert answer.status_code == 403 and answer["Content-Type"].startswith("text/plain")


def test_a_fault_names_its_request_and_so_does_the_log(alice, monkeypatch, caplog) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(alice)
    monkeypatch.setattr("voiceforge_site.palette.found", lambda *_: 1 / 0)
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(SafeFormatter().format(record))  # type: ignore[method-assign]
    logging.getLogger("django.request").addHandler(handler)
    try:
        answer = browser.get("/palette/", {"q": "x"})
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    name = answer["X-Request-ID"]
    assert answer.status_code == 500 and re.fullmatch("[0-9a-f]{12}", name)
    assert name in answer.text
    assert f"(request {name})" in lines[0]


def test_a_broken_shell_is_answered_with_a_page_that_needs_none(alice, monkeypatch) -> None:
    """The palette's start is part of every page of the shell."""
    browser = Client(raise_request_exception=False)
    browser.force_login(alice)
    monkeypatch.setattr("voiceforge_site.templatetags.shell.found", lambda *_: 1 / 0)
    answer = browser.get("/agents/")
    assert answer.status_code == 500
    assert SHELL not in answer.text and answer["X-Request-ID"] in answer.text


def test_a_name_that_a_visitor_gives_the_request_is_not_taken(client: Client) -> None:
    assert client.get("/login/", headers={"X-Request-ID": "forged"})["X-Request-ID"] != "forged"
