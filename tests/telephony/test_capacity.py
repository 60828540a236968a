from __future__ import annotations

import pytest

from telephony.capacity import TICK_SECONDS, Capacity


def after(ticks: int, *, late: float, busy: float) -> Capacity:
    capacity = Capacity()
    for _ in range(ticks):
        elapsed = TICK_SECONDS + late
        capacity.update(elapsed_seconds=elapsed, busy_seconds=busy * elapsed)
    return capacity


def test_a_process_at_its_ease_takes_calls() -> None:
    assert not after(600, late=0.002, busy=0.4).full()


def test_a_busy_loop_takes_no_more() -> None:
    assert after(600, late=0.002, busy=0.85).full()


def test_a_late_loop_takes_no_more() -> None:
    assert after(600, late=0.08, busy=0.3).full()


def test_one_hiccup_turns_nobody_away() -> None:
    capacity = after(600, late=0.001, busy=0.2)
    capacity.update(elapsed_seconds=3.0, busy_seconds=0.1)
    assert not capacity.full()


def test_it_recovers() -> None:
    capacity = after(600, late=0.08, busy=0.9)
    for _ in range(600):
        capacity.update(elapsed_seconds=TICK_SECONDS, busy_seconds=0.01)
    assert not capacity.full()


def test_what_is_in_use_is_told_as_a_part_of_what_it_takes_and_only_once_it_is_measured() -> None:
    capacity = Capacity()
    assert not capacity.known
    for _ in range(1000):
        capacity.update(elapsed_seconds=0.1, busy_seconds=0.035)
    assert capacity.known
    assert capacity.share_in_use == pytest.approx(0.5, abs=0.01)
    capacity.lag_seconds = 10.0
    assert capacity.share_in_use == 1.0
