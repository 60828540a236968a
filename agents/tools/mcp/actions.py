"""What can be done with MCP servers, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from collections.abc import Collection

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from mlservices import audit
from mlservices.secret_box import UnreadableSecret

from ... import outside
from ...addresses import free_slug
from ...flows.programs import flows_where, tools_named
from ...models import Flow, Tool, ToolServer
from ..actions import flows_with
from ..calling import secrets_of
from ..forms import RESERVED_NAMES
from .offers import Offer, Reading, keep, kept, own_name, read

RESERVED_SLUGS = frozenset({"new"})
_TOLD = ("name", "url", "secret_headers")  # of a server, when it is changed
_LONGEST_SLUG = 30  # it begins the names of the server's tools


@transaction.atomic
def save_server(*, server: ToolServer, by: str) -> ToolServer:
    """A new one gets its address on our pages out of its name."""
    if not server.slug:
        wanted = slugify(server.name)[:_LONGEST_SLUG].strip("-") or "server"
        server.slug = free_slug(ToolServer.objects.all(), wanted, reserved=RESERVED_SLUGS)
    server.changed_by, server.changed_at = by, timezone.now()
    before = audit.stored_fields(server, *_TOLD)
    server.save()
    verb = "server.changed" if before else "server.created"
    audit.record(verb, server, before=before, after=audit.fields_of(server, *_TOLD), by=by)
    return server


async def read_server(*, server: ToolServer) -> bool:
    """Ask it what it offers, and keep that, or why it did not answer. Whether it did."""
    try:
        reading = await read(server.url, secrets_of(server))
    except (outside.Refused, outside.Unanswered, UnreadableSecret) as error:
        await sync_to_async(_keep_failure)(server, str(error)[:500])
        return False
    await sync_to_async(keep_reading)(server=server, reading=reading)
    return True


@transaction.atomic
def _keep_failure(server: ToolServer, reason: str) -> None:
    ToolServer.objects.filter(pk=server.pk).update(reason=reason)
    audit.record("server.read", server, detail=reason)


@transaction.atomic
def keep_reading(*, server: ToolServer, reading: Reading) -> None:
    """Tools that are used follow what the server says of them now; one that it no longer offers stays, and
    fails when it is called."""
    row = ToolServer.objects.select_for_update().get(pk=server.pk)
    row.news = _news(kept(row), reading.offers) if row.read_at else []
    row.offered = keep(reading.offers)
    row.told_name, row.told_version = reading.name, reading.version
    row.read_at, row.reason = timezone.now(), ""
    row.save(update_fields=["news", "offered", "told_name", "told_version", "read_at", "reason"])
    usable = _usable(reading.offers)
    for tool in row.tools.all():
        offer = usable.get(tool.server_tool)
        tool.gone = offer is None
        if offer:
            tool.description, tool.parameters = offer.description, offer.parameters
        tool.save(update_fields=["gone", "description", "parameters"])
    audit.record("server.read", row, after={"news": row.news} if row.news else None)


@transaction.atomic
def choose_tools(*, server: ToolServer, names: Collection[str], by: str) -> None:
    """Flows may use those that the server calls so, and no others of it.

    Raises ValidationError where one is left out that a flow names.
    """
    row = ToolServer.objects.select_for_update().get(pk=server.pk)
    chosen = {tool.server_tool: tool for tool in row.tools.all()}
    for tool in (tool for name, tool in chosen.items() if name not in names):
        if flows := ", ".join(flow.name for flow in flows_with(tool)):
            told = {"tool": tool.name, "flows": flows}
            raise ValidationError(_("%(tool)s is used. Take it from these flows first: %(flows)s.") % told)
        tool.delete()
    taken = {*Tool.objects.values_list("name", flat=True), *RESERVED_NAMES}
    for name, offer in _usable(kept(row)).items():
        if name in names and name not in chosen:
            own = own_name(row, name, taken)
            taken.add(own)
            tool = Tool(name=own, server=row, server_tool=name, method=Tool.Method.POST, changed_by=by)
            tool.description, tool.parameters = offer.description, offer.parameters
            tool.save()
    before, after = (
        {"tools": sorted(each)} for each in (chosen, row.tools.values_list("server_tool", flat=True))
    )
    audit.record("server.tools_chosen", row, before=before, after=after, by=by)


@transaction.atomic
def delete_server(*, server: ToolServer) -> None:
    """With its tools. Raises ValidationError while a flow names one of them."""
    if flows := ", ".join(flow.name for flow in flows_using(server)):
        raise ValidationError(_("Take its tools from these flows first: %(flows)s.") % {"flows": flows})
    audit.record("server.deleted", server, before=audit.fields_of(server, *_TOLD))
    server.tools.all().delete()
    server.delete()


def flows_using(server: ToolServer) -> list[Flow]:
    """Flows that name a tool of it, in what is live or in their draft."""
    names = set(server.tools.values_list("name", flat=True))
    return flows_where(lambda graph: not names.isdisjoint(tools_named(graph))) if names else []


def _usable(offers: Collection[Offer]) -> dict[str, Offer]:
    return {offer.name: offer for offer in offers if not offer.problem}


def _news(before: Collection[Offer], now: Collection[Offer]) -> list[tuple[str, str]]:
    old, new = ({offer.name: offer for offer in offers} for offers in (before, now))
    return [
        *(("added", name) for name in new if name not in old),
        *(("changed", name) for name in new if name in old and new[name] != old[name]),
        *(("gone", name) for name in old if name not in new),
    ]
