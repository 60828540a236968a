"""The pools beside us, asked for real: what they say of themselves, and a little work of each kind."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from mlservices.catalog import Kind
from mlservices.checks import Probe
from mlservices.checks.http import COLD, WAKE
from mlservices.checks.pools import (
    NOT_RUNNING,
    OVERLOADED,
    TOKEN,
    WORKERS_FAIL,
    configured,
    judge_pool,
    pools_of,
)
from mlservices.checks.probing import ask
from mlservices.errors import EngineError
from mlservices.errors import Outcome as Trouble
from mlservices.service.app import create_app
from mlservices.service.layout import Plan
from tests.mlservices import stand_ins
from tests.mlservices.conftest import serving, stand_in_plans


@pytest.fixture
def pools(settings):
    settings.HF_ML_API_URL = ""
    return {service.key: service for service in configured()}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("pool-stt", "Heard: 1.5 seconds"),
        ("pool-tts", "Spoke for 0.5 s"),
        ("pool-vllm", "Answered: [1]"),
        ("pool-embed", "A meaning of 2 dimensions"),
        ("pool-vad", "Found the sentence; it is over with a probability of 1.00"),
    ],
)
async def test_each_does_its_work(settings, stand_in_service, key, words):
    settings.ML_PORT = urlsplit(stand_in_service).port
    pools = {service.key: service for service in pools_of(stand_in_plans())}
    report = await ask(pools[key])
    workers, request = report.outcomes
    assert re.fullmatch(r"(\d) of \1 workers? ready, 0 requests wait", workers.words)
    assert (report.status, request.words) == ("pass", words)
    assert workers.figures["served"] >= 0


async def test_a_pool_is_asked_for_a_model_of_its_own(settings, stand_in_service):
    settings.ML_PORT = urlsplit(stand_in_service).port
    further = replace(stand_ins.model(Kind.TTS, "Voice"), id="further", pool="hf_tts")
    [service] = pools_of([Plan(further)])
    _, request = (await ask(service)).outcomes
    assert request.status == "fail", "the voice of another pool would have answered"
    assert "further" in request.words


async def test_one_that_loads_its_model_warns_and_there_is_nothing_to_do(settings, tmp_path):
    plan = Plan(stand_ins.model(Kind.TTS, "SlowToLoad"))
    with serving(create_app([plan], tmp_path)) as url:
        settings.ML_PORT = urlsplit(url).port
        [service] = pools_of([plan])
        report = await ask(service)
    told = [(outcome.status, outcome.words, outcome.remedy) for outcome in report.outcomes]
    assert told == [("warn", COLD, WAKE)] * 2


def test_on_a_gpu_host_the_pools_of_its_models_are_asked_too(settings, tmp_path, monkeypatch):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("mlservices.service.layout.is_ready", lambda model, folder: True)
    assert {"pool-stt", "pool-tts", "pool-hf_tts", "pool-vllm"} <= {each.key for each in configured()}
    settings.CUDA_VISIBLE_DEVICES = "none"
    assert "pool-hf_tts" not in {each.key for each in configured()}


async def test_without_the_service_they_fail_and_say_how_to_start_it(pools, settings):
    settings.ML_PORT = 9
    report = await ask(pools["pool-stt"])
    assert [outcome.status for outcome in report.outcomes] == ["fail", "fail"]
    assert {outcome.remedy for outcome in report.outcomes} == {NOT_RUNNING}
    assert all("at http://127.0.0.1:9: " in outcome.words for outcome in report.outcomes)
    assert "set ML_PORT" in NOT_RUNNING


def health(**report):
    workers = [
        {"state": state, "reason": report.pop("reason", "")} for state in report.pop("states", ["ready"])
    ]
    return {
        "pools": {"tts": {"state": "loaded", "workers": workers, "queue": 0, "queue_limit": 100, **report}}
    }


@pytest.mark.parametrize(
    ("outcome", "remedy"),
    [
        (Trouble.FAILED, WORKERS_FAIL),  # a worker was killed, and is started again by itself
        (Trouble.TIMEOUT, OVERLOADED),
        (Trouble.REFUSED_TOKEN, TOKEN),
    ],
)
async def test_a_service_that_runs_need_not_be_started(pools, outcome, remedy):
    async def fails():
        raise EngineError("its process was killed by signal 9", outcome=outcome)

    report = await ask(replace(pools["pool-stt"], probes=(Probe("request", "Hears", fails),)))
    assert report.outcomes[0].remedy == remedy


@pytest.mark.parametrize(
    ("answer", "status", "words", "remedy"),
    [
        (health(), "pass", "1 of 1 worker ready, 0 requests wait", ""),
        (health(states=["loading"], state="loading"), "warn", COLD, WAKE),
        (health(states=["failed"], state="failed", reason="no file"), "fail", "no file", WORKERS_FAIL),
        (health(states=["busy", "failed"]), "warn", "1 of 2 workers ready, 0 requests wait", WORKERS_FAIL),
        (health(queue=51), "warn", "1 of 1 worker ready, 51 requests wait", OVERLOADED),
        ({"pools": {}}, "fail", "The service runs no such pool", NOT_RUNNING),
    ],
)
def test_what_the_service_says_of_a_pool(answer, status, words, remedy):
    outcome = judge_pool(answer, "tts")
    assert (outcome.status, outcome.words, outcome.remedy) == (status, words, remedy)


def test_how_long_an_inference_took_is_no_figure_where_there_was_none():
    assert "seconds" not in judge_pool(health(served=90, mean_seconds=None), "tts").figures


def test_figures_are_for_alerts():
    told = health(served=90, failed=4, busy=6, refused=30, loading=5, mean_seconds=1.5)
    outcome = judge_pool(
        {**told, "devices": [{"free_mb": 10, "total_mb": 40}, {"free_mb": 30, "total_mb": 40}]}, "tts"
    )
    assert outcome.figures == {"served": 90, "failed": 10, "seconds": 1.5, "memory": 0.75}
