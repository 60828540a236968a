from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from agents.models import Agent
from agents.rest.agents import Agents
from tests.program import Program
from voiceforge_site.access.idempotency import forget_old
from voiceforge_site.models import Done

AGENT = {"name": "Front desk", "greeting": "Good day."}


def make(who: Program, key: str = "first", agent: dict = AGENT):
    return who.send("POST", "/api/agents", agent, Idempotency_Key=key)


def test_what_is_sent_twice_is_done_once_and_answered_alike(alices, bobs):
    first, again = make(alices), make(alices)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again["ETag"]) == (first.content, first["ETag"])
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert Agent.objects.count() == 1
    assert make(alices, "second").status_code == 201
    assert Agent.objects.count() == 2
    assert make(bobs).status_code == 403  # another asker has keys of their own


def test_a_secret_that_is_told_once_is_kept_sealed(alices, settings):
    def made():
        return alices.send("POST", "/api/keys", {"name": "Reports"}, Idempotency_Key="first")

    first = made()
    told = first.json()["key"]
    assert told.encode() not in bytes(Done.objects.get().body)
    again = made()
    assert (again.json()["key"], again.content) == (told, first.content)
    assert (again["Cache-Control"], again["Idempotent-Replayed"]) == ("no-store", "true")
    settings.CREDENTIALS_KEYS = [Fernet.generate_key()]
    refused = made()
    assert (refused.status_code, told in refused.text) == (409, False)


def test_a_key_is_for_one_request(alices):
    make(alices)
    refused = make(alices, agent={**AGENT, "name": "Another"})
    assert (refused.status_code, "another request" in refused.json()["detail"]) == (422, True)


def test_what_was_refused_may_be_sent_again(alices):
    assert make(alices, agent={"name": "x"}).status_code == 400
    assert make(alices).status_code == 201


def test_what_broke_is_not_tried_again(alices, monkeypatch):
    def broken(*_args):
        raise RuntimeError("broken")

    monkeypatch.setattr(Agents, "make", broken)
    alices.raise_request_exception = False
    assert make(alices).status_code == 500
    monkeypatch.undo()
    assert make(alices).status_code == 500
    assert not Agent.objects.exists()


def test_what_is_being_done_is_not_begun_again(alices):
    make(alices)
    Done.objects.update(status=None)
    assert make(alices).status_code == 409


def test_keys_are_forgotten_after_a_day(alices):
    make(alices)
    Done.objects.update(at=timezone.now() - timedelta(hours=25))
    assert forget_old() == 1
    make(alices)
    Done.objects.update(at=timezone.now() - timedelta(hours=25))
    assert make(alices).status_code == 201
    assert Agent.objects.count() == 3


@pytest.mark.parametrize("key", ["x" * 201, "a\0b"], ids=["too long", "NUL"])
def test_a_key_that_cannot_be_kept_is_refused(alices, key):
    assert make(alices, key).status_code == 400
