"""The pages of the audit trail."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents.actions import save_agent
from agents.models import Agent
from mlservices.audit import Actor, Thing, acting, record
from tests import trail
from tests.audit.test_chain import tampered
from tests.factories import make_agent, make_number
from voiceforge_site.audit.chain import seal
from voiceforge_site.audit.models import AuditEntry
from voiceforge_site.models import User

pytestmark = pytest.mark.django_db
LIST = reverse("audit:list")


def done(verb: str, label: str, *, name: str = "alice", kind: str = "agents.flow", **more: Any) -> AuditEntry:
    with acting(Actor(name, address="192.0.2.7")):
        record(verb, Thing(kind, label, label), **more)
    return trail.last()


def labels(browser: Client, query: str = "") -> list[str]:
    page = browser.get(LIST + query)
    assert page.status_code == 200
    return [line.entry.label for line in page.context["lines"]]


def test_it_is_for_administrators_alone(bobs_browser: Client, alices_browser: Client) -> None:
    assert bobs_browser.get(LIST).status_code == 403
    assert alices_browser.get(LIST).status_code == 200


def test_the_newest_stands_first_with_who_and_from_where(alices_browser: Client) -> None:
    done("flow.created", "Old")
    done("flow.deleted", "New")
    page = alices_browser.get(LIST)
    assert [line.verb for line in page.context["lines"]] == ["Deleted a flow", "Created a flow"]
    assert "192.0.2.7" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?person=bob", ["Night"]),
        ("?verb=flow.created", ["Day"]),
        ("?kind=agents.tool", ["Night"]),
        ("?q=night", ["Night"]),
        ("?q=nig", ["Night"]),
        ("?q=harbour", ["Day"]),
        ("?q=harbour+night", []),
        ("?q=%27%22*", []),
        ("?person=alice&verb=flow.created&q=day", ["Day"]),
        ("?from=2001-01-01&to=2001-02-01", []),
        ("?from=1999-01-01", ["Night", "Day"]),
        ("?from=nonsense&after=x&before=99999999999999999999", ["Night", "Day"]),
        ("?kind=agents.flow&thing=Day", ["Day"]),
    ],
)
def test_filters(alices_browser: Client, query: str, found: list[str]) -> None:
    done("flow.created", "Day", after={"greeting": "Welcome to Harbour Street"})
    done("tool.deleted", "Night", name="bob", kind="agents.tool")
    assert labels(alices_browser, query) == found


def test_a_day_is_the_viewers_day(alices_browser: Client) -> None:
    done("flow.created", "Now")
    today, tomorrow = timezone.now().date(), timezone.now().date() + timedelta(days=2)
    assert labels(alices_browser, f"?from={today - timedelta(days=1)}&to={tomorrow}") == ["Now"]
    assert labels(alices_browser, f"?from={tomorrow}") == []


def test_pages_go_on_where_the_last_ended_and_back(alices_browser: Client) -> None:
    for number in range(120):
        done("flow.changed", f"{number}")
    first = alices_browser.get(LIST)
    second = alices_browser.get(LIST, {"after": first.context["page"].older})
    done("flow.changed", "came meanwhile")
    third = alices_browser.get(LIST, {"after": second.context["page"].older})
    shown = [line.entry.label for page in (first, second, third) for line in page.context["lines"]]
    assert shown == [str(number) for number in reversed(range(120))]
    assert not third.context["page"].older
    back = alices_browser.get(LIST, {"before": third.context["page"].newer})
    assert [line.entry.label for line in back.context["lines"]] == shown[50:100]


def test_a_page_costs_the_same_however_much_there_is(alices_browser: Client) -> None:
    agents = [make_agent() for _ in range(3)]
    for agent in agents:
        with acting(Actor("alice")):
            record("agent.saved", agent)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            alices_browser.get(LIST)
        return len(captured)

    few = queries()
    for agent in agents * 10:
        record("agent.saved", agent)
    assert queries() == few
    assert few <= 7  # session, person, entries, people, agents, the head of the chain; seen


def test_what_was_changed_is_told_before_and_after_in_words(alices_browser: Client, alice: User) -> None:
    agent = make_agent("Front desk", record=True)
    agent.record, agent.greeting = False, "Good day."
    save_agent(agent=agent, by="alice")
    entry = AuditEntry.objects.get(verb="agent.saved")
    page = alices_browser.get(reverse("audit:entry", args=[entry.pk])).content.decode()
    for words in ("Record calls", "yes", "no", "Greeting", "Hello, how can I help you?", "Good day."):
        assert words in page
    assert agent.get_absolute_url() in page


def test_of_a_thing_that_is_gone_its_name_is_left(alices_browser: Client) -> None:
    agent = make_agent("Front desk")
    record("agent.saved", agent)
    Agent.objects.all().delete()
    page = alices_browser.get(LIST).content.decode()
    assert "Front desk" in page and agent.get_absolute_url() not in page


def test_words_that_somebody_has_written_are_no_markup(alices_browser: Client) -> None:
    entry = done("flow.changed", "<script>1</script>", after={"<b>x": "<script>2</script>"}, detail="<i>")
    for address in (LIST, reverse("audit:entry", args=[entry.pk])):
        assert "<script>1" not in (page := alices_browser.get(address).content.decode())
        assert "<script>2" not in page and "<b>x" not in page and "<i>" not in page.replace("<i></i>", "")


def test_an_export_holds_what_the_list_shows_and_is_told_of_itself(alices_browser: Client) -> None:
    done("flow.created", "=cmd()")
    done("tool.created", "Other", kind="agents.tool")
    answer = alices_browser.post(reverse("audit:export") + "?kind=agents.flow")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["verb"], row["label"]) == ("flow.created", "'=cmd()")
    told = trail.last()
    assert (told.verb, told.name, told.detail) == ("audit.exported", "alice", "kind=agents.flow")


def test_how_the_chain_stands_is_told(alices_browser: Client) -> None:
    done("flow.created", "One")
    assert "not checked yet" in alices_browser.get(LIST).content.decode()
    page = alices_browser.post(reverse("audit:check"), follow=True).content.decode()
    assert "Every entry up to no. 1 is as it was written" in page
    done("flow.created", "Two")
    seal()
    tampered("UPDATE voiceforge_site_auditentry SET label = 'Three' WHERE label = 'Two'")
    page = alices_browser.post(reverse("audit:check"), follow=True).content.decode()
    assert "The trail is not as it was written" in page and "was changed after it was written" in page


def test_what_was_done_with_an_account_stands_on_its_page(
    alices_browser: Client, bobs_browser: Client
) -> None:
    account = make_number("+14155550123").credential
    record("account.checked", account, by="alice")
    address = reverse("audit:account", args=[account.pk])
    assert address in alices_browser.get(account.get_absolute_url()).content.decode()
    assert "Checked an account" in alices_browser.get(address).content.decode()
    assert bobs_browser.get(address).status_code == 403
