"""VoiceForge's own parts, each asked for real, and the command that asks all."""

from __future__ import annotations

import io
import json
import time

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django_q.models import Schedule
from django_q.status import Stat
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from mlservices.checks import Probe, Service, failed, passed, warned, worded
from mlservices.checks.probing import ask
from mlservices.clients.waking import Woke
from mlservices.models import ServiceState, SpaceAwake
from mlservices.service import devices
from tests.mlservices.conftest import serving
from voiceforge_site import platform_checks
from voiceforge_site.management.commands.setup import Command as SetUp
from voiceforge_site.platform_checks import DISK_FULL, WORKER_AWAY, own


def check(key):
    [service] = [each for each in own() if each.key == key]
    return async_to_sync(ask)(service)


@pytest.mark.django_db(transaction=True)
def test_the_database_is_written_and_read_and_nothing_stays():
    report = check("database")
    assert [(each.status, each.words) for each in report.outcomes] == [("pass", "Wrote a row and read it")]
    assert not ServiceState.objects.exists()


def test_a_message_goes_through_the_channel_layer():
    assert check("live-events").outcomes[0].words == "A message came back"


class TestJobs:
    @pytest.fixture
    def clusters(self, monkeypatch):
        """Lets these clusters have shown their hearts."""
        return lambda *found: monkeypatch.setattr(Stat, "get_all", lambda: list(found))

    @pytest.mark.django_db(transaction=True)
    def test_without_a_heartbeat_no_worker_is_alive(self, clusters):
        clusters()
        heartbeat, kept = check("jobs").outcomes
        assert (heartbeat.status, heartbeat.remedy) == ("fail", WORKER_AWAY)
        assert kept.status == "pass"

    @pytest.mark.django_db(transaction=True)
    def test_with_one_its_workers_are_counted(self, clusters):
        clusters(type("Heart", (), {"workers": [1, 2]}))
        assert check("jobs").outcomes[0].words == "2 workers, 0 jobs wait"

    @pytest.mark.django_db(transaction=True)
    def test_how_many_of_what_is_told_with_its_noun_in_the_readers_language(self, clusters):
        clusters(type("Heart", (), {"workers": [1]}))
        outcome = check("jobs").outcomes[0]
        assert outcome.words == "1 worker, 0 jobs wait"
        with translation.override("de"):
            assert outcome.words == "1 worker, 0 jobs wait"
            assert worded(gettext(outcome.reason), outcome.values) == "1 Worker, 0 Aufgaben warten"


def test_the_web_server_answers_whatever_it_says_of_others(settings):
    async def health(request):
        return JSONResponse({"status": "down"}, status_code=503)

    with serving(Starlette(routes=[Route("/health/", health)])) as url:
        settings.HOST, settings.PORT = "127.0.0.1", int(url.rpartition(":")[2])
        assert check("web").status == "pass"
    settings.PORT = 9
    report = check("web")
    assert report.status == "fail" and "“web” of the Procfile" in report.outcomes[0].remedy
    assert report.outcomes[0].words.startswith("It cannot be reached at http://127.0.0.1:9: ")
    assert "set PORT" in report.outcomes[0].remedy


class TestMachine:
    def test_memory_in_use_within_a_containers_limit_is_told_to_the_alerts(self, monkeypatch, tmp_path):
        (tmp_path / "memory.max").write_text(f"{1024 * 2**20}")
        (tmp_path / "memory.current").write_text(f"{1004 * 2**20}")
        (tmp_path / "memory.stat").write_text("inactive_file 0")
        monkeypatch.setattr(devices, "CGROUP", tmp_path)
        memory = check("machine").outcomes[1]
        assert (memory.status, memory.words) == ("warn", "0.0 of 1 GB free")
        assert memory.figures["memory"] == pytest.approx(1004 / 1024)

    @pytest.mark.parametrize(("free", "status"), [(40, "pass"), (4, "warn"), (0.5, "fail")])
    def test_a_disk_that_fills_up(self, monkeypatch, free, status):
        usage = type("Usage", (), {"free": free * 1e9, "total": 100e9})
        monkeypatch.setattr(platform_checks.shutil, "disk_usage", lambda path: usage)
        disk = check("machine").outcomes[0]
        assert (disk.status, disk.remedy) == (status, "" if status == "pass" else DISK_FULL)


@pytest.fixture
def three(monkeypatch):
    """One that works, one with a warning, one that fails in one of its two probes."""

    async def well():
        return passed("fine")

    async def ill():
        return failed("gone", "Bring it back.")

    async def cold():
        return warned("cold")

    found = [
        Service("good", "Good", "platform", "x", (Probe("a", "A", well),)),
        Service("cold", "Cold", "models", "x", (Probe("a", "A", cold),)),
        Service("bad", "Bad", "models", "x", (Probe("a", "A", well), Probe("b", "B", ill))),
    ]
    monkeypatch.setattr("mlservices.checks.SOURCES", [lambda: found])


