"""Service status: nothing is shown to work that was not asked just now, and who fails says what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from mlservices.checks import MODELS, PLATFORM, Outcome, Probe, Service, Status, failed, keeping, passed
from mlservices.checks.probing import Report
from mlservices.errors import EngineError
from mlservices.errors import Outcome as EngineOutcome
from mlservices.models import ServiceAlert, ServiceHour, ServiceState, SpaceAwake
from tests.factories import make_agent, make_call
from tests.service_checks import make_week_of_sleep
from voiceforge_site import status_cards
from voiceforge_site.models import User
from voiceforge_site.templatetags.charts import exact_percent

pytestmark = pytest.mark.django_db
SIX = ("health", "models", "tts", "stt", "vad", "client")


async def well():
    return passed("fine")


async def ill():
    return failed("It is gone", "Bring it back.")


@pytest.fixture
def services(monkeypatch):
    """A store that works, a Space that is gone, and an endpoint whose second probe is on demand."""
    found = [
        Service("store", "Store", PLATFORM, "database", (Probe("write", "Writes", well),), about="SQLite"),
        Service("space", "Space", MODELS, "cloud", tuple(Probe(name, name.title(), ill) for name in SIX)),
        Service(
            "chat",
            "Chat",
            MODELS,
            "message-circle",
            (Probe("models", "Key", well), Probe("chat", "Word", well, on_demand=True)),
        ),
    ]
    monkeypatch.setattr("mlservices.checks.SOURCES", [lambda: found])
    return {service.key: service for service in found}


def asked(service: Service, *outcomes: Outcome, ago: float = 5.0) -> None:
    at = timezone.now() - timedelta(seconds=ago)
    keeping.store(Report(service, at, tuple(zip(service.probes, outcomes, strict=False))))


def row(page: str, key: str) -> str:
    """The part of the page that is one service's."""
    [found] = re.findall(rf'<article[^>]*id="service-{key}".*?</article>', page, re.S)
    return found


def state(page: str, key: str) -> tuple[str, str]:
    [status] = re.findall(r'data-status="(\w+)" aria-label', row(page, key))
    return status, re.findall(r'<span class="vf-tag[^"]*">([^<]+)</span>', row(page, key))[0]


class TestNow:
    def test_what_was_never_asked_is_not_known(self, alices_browser, services):
        page = alices_browser.get("/status/").text
        assert state(page, "store") == ("unknown", "Not known")
        assert "never asked" in page and "None has been asked yet." in page
        assert "vf-good" not in page

    def test_what_was_asked_just_now_works(self, alices_browser, services):
        asked(services["store"], passed("fine"))
        page = alices_browser.get("/status/").text
        assert state(page, "store") == ("pass", "Works")
        assert re.search("asked <time[^>]*>just now", row(page, "store"))
        assert "1 of 3 works" in page

    def test_an_old_answer_is_grey_with_its_age(self, alices_browser, services):
        asked(services["store"], passed("fine"), ago=7 * 60 + 5)
        page = alices_browser.get("/status/").text
        assert state(page, "store") == ("unknown", "Not known")
        assert "worked <time" in row(page, "store") and "7 minutes ago" in row(page, "store")
        assert "vf-good" not in page and "<b>Not known</b>" in page

    def test_all_work_only_if_all_were_asked(self, alices_browser, services):
        for service in services.values():
            asked(service, *(passed() for _ in service.probes))
        assert "All 3 work" in alices_browser.get("/status/").text
        ServiceState.objects.filter(pk="chat").update(checked_at=timezone.now() - status_cards.FRESH * 2)
        assert "2 of 3 work" in alices_browser.get("/status/").text

    def test_who_fails_says_why_once_and_what_to_do(self, alices_browser, services):
        asked(services["space"], *(failed("It is gone", "Bring it back.") for _ in SIX))
        found = row(alices_browser.get("/status/").text, "space")
        assert found.count('<p class="vf-svc-reason">It is gone</p>') == 1
        assert found.count("Bring it back.") == 1
        assert "no success yet" in found and "0 of 6 pass · 0 %" in found

    def test_a_space_shows_its_six_probes_and_their_rate(self, alices_browser, services):
        asked(services["space"], *([passed()] * 4), Outcome(Status.WARN, "WAV alone"), failed("no"))
        found = row(alices_browser.get("/status/").text, "space")
        assert "4 of 6 pass · 67 %" in found
        assert re.findall(r'<li data-status="(\w+)"', found) == ["pass"] * 4 + ["warn", "fail"]
        assert "Vad: WAV alone" in found and "Client: no" in found

    def test_a_rate_that_is_old_is_told_as_what_was(self, alices_browser, services):
        asked(services["space"], *([passed()] * 6), ago=600)
        assert "6 of 6 passed · 100 %" in row(alices_browser.get("/status/").text, "space")

    def test_where_nothing_was_checked_nothing_is_said_to_have_passed(self, alices_browser, services):
        page = alices_browser.get("/status/store/").text
        assert "Every check" not in page and "Nothing checked yet." in page
        asked(services["store"], passed())
        assert "Every check of the last seven days passed." in alices_browser.get("/status/store/").text

    def test_words_of_others_are_escaped(self, alices_browser, services):
        asked(services["store"], failed("<script>alert(1)</script>"))
        assert "<script>alert(1)" not in alices_browser.get("/status/").text


