"""Pages of MCP servers, and of tools that are theirs."""

from __future__ import annotations

from typing import Any

import pytest

from agents.flows.actions import create_flow
from agents.models import Tool, ToolServer
from agents.tools.calling import secrets_of
from tests.agents.flow.samples import flow, node
from tests.fakes.another_system import Other

FIND = {
    "name": "findBooking",
    "description": "Finds a <b>booking</b>.",
    "inputSchema": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
}
CANCEL = {"name": "cancel", "description": "Cancels it."}
BAD = {"name": "a\x00b", "description": "Has a bad name."}


def offering(other: Other, *tools: dict[str, Any]) -> None:
    """It is read once, and offers these."""
    about = {"protocolVersion": "2025-11-25", "serverInfo": {"name": "Clinic <b>", "version": "3.1"}}
    other.answers["/mcp"] = []
    other.answer("/mcp", {"id": 1, "result": about})
    other.answer("/mcp", b"", status=202)
    other.answer("/mcp", {"id": 2, "result": {"tools": list(tools)}})


def typed(other: Other, **more: str) -> dict[str, str]:
    return {"name": "My clinic", "url": f"{other.url}/mcp", "secrets": "X-Key: swordfish", **more}


def connected(browser: Any, other: Other, *tools: dict[str, Any]) -> ToolServer:
    offering(other, *(tools or (FIND, CANCEL, BAD)))
    answer = browser.post("/tools/servers/new/", typed(other))
    assert answer.status_code == 302, answer.content.decode()
    return ToolServer.objects.get()


def chosen(browser: Any, server: ToolServer, *names: str) -> str:
    address = f"{server.get_absolute_url()}tools/"
    return browser.post(address, {"tool": list(names)}, follow=True).content.decode()


def refreshed(browser: Any, server: ToolServer) -> str:
    return browser.post(f"{server.get_absolute_url()}read/", follow=True).content.decode()


def used() -> None:
    create_flow(graph=flow(node("t", "tool", toolName="my_clinic_find_booking")), name="Bookings", by="alice")


def test_a_server_is_connected_and_shows_what_it_offers(alices_browser, other):
    assert "No MCP servers yet" in alices_browser.get("/tools/servers/").content.decode()
    server = connected(alices_browser, other)
    assert secrets_of(server) == {"X-Key": "swordfish"} and "swordfish" not in server.secret_headers
    page = alices_browser.get(server.get_absolute_url()).content.decode()
    assert "Clinic &lt;b&gt;" in page and "3.1" in page and "Finds a &lt;b&gt;booking&lt;/b&gt;." in page
    assert "characters that are not allowed" in page and "swordfish" not in page
    assert not Tool.objects.exists()
    assert "My clinic" in alices_browser.get("/tools/servers/").content.decode()
    assert server.get_absolute_url() in alices_browser.get("/palette/", {"q": "clinic"}).content.decode()


def test_what_is_chosen_becomes_a_tool_of_flows(alices_browser, other):
    server = connected(alices_browser, other)
    chosen(alices_browser, server, "findBooking", "a\ufffdb", "ab", "nothing")
    tool = Tool.objects.get()
    assert (tool.name, tool.server_tool) == ("my_clinic_find_booking", "findBooking")
    assert tool.parameters == FIND["inputSchema"] and tool.changed_by == "alice"
    page = alices_browser.get("/tools/").content.decode()
    assert "my_clinic_find_booking" in page and "My clinic" in page
    chosen(alices_browser, server, "cancel")
    assert [tool.name for tool in Tool.objects.all()] == ["my_clinic_cancel"]


def test_its_form_keeps_what_the_server_tells_and_asks_it_in_earnest(alices_browser, other):
    chosen(alices_browser, connected(alices_browser, other), "findBooking")
    tool = Tool.objects.get()
    form = {"name": "find", "results": "guest = guest", "seconds": "5", "filler": "One moment."}
    page = alices_browser.get(tool.get_absolute_url()).content.decode()
    assert "My clinic" in page and 'name="url"' not in page and 'name="secrets"' not in page
    offering(other)
    other.answers["/mcp"].pop()
    answer = {"structuredContent": {"guest": "Anna <b>", "key": "swordfish"}}
    other.answer("/mcp", {"id": 2, "result": answer})
    tried = alices_browser.post(
        f"{tool.get_absolute_url()}try/", {**form, "arguments": '{"number": "7"}'}
    ).content.decode()
    assert "It answered 200" in tried and "Anna &lt;b&gt;" in tried and "swordfish" not in tried
    assert b'"arguments": {"number": 7}' in other.asked[-1][3]
    assert alices_browser.post(tool.get_absolute_url(), form).status_code == 302
    tool.refresh_from_db()
    assert (tool.name, tool.filler, tool.server_tool) == ("find", "One moment.", "findBooking")
    assert tool.parameters == FIND["inputSchema"]


