"""Figures of a period: counted from rows, cut where the days of the reader's clock are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from telephony import figures
from telephony.eventlog import record_now
from telephony.figures import Period, calls_of, engine_failures, percentile, response_time, usage_of
from telephony.models import Call, MeasuredTurn
from telephony.session.events import EngineFailed, OperatorTookOver
from tests.factories import ended, make_agent, make_call, measured, spoken

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]
NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


@pytest.fixture
def agent(db):
    return make_agent("Front desk")


@pytest.fixture(autouse=True)
def at_noon(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(figures.timezone, "now", lambda: NOON)
    yield
    timezone.deactivate()


def test_today_is_cut_into_hours_and_longer_periods_into_days() -> None:
    today, week, month = (Period.of(key) for key in ("today", "7-days", "30-days"))
    assert (len(today.parts), len(week.parts), len(month.parts)) == (24, 7, 30)
    assert (week.since.isoformat(), week.until.isoformat()) == ("2026-03-12", "2026-03-18")
    assert today.by_hour and not week.by_hour
    assert Period.of("nonsense") == today


def test_a_day_on_which_clocks_change_has_its_own_number_of_hours(monkeypatch) -> None:
    timezone.activate(ZoneInfo("Europe/Berlin"))
    for day, hours in (
        (datetime(2026, 3, 29, 12, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 12, tzinfo=UTC), 25),
    ):
        monkeypatch.setattr(figures.timezone, "now", lambda day=day: day)
        assert len(Period.of("today").parts) == hours


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 0), ("Asia/Kolkata", 5)])
def test_calls_stand_in_the_hours_of_the_readers_clock(agent, zone, hour) -> None:
    make_call(agent, ended(spoken(TURNS)), started=datetime(2026, 3, 18, 0, 5, tzinfo=UTC))
    timezone.activate(ZoneInfo(zone))
    calls = calls_of(Period.of("today"))
    assert [part.begins.hour for part in calls.parts if part.calls] == [hour]


def test_calls_of_other_days_are_not_counted_and_empty_days_are_there(agent) -> None:
    for days in (0, 2, 7):
        make_call(agent, ended(spoken(TURNS)), started=NOON - timedelta(days=days))
    calls = calls_of(Period.of("7-days"))
    assert [part.calls for part in calls.parts] == [0, 0, 0, 0, 1, 0, 1]


def test_who_was_transferred_or_ended_by_an_operator_or_failed_was_not_handled_without_a_person(
    agent,
) -> None:
    reasons = (
        "caller_hung_up",
        "agent_hung_up",
        "silence",
        "transferred",
        "operator_hung_up",
        "engine_failure",
    )
    for reason in reasons:
        make_call(agent, ended(spoken(TURNS), reason), started=NOON)
    make_call(agent, spoken(TURNS), started=NOON)  # goes on
    make_call(agent, ended([measured(1, 1)], "never_connected"), started=NOON)  # nobody answered
    taken_over = [*spoken(TURNS), OperatorTookOver(by="bob", window="w")]
    make_call(agent, ended(taken_over, "agent_hung_up"), started=NOON)
    calls = calls_of(Period.of("today"))
    assert (calls.handled, calls.answered, calls.all) == (2, 7, 9)
    assert calls.handled_share == 2 / 7
    [part] = [part for part in calls.parts if part.calls]
    assert part.series == {
        "handled": 2, "person": 3, "failed": 2, "silent": 0, "unanswered": 1, "live": 1,
    }  # fmt: skip


@pytest.mark.parametrize("reason", ["caller_hung_up", "agent_hung_up", "silence", "max_duration"])
def test_a_call_without_a_word_of_its_caller_is_no_success_whoever_ended_it(agent, reason) -> None:
    make_call(agent, ended(spoken([]), reason), started=NOON)
    make_call(agent, ended(spoken(TURNS)), started=NOON)
    calls = calls_of(Period.of("today"))
    assert (calls.outcomes["silent"], calls.handled, calls.answered) == (1, 1, 1)


def test_every_outcome_belongs_to_one_series() -> None:
    grouped = [outcome for group in figures.SERIES.values() for outcome in group]
    assert sorted(grouped) == sorted(Call.Outcome)


def test_without_calls_there_is_no_share(db) -> None:
    assert calls_of(Period.of("today")).handled_share is None


def test_the_median_and_the_95th_percentile_are_of_all_turns_of_the_periods_calls(agent) -> None:
    times = random.Random(1).sample(range(300, 3000, 10), 200)
    for number, ms in zip(count(), times, strict=False):
        make_call(agent, [measured(1, 5.0, ms)], started=NOON - timedelta(minutes=number))
    make_call(agent, [measured(1, 5.0, 9000)], started=NOON - timedelta(days=1))
    response = response_time(Period.of("today"))
    ordered = sorted(times)
    assert (response.turns, response.median, response.p95) == (200, ordered[99], ordered[189])


def test_the_curve_has_gaps_where_nothing_was_measured(agent) -> None:
    make_call(agent, [measured(1, 5.0, 812)], started=NOON)
    response = response_time(Period.of("7-days"))
    assert response.medians == [None] * 6 + [810]


@pytest.mark.parametrize(("measured_ms", "told_ms"), [(812, 810), (815, 820), (820, 820)])
def test_a_time_is_rounded_alike_for_the_whole_and_for_its_part(agent, measured_ms, told_ms) -> None:
    make_call(agent, [measured(1, 5.0, measured_ms)], started=NOON)
    response = response_time(Period.of("7-days"))
    assert response.median == response.p95 == response.medians[-1] == response.p95s[-1] == told_ms


def test_nothing_measured_is_not_zero(db) -> None:
    response = response_time(Period.of("today"))
    assert (response.turns, response.median, response.p95) == (0, None, None)


@pytest.mark.parametrize(
    ("counted", "share", "value"),
    [
        ({}, 0.5, None),
        ({7: 1}, 0.95, 7),
        ({1: 1, 2: 1}, 0.5, 1),
        ({1: 19, 9: 1}, 0.95, 1),
        ({1: 18, 9: 2}, 0.95, 9),
    ],
)
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(counted, share, value) -> None:
    assert percentile(counted, share) == value


def test_a_turn_that_is_measured_is_kept_for_the_figures_with_its_call(agent) -> None:
    call = make_call(agent, started=NOON)
    record_now(call.pk, measured(1, 5.0, 820), measured(2, 9.0, 640))
    kept = MeasuredTurn.objects.order_by("pk").values_list("call", "began", "milliseconds")
    assert list(kept) == [(call.pk, NOON, 820), (call.pk, NOON, 640)]
    call.delete()
    assert not MeasuredTurn.objects.exists()


def test_failures_are_told_by_engine_with_the_newest_first(agent) -> None:
    failed = [
        EngineFailed(at_seconds=1, engine="tts", error="one", remedy="retried"),
        EngineFailed(at_seconds=2, engine="tts", error="two", remedy="apologised"),
        EngineFailed(at_seconds=3, engine="stt", error="three", remedy="gave_up"),
    ]
    make_call(agent, failed, started=NOON)
    make_call(agent, failed[:1], started=NOON - timedelta(days=1))
    found = engine_failures(Period.of("today"))
    assert found.by_engine == [("tts", 2, 1), ("stt", 1, 1)]
    assert (found.all, found.retried) == (3, 1)
    assert [failure.error for failure in found.newest] == ["three", "two", "one"]


def test_usage_is_told_of_the_agents_that_are_asked_for(agent) -> None:
    make_call(agent, ended(spoken(TURNS, milliseconds=[700, 900])), started=NOON)
    make_call(make_agent("Hotel"), ended(spoken(TURNS)), started=NOON)
    [usage] = usage_of([agent.slug])
    assert (usage.calls, usage.median_ms) == (1, 800)


def test_usage_is_read_from_two_queries_without_a_call_s_card(agent, django_assert_num_queries) -> None:
    for milliseconds in ([700], [900], [2000]):
        make_call(agent, ended(spoken(TURNS, milliseconds=milliseconds)), started=NOON)
    slugs = [agent.slug, make_agent("Hotel").slug]
    with django_assert_num_queries(2) as asked:
        desk, hotel = usage_of(slugs)
    assert (desk.calls, desk.median_ms, hotel.calls, hotel.median_ms) == (3, 900, 0, None)
    assert all('"card"' not in query["sql"] for query in asked.captured_queries)
