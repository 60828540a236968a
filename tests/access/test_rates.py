"""How much one API key may ask for in a minute."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from asgiref.sync import async_to_sync
from django.core.cache import caches
from django.test import Client

from mlservices.api.socket import NotAdmitted
from voiceforge_site.access import gate, key_actions, rates
from voiceforge_site.access.key_use import uses
from voiceforge_site.access.keys import PREFIX_LENGTH
from voiceforge_site.access.sessions import SessionStore
from voiceforge_site.models import KeyUse, User

NOON = 1_772_712_000.0  # a whole minute


@pytest.fixture(autouse=True)
def _fresh(settings, monkeypatch):
    settings.API_REQUESTS_A_MINUTE = 3
    monkeypatch.setattr(rates.time, "time", lambda: NOON + 15.2)
    caches[rates.CACHE].clear()


@pytest.fixture
def key(alice: User) -> str:
    return key_actions.create("a test", alice)[1]


def ask(key: str):
    return Client().get("/api/voice-library", headers={"Authorization": f"Bearer {key}"})


def test_each_answer_tells_what_is_left(key):
    answers = [ask(key) for _ in range(2)]
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    reset = str(int(NOON) + 60)
    assert [[answer[name] for name in names] for answer in answers] == [["3", "2", reset], ["3", "1", reset]]


def test_what_is_beyond_is_refused_with_when_to_come_back(key, monkeypatch):
    assert [ask(key).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = ask(key)
    assert refused.json()["retry_after"] == int(refused["Retry-After"]) == 45
    assert "3 requests a minute" in refused.json()["detail"]
    assert (refused["X-RateLimit-Remaining"], refused["Content-Type"]) == ("0", "application/problem+json")
    monkeypatch.setattr(rates.time, "time", lambda: NOON + 60)
    assert ask(key).status_code == 200, "another minute has begun"


def test_each_key_has_its_own_and_people_none(key, alice, alices_browser):
    other = key_actions.create("another", alice)[1]
    for _ in range(4):
        ask(key)
    assert ask(other).status_code == 200
    answer = [alices_browser.get("/api/voice-library") for _ in range(5)][-1]
    assert answer.status_code == 200 and "X-RateLimit-Limit" not in answer


def test_none_is_refused_where_no_limit_is_set(key, settings):
    settings.API_REQUESTS_A_MINUTE = 0
    answer = [ask(key) for _ in range(5)][-1]
    assert answer.status_code == 200 and "X-RateLimit-Limit" not in answer


def test_a_count_that_the_cache_has_lost_begins_anew(key):
    for _ in range(4):
        ask(key)
    caches[rates.CACHE].clear()
    assert ask(key)["X-RateLimit-Remaining"] == "2"


def count(times: int) -> int:
    return max(rates.counted("vf_sk_shared").count for _ in range(times))


def test_no_request_is_lost_among_threads():
    with ThreadPoolExecutor(8) as threads:
        assert max(threads.map(count, [50] * 8)) == 400


def test_processes_share_a_count(settings):
    if settings.REDIS_URL:
        pytest.skip("Redis counts for them")
    with multiprocessing.get_context("fork").Pool(3) as processes:
        assert max(processes.map(count, [100] * 3, chunksize=1)) == 300


def test_counts_of_minutes_long_past_leave_no_files(settings):
    if settings.REDIS_URL:
        pytest.skip("Redis forgets them by itself")
    rates.counted("vf_sk_old")
    (old,) = caches[rates.CACHE]._list_cache_files()
    os.utime(old, (1, 1))
    rates.counted("vf_sk_new")
    assert len(caches[rates.CACHE]._list_cache_files()) == 1 and not os.path.exists(old)


class Away:
    """A cache whose server does not answer."""

    def add(self, *_args) -> None:
        raise redis.ConnectionError("Connection refused")

    incr = add


def test_a_count_that_cannot_be_reached_is_told_with_when_to_come_back(key, monkeypatch):
    monkeypatch.setattr(rates, "caches", {rates.CACHE: Away()})
    answer = ask(key)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert (int(answer["Retry-After"]) > 0, "cannot be counted" in answer.json()["detail"]) == (True, True)


def test_a_socket_counts_as_a_request_and_looks_again_for_nothing(key, transactional_db):
    def opened(scope):
        return async_to_sync(gate.admit)(scope, key, gate.SOCKET_ABILITY)

    def scope():
        return {"path": "/ws/stt", "session": SessionStore(), "headers": [], "client": ["127.0.0.1", 1]}

    first = scope()
    for _ in range(10):
        opened(first)
    opened(scope()), opened(scope())
    with pytest.raises(NotAdmitted, match="3 requests a minute") as caught:
        opened(scope())
    assert caught.value.code == gate.TRY_AGAIN
    assert ask(key).status_code == 429


def test_a_socket_that_cannot_be_counted_is_no_refusal_of_its_key(key, transactional_db, monkeypatch):
    monkeypatch.setattr(rates, "caches", {rates.CACHE: Away()})
    scope = {"path": "/ws/stt", "session": SessionStore(), "headers": [], "client": ["127.0.0.1", 1]}
    with pytest.raises(NotAdmitted, match="cannot be counted") as caught:
        async_to_sync(gate.admit)(scope, key, gate.SOCKET_ABILITY)
    assert caught.value.code == gate.TRY_AGAIN
    uses.write()
    assert KeyUse.objects.get(key=key[:PREFIX_LENGTH], resource="stt").status == 503