def test_a_refresh_tells_what_is_new_changed_and_gone(alices_browser, other):
    server = connected(alices_browser, other)
    chosen(alices_browser, server, "findBooking", "cancel")
    used()
    offering(other, {"name": "book"}, {**CANCEL, "description": "Cancels for good."})
    page = refreshed(alices_browser, server)
    assert "<b>New:</b> book" in page and "<b>Changed:</b> cancel" in page
    assert "<b>No longer offered:</b> findBooking" in page and "Calls of it fail." in page
    find, cancel = (Tool.objects.get(server_tool=name) for name in ("findBooking", "cancel"))
    assert find.gone and not cancel.gone and cancel.description == "Cancels for good."
    assert "1 tool no longer offered" in alices_browser.get("/tools/servers/").content.decode()
    offering(other, FIND, CANCEL)
    assert "No longer offered</span>" not in refreshed(alices_browser, server)
    find.refresh_from_db()
    assert not find.gone


def test_what_a_flow_uses_is_not_taken_from_it(alices_browser, other):
    server = connected(alices_browser, other)
    chosen(alices_browser, server, "findBooking")
    used()
    page = chosen(alices_browser, server, "cancel")
    assert "my_clinic_find_booking is used. Take it from these flows first: Bookings." in page
    page = alices_browser.post(f"{server.get_absolute_url()}delete/", follow=True).content.decode()
    assert "Take its tools from these flows first: Bookings." in page
    assert [tool.name for tool in Tool.objects.all()] == ["my_clinic_find_booking"]


def test_a_server_goes_with_its_tools(alices_browser, other):
    server = connected(alices_browser, other)
    chosen(alices_browser, server, "findBooking")
    alices_browser.post(f"{server.get_absolute_url()}delete/")
    assert not ToolServer.objects.exists() and not Tool.objects.exists()


def test_one_that_does_not_answer_is_kept_with_the_reason(alices_browser, other, settings):
    server = connected(alices_browser, other)
    chosen(alices_browser, server, "findBooking")
    other.answers["/mcp"] = []
    other.answer("/mcp", status=401)
    page = refreshed(alices_browser, server)
    assert "answered 401. Check the secret headers." in page and "findBooking" in page
    assert "Not reached" in alices_browser.get("/tools/servers/").content.decode()
    assert not Tool.objects.get().gone
    settings.TOOL_PRIVATE_HOSTS = []
    assert "TOOL_PRIVATE_HOSTS" in refreshed(alices_browser, server)


@pytest.mark.parametrize(
    "field, value, reason",
    [
        ("name", "", "This field is required"),
        ("url", "clinic.test/mcp", "Begin with https://"),
        ("url", "https://me:password@clinic.test/mcp", "secret header"),
        ("url", "http://[::1]:9000/mcp", "add [::1]:9000 to TOOL_PRIVATE_HOSTS"),
        ("url", "", "This field is required"),
        ("secrets", "X Key: 1", "cannot be the name of a header"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(alices_browser, other, field, value, reason):
    answer = alices_browser.post("/tools/servers/new/", typed(other, **{field: value}))
    assert answer.status_code == 422 and reason in answer.content.decode()
    assert f'id="id_{field}_error"' in answer.content.decode() and not ToolServer.objects.exists()


def test_secrets_of_one_server_are_not_handed_to_another(alices_browser, other):
    server = connected(alices_browser, other)
    moved = typed(other, url="https://evil.test/mcp", secrets="")
    answer = alices_browser.post(server.get_absolute_url(), moved)
    assert answer.status_code == 422 and "They were for 127.0.0.1" in answer.content.decode()


def test_an_operator_looks_and_changes_nothing(alices_browser, bobs_browser, other):
    server = connected(alices_browser, other)
    page = bobs_browser.get(server.get_absolute_url()).content.decode()
    assert "findBooking" in page and "Save the choice" not in page and "Secret headers" not in page
    for part in ("", "read/", "tools/", "delete/"):
        assert bobs_browser.post(f"{server.get_absolute_url()}{part}", typed(other)).status_code == 403


def test_the_list_asks_the_database_no_more_for_many(alices_browser, django_assert_max_num_queries):
    for number in range(20):
        ToolServer.objects.create(name=f"Server {number}", slug=f"server-{number}", url="https://x.test/mcp")
    with django_assert_max_num_queries(8):
        alices_browser.get("/tools/servers/")
