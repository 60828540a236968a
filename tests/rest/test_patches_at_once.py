"""Two PATCHes of one thing at the same moment, on a database that locks rows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from agents.models import ToolServer
from mlservices.rest import resources
from tests.factories import make_agent, make_number
from tests.program import Program
from voiceforge_site.models import AuditEntry, User

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")


def at_once(
    programs: list[Program], address: str, changes: list[dict[str, Any]], **headers: str
) -> list[int]:
    """The statuses of one PATCH by each, begun together."""
    begin = Barrier(len(programs))

    def change(program: Program, sent: dict[str, Any]) -> int:
        begin.wait(10)
        try:
            return program.send("PATCH", address, sent, **headers).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(programs)) as threads:
        return sorted(threads.map(change, programs, changes))


@pytest.fixture
def two(alice: User, program: Callable[..., Program]) -> list[Program]:
    return [program(alice), program(alice)]


def test_one_of_two_who_read_the_same_number_changes_it(two, alices):
    number = make_number("+14155550100", agent=make_agent("Desk"))
    address = f"/api/telephony/numbers/{number.number}"
    for each in range(5):
        read = alices.get(address)["ETag"]
        changes = [{"label": f"One {each}"}, {"label": f"Another {each}"}]
        assert at_once(two, address, changes, If_Match=read) == [200, 412]
    assert AuditEntry.objects.filter(verb="number.changed").count() == 5


def test_two_who_change_different_things_of_a_number_lose_neither(two):
    number = make_number("+14155550100")
    agent = make_agent("Desk")
    address = f"/api/telephony/numbers/{number.number}"
    assert at_once(two, address, [{"label": "Main line"}, {"agent": agent.slug}]) == [200, 200]
    number.refresh_from_db()
    assert (number.label, number.agent) == ("Main line", agent)


def test_one_of_two_who_read_the_same_server_of_tools_changes_it(two, alices):
    server = ToolServer.objects.create(name="Calendar", slug="calendar", url="http://127.0.0.1:9/mcp")
    address = f"/api/tools/servers/{server.slug}"
    read = alices.get(address)["ETag"]
    changes = [{"name": "One"}, {"name": "Another"}]
    assert at_once(two, address, changes, If_Match=read) == [200, 412]


def test_without_the_lock_both_would_change_it(two, alices, monkeypatch):
    """That the tests above can fail."""
    both = Barrier(2)

    def unlocked(self: Any) -> Any:
        thing = self.get_object()
        self.refuse_changed(thing)
        both.wait(10)
        return thing

    monkeypatch.setattr(resources.Resource, "as_expected", unlocked)
    number = make_number("+14155550100")
    address = f"/api/telephony/numbers/{number.number}"
    read = alices.get(address)["ETag"]
    assert at_once(two, address, [{"label": "One"}, {"label": "Another"}], If_Match=read) == [200, 200]
