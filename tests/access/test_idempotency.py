from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.test.client import encode_multipart
from django.utils import timezone

from agents.knowledge.actions import create_base
from agents.models import Agent, KnowledgeBase
from agents.rest.agents import Agents
from tests.program import Program
from voiceforge_site.access import idempotency
from voiceforge_site.access.idempotency import forget_old
from voiceforge_site.models import ApiKey, Done, User

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


@pytest.mark.parametrize("key", ["x" * 201, "a\0b", ""], ids=["too long", "NUL", "empty"])
def test_a_key_that_cannot_be_kept_is_refused(alices, key):
    assert make(alices, key).status_code == 400


def test_what_a_key_may_no_longer_do_is_not_answered_again(alice, program):
    own = program(alice, scopes=["agents.change_agents", "agents.view_agents"])
    assert make(own).status_code == 201
    ApiKey.objects.update(scopes=["agents.view_agents"])
    refused = make(own)
    assert (refused.status_code, "Idempotent-Replayed" in refused) == (403, False)


def test_a_key_that_was_told_once_is_not_told_to_who_may_have_none_any_more(alice, alices):
    def made():
        return alices.send("POST", "/api/keys", {"name": "Reports"}, Idempotency_Key="first")

    told = made().json()["key"]
    User.objects.filter(pk=alice.pk).update(role="")
    refused = made()
    assert (refused.status_code, told in refused.text) == (403, False)


def test_another_sites_page_is_answered_nothing_again(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    token = {"X-CSRFToken": str(browser.get("/profile/").context["csrf_token"])}

    def sent(headers):
        keyed = {"Idempotency-Key": "first", **headers}
        return browser.post("/api/agents", AGENT, content_type="application/json", headers=keyed)

    assert sent({}).status_code == 403
    assert sent(token).status_code == 201
    assert sent(token)["Idempotent-Replayed"] == "true"
    forged = sent({})
    assert (forged.status_code, "Idempotent-Replayed" in forged) == (403, False)
    assert Agent.objects.count() == 1


def upload(who: Program, base: KnowledgeBase, content: bytes = b"We open at nine.", name: str = "a.txt"):
    """The boundary between the parts is another each time, as browsers have it."""
    file = SimpleUploadedFile(name, content, content_type="text/plain")
    boundary = f"part{uuid4().hex}"
    return who.generic(
        "POST",
        f"/api/knowledge/{base.slug}/sources",
        encode_multipart(boundary, {"file": file}),
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Idempotency-Key": "first"},
    )


def test_a_file_is_told_from_another(alice, alices):
    base = create_base(name="Hours")
    first, again = upload(alices, base), upload(alices, base)
    assert (first.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.content == first.content
    assert upload(alices, base, b"We open at noon.").status_code == 422
    assert upload(alices, base, name="b.txt").status_code == 422
    assert base.sources.count() == 1


def test_a_form_that_is_broken_is_refused_as_without_a_key(alices):
    def sent(**headers):
        form = "multipart/form-data; boundary=x"
        return alices.generic("POST", "/api/stt", "--x\r\nbroken", content_type=form, headers=headers)

    with_key, without = sent(**{"Idempotency-Key": "first"}), sent()
    assert (with_key.status_code, without.status_code) == (400, 400)
    assert not Done.objects.exists()


def test_a_long_recording_is_taken_with_a_key_as_without(alices):
    body = {"audio_base64": b64encode(bytes(3_000_000)).decode(), "language": "xx"}
    answers = [
        alices.send("POST", "/api/stt", body, **headers) for headers in ({}, {"Idempotency_Key": "first"})
    ]
    assert answers[0].status_code not in (400, 413)
    assert answers[1].status_code == answers[0].status_code


def test_an_answer_that_is_too_large_to_keep_is_not_made_again(alices, monkeypatch):
    monkeypatch.setattr(idempotency, "LARGEST_ANSWER", 100)
    assert make(alices).status_code == 201
    again = make(alices)
    assert (again.status_code, again["Content-Type"]) == (409, "application/problem+json")
    assert "not kept" in again.json()["detail"]
    assert Agent.objects.count() == 1


def test_a_minute_of_sound_is_answered_again(alices, monkeypatch):
    sounds = (HttpResponse(bytes([number]) * 3 * 2**20, status=201) for number in (1, 2))
    monkeypatch.setattr(Agents, "create", lambda self, request: next(sounds))
    first, again = make(alices), make(alices)
    assert (again["Idempotent-Replayed"], again.content == first.content) == ("true", True)