class TestSleep:
    @pytest.fixture
    def space(self, services, monkeypatch):
        found = replace(services["space"], address="me-voice.hf.space")
        monkeypatch.setattr("mlservices.checks.SOURCES", [lambda: [found, services["store"]]])

    def test_before_anything_is_measured_that_is_said(self, alices_browser, space):
        page = alices_browser.get("/status/").text
        assert "Nothing is measured yet of when it sleeps" in row(page, "space")
        assert "sleeps" not in row(page, "store")
        assert "Awake and asleep" not in alices_browser.get("/status/space/").text

    def test_time_awake_and_cold_starts_stand_at_the_space_with_a_bar_for_each_day(
        self, alices_browser, space
    ):
        make_week_of_sleep("me-voice.hf.space")
        found = row(alices_browser.get("/status/").text, "space")
        assert re.search(r"Seen awake for [^,]+ today, \d+ h \d+ min in seven days", found)
        assert "6 cold starts, which took typically 54 s, at most 1 min 16 s · measured since" in found
        assert len(re.findall('<rect data-bars="(?:none|rest)"', found)) == 7

    def test_its_page_tells_the_days_and_the_cold_starts(self, alices_browser, space, settings):
        settings.HF_ML_KEEP_WARM = 15
        make_week_of_sleep("me-voice.hf.space")
        error = EngineError("The Space is paused", outcome=EngineOutcome.UNREACHABLE)
        SpaceAwake.checked("me-voice.hf.space", error)
        page = alices_browser.get("/status/space/").text
        assert "not measured" in page and "/stream/tts" in page and "1 min 16 s" in page
        assert "kept warm every 15 minutes, asked <time" in page and "The Space is paused" in page


class TestWeek:
    def test_hours_are_bars_and_a_table_by_day_tells_their_numbers(self, alices_browser, services):
        hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
        ServiceHour.objects.create(service="store", hour=hour, passed=50, failed=10, latency_ms=500)
        page = alices_browser.get("/status/")
        assert '<path data-bars="failed" d="M' in row(page.text, "store")
        card = page.context["groups"][0][1][0]
        assert card.history.share == pytest.approx(50 / 60)
        day = alices_browser.get("/status/store/").context["days"][0]
        assert (day.passed, day.failed, day.mean_ms) == (50, 10, 10)

    def test_checks_that_come_to_the_same_are_one_line(self, alices_browser, services):
        for minutes in (30, 29, 28, 5, 4):
            asked(services["store"], failed("gone"), ago=minutes * 60)
        asked(services["store"], failed("other"), ago=3 * 60)
        incidents = alices_browser.get("/status/store/").context["incidents"]
        assert [(each.reason, each.checks) for each in incidents] == [("other", 1), ("gone", 2), ("gone", 3)]

    def test_a_page_takes_few_queries_however_many_services(
        self, alices_browser, services, django_assert_max_num_queries
    ):
        for service in services.values():
            asked(service, passed())
        with django_assert_max_num_queries(12):
            alices_browser.get("/status/")


