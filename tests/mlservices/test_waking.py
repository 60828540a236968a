"""When a service sleeps, how long it takes to wake up, and who keeps it awake."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django_q.models import Schedule

from mlservices import awake, keep_warm
from mlservices.clients.http import Party
from mlservices.clients.space import SpaceClient
from mlservices.clients.waking import Answered, ColdStart, FellAsleep, Wakefulness, Waking, Woke
from mlservices.errors import EngineError, EngineTimeout
from mlservices.models import SpaceAwake
from tests.fakes import space as behave
from tests.fakes.space import Space

HOUR = 3600.0
SECOND = bytes(32000)


def after(*happenings, known=None):
    known = known or Wakefulness()
    for happening in happenings:
        known = known.after(happening, gap=HOUR)
    return known


def test_it_is_awake_from_its_first_answer_to_its_last():
    known = after(Answered(100), Answered(160), Answered(400))
    assert (known.awake_since, known.seen_at, known.awake_seconds()) == (100, 400, 300)


def test_what_it_did_while_nobody_asked_is_not_counted():
    known = after(Answered(0), Answered(600), Answered(600 + 2 * HOUR), Answered(700 + 2 * HOUR))
    assert (known.awake_seconds(), known.awake_since) == (700, 600 + 2 * HOUR)


def test_sleep_ends_the_time_awake_and_waking_is_a_cold_start():
    known = after(Answered(0), Answered(500), FellAsleep(900), Woke(960, 60, "/api/tts"), Answered(1000))
    assert known.awake_seconds() == 500 + 40
    assert known.cold_starts == (ColdStart(960, 60, "/api/tts"),)


def test_a_cold_start_that_two_waited_for_is_one():
    known = after(FellAsleep(0), Woke(60, 60, "/api/tts"), Woke(61, 45, "/api/stt"))
    assert (len(known.cold_starts), known.awake_since) == (1, 60)


def test_a_cold_start_is_one_even_if_another_got_its_answer_first():
    known = after(FellAsleep(0), Answered(59), Woke(60, 60, "/api/tts"))
    assert (known.cold_starts, known.awake_since) == ((ColdStart(60, 60, "/api/tts"),), 59)


def test_a_model_that_is_loaded_late_is_a_cold_start_of_a_service_that_is_awake():
    known = after(Answered(0), FellAsleep(10, model_only=True), Woke(50, 40, "/api/stt", model_only=True))
    assert (len(known.cold_starts), known.awake_since, known.awake_seconds()) == (1, 0, 50)


def test_the_time_awake_is_told_of_any_day():
    known = after(Answered(100), Answered(500), FellAsleep(600), Answered(1000), Answered(1300))
    assert known.awake_seconds(0, 300) == 200
    assert known.awake_seconds(400, 1100) == 100 + 100
    assert known.awake_seconds(2000, 3000) == 0


def test_a_week_is_kept_and_no_more():
    day = 24 * HOUR
    happenings = [
        each
        for n in range(30)
        for each in (FellAsleep(n * day), Woke(n * day + 30, 30, "/api/tts"), Answered(n * day + 90))
    ]
    known = after(*happenings)
    assert [start.at for start in known.cold_starts] == [n * day + 30 for n in range(22, 30)]
    assert known.awake_seconds() == 9 * 60


# --- What a client tells -----------------------------------------------------------------------------


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return self.seconds

    async def sleep(self, seconds):
        self.seconds += seconds


async def told_by(space, *, patient=True, requests=1):
    clock, told = Clock(), []
    waking = Waking(clock.now, clock.sleep, tell=told.append, clock=clock.now)
    client = SpaceClient(space.url, party=Party("Space"), waking=waking, patient=patient)
    try:
        for _ in range(requests):
            await client.transcribe(SECOND, rate=16000, language="en")
    except EngineError as error:
        told.append(error.outcome.value)
    finally:
        await client.close()
    return told


async def test_a_client_tells_of_sleep_and_of_how_long_waking_took():
    with Space() as space:
        space.queue("/api/stt", behave.waking, behave.gateway_timeout, behave.not_loaded)
        told = await told_by(space, requests=2)
    asleep = [FellAsleep(0.0), FellAsleep(3.0, model_only=True)]
    assert told == [*asleep, Woke(7.0, 7.0, "/api/stt"), Answered(7.0)]


async def test_a_client_tells_a_model_that_is_not_loaded_from_a_service_that_sleeps():
    with Space() as space:
        space.queue("/api/stt", behave.not_loaded)
        told = await told_by(space)
    assert told == [FellAsleep(0.0, model_only=True), Woke(1.0, 1.0, "/api/stt", model_only=True)]


async def test_an_impatient_client_tells_of_sleep_too_and_asks_once():
    with Space() as space:
        space.always("/api/stt", behave.waking)
        told = await told_by(space, patient=False)
        assert told == [FellAsleep(0.0), "waking"]
        assert len(space.asked) == 1


async def test_sleep_that_one_request_found_ends_with_the_answer_to_another():
    clock, told = Clock(), []
    waking = Waking(clock.now, clock.sleep, tell=told.append, clock=clock.now)
    for path, seconds in (("/stream/tts", 20.0), ("/stream/stt", 20.0)):
        waking.found_asleep(path, model_only=False)
        clock.seconds += seconds
    waking.ask("/api/tts").answered()
    assert told == [FellAsleep(0.0), Woke(40.0, 40.0, "/api/tts")]


async def test_sleep_of_hours_ago_is_not_the_time_that_waking_took():
    clock, told = Clock(), []
    waking = Waking(clock.now, clock.sleep, tell=told.append, clock=clock.now)
    waking.found_asleep("/api/tts", model_only=False)
    clock.seconds = 7200.0
    attempts = waking.ask("/api/tts")
    clock.seconds += 3.0
    attempts.answered()
    assert told[1:] == [Woke(7203.0, 3.0, "/api/tts")]


async def test_a_first_answer_that_lets_wait_was_a_cold_start():
    clock, told = Clock(), []
    waking = Waking(clock.now, clock.sleep, tell=told.append, clock=clock.now)
    for seconds in (40.0, 8.0):
        attempts = waking.ask("/api/tts")
        clock.seconds += seconds
        attempts.answered()
    assert told == [Woke(40.0, 40.0, "/api/tts"), Answered(48.0)], "slow, but awake"


# --- What all processes see --------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_several_processes_learn_becomes_one_row(settings):
    now = time.time()
    SpaceAwake.record("space.example", Answered(now - 500), FellAsleep(now - 400))
    SpaceAwake.record("space.example", Woke(now - 340, 60.0, "/api/tts"))
    SpaceAwake.record("space.example", Woke(now - 339, 55.0, "/api/stt"), Answered(now))
    row = SpaceAwake.objects.get()
    known = row.wakefulness
    assert [start["seconds"] for start in row.cold_starts] == [60.0]
    assert known.awake_seconds() == pytest.approx(340)
    assert timezone.now() - row.awake_since == pytest.approx(timedelta(seconds=340), abs=timedelta(seconds=5))
    assert known.cold_starts[0].path == "/api/tts"


@pytest.mark.django_db(transaction=True)
def test_a_process_writes_down_sleep_at_once_and_answers_now_and_then():
    seconds = 0.0
    tell = awake.teller("https://user:secret@someone-voice.hf.space/", now=lambda: seconds)
    for at in range(0, 100, 10):
        seconds = float(at)
        tell(Answered(1000.0 + at))
    awake.flush()
    row = SpaceAwake.objects.get(address="someone-voice.hf.space")
    assert row.wakefulness.seen_at == 1060.0
    tell(FellAsleep(1100.0))
    tell(Woke(1130.0, 30.0, "/api/tts"))
    tell(Answered(1131.0))
    awake.flush()
    row.refresh_from_db()
    assert (len(row.cold_starts), row.wakefulness.seen_at) == (1, 1131.0)


# --- A week of it ------------------------------------------------------------------------------------


NOON = datetime(2026, 3, 31, 12, tzinfo=ZoneInfo("Europe/Berlin"))  # two days after a day of 23 hours


@pytest.mark.django_db
class TestWeek:
    @pytest.fixture(autouse=True)
    def _berlin(self):
        with timezone.override("Europe/Berlin"):
            yield

    def week(self, *happenings, measured_since):
        SpaceAwake.objects.create(address="a.example", measured_since=measured_since)
        SpaceAwake.record("a.example", *happenings)
        return awake.weeks_of(["a.example", "b.example"], NOON)["a.example"]

    def test_time_awake_is_told_by_the_days_of_the_viewer(self):
        at = NOON.timestamp()
        told = (Answered(at - 14 * HOUR + n * HOUR) for n in range(15))  # since ten in the evening
        week = self.week(*told, measured_since=NOON - timedelta(days=30))
        assert [day.awake_seconds / HOUR for day in week.days[-2:]] == [2, 12]
        assert week.awake_seconds == 14 * HOUR
        assert (week.today.share, week.days[0].share) == (1.0, 0.0)
        assert week.days[4].date.isoformat() == "2026-03-29"
        assert week.days[4].measured_seconds == 23 * HOUR

    def test_a_day_before_the_first_measurement_has_no_share(self):
        at = NOON.timestamp()
        week = self.week(Answered(at - 1800), Answered(at), measured_since=NOON - timedelta(hours=1))
        assert [day.share for day in week.days] == [None] * 6 + [0.5]
        assert week.as_json()["days"][-2:] == [
            {"date": "2026-03-30", "seconds": None},
            {"date": "2026-03-31", "seconds": 1800},
        ]

    def test_cold_starts_of_the_week_are_counted_with_how_long_they_took(self):
        at = NOON.timestamp()
        starts = [
            Woke(at - ago * 24 * HOUR, seconds, "/api/tts")
            for ago, seconds in ((7.5, 90), (3, 20), (2, 60), (1, 30))
        ]
        week = self.week(*starts, measured_since=NOON - timedelta(days=30))
        assert week.as_json()["cold_starts"] == {"count": 3, "typical_seconds": 30, "longest_seconds": 60}

    def test_of_one_that_nobody_measured_nothing_is_told(self):
        assert awake.weeks_of(["a.example"], NOON) == {}


# --- The keep-warm job -------------------------------------------------------------------------------


@pytest.fixture
def space(settings):
    with Space() as space:
        settings.HF_ML_API_URL, settings.HF_ML_KEEP_WARM, settings.HF_TOKEN = space.url, 15, "hf_secret"
        yield space


@pytest.mark.django_db
def test_the_job_has_the_space_say_and_hear_something(space):
    assert keep_warm.keep_warm() == ""
    assert [asked.path for asked in space.asked if asked.path.startswith("/api")] == [
        "/api/health",
        "/api/models",
        "/api/tts",
        "/api/stt",
    ]
    assert {asked.headers.get("authorization") for asked in space.asked} == {"Bearer hf_secret"}
    row = SpaceAwake.objects.get(address=awake.address_of(space.url))
    assert (row.outcome, row.problem, row.cold_starts) == ("", "", [])
    assert row.awake_since and row.checked_at


@pytest.mark.django_db
def test_the_job_wakes_a_space_that_sleeps_and_measures_it(space):
    space.queue("/api/health", behave.waking)
    space.queue("/stream/tts", behave.waking)
    assert keep_warm.keep_warm() == ""
    row = SpaceAwake.objects.get()
    [start] = row.cold_starts
    assert 1.0 <= start["seconds"] < 5.0


@pytest.mark.django_db
def test_the_job_keeps_what_went_wrong_and_forgets_it_once_all_is_well(space, caplog):
    space.always("", behave.unauthorized)
    assert "HF_TOKEN is refused" in keep_warm.keep_warm()
    row = SpaceAwake.objects.get()
    assert row.outcome == "refused_token"
    assert "hf_secret" not in row.problem + caplog.text
    space.always("", None)
    assert keep_warm.keep_warm() == ""
    row.refresh_from_db()
    assert row.outcome == row.problem == ""


@pytest.mark.django_db
def test_the_job_is_scheduled_every_so_many_minutes_and_only_with_a_space(settings):
    settings.HF_ML_KEEP_WARM = 15
    keep_warm.schedule()
    assert not Schedule.objects.exists(), "there is no Space"
    assert keep_warm.keep_warm() == ""
    settings.HF_ML_API_URL = "https://someone-voice.hf.space"
    keep_warm.schedule()
    settings.HF_ML_KEEP_WARM = 20
    keep_warm.schedule()
    schedule = Schedule.objects.get()
    assert (schedule.func, schedule.minutes, schedule.repeats) == ("mlservices.keep_warm.keep_warm", 20, -1)
    assert schedule.next_run <= timezone.now()
    settings.HF_ML_KEEP_WARM = 0
    keep_warm.schedule()
    assert not Schedule.objects.exists()


async def test_who_let_wait_in_vain_may_sleep_and_gets_the_time_to_wake_up():
    waking = Waking(Clock().now, Clock().sleep)
    waking.awake.add("/api/tts")
    attempts = waking.ask("/api/tts")
    assert attempts.left() == 30
    with pytest.raises(EngineTimeout):
        await attempts.after(EngineTimeout("late"))
    assert waking.ask("/api/tts").left() == 120


def test_a_wait_that_was_too_long_is_a_timeout_and_no_sleep():
    assert not EngineTimeout("late").cold
