"""What is kept of a check: the state now, rows of a week, hours, and alerts with their webhook."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from mlservices import tasks
from mlservices.checks import (
    MODELS,
    Outcome,
    Probe,
    Service,
    Status,
    alerts,
    failed,
    keeping,
    passed,
    spaces,
    warned,
)
from mlservices.checks.http import COLD
from mlservices.checks.probing import Report
from mlservices.models import ServiceAlert, ServiceCheck, ServiceHour, ServiceState, SpaceAwake
from tests.mlservices.conftest import serving

pytestmark = pytest.mark.django_db


async def _never():
    raise AssertionError


SERVICE = Service(
    "voice", "Voice", MODELS, "cloud", (Probe("workers", "Workers", _never), Probe("request", "Says", _never))
)
NOW = timezone.now().replace(minute=30, second=0, microsecond=0)


def report(*outcomes, at=NOW, service=SERVICE):
    pairs = tuple(zip(service.probes, outcomes, strict=False))
    return Report(service, at, pairs)


def figures(minutes=0, status=Status.PASS, **values):
    """A check so many minutes after NOW, with these figures."""
    found = Outcome(status, latency_ms=5, figures=values)
    keeping.store(report(found, at=NOW + timedelta(minutes=minutes)))


def opened():
    return {alert.kind: alert.value for alert in ServiceAlert.objects.filter(cleared_at=None)}


class TestKept:
    def test_the_newest_answer_is_the_state_and_each_is_a_row(self):
        keeping.store(
            report(passed("fine"), Outcome(Status.WARN, "at %(n)s", "Wait.", {"n": "9"}, latency_ms=7))
        )
        state = ServiceState.objects.get(pk="voice")
        assert (state.status, state.latency_ms, state.succeeded_at) == ("warn", 7, NOW)
        assert [(each["probe"], each["status"]) for each in state.outcomes] == [
            ("workers", "pass"),
            ("request", "warn"),
        ]
        assert sorted(ServiceCheck.objects.values_list("probe", "status", "reason")) == [
            ("request", "warn", "at 9"),
            ("workers", "pass", "fine"),
        ]

    def test_the_last_success_outlasts_failures(self):
        later = NOW + timedelta(minutes=3)
        keeping.store(report(passed(), passed()))
        keeping.store(report(passed(), failed("gone"), at=later))
        state = ServiceState.objects.get(pk="voice")
        assert (state.status, state.succeeded_at, state.checked_at, state.failures) == ("fail", NOW, later, 1)
        assert [each["passed_at"] for each in state.outcomes] == [later.isoformat(), NOW.isoformat()]

    def test_only_warnings_are_no_success(self):
        later = NOW + timedelta(minutes=3)
        keeping.store(report(passed(), warned("slow")))
        keeping.store(report(warned("asleep"), warned("asleep"), at=later))
        assert ServiceState.objects.get(pk="voice").succeeded_at == NOW

    def test_a_probe_that_was_not_asked_keeps_what_it_found(self):
        keeping.store(report(passed("first"), passed("second")))
        keeping.store(report(passed("newer"), at=NOW + timedelta(minutes=1)))
        found = ServiceState.objects.get(pk="voice").outcomes
        assert [each["reason"] for each in found] == ["newer", "second"]
        assert found[1]["asked_at"] == NOW.isoformat()

    def test_hours_count_checks_and_the_time_of_those_that_answered(self):
        for outcome in (passed(), warned("slow"), failed("gone")):
            keeping.store(report(Outcome(outcome.status, latency_ms=10)))
        keeping.store(report(passed(), at=NOW + timedelta(hours=1)))
        hour = ServiceHour.objects.get(hour=NOW.replace(minute=0))
        assert (hour.passed, hour.warned, hour.failed, hour.latency_ms) == (1, 1, 1, 20)
        assert ServiceHour.objects.count() == 2

    def test_a_week_is_kept_and_no_more(self):
        for days in (8, 6):
            keeping.store(report(failed("gone"), at=NOW - timedelta(days=days)))
        keeping.forget()
        assert [row.checked_at for row in ServiceCheck.objects.all()] == [NOW - timedelta(days=6)]
        assert ServiceHour.objects.count() == 1


class TestSleep:
    """What checks learn of the sleep of a Space."""

    SPACE = spaces.space("https://user:secret@me-voice.hf.space", "")

    def check(self, *outcomes, minutes):
        keeping.store(report(*outcomes, at=NOW + timedelta(minutes=minutes), service=self.SPACE))

    def test_it_is_awake_while_it_answers_and_asleep_once_it_says_so(self):
        for minutes in range(5):
            self.check(failed("bug"), passed(), minutes=minutes)
        self.check(*[warned(COLD)] * 6, minutes=5)
        self.check(passed(), minutes=9)
        row = SpaceAwake.objects.get(address="me-voice.hf.space")
        assert row.wakefulness.awake_seconds() == 4 * 60
        assert row.awake_since == NOW + timedelta(minutes=9)

    def test_of_one_that_cannot_be_reached_nothing_is_known(self):
        self.check(*[failed("It cannot be reached")] * 6, minutes=0)
        assert not SpaceAwake.objects.exists()


class TestAlerts:
    def test_a_service_that_fails_twice_in_a_row_raises_one_until_it_is_back(self):
        figures(0, Status.FAIL)
        assert opened() == {}
        figures(1, Status.FAIL)
        figures(2, Status.FAIL)
        assert opened() == {"down": 3}
        assert ServiceAlert.objects.get().since == NOW + timedelta(minutes=1)
        figures(3)
        assert opened() == {}
        assert ServiceAlert.objects.get().cleared_at == NOW + timedelta(minutes=3)

    def test_errors_are_counted_in_the_last_minutes_alone(self):
        figures(0, served=1000, failed=900)  # what was before counts for nothing
        figures(1, served=1094, failed=906)
        assert opened() == {"errors": 0.06}
        figures(2, served=1200, failed=906)
        assert opened() == {}

    def test_few_requests_tell_nothing_of_errors(self):
        figures(0, served=100, failed=0)
        figures(1, served=105, failed=4)
        assert opened() == {}

    def test_a_service_that_counts_anew_is_no_error(self):
        figures(0, served=5000, failed=10)
        figures(1, served=2, failed=0)
        figures(2, served=92, failed=10)
        assert opened() == {"errors": 0.1}

    def test_a_check_without_figures_begins_no_new_count(self):
        figures(0, served=1000, failed=0)
        figures(1)  # an outage: the service told nothing
        figures(2, served=1090, failed=10)
        assert opened() == {"errors": 0.1}
        figures(3)
        assert opened() == {"errors": 0.1}
        figures(4, served=1300, failed=10)
        assert opened() == {}

    def test_one_slow_inference_is_none_two_are(self):
        figures(0, seconds=9.0)
        assert opened() == {}
        figures(1, seconds=6.0)
        assert opened() == {"inference": 6.0}
        figures(2, seconds=5.0)
        assert opened() == {}

    def test_memory_above_95_percent(self):
        figures(0, memory=0.95)
        assert opened() == {}
        figures(1, memory=0.96)
        figures(2, memory=0.99)
        figures(3, memory=0.97)
        assert opened() == {"memory": 0.99}

    def test_the_log_tells_the_figure_in_its_unit(self, caplog):
        figures(0, Status.FAIL, memory=0.96)
        figures(1, Status.FAIL, memory=0.96)
        assert [record.message for record in caplog.records] == [
            "Alert: Voice, memory (96%, limit 95%)",
            "Alert: Voice, down (2 checks failed in a row)",
        ]

    def test_what_is_not_told_clears_nothing(self):
        figures(0, memory=0.99)
        figures(1)
        assert opened() == {"memory": 0.99}

    def test_those_of_a_service_that_is_gone_are_over(self):
        figures(0, memory=0.99)
        alerts.clear_others(["another"])
        assert opened() == {}


@pytest.fixture
def webhook(settings):
    """The address of one, what it was told, and the status it answers with."""
    told, answer = [], {"status": 200}

    async def take(request):
        told.append(await request.json())
        return Response("", status_code=answer["status"])

    with serving(Starlette(routes=[Route("/hook", take, methods=["POST"])])) as url:
        settings.ALERT_WEBHOOK_URL = f"{url}/hook"
        yield told, answer


class TestWebhook:
    def test_it_is_told_once_of_the_beginning_and_once_of_the_end(self, webhook):
        told, _ = webhook
        figures(0, memory=0.99)
        alerts.tell()
        alerts.tell()
        figures(1, memory=0.5)
        alerts.tell()
        alerts.tell()
        assert [(each["event"], each["kind"], each["value"], each["limit"]) for each in told] == [
            ("raised", "memory", 0.99, 0.95),
            ("cleared", "memory", 0.99, 0.95),
        ]
        assert told[0]["text"] == "VoiceForge alert raised: Voice, memory (99%)"
        assert told[0]["url"].endswith("/status/") and told[1]["cleared_at"]

    def test_an_alert_that_is_over_before_it_was_told_is_told_in_order(self, webhook):
        told, _ = webhook
        figures(0, memory=0.99)
        figures(1, memory=0.5)
        alerts.tell()
        assert [each["event"] for each in told] == ["raised", "cleared"]

    def test_one_that_takes_nothing_is_tried_again_and_said(self, webhook, monkeypatch):
        monkeypatch.setattr(alerts, "_PAUSE_SECONDS", 0)
        told, answer = webhook
        answer["status"] = 503
        figures(0, memory=0.99)
        alerts.tell()
        alert = ServiceAlert.objects.get()
        assert (len(told), alert.attempts, alert.problem, alert.raised_told_at) == (3, 1, "HTTP 503", None)
        answer["status"] = 204
        alerts.tell()
        alert.refresh_from_db()
        assert alert.raised_told_at and not alert.problem

    def test_without_one_nothing_is_posted(self, settings):
        settings.ALERT_WEBHOOK_URL = ""
        figures(0, memory=0.99)
        alerts.tell()
        assert ServiceAlert.objects.get().attempts == 0


class TestTask:
    @pytest.fixture(autouse=True)
    def _unlocked(self):
        cache.delete(tasks._LOCK)
        yield
        cache.delete(tasks._LOCK)

    def test_it_asks_keeps_and_forgets(self, monkeypatch):
        async def well():
            return passed("fine")

        service = Service("one", "One", MODELS, "cloud", (Probe("probe", "Probe", well),))
        monkeypatch.setattr("mlservices.checks.SOURCES", [lambda: [service]])
        keeping.store(report(failed("gone"), at=NOW - timedelta(days=9)))
        assert tasks.check_services() == "asked: 1"
        assert list(ServiceState.objects.values_list("pk", "status")) == [("one", "pass")]
        assert ServiceCheck.objects.get().reason == "fine"

    def test_never_two_at_once_nor_many_in_a_row(self, monkeypatch):
        monkeypatch.setattr("mlservices.checks.SOURCES", [])
        assert tasks.check_services() == "asked: 0"
        assert tasks.check_services().startswith("skipped")