class TestAlerts:
    def test_an_open_one_stands_at_the_top_with_what_to_do(self, alices_browser, services):
        ServiceAlert.objects.create(
            service="store", title="Store", kind="errors", value=0.083, limit=0.05, since=timezone.now()
        )
        page = alices_browser.get("/status/").text
        assert "8 % of the requests fail (limit 5 %)" in page
        assert page.index("8 % of the requests") < page.index('id="service-store"')

    def test_one_of_a_service_that_is_not_asked_any_more_may_be_over(self, alices_browser, services):
        alert = {"service": "store", "title": "Store", "kind": "memory", "value": 0.97, "limit": 0.95}
        ServiceAlert.objects.create(**alert, since=timezone.now())
        asked(services["store"], Outcome(Status.PASS, figures={"memory": 0.97}))
        assert "it may be over" not in alices_browser.get("/status/").text
        ServiceState.objects.update(checked_at=timezone.now() - status_cards.FRESH * 2)
        assert "not asked lately: it may be over" in alices_browser.get("/status/").text

    def test_a_webhook_that_was_not_told_is_said(self, alices_browser, services):
        ServiceAlert.objects.create(
            service="store",
            title="Store",
            kind="inference",
            value=6.24,
            limit=5,
            since=timezone.now(),
            attempts=2,
            problem="HTTP 503",
        )
        page = alices_browser.get("/status/").text
        assert "6.2 s for an inference (limit 5 s)" in page
        assert "the webhook could not be told, 2 times: HTTP 503" in page

    def test_the_overview_asks_who_may_look_to_see_to_it(self, bobs_browser, services):
        make_call(make_agent("Front desk"))
        ServiceAlert.objects.create(
            service="store", title="Store", kind="memory", value=0.97, limit=0.95, since=timezone.now()
        )
        assert "Alert: Store, memory" in [item.text for item in bobs_browser.get("/").context["todo"]]

    def test_those_that_are_over_are_folded_away(self, alices_browser, services):
        now = timezone.now()
        ServiceAlert.objects.create(
            service="store", title="Store", kind="down", value=4, limit=1, since=now, cleared_at=now
        )
        page = alices_browser.get("/status/").text
        assert "1 alert ended in the last 24 hours" in page and "4 checks in a row failed" in page


@pytest.mark.parametrize(
    ("share", "told"),
    [(1, "100 %"), (0.99999, "99.99 %"), (0.99871, "99.87 %"), (0.9008, "90 %"), (None, "–")],
)
def test_digits_behind_the_point_are_told_where_they_count(share, told):
    assert exact_percent(share) == told


class TestCheckNow:
    def test_it_asks_at_once_and_keeps_the_answer(self, alices_browser, services):
        answer = alices_browser.post("/status/store/", headers={"HX-Request": "true"})
        assert state(answer.text, "store") == ("pass", "Works")
        assert ServiceState.objects.get().status == "pass"

    def test_what_costs_is_asked_as_well(self, alices_browser, services):
        alices_browser.post("/status/chat/")
        assert [each["probe"] for each in ServiceState.objects.get().outcomes] == ["models", "chat"]

    def test_without_a_script_it_leads_to_the_services_page(self, alices_browser, services):
        answer = alices_browser.post("/status/space/", follow=True)
        assert answer.redirect_chain == [("/status/space/", 302)]
        assert "It is gone" in answer.text

    def test_a_service_that_is_none(self, alices_browser, services):
        assert alices_browser.get("/status/nothing/").status_code == 404
        assert alices_browser.post("/status/nothing/").status_code == 404

    def test_an_operator_looks_and_does_not_ask(self, bobs_browser, services):
        asked(services["store"], passed())
        page = bobs_browser.get("/status/").text
        assert "Store" in page and "Check now" not in page.replace("“Check now”", "")
        assert bobs_browser.post("/status/store/").status_code == 403

    def test_a_viewer_does_not_look(self, db, services):
        client = Client()
        client.force_login(User.objects.create_user("vera", role="viewer"))
        assert client.get("/status/").status_code == 403
