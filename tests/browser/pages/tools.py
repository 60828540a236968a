"""What agents know and what they can use."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page

from agents.models import KnowledgeBase, Tool, ToolServer
from agents.tools.arguments import schema_of
from agents.tools.mcp.actions import choose_tools, keep_reading, save_server
from agents.tools.mcp.offers import Offer, Reading

from .shown import World, shown, then


@shown
def no_knowledge(world: World) -> str:
    return reverse("knowledge:list")


def _known() -> KnowledgeBase:
    found = KnowledgeBase.objects.filter(slug="clinic").first()
    return found or KnowledgeBase.objects.create(name="Clinic", slug="clinic")


@shown
def knowledge_without_sources(world: World) -> str:
    return _known().get_absolute_url()


@shown
def knowledge(world: World) -> str:
    base = _known()
    states = (
        ("ready", "Prices of 2026.pdf", ""),
        ("failed", "Scan.pdf", "The PDF holds pictures of its pages."),
    )
    for state, name, reason in (
        *states,
        ("reading", "A rather long name of a document about insurances.docx", ""),
    ):
        base.sources.create(kind="file", name=name, state=state, reason=reason, found=40, done=12)
    return base.get_absolute_url()


@shown
def no_tools(world: World) -> str:
    Tool.objects.all().delete()
    return reverse("tools:list")


def _tool(world: World) -> Tool:
    """Nothing answers there."""
    made, _ = Tool.objects.get_or_create(
        name="find_booking",
        defaults={
            "description": "Finds a booking by its number, and says for whom and when it is.",
            "url": "https://127.0.0.1:1/a/rather/long/address/of/bookings/{{number}}?details=all&language=en",
            "parameters": schema_of(["number"]),
            "headers": {"Accept-Language": "en"},
            "results": {"guest": "booking.guest.name", "day": "booking.day"},
            "filler": "Let me look that up.",
            "changed_by": "alice",
        },
    )
    return made


@shown
def tools(world: World) -> str:
    _tool(world)
    return reverse("tools:list")


def _asked(page: Page) -> None:
    page.get_by_label("Arguments").last.fill('{"number": "1234"}')
    page.get_by_role("button", name="Ask it").click()
    page.get_by_text("private network").wait_for()


@then(_asked)
def tool_that_was_asked(world: World) -> str:
    return _tool(world).get_absolute_url()


@shown
def new_tool(world: World) -> str:
    return reverse("tools:new")


@shown
def no_tool_servers(world: World) -> str:
    return reverse("tools:servers")


@shown
def new_tool_server(world: World) -> str:
    return reverse("tools:new_server")


def _tool_server() -> ToolServer:
    """Since it was read first, one tool is new, one has changed, and one that is used is gone."""
    found = ToolServer.objects.filter(name="Harbour Street Clinic").first()
    if found:
        return found
    url = "https://mcp.harbour-street-clinic.example/a/rather/long/address/of/an/endpoint/mcp"
    server = save_server(server=ToolServer(name="Harbour Street Clinic", url=url), by="alice")
    find = Offer("findBooking", "Finds a booking by its number or by the day.", schema_of(["number", "day"]))
    cancel = Offer("cancel_booking", "Cancels a booking.", schema_of(["number"]))
    keep_reading(server=server, reading=Reading("Clinic calendar", "3.1", [find, cancel]))
    choose_tools(server=server, names=["findBooking", "cancel_booking"], by="alice")
    longer = f"{find.description} {'It asks the calendar of the clinic. ' * 8}"
    find = Offer("findBooking", longer, find.parameters)
    bad = Offer("clinic.search.everything.that.there.is.by.words.that.one.remembers", problem="large")
    opening = Offer("opening_hours", "When the clinic is open.", schema_of([]))
    keep_reading(server=server, reading=Reading("Clinic calendar", "3.2", [find, opening, bad]))
    return server


@shown
def tool_server(world: World) -> str:
    return _tool_server().get_absolute_url()


@shown
def tool_server_that_does_not_answer(world: World) -> str:
    reason = "mcp.example answered 401. Check the secret headers."
    made = {"name": "Shop", "url": "https://mcp.example/mcp", "reason": reason}
    return ToolServer.objects.get_or_create(slug="shop", defaults=made)[0].get_absolute_url()


@shown
def tool_servers(world: World) -> str:
    _tool_server()
    return reverse("tools:servers")


@shown
def tool_of_a_server_that_is_gone(world: World) -> str:
    return _tool_server().tools.get(gone=True).get_absolute_url()
