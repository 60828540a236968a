"""What Prometheus is told, and that it is true whichever process has counted it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from agents.models import Agent
from telephony import actions
from telephony.eventlog import record_now
from telephony.models import Call, SipLine
from telephony.session.events import AgentHeard, CallerSaid, EngineFailed, FramesDropped, TurnMeasured
from voiceforge_site.access import key_actions
from voiceforge_site.models import User

REPOSITORY = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"voiceforge(_[a-z0-9]+)+")
_NOT_BASE_UNITS = ("milliseconds", "ms", "minutes", "hours", "percent", "kilobytes", "megabytes", "mb")

Figures = dict[tuple[str, ...], float]


def figures_of(text: str) -> Figures:
    """By the sample's name and the values of its labels, in the order of the labels' names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Scraper:
    """Prometheus, with a key that opens the status alone."""

    def __init__(self, person: User) -> None:
        _, self.key = key_actions.create("prometheus", person, scopes=["voiceforge_site.view_status"])

    def text(self) -> str:
        answer = Client().get("/api/metrics", HTTP_AUTHORIZATION=f"Bearer {self.key}")
        assert answer.status_code == 200, answer.content
        return str(asyncio.run(answer.made()).content.decode())

    def figures(self) -> Figures:
        return figures_of(self.text())


@pytest.fixture
def scraper(alice: User, settings: Any) -> Scraper:
    settings.ML_PORT = 9  # nobody listens there
    return Scraper(alice)


@pytest.fixture
def call(db: None) -> Call:
    agent = Agent.objects.create(name="Front desk", slug="front-desk", greeting="Hello.")
    return actions.start_browser_call(agent=agent, caller="alice")


def grown(scraper: Scraper, before: Figures, *sample: str) -> float:
    return scraper.figures().get(sample, 0.0) - before.get(sample, 0.0)


@pytest.mark.django_db(transaction=True)
def test_a_call_is_counted_from_its_beginning_to_its_outcome(scraper: Scraper) -> None:
    before = scraper.figures()
    agent = Agent.objects.create(name="Front desk", slug="front-desk", greeting="Hello.")
    call = actions.start_browser_call(agent=agent, caller="alice")
    actions.connect_call(call.pk, line="browser")
    assert scraper.figures()["voiceforge_calls_live", "web", "browser"] == 1
    record_now(
        call.pk,
        CallerSaid(turn=1, text="good day", start_seconds=0, end_seconds=1, confidence=1, language="en"),
        TurnMeasured(
            turn=1,
            voice_to_voice_seconds=0.9,
            endpointing_seconds=0.3,
            words_seconds=0.1,
            text_seconds=0.2,
            audio_seconds=0.3,
        ),
        AgentHeard(turn=1, text="Hel", interrupted=True),
        AgentHeard(turn=2, text="Hello", interrupted=False),
        EngineFailed(engine="tts", error="away", remedy="retried"),
        FramesDropped(leg="caller", count=7),
    )
    actions.end_call(call.pk, reason="caller_hung_up", at_seconds=5.0)
    assert grown(scraper, before, "voiceforge_calls_begun_total", "web", "browser") == 1
    ended = ("voiceforge_calls_ended_total", "web", "browser", "caller_hung_up")
    assert grown(scraper, before, *ended) == 1
    assert grown(scraper, before, "voiceforge_turns_total", "browser") == 1
    assert grown(scraper, before, "voiceforge_voice_to_voice_seconds_sum", "browser") == pytest.approx(0.9)
    assert grown(scraper, before, "voiceforge_voice_to_voice_seconds_bucket", "0.8", "browser") == 0
    assert grown(scraper, before, "voiceforge_voice_to_voice_seconds_bucket", "1.0", "browser") == 1
    assert grown(scraper, before, "voiceforge_turn_step_seconds_sum", "text") == pytest.approx(0.2)
    assert grown(scraper, before, "voiceforge_turn_step_seconds_count", "stt_queue") == 0
    assert grown(scraper, before, "voiceforge_barge_ins_total", "browser") == 1
    assert grown(scraper, before, "voiceforge_engine_failures_total", "tts", "retried") == 1
    assert grown(scraper, before, "voiceforge_media_frames_dropped_total", "caller") == 7
    assert ("voiceforge_calls_live", "web", "browser") not in scraper.figures()


@pytest.mark.django_db
def test_what_is_not_committed_is_not_counted(scraper: Scraper, call: Call) -> None:
    before = scraper.figures()
    record_now(call.pk, FramesDropped(leg="agent", count=3))  # this test's transaction is taken back
    assert grown(scraper, before, "voiceforge_media_frames_dropped_total", "agent") == 0


@pytest.mark.django_db
def test_requests_are_counted_by_route_however_many_addresses_there_are(
    scraper: Scraper, alices_browser: Client
) -> None:
    before = scraper.figures()
    for number in range(1, 4):
        alices_browser.get(f"/people/{number}999/")
        alices_browser.get(f"/nowhere/{number}")
    new = {sample for sample in scraper.figures() if sample not in before}
    assert grown(scraper, before, "voiceforge_http_requests_total", "GET", "people/<int:pk>/", "404") == 3
    assert grown(scraper, before, "voiceforge_http_requests_total", "GET", "none", "404") == 3
    assert not [sample for sample in new if "999" in str(sample) or "nowhere" in str(sample)]
    alices_browser.generic("BREW", "/health/")
    assert not [sample for sample in scraper.figures() if "BREW" in sample]


