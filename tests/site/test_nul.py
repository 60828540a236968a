"""Signs that no database takes, a NUL and half of a pair, in what pages' forms and addresses are sent."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agents.models import Flow
from tests.factories import make_agent, make_past_call

SIGNS = {"a NUL": "a\0b", "half a pair": "a\ud800b"}
FORMS = {
    "/agents/new/": {"name": "", "greeting": "Hello.", "description": ""},
    "/keys/new/": {"name": ""},
    "/people/invite/": {"meant_for": "", "role": "viewer"},
    "/webhooks/new/": {"description": "", "url": "https://example.com/x", "kinds": "call.ended"},
    "/tools/new/": {"name": "", "description": "", "url": "https://example.com/"},
    "/tools/servers/new/": {"name": "", "url": "https://example.com/"},
    "/knowledge/": {"name": ""},
    "/profile/": {"name": "", "email": ""},
    "/numbers/blocked/": {"pattern": "", "note": ""},
    "/numbers/buy/": {"account": "", "number": ""},
    "/sip/new/": {"label": "", "host": "", "user": ""},
    "/login/": {"username": "", "password": ""},
}


@pytest.fixture
def browser(alices_browser: Client) -> Client:
    alices_browser.raise_request_exception = True
    return alices_browser


@pytest.mark.parametrize("signs", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("address", FORMS)
def test_a_form_that_holds_one_breaks_nothing(browser: Client, address: str, signs: str) -> None:
    posted = {name: value or signs for name, value in FORMS[address].items()}
    body = "&".join(f"{name}={_quoted(value)}" for name, value in posted.items())
    answer = browser.post(address, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (200, 302, 400, 404, 422), address


@pytest.mark.parametrize("signs", SIGNS.values(), ids=SIGNS)
def test_a_list_that_is_asked_for_one_breaks_nothing(alices_browser: Client, signs: str) -> None:
    alices_browser.raise_request_exception = False
    make_past_call(make_agent("Desk"))
    Flow.objects.create(name="Shop", slug="shop", draft={"nodes": [], "edges": []})
    broken = [
        f"{address}?{name}"
        for address in _lists(get_resolver().url_patterns)
        if address != "/health/"  # which says 503 where models are not there
        for name in ("q", "agent", "person", "kind", "thing", "state", "tag", "number", "account", "after")
        if alices_browser.get(f"{address}?{name}={_quoted(signs)}").status_code >= 500
    ]
    assert not broken


def test_what_is_left_of_two_that_lie_in_each_other_is_none(alices_browser: Client) -> None:
    answer = alices_browser.get("/calls/?q=%0%000a&q=b")
    assert "\0" not in answer.wsgi_request.GET.getlist("q")[0]


def _quoted(signs: str) -> str:
    return "".join(f"%{byte:02x}" for byte in signs.encode("utf-8", "surrogatepass"))


def _lists(patterns: list[URLPattern | URLResolver], before: str = "/") -> list[str]:
    """Addresses of pages that hold no id."""
    found = []
    for each in patterns:
        address = before + str(each.pattern)
        if isinstance(each, URLResolver):
            found += _lists(each.url_patterns, address)
        elif "<" not in address and "^" not in address and not address.startswith(("/api/", "/telephony/")):
            found.append(address)
    return found


def test_what_is_left_of_an_address_is_asked_for(alices_browser: Client) -> None:
    make_agent("Front desk")
    assert "Front desk" in alices_browser.get("/agents/?q=Fro%00nt").text
    assert "Front desk" not in alices_browser.get("/agents/?q=Ba%00ck").text
    assert alices_browser.get("/agents/a%00b/").status_code == 404
