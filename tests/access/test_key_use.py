"""What API keys were used for: counted in memory, written together, shown by the page and the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule

from mlservices.api.socket import NotAdmitted
from mlservices.models.usage import UsageDay
from telephony.housekeeping import Housekeeping
from telephony.models import PlannedCall
from tests.program import Program
from tests.telephony.conftest import start_server
from voiceforge_site.access import gate, key_actions, key_use
from voiceforge_site.access.key_use import KEPT_DAYS, KeyUses, forget_old, resource_of, uses
from voiceforge_site.access.sessions import SessionStore
from voiceforge_site.keys import figures
from voiceforge_site.management.commands.setup import Command
from voiceforge_site.models import ApiKey, KeyUse, User

CALLS, AGENTS = "telephony.view_calls", "agents.view_agents"


@pytest.fixture(autouse=True)
def _nothing_of_other_tests(db: None) -> Iterator[None]:
    uses.write()
    KeyUse.objects.all().delete()
    yield
    uses.write()


@pytest.fixture
def made(alice: User) -> tuple[ApiKey, Program]:
    row, key = key_actions.create("Reports", alice, scopes=[CALLS, AGENTS])
    return row, Program(key)


def counted(row: ApiKey) -> dict[tuple[str, int], int]:
    uses.write()
    rows = KeyUse.objects.filter(key=row.prefix, day=datetime.now(UTC).date())
    return {(use.resource, use.status): use.requests for use in rows}


def use(row: ApiKey, *, days_ago: int = 0, resource: str = "calls", status: int = 200, requests: int = 1):
    day = datetime.now(UTC).date() - timedelta(days=days_ago)
    KeyUse.objects.create(key=row.prefix, day=day, resource=resource, status=status, requests=requests)


# ---- counting -------------------------------------------------------------------------------


def test_requests_are_counted_by_part_of_the_api_and_answer(made):
    row, program = made
    program.get("/api/telephony/calls"), program.get("/api/telephony/calls?limit=5")
    program.get("/api/telephony/calls/5c0a5d6e-8a3c-4c39-9d3e-0a8f6c1b2d3e")
    program.get("/api/agents"), program.get("/api/nowhere/at/all"), program.get("/api/users/me")
    program.get("/api/agents")
    assert counted(row) == {
        ("calls", 200): 2,
        ("calls", 404): 1,
        ("agents", 200): 2,
        ("users", 200): 1,
        ("", 404): 1,
    }
    program.get("/api/agents")
    assert counted(row)["agents", 200] == 3, "what is written later is added"


def test_a_request_waits_for_no_query_of_its_count(made, django_assert_num_queries):
    row, _program = made
    with django_assert_num_queries(0):
        for _ in range(1000):
            uses.note(row.prefix, "/api/agents", 200, address="192.0.2.1", what="GET /api/agents")
    with django_assert_num_queries(5) as asked:  # a savepoint around three
        uses.write()
    assert counted(row) == {("agents", 200): 1000}, asked.captured_queries


def test_what_a_key_was_refused_is_counted_with_why(alice, settings):
    settings.BEHIND_PROXY = True
    row, key = key_actions.create(
        "Reports", alice, scopes=[AGENTS], networks=["203.0.113.0/24"], requests_a_minute=3
    )

    def asks(address: str, come_from: str = "203.0.113.9") -> int:
        headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": come_from}
        return Client().get(address, headers=headers).status_code

    assert asks("/api/agents", "198.51.100.1") == 401
    assert asks("/api/telephony/calls") == 403
    assert [asks("/api/agents") for _ in range(4)] == [200, 200, 429, 429]
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    assert asks("/api/agents") == 401
    key_actions.revoke(row.prefix)
    assert asks("/api/telephony/calls") == 401
    assert counted(row) == {
        ("agents", 401): 2,
        ("calls", 401): 1,
        ("calls", 403): 1,
        ("agents", 200): 2,
        ("agents", 429): 2,
    }


def test_who_only_guesses_a_keys_beginning_counts_for_nobody(made, alices_browser):
    row, _program = made
    assert Program(row.prefix + "0" * 24).get("/api/agents").status_code == 401
    alices_browser.get("/api/agents")
    uses.write()
    assert not KeyUse.objects.exists()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/telephony/calls/1/events", "calls"),
        ("/api/telephony/outbound-calls", "outbound-calls"),
        ("/api/agent-flows/a/nodes/b", "agent-flows"),
        ("/api/vllm/chat", "vllm"),
        ("/api/keys", "keys"),
        ("/ws/realtime", "realtime"),
        ("/ws/stt", "stt"),
        ("/api/telephony", ""),
        ("/api/telephony/", ""),
        ("/api/4155550100", ""),
        ("/api/", ""),
        ("/", ""),
        ("", ""),
    ],
)
def test_parts_of_the_api_are_known_by_name_and_others_by_none(path, name):
    assert resource_of(path) == name


def test_a_socket_is_counted_when_it_opens_and_when_it_may_not(alice, transactional_db):
    row, key = key_actions.create("Reports", alice, scopes=[gate.SOCKET_ABILITY], requests_a_minute=2)

    def scope() -> dict[str, Any]:
        return {"path": "/ws/stt", "session": SessionStore(), "headers": [], "client": ["192.0.2.7", 1]}

    def opened(scope: dict[str, Any], needed: str = gate.SOCKET_ABILITY) -> None:
        async_to_sync(gate.admit)(scope, key, needed)

    again = scope()
    for _ in range(3):  # asked again and again while it is open
        opened(again)
    with pytest.raises(NotAdmitted):
        opened({**scope(), "path": "/ws/realtime"}, CALLS)
    with pytest.raises(NotAdmitted):
        opened(scope())
    key_actions.revoke(row.prefix)
    with pytest.raises(NotAdmitted):
        opened(again)
    assert counted(row) == {("stt", 101): 1, ("realtime", 403): 1, ("stt", 429): 1, ("stt", 401): 1}
    row.refresh_from_db()
    assert (row.last_used_for, row.last_used_from) == ("WebSocket /ws/stt", "192.0.2.7")


def test_the_last_use_is_told_with_what_it_was_and_no_earlier_one_takes_its_place(made):
    row, program = made
    other = KeyUses()  # of a process that writes later
    other.note(row.prefix, "/api/agents", 200, address="192.0.2.1", what="GET /api/agents")
    program.get("/api/agents/front-desk")
    uses.write()
    other.write()
    row.refresh_from_db()
    assert (row.last_used_for, row.last_used_from) == ("GET /api/agents/{id}", "127.0.0.1")
    assert counted(row)["agents", 200] == 1, "but it is counted"


# ---- writing --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_counts_that_are_written_at_the_same_time_add_up(made):
    row, _program = made

    def count(number: int) -> None:
        own = KeyUses()
        for _ in range(10):
            own.note(row.prefix, "/api/agents", 200)
            own.note(row.prefix, "/api/keys", 200 + number)
            own.write()
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    assert counted(row) == {("agents", 200): 40} | {("keys", 200 + number): 10 for number in range(4)}


@pytest.mark.django_db(transaction=True)
def test_what_two_servers_have_counted_is_there_when_they_were_stopped(made):
    row, program = made
    key = program.defaults["HTTP_AUTHORIZATION"]
    servers = [start_server(), start_server("uvicorn")]
    try:
        for server in servers:
            for _ in range(3):
                answer = httpx.get(f"{server.url}/api/agents", headers={"Authorization": key})
                assert answer.status_code == 200
    finally:
        for server in servers:
            server.process.terminate()
        for server in servers:
            server.process.wait(timeout=10)
    assert counted(row) == {("agents", 200): 6}


class Board:
    """A switchboard without calls."""

    def start(self) -> None: ...

    async def close(self) -> None: ...


@pytest.mark.django_db(transaction=True)
def test_a_server_that_stops_writes_what_it_has_counted(made):
    row, _program = made
    own = KeyUses()

    async def run() -> None:
        told: list[dict[str, Any]] = []
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> dict[str, Any]:
            own.note(row.prefix, "/api/agents", 200)
            return next(messages)

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        await Housekeeping(None, Board(), own)({"type": "lifespan"}, receive, send)
        assert told[-1] == {"type": "lifespan.shutdown.complete"}

    asyncio.run(run())
    assert counted(row) == {("agents", 200): 2}


def test_what_the_database_does_not_take_is_written_the_next_time(made, monkeypatch, caplog):
    row, program = made
    program.get("/api/agents")
    uses.note("vf_sk_revoked", "/api/agents", 401)
    with monkeypatch.context() as patched:

        def fail(*_args: Any) -> None:
            raise OperationalError("database is locked")

        patched.setattr(key_use, "_add", fail)
        uses.write()
    program.get("/api/agents")
    assert "The uses of 2 API keys wait for the database: database is locked" in caplog.text
    assert counted(row) == {("agents", 200): 2}
    row.refresh_from_db()
    assert row.last_used_for == "GET /api/agents"


def test_days_that_are_long_past_are_forgotten_every_day(made):
    row, _program = made
    use(row, days_ago=KEPT_DAYS)
    use(row, days_ago=KEPT_DAYS + 1)
    assert (forget_old(), KeyUse.objects.count()) == (1, 1)
    Command().schedule_upkeep()
    schedule = Schedule.objects.get(func="voiceforge_site.access.key_use.forget_old")
    assert schedule.schedule_type == Schedule.DAILY


# ---- the pages ------------------------------------------------------------------------------


def test_a_keys_page_shows_what_it_asked_for_and_why_it_was_refused(made, alices_browser):
    row, _program = made
    use(row, requests=1200)
    use(row, status=429, requests=34)
    use(row, days_ago=29, resource="agents", status=500, requests=5)
    use(row, days_ago=30, resource="tools", requests=7)
    page = alices_browser.get(row.get_absolute_url())
    totals = page.context["used"].totals
    assert (totals.requests, totals.refused, totals.failed, totals.served) == (1239, 34, 5, 1200)
    heights = [(column.requests, column.series) for column in page.context["columns"]]
    assert len(heights) == 30
    assert (heights[-1], heights[0]) == ((1234, {"served": 1200, "refused": 34}), (5, {"failed": 5}))
    assert "It asked more often than it may" in page.text and "It lacks the right" not in page.text
    assert ">agents<" in page.text and ">tools<" not in page.text, "of 30 days"
    listed = alices_browser.get("/keys/").text
    assert ">1,239" not in listed and "1,239<" in listed and "34 refused" in listed


def test_a_key_that_was_never_used_says_what_to_do(made, alices_browser, alice):
    row, _program = made
    page = alices_browser.get(row.get_absolute_url()).text
    assert "Not used yet" in page and "curl -H" in page
    key_actions.revoke(row.prefix)
    assert "curl -H" not in alices_browser.get(row.get_absolute_url()).text


def test_the_list_names_what_keys_may_do(alices_browser, alice):
    key_actions.create("One", alice, scopes=[AGENTS])
    assert "See agents and flows</span>" in alices_browser.get("/keys/").text
    key_actions.create("Two", alice, scopes=[AGENTS, CALLS])
    text = alices_browser.get("/keys/").text
    assert "See calls, transcripts, messages and figures and 1 more</span>" in text


def test_the_list_asks_once_for_the_totals_of_all_keys(alices_browser, alice, django_assert_max_num_queries):
    for number in range(12):
        use(key_actions.create(f"Key {number}", alice)[0], requests=number)
    with django_assert_max_num_queries(10):
        page = alices_browser.get("/keys/").context["page"]
    assert {key.name: key.requests_in_30_days for key in page}["Key 11"] == 11


@pytest.mark.parametrize(
    ("amount", "told"), [(0.4, "0 seconds"), (0.5, "1 second"), (1.4, "1 second"), (1.5, "2 seconds")]
)
def test_an_amount_of_one_is_told_in_the_singular(made, alices_browser, amount, told):
    row, _program = made
    today = datetime.now(UTC).date()
    UsageDay.objects.create(day=today, service="stt", engine="w", key=row.prefix, requests=1, amount=amount)
    assert f"{told} of sound" in alices_browser.get(row.get_absolute_url()).text


# ---- the API --------------------------------------------------------------------------------


def test_the_api_tells_the_same(made, alices):
    row, program = made
    program.get("/api/telephony/calls"), program.get("/api/telephony/numbers")
    use(row, days_ago=3, resource="agents", status=404, requests=6)
    uses.write()
    address = f"/api/keys/{row.prefix}"
    told = alices.get(f"{address}/usage").json()
    assert {name: told[name] for name in ("requests", "refused", "wrong", "failed", "calls_placed")} == {
        "requests": 8,
        "refused": 1,
        "wrong": 6,
        "failed": 0,
        "calls_placed": 0,
    }
    assert (told["last_used_from"], told["last_used_for"]) == ("127.0.0.1", "GET /api/telephony/numbers")
    assert [day["requests"] for day in told["days"]] == [0] * 26 + [6, 0, 0, 2]
    assert [(each["resource"], each["requests"]) for each in told["resources"]] == [
        ("agents", 6),
        ("calls", 1),
        ("numbers", 1),
    ]
    assert told["statuses"][0] == {"status": 404, "requests": 6}
    assert alices.get(f"{address}/usage?days=3").json()["requests"] == 2
    both = alices.get(address).json(), alices.get("/api/keys?search=Reports").json()["results"][0]
    assert [(key["requests_in_30_days"], key["refused_in_30_days"]) for key in both] == [(8, 1), (8, 1)]


@pytest.mark.parametrize("days", ["0", "91", "-1", "a", "", "9" * 30, "000000090999999999"])
def test_days_that_are_not_kept_cannot_be_asked_for(made, alices, days):
    answer = alices.get(f"/api/keys/{made[0].prefix}/usage?days={days}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["days"])


def test_that_a_key_was_used_is_no_change_of_it(made, alices):
    row, _program = made
    address = f"/api/keys/{row.prefix}"
    before = alices.get(address)["ETag"]
    use(row, requests=9)
    assert alices.get(address)["ETag"] == before
    changed = alices.send("PATCH", address, {"name": "Other"}, If_Match=before)
    assert (changed.status_code, changed.json()["requests_in_30_days"]) == (200, 9)


def test_others_usage_is_an_administrators_business(made, alices, bobs, bobs_browser, bob):
    row, _program = made
    use(row)
    assert bobs.get(f"/api/keys/{row.prefix}/usage").status_code == 404
    assert bobs_browser.get(row.get_absolute_url()).status_code == 404
    own, _key = key_actions.create("Own", bob)
    use(own, requests=2)
    assert bobs.get(f"/api/keys/{own.prefix}/usage").json()["requests"] == 2
    assert alices.get(f"/api/keys/{own.prefix}/usage").json()["requests"] == 2


def test_calls_are_known_by_the_key_that_ordered_them(made):
    row, _program = made
    other = {"to": "+14155550199", "by": "alice"}
    placed = PlannedCall.State.PLACED
    PlannedCall.objects.create(**other, key=row.prefix, state=placed)
    PlannedCall.objects.create(**other, key=row.prefix, state="waiting")
    PlannedCall.objects.create(**other, state=placed)
    long_ago = timezone.now() - timedelta(days=31)
    PlannedCall.objects.create(**other, key=row.prefix, state=placed, at=long_ago)
    assert figures.figures_of(row).calls_placed == 1
