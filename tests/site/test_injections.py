"""Words that are made to become something else: a formula of a spreadsheet, a header, another address."""

from __future__ import annotations

import csv
import io
from html import unescape

import pytest

from agents.models import Flow
from telephony.sheet import harmless
from tests.factories import make_agent, make_past_call
from voiceforge_site.models import User

FORMULA = '=HYPERLINK("http://evil.example")'
BREAK = "Front desk\r\nX-Evil: 1\r\n\r\n<html>"


def downloads() -> list[tuple[str, str]]:
    """Every address that is saved as a file, with things in it that somebody named so, and its method."""
    call = make_past_call(make_agent(BREAK), FORMULA, caller=BREAK)
    flow = Flow.objects.create(name=BREAK, slug="evil", draft={"name": BREAK, "nodes": [], "edges": []})
    calls, flows = f"/calls/{call.pk}", f"/flows/{flow.slug}"
    return [
        ("GET", f"{calls}/transcript.txt"),
        ("GET", f"{calls}/call.csv"),
        ("GET", f"{calls}/events.json"),
        ("GET", f"{flows}/export/"),
        ("GET", f"/api/agent-flows/{flow.slug}/export"),
        ("POST", "/audit/export/"),
    ]


def test_no_name_brings_a_header_into_a_download(alices_browser):
    for method, address in downloads():
        answer = alices_browser.generic(method, address)
        assert (answer.status_code, "X-Evil" in answer.headers) == (200, False), address
        name = answer["Content-Disposition"]
        assert name.isascii() and name.isprintable() and "evil:" not in name.lower(), address


def test_no_cell_of_any_file_is_a_formula(alice: User, alices_browser):
    call = make_past_call(make_agent(FORMULA), FORMULA, caller=FORMULA)
    User.objects.filter(pk=alice.pk).update(username="=alice", name=FORMULA)
    key = {"name": FORMULA, "scopes": []}
    assert alices_browser.post("/keys/new/", key).status_code in (200, 302)
    for method, address in (("GET", f"/calls/{call.pk}/call.csv"), ("POST", "/audit/export/")):
        answer = alices_browser.generic(method, address)
        text = answer.getvalue().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        assert len(rows) > 1 and FORMULA in text.replace('""', '"'), address
        assert all(harmless(cell) == cell or cell.startswith("'") for row in rows for cell in row), address


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com/a b\nHost: internal",
        "https://exam\tple.com/",
        "https://example.com\\@127.0.0.1/",
    ],
    ids=["a header", "another host", "a tab", "a backslash"],
)
@pytest.mark.parametrize(
    ("resource", "more"),
    [
        ("/api/webhooks", {"description": "x", "kinds": ["call.ended"]}),
        ("/api/tools", {"name": "x", "method": "GET", "description": "x"}),
        ("/api/tools/servers", {"name": "x"}),
    ],
    ids=["webhook", "tool", "MCP server"],
)
def test_an_address_that_brings_a_header_or_another_host_is_refused(alices, resource, more, address):
    refused = alices.send("POST", resource, {**more, "url": address})
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {"url"}), refused.text


@pytest.mark.parametrize(
    "header",
    [{"X-A": "1\r\nX-Evil: 1"}, {"X-A\r\nX-Evil": "1"}, {"X A": "1"}],
    ids=["in its value", "in its name", "a space"],
)
@pytest.mark.parametrize("field", ["headers", "secrets"])
def test_a_header_of_a_tool_brings_no_other(alices, field, header):
    tool = {"name": "x", "method": "GET", "description": "x", "url": "https://example.com/"}
    refused = alices.send("POST", "/api/tools", {**tool, field: header})
    assert refused.status_code == 400 and all(name.startswith(field) for name in refused.json()["fields"])


@pytest.mark.parametrize(
    "words",
    ["{{ request.user.password }}{% now 'Y' %}", "{0.__class__}", "%(password)s"],
    ids=["of Django", "of format", "of %"],
)
def test_what_an_agent_is_called_and_says_is_no_template(alices, alices_browser, words):
    agent = {"name": words, "greeting": "Hello.", "description": words}
    made = alices.send("POST", "/api/agents", agent)
    assert (made.status_code, made.json()["name"]) == (201, words), made.text
    assert words in unescape(alices_browser.get(f"/agents/{made.json()['id']}/").text)


NUMBERS = {"far too large": "9" * 5000, "too large": "9" * 20, "a power": "²", "of another script": "\u0661"}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_is_none_breaks_no_page(alices_browser, number):
    flow = Flow.objects.create(name="Shop", slug="shop", draft={"nodes": [], "edges": []})
    call, agent = make_past_call(make_agent("Desk")), make_agent("Front")
    for address in (f"/flows/{flow.slug}/export/?version={number}", f"/numbers/?account={number}"):
        assert alices_browser.get(address).status_code in (200, 404), address
    for address, posted in (
        (f"/agents/{agent.slug}/", {"version": number}),
        (f"/calls/{call.pk}/notes/", {"remove": number}),
        ("/numbers/buy/", {"account": number}),
        ("/calls/messages/change/", {"message": number}),
    ):
        assert alices_browser.post(address, posted).status_code in (200, 302, 400, 404, 422), address
