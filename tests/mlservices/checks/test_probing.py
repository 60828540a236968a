"""Asking: in time, side by side, and without a word of what is secret."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from mlservices.checks import MODELS, PLATFORM, SOURCES, Probe, Service, failed, passed, services
from mlservices.checks.probing import ask, ask_all, in_thread


def service(key="one", *asks, patience=5.0, **fields):
    probes = tuple(Probe(f"probe-{n}", "Probe", each, patience) for n, each in enumerate(asks))
    return Service(key, key, fields.pop("group", MODELS), "cloud", probes, **fields)


async def well():
    return passed("fine")


async def forever():
    await asyncio.sleep(60)
    return passed()


async def test_one_that_says_nothing_fails_in_its_time_and_holds_up_no_other():
    slow, quick = service("slow", forever, well, patience=0.3), service("quick", well)
    reports = [report async for report in ask_all([slow, quick])]
    assert [report.service.key for report in reports] == ["quick", "slow"]
    silent, other = reports[1].outcomes
    assert (silent.status, silent.words) == ("fail", "No answer within 0 s")
    assert 250 <= silent.latency_ms < 3000
    assert other.status == "pass"


async def test_what_blocks_is_given_up_and_its_thread_is_waited_for_by_nobody():
    released = threading.Event()

    def block():
        released.wait(20)
        return passed()

    begun = time.monotonic()
    report = await ask(service("blocked", lambda: in_thread(block), patience=0.2))
    assert report.status == "fail"
    assert time.monotonic() - begun < 5
    released.set()


async def test_what_a_thread_raises_is_the_reason():
    def broken():
        raise OSError("disk on fire")

    report = await ask(service("broken", lambda: in_thread(broken), remedy="Put it out."))
    assert [(each.status, each.words, each.remedy) for each in report.outcomes] == [
        ("fail", "disk on fire", "Put it out.")
    ]


async def test_secrets_are_in_no_reason():
    async def tells():
        return failed("no %(what)s, key abc123", what="abc123")

    report = await ask(service("tells", tells, secrets=("abc123", "")))
    assert report.outcomes[0].words == "no ***, key ***"


async def test_what_passes_needs_no_remedy():
    report = await ask(service("fine", well, remedy="Do something."))
    assert report.outcomes[0].remedy == ""


def test_a_source_that_fails_takes_no_other_along(monkeypatch, caplog):
    def broken():
        raise RuntimeError("no database")
        yield

    monkeypatch.setattr(
        "mlservices.checks.SOURCES", [broken, lambda: [service("b"), service("a", group=PLATFORM)]]
    )
    assert [each.key for each in services()] == ["a", "b"]
    assert "cannot be listed" in caplog.text


@pytest.mark.django_db
def test_every_service_has_a_key_of_its_own_and_probes_with_patience(settings):
    settings.HF_ML_API_URL, settings.NVIDIA_API_KEY = "https://a.hf.space", "nvapi-1"
    found = services()
    assert len(SOURCES) >= 5
    assert len({each.key for each in found}) == len(found)
    assert {each.group for each in found} <= {"platform", "models", "providers"}
    assert all(0 < probe.patience_seconds <= 30 for each in found for probe in each.probes)
    assert all(each.remedy for each in found)