def run(*arguments):
    """What it printed, and its exit code."""
    out, code = io.StringIO(), 0
    try:
        call_command("check_services", *arguments, stdout=out, no_color=True)
    except SystemExit as end:
        code = end.code
    return out.getvalue(), code


@pytest.mark.django_db
class TestCommand:
    def test_a_failure_is_told_with_what_to_do_and_by_the_exit_code(self, three):
        said, code = run()
        assert code == 1
        assert [line.split()[0] for line in said.splitlines()[:3]] == ["ok", "warn", "FAIL"]
        assert "1 of 2 passes" in said and "gone" in said and "Bring it back." in said
        assert "      No success is known.\n" in said
        assert said.endswith("1 works, 1 with a warning, 1 fails.\n")

    def test_by_hand_nothing_is_kept_unless_it_is_asked_for(self, three):
        run()
        assert not ServiceState.objects.exists()
        run("--store")
        assert ServiceState.objects.count() == 3

    def test_a_failure_is_told_with_the_last_success(self, three, monkeypatch):
        run("--only", "good", "--store")
        last = ServiceState.objects.get(pk="good").succeeded_at

        async def ill():
            return failed("gone")

        gone = Service("good", "Good", "platform", "x", (Probe("a", "A", ill),))
        monkeypatch.setattr("mlservices.checks.SOURCES", [lambda: [gone]])
        assert "Last success: " in run()[0]
        told = json.loads(run("--json")[0])["services"][0]
        assert (told["last_success"], "awake" in told) == (last.isoformat(), False)

    def test_the_sleep_of_a_space_is_told(self, monkeypatch):
        async def well():
            return passed("fine")

        space = Service("space", "Space", "models", "x", (Probe("a", "A", well),), address="a.example")
        monkeypatch.setattr("mlservices.checks.SOURCES", [lambda: [space]])
        assert json.loads(run("--json")[0])["services"][0]["awake"] is None
        assert "Nothing is measured yet" in run()[0]
        now = time.time()
        SpaceAwake.record("a.example", Woke(now - 50, 40.0, "/api/tts"))
        told = json.loads(run("--json", "--store")[0])["services"][0]["awake"]
        assert told["cold_starts"] == {"count": 1, "typical_seconds": 40, "longest_seconds": 40}
        assert 50 <= told["week_seconds"] < 60
        assert "1 cold start, which took 40 s · measured since" in run()[0]

    def test_a_warning_is_no_failure(self, three):
        assert run("--only", "cold", "--only", "good", "--store")[1] == 0
        assert sorted(ServiceState.objects.values_list("pk", flat=True)) == ["cold", "good"]

    def test_json_for_machines(self, three):
        said, code = run("--json")
        told = json.loads(said)
        assert (told["status"], code) == ("fail", 1)
        bad = told["services"][2]
        assert (bad["key"], bad["success_rate"], bad["passes"]) == ("bad", 0.5, 1)
        assert {**bad["probes"][1], "latency_ms": 0} == {
            "probe": "b",
            "title": "B",
            "status": "fail",
            "latency_ms": 0,
            "reason": "gone",
            "remedy": "Bring it back.",
        }

    def test_a_name_that_is_none_is_answered_with_those_there_are(self, three):
        with pytest.raises(CommandError, match="use one of good, cold, bad"):
            run("--only", "gud")


@pytest.mark.django_db
def test_set_up_schedules_once_the_checks_and_that_old_usage_is_forgotten():
    for _ in range(2):
        SetUp().schedule_upkeep()
    made = {each.func: each for each in Schedule.objects.all()}
    assert len(made) == Schedule.objects.count()
    checks = made["mlservices.tasks.check_services"]
    assert (checks.schedule_type, checks.minutes) == (Schedule.MINUTES, 1)
    for name, schedule_type, answer in (
        ("mlservices.tasks.forget_old_usage", Schedule.DAILY, "0 rows"),
        ("telephony.lines.reconciling.compare_all", Schedule.HOURLY, ""),
        ("telephony.lines.reconciling.ask_about_ringing", Schedule.MINUTES, ""),
        ("voiceforge_site.hooks.tasks.forget_old", Schedule.DAILY, "0 messages"),
        ("voiceforge_site.hooks.tasks.send", Schedule.MINUTES, "all is sent that was due"),
    ):
        assert made[name].schedule_type == schedule_type
        assert import_string(name)() == answer