@pytest.mark.django_db
def test_keys_that_are_not_taken_are_counted(scraper: Scraper, alice: User) -> None:
    before = scraper.figures()
    row, gone = key_actions.create("gone", alice)
    key_actions.revoke(row.prefix)
    for key in ("vf_sk_" + "0" * 32, gone, gone):
        Client().get("/api/users/me", HTTP_AUTHORIZATION=f"Bearer {key}")
    assert grown(scraper, before, "voiceforge_api_key_refusals_total", "unknown") == 1
    assert grown(scraper, before, "voiceforge_api_key_refusals_total", "inactive") == 2


@pytest.mark.django_db
def test_what_waits_is_told(scraper: Scraper) -> None:
    from django_q.models import OrmQ
    from django_q.tasks import async_task

    async_task("math.floor", 1.5)
    async_task("math.floor", 2.5)
    OrmQ.objects.update(lock=timezone.now() + timedelta(minutes=5))  # as one that a worker has taken
    SipLine.objects.create(label="a", host="a.example.org", user="1", state="ready", held_at=timezone.now())
    SipLine.objects.create(label="b", host="b.example.org", user="2", state="ready")  # its gateway is gone
    figures = scraper.figures()
    assert figures["voiceforge_jobs_waiting",] == 2
    assert 0 <= figures["voiceforge_jobs_oldest_seconds",] < 60
    assert figures["voiceforge_jobs_failed",] == 0
    assert (figures["voiceforge_sip_lines", "ready"], figures["voiceforge_sip_lines", "off"]) == (1, 1)
    assert figures["voiceforge_planned_calls_waiting",] == 0


@pytest.mark.django_db
def test_the_readme_tells_of_every_measure(scraper: Scraper) -> None:
    part = (REPOSITORY / "README.md").read_text().partition("### Prometheus")[2].partition("\n## ")[0]
    for family in text_string_to_metric_families(scraper.text()):
        name = family.name.removeprefix("voiceforge_") + ("_total" if family.type == "counter" else "")
        assert f"`{name}`" in part, name


@pytest.mark.django_db
def test_an_ml_service_that_is_away_takes_only_its_own_measures_along(scraper: Scraper) -> None:
    figures = scraper.figures()
    assert figures["voiceforge_ml_up",] == 0
    assert [sample for sample in figures if sample[0] == "voiceforge_build_info"]


@pytest.mark.django_db
def test_who_may_not_see_the_status_is_told_no_figures(bob: User, charlie: User, alice: User) -> None:
    _, elsewhere = key_actions.create("models", alice, scopes=["mlservices.use_models"])
    _, charlies = key_actions.create("charlie", charlie)
    statuses = [
        Client().get("/api/metrics", HTTP_AUTHORIZATION=f"Bearer {key}").status_code
        for key in (elsewhere, charlies)
    ]
    assert (*statuses, Client().get("/api/metrics").status_code) == (403, 403, 401)


@pytest.mark.django_db(transaction=True)
def test_names_follow_the_rules_of_prometheus(scraper: Scraper, call: Call) -> None:
    """Those of `promtool check metrics`: one family a name, base units, help, `_total` on counters alone."""
    actions.end_call(call.pk, reason="silence", at_seconds=1.0)
    families = list(text_string_to_metric_families(scraper.text()))
    names = [family.name for family in families]
    assert len(names) == len(set(names)) > 15
    for family in families:
        assert _NAME.fullmatch(family.name), family.name
        assert family.documentation.endswith("."), family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket", "_created")), family.name
        assert not set(family.name.split("_")) & set(_NOT_BASE_UNITS), family.name
        assert family.type != "histogram" or family.name.endswith("_seconds"), family.name


_COUNTING = """
import os, django
django.setup()
from mlservices import counting
from telephony import metrics
metrics.barge_ins.labels("browser").inc({number})
metrics.answer_seconds.labels("browser").observe({number})
metrics.events_waiting.set({number})
print(os.getpid(), flush=True)
{then}
"""


def test_what_several_processes_count_is_one_sum_which_never_falls(tmp_path: Path, settings: Any) -> None:
    from mlservices import counting

    others = os.environ | {"DJANGO_SETTINGS_MODULE": "voiceforge_site.settings", "VAR_DIR": str(tmp_path)}

    def process(number: int, then: str = "") -> subprocess.Popen[str]:
        script = _COUNTING.format(number=number, then=then)
        return subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=REPOSITORY,
            env=others,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def told() -> tuple[float, float, float]:
        samples = {
            (sample.name, sample.labels.get("le", "")): sample.value
            for metric in counting.Counted().collect()
            for sample in metric.samples
        }
        return (
            samples["voiceforge_barge_ins_total", ""],
            samples["voiceforge_voice_to_voice_seconds_bucket", "3.0"],
            samples.get(("voiceforge_events_waiting", ""), 0.0),
        )

    lives = process(5, "input()")
    ended = process(2)
    assert lives.stdout and lives.stdin
    lives.stdout.readline()
    ended.communicate(timeout=60)
    settings.METRICS_DIR = tmp_path / "metrics"
    assert told() == (7, 1, 5)
    counting.fold()
    assert told() == (7, 1, 5)
    process(2).communicate(timeout=60)
    counting.fold()
    counting.fold()
    assert told() == (9, 2, 5)
    lives.communicate("\n", timeout=60)
    counting.fold()
    assert told() == (9, 2, 0)
    assert len(list(settings.METRICS_DIR.iterdir())) == 2
