"""Pages of tools."""

from __future__ import annotations

from typing import Any

import pytest

from agents.flows.actions import create_flow
from agents.models import Tool
from agents.tools.calling import secrets_of
from tests.agents.flow.samples import flow, node

TYPED = {
    "name": "find_booking",
    "description": "Finds a booking by its number.",
    "method": "GET",
    "url": "https://booking.test/bookings/{{number}}",
    "parameters": "",
    "headers": "Accept-Language: en",
    "secrets": "Authorization: Bearer swordfish",
    "body": "",
    "results": "guest = booking.name",
    "seconds": "5",
    "filler": "Let me look that up.",
}


def made(browser: Any, **more: str) -> Tool:
    answer = browser.post("/tools/new/", {**TYPED, **more})
    assert answer.status_code == 302, answer.content.decode()
    return Tool.objects.get(name=more.get("name", "find_booking"))


def test_a_tool_is_made_found_and_kept(alices_browser):
    tool = made(alices_browser)
    assert tool.parameters["required"] == ["number"]  # out of the address
    assert tool.results == {"guest": "booking.name"} and tool.changed_by == "alice"
    assert secrets_of(tool) == {"Authorization": "Bearer swordfish"}
    assert "swordfish" not in tool.secret_headers
    page = alices_browser.get("/tools/", {"q": "BOOKINGS"}).content.decode()
    assert "find_booking" in page and "booking.test" in page
    assert "No tools match" in alices_browser.get("/tools/", {"q": "nothing"}).content.decode()


def test_secrets_are_never_shown_and_kept_where_nothing_is_written(alices_browser):
    tool = made(alices_browser)
    page = alices_browser.get(tool.get_absolute_url()).content.decode()
    assert "swordfish" not in page and "Kept: Authorization" in page
    alices_browser.post(tool.get_absolute_url(), {**TYPED, "secrets": "", "description": "New"})
    tool.refresh_from_db()
    assert tool.description == "New" and secrets_of(tool) == {"Authorization": "Bearer swordfish"}
    alices_browser.post(tool.get_absolute_url(), {**TYPED, "secrets": "", "forget": "on"})
    tool.refresh_from_db()
    assert tool.secret_headers == ""


def test_secrets_of_one_server_are_not_handed_to_another(alices_browser):
    tool = made(alices_browser)
    typed = {**TYPED, "secrets": "", "url": "https://evil.test/{{number}}"}
    answer = alices_browser.post(tool.get_absolute_url(), typed)
    assert answer.status_code == 422 and "They were for booking.test" in answer.content.decode()
    tried = alices_browser.post(f"{tool.get_absolute_url()}try/", {**typed, "arguments": '{"number": "1"}'})
    assert "They were for booking.test" in tried.content.decode()
    tool.refresh_from_db()
    assert tool.url == TYPED["url"]


@pytest.mark.parametrize(
    "field, typed, reason",
    [
        ("name", "Find booking", "small letters"),
        ("name", "new", "taken by a page"),
        ("url", "booking.test/1", "Begin with https://"),
        ("url", "https://{{host}}/1", "The name of the server is fixed"),
        ("url", "https://me:password@booking.test/", "secret header"),
        ("url", "http://localhost:9000/{{number}}", "add localhost:9000 to TOOL_PRIVATE_HOSTS"),
        ("url", "https://10.0.0.7/{{number}}", "add 10.0.0.7:443 to TOOL_PRIVATE_HOSTS"),
        ("parameters", "{", "Line 1, column 2"),
        ("parameters", '{"type": "strin"}', "No JSON schema"),
        ("parameters", '{"type": "string"}', "of the type “object”"),
        (
            "parameters",
            '{"type": "object", "properties": {"day": {}}}',
            "There is no argument for {{number}}",
        ),
        ("headers", "Accept-Language", "Line 1: write a name, :, and a value."),
        ("headers", "Host: other.test", "Line 1: Host is set by VoiceForge itself."),
        ("secrets", "X-Key:", "Line 1: X-Key has no value."),
        ("secrets", "X Key: 1", "cannot be the name of a header"),
        ("body", '{"day": {{day}}}', "this is no JSON"),
        ("parameters", '{"type": "object", "properties": {"number": {"$ref": "http://x/"}}}', "begin with #"),
        ("results", "first name = a.b", "cannot be a variable"),
        ("seconds", "600", "60"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(alices_browser, field, typed, reason):
    answer = alices_browser.post("/tools/new/", {**TYPED, field: typed})
    page = answer.content.decode()
    assert answer.status_code == 422 and reason in page.replace("&quot;", '"')
    assert f'id="id_{field}_error"' in page
    assert not Tool.objects.exists()


def test_the_panel_shows_what_is_sent_and_answered_but_no_secret(alices_browser, other):
    other.answer("/bookings/7", {"booking": {"name": "Anna <b>"}})
    typed = {**TYPED, "url": other.url + "/bookings/{{number}}", "arguments": '{"number": 7}'}
    page = alices_browser.post("/tools/try/", {**typed, "arguments": '{"number": "7"}'}).content.decode()
    assert "It answered 200" in page and "Anna &lt;b&gt;" in page
    assert f"GET {other.url}/bookings/7" in page and "Authorization: ••••••" in page
    assert "swordfish" not in page and other.asked[0][2]["Authorization"] == "Bearer swordfish"
    assert not Tool.objects.exists()
    page = alices_browser.post("/tools/try/", {**typed, "arguments": "[]"}).content.decode()
    assert "Not asked yet" in page and "has to be an object" in page
    page = alices_browser.post("/tools/try/", {**typed, "arguments": "{}"}).content.decode()
    assert "is a required property" in page.replace("&#x27;", "'") and len(other.asked) == 1


def test_a_tool_that_a_flow_names_is_kept(alices_browser):
    tool = made(alices_browser)
    create_flow(graph=flow(node("t", "tool", toolName="find_booking")), name="Bookings", by="alice")
    assert "Bookings" in alices_browser.get(tool.get_absolute_url()).content.decode()
    page = alices_browser.post(f"{tool.get_absolute_url()}delete/", follow=True).content.decode()
    assert "Take it from these flows first: Bookings." in page
    other = made(alices_browser, name="other")
    alices_browser.post(f"{other.get_absolute_url()}delete/")
    assert list(Tool.objects.values_list("name", flat=True)) == ["find_booking"]


def test_a_viewer_looks_and_changes_nothing(alices_browser, bobs_browser):
    tool = made(alices_browser)
    page = bobs_browser.get(tool.get_absolute_url()).content.decode()
    assert "find_booking" in page and "Secret headers" not in page and "Ask it" not in page
    assert bobs_browser.post(tool.get_absolute_url(), TYPED).status_code == 403
