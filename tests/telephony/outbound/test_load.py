"""The guard under load: however many threads place calls at once, a cap is never exceeded."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections
from django.utils import timezone

from telephony.models import Call, PlannedCall, SipLine
from telephony.outbound import dialler
from telephony.outbound.actions import begin_call, plan_call
from telephony.outbound.guard import DAY, NotAllowed, spent_since
from telephony.sip import records
from tests.factories import make_agent

pytestmark = pytest.mark.django_db(transaction=True)
CAP = Decimal("20.10")  # of which 0.20 is set aside for each call
THREADS = 4
CALLS = int(os.environ.get("LOAD_CALLS", "200"))


@pytest.fixture
def line() -> SipLine:
    agent = make_agent("Caller", max_call_seconds=570)
    line = SipLine.objects.create(
        label="Desk", host="pbx.example.org", user="100", agent=agent, countries=["US"], max_calls=10_000,
        price_per_minute=Decimal("0.02"), daily_cap=CAP,
    )  # fmt: skip
    records.set_state(line.pk, SipLine.State.READY)
    SipLine.objects.update(held_at=timezone.now() + DAY)  # by a gateway that is heard of all the time
    for _ in range(CALLS):
        plan_call(to="+14155550111", agent=agent, line=line, by="alice")
    return line


def in_threads(work: Callable[[int], None]) -> None:
    def closed_after(number: int) -> None:
        try:
            work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(closed_after, range(THREADS)))


def test_a_provider_that_takes_longer_than_the_lease_does_not_lose_it(line: SipLine, monkeypatch) -> None:
    began = timezone.now()
    SipLine.objects.filter(pk=line.pk).update(dialling_until=began, dialling_by="mine")

    def slow(lease: dialler.Lease) -> bool:
        deadline = time.monotonic() + 5
        while SipLine.objects.get(pk=line.pk).dialling_until <= began:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return False

    monkeypatch.setattr(dialler, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(dialler, "place_next", slow)
    dialling = dialler.Dialler()._dial(dialler.Lease(SipLine, line.pk, 1.0, "mine"))
    asyncio.run(asyncio.wait_for(dialling, 10))
    assert SipLine.objects.get(pk=line.pk).dialling_by == ""


def test_four_diallers_place_what_fits_and_nothing_more(line: SipLine) -> None:
    def dial(_number: int) -> None:
        while PlannedCall.objects.filter(state="waiting").exists():
            for lease in dialler.taken():
                while dialler.place_next(lease):
                    pass
                dialler.let_go(lease)
            time.sleep(0.5)

    in_threads(dial)
    _is_kept(line)


def test_also_where_no_lease_keeps_them_apart(line: SipLine) -> None:
    """As with processes that stall for longer than their lease lasts."""
    waiting = list(PlannedCall.objects.select_related("agent__flow__live", "line__account"))

    def place(number: int) -> None:
        for planned in waiting[number::THREADS]:
            try:
                begin_call(planned, Decimal("0.02"))
            except NotAllowed:
                PlannedCall.objects.filter(pk=planned.pk).update(state="refused")

    in_threads(place)
    _is_kept(line)


def _is_kept(line: SipLine) -> None:
    assert Call.objects.count() == 100
    assert PlannedCall.objects.exclude(call=None).count() == 100
    assert spent_since(line, timezone.now() - DAY) == Decimal("20.00")
