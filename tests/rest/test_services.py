"""The state of services over the API: what the page of their status says, and no more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mlservices.checks import Outcome, Status, failed, passed
from mlservices.models import ServiceAlert, ServiceState
from tests.pages.test_status import SIX, asked, services
from voiceforge_site.status_cards import FRESH

__all__ = ["services"]  # fixture

SERVICES = "/api/services"


def told_of(program, key):
    [found] = [each for each in program.get(SERVICES).json()["services"] if each["id"] == key]
    return found


def test_what_was_never_asked_is_not_known(bobs, services):
    told = bobs.get(SERVICES)
    assert (told.json()["status"], told["Cache-Control"]) == ("unknown", "no-store")
    store = told_of(bobs, "store")
    assert (store["status"], store["checked_at"], store["share"], store["checks"]) == (
        "unknown",
        None,
        None,
        0,
    )
    assert (store["title"], store["about"], store["group"]) == ("Store", "SQLite", "platform")
    [probe] = store["probes"]
    assert (probe["status"], probe["latency_ms"], probe["asked_at"]) == ("unknown", None, None)


def test_each_tells_how_it_does_why_and_what_to_do(bobs, services):
    asked(services["store"], passed("fine"))
    asked(services["space"], *([passed()] * 4), Outcome(Status.WARN, "WAV alone"), failed("No", "Wake it."))
    told = bobs.get(SERVICES).json()
    assert told["status"] == "fail"
    assert (told_of(bobs, "store")["status"], told_of(bobs, "store")["share"]) == ("pass", 1.0)
    space = told_of(bobs, "space")
    assert [probe["name"] for probe in space["probes"]] == list(SIX)
    assert [probe["status"] for probe in space["probes"]] == ["pass"] * 4 + ["warn", "fail"]
    assert (space["probes"][5]["reason"], space["probes"][5]["remedy"]) == ("No", "Wake it.")
    assert (space["failures"], space["succeeded_at"]) == (1, None)
    one = bobs.get(f"{SERVICES}/space").json()
    assert {each["probe"]: each["reason"] for each in one["incidents"]} == {
        "Vad": "WAV alone",
        "Client": "No",
    }


def test_an_old_answer_says_nothing_of_now(bobs, services):
    asked(services["store"], passed("fine"), ago=(FRESH + timedelta(seconds=5)).total_seconds())
    store = told_of(bobs, "store")
    assert store["status"] == "unknown" and store["checked_at"]


def test_alerts_that_are_open_are_told(bobs, services):
    for _ in range(3):
        asked(services["space"], *(failed("It is gone") for _ in SIX))
    alert = ServiceAlert.objects.get()
    [told] = bobs.get(SERVICES).json()["alerts"]
    assert (told["service"], told["kind"], told["value"]) == ("space", "down", alert.value)
    ServiceAlert.objects.update(cleared_at=alert.since)
    assert bobs.get(SERVICES).json()["alerts"] == []


def test_one_is_asked_at_once_and_the_answer_kept(alices, services):
    told = alices.send("POST", f"{SERVICES}/chat/check")
    assert (told.status_code, told.json()["status"]) == (200, "pass")
    assert [probe["status"] for probe in told.json()["probes"]] == ["pass", "pass"]  # on demand too
    assert ServiceState.objects.get().service == "chat"
    [entry] = alices.get("/api/audit?verb=service.checked").json()["results"]
    assert (entry["name"], entry["thing"]) == ("alice", "chat")


@pytest.mark.parametrize(("method", "where"), [("GET", ""), ("POST", "/check")])
def test_there_is_no_other(alices, services, method, where):
    assert alices.send(method, f"{SERVICES}/nobody{where}").status_code == 404


def test_many_cost_no_more_questions(bobs, services, django_assert_max_num_queries):
    for service in services.values():
        asked(service, *(passed() for _ in service.probes))
    with django_assert_max_num_queries(8):
        bobs.get(SERVICES)


def test_who_may_not_see_or_check_them_does_not(alice, bobs, charlie, program, services):
    assert bobs.send("POST", f"{SERVICES}/store/check").status_code == 403
    for each in (program(charlie), program(alice, scopes=["telephony.view_calls"])):
        assert each.get(SERVICES).status_code == each.get(f"{SERVICES}/store").status_code == 403
    looking = program(alice, scopes=["voiceforge_site.view_status"])
    assert looking.get(SERVICES).status_code == 200
    assert looking.send("POST", f"{SERVICES}/store/check").status_code == 403
