"""Who is let in by a key, and what keys are told and not told."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from mlservices.voices import LIBRARY
from tests.mlservices.api.conftest import bearer
from tests.mlservices.asking import priorities
from voiceforge_site.access import key_actions, keys
from voiceforge_site.models import ApiKey, User

USAGE = "/api/usage"


def asks(key, address=USAGE, method="get", **how):
    return getattr(Client(enforce_csrf_checks=True), method)(address, headers=bearer(key), **how)


def test_a_key_opens_what_its_persons_role_opens(new_key):
    assert asks(new_key("operator")).status_code == 200
    refused = asks(new_key("viewer"))
    assert refused.status_code == 403
    assert "It takes the ability" in refused.json()["detail"]


def test_a_key_that_is_wrong_revoked_or_of_somebody_who_left_opens_nothing(new_key):
    revoked, left = new_key("operator"), new_key("designer")
    key_actions.revoke(revoked[: keys.PREFIX_LENGTH])
    User.objects.filter(role="designer").update(is_active=False)
    alike = new_key("administrator")[:-1] + "x"
    for key in ("", "nothing", "vf_sk_" + "0" * 32, alike, revoked, left):
        answer = asks(key)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer"), key
        assert answer.json()["detail"].startswith("This API key")
        assert key not in answer.text or not key
    nobody = Client().get(USAGE)
    assert (nobody.status_code, "Bearer" in nobody.json()["detail"]) == (401, True)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YWxpY2U6cGFzc3dvcmQ="}])
def test_who_posts_without_a_key_is_told_to_send_one(db, headers):
    answer = Client(enforce_csrf_checks=True).post("/api/tts", {}, headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "Send an API key" in answer.json()["detail"]


def test_what_is_not_there_is_told_to_programs_in_their_words(new_key):
    key = new_key("operator")
    assert "of the API" in asks(key, "/api/nothing").json()["detail"]
    refused = asks(key, "/api/health", "delete")
    assert refused.status_code == 405
    assert "Allow" in refused.headers and "method" in refused.json()["detail"]


def test_a_key_opens_no_page(new_key):
    answer = asks(new_key("administrator"), "/people/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/people/")


def test_a_person_uses_the_api_with_a_token_against_forgery_and_a_key_without(alice, new_key):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    forged = browser.post("/api/tts", {}, content_type="application/json")
    assert (forged.status_code, "detail" in forged.json()) == (403, True)
    token = browser.get("/profile/").context["csrf_token"]
    own = browser.post("/api/tts", {}, content_type="application/json", headers={"X-CSRFToken": str(token)})
    assert fields_refused(own) == {"text": "It is missing."}
    by_key = asks(new_key(), "/api/tts", "post", data={}, content_type="application/json")
    assert fields_refused(by_key) == {"text": "It is missing."}


def fields_refused(answer):
    return json.loads(asyncio.run(answer.made()).content)["fields"]


def test_what_is_not_there_or_not_done_that_way_is_refused_in_json(new_key):
    key = new_key()
    away, wrong = asks(key, "/api/nothing"), asks(key, "/api/tts")
    assert (away.status_code, wrong.status_code, wrong["Allow"]) == (404, 405, "POST")
    assert set(away.json()) == set(wrong.json()) == {"title", "status", "detail"}


def test_the_library_tells_of_every_voice_which_models_can_speak_it(new_key):
    told = asks(new_key(), "/api/voice-library").json()["voices"]
    assert [voice["id"] for voice in told] == [voice.id for voice in LIBRARY]
    assert set(told[0]) == {"id", "name", "language", "gender", "description", "models"}
    assert all(voice["models"] for voice in told)
    spanish = {tuple(voice["models"]) for voice in told if voice["language"].startswith("es")}
    assert spanish == {("parler-tts-multilingual",)}
    assert asks(new_key("viewer"), "/api/voice-library").status_code == 403


def test_a_key_is_shown_once_and_kept_as_a_hash(alice, capsys, caplog):
    call_command("api_key", "create", "Reports", "--person", "Alice")
    key = capsys.readouterr().out.strip()
    row = ApiKey.objects.get()
    assert keys.found(key) == row
    assert key not in str(list(ApiKey.objects.values()))
    call_command("api_key", "list")
    listed = capsys.readouterr().out
    assert key[: keys.PREFIX_LENGTH] in listed
    assert "alice" in listed
    assert key not in listed
    call_command("api_key", "revoke", row.prefix)
    with pytest.raises(keys.BadKey) as caught:
        keys.found(key)
    assert caught.value.key == row.prefix
    asks(key)
    assert key not in caplog.text
    with pytest.raises(CommandError, match="No key"):
        call_command("api_key", "revoke", row.prefix)
    with pytest.raises(CommandError, match="Nobody"):
        call_command("api_key", "create", "Reports", "--person", "mallory")


def test_the_list_tells_how_long_a_key_opens_and_for_what(alice, capsys):
    limits = {"scopes": ["telephony.view_calls"], "networks": ["203.0.113.0/24"], "requests_a_minute": 60}
    key, _ = key_actions.create("Reports", alice, **limits)
    key_actions.rotate(key=key, overlap=timedelta(hours=1), by=alice)
    call_command("api_key", "list")
    new, old = capsys.readouterr().out.splitlines()
    for line in (new, old):
        assert "may telephony.view_calls  from 203.0.113.0/24  60 a minute" in line
    assert f"never used, replaced by {new.split()[0]}, expires 20" in old and "expires" not in new
    ApiKey.objects.filter(prefix=key.prefix).update(expires_at=timezone.now() - timedelta(minutes=1))
    call_command("api_key", "list")
    assert "expired 20" in capsys.readouterr().out.splitlines()[1]


def test_machines_ask_without_a_key_how_the_service_is(site):
    with httpx.Client(base_url=site) as stranger:
        assert stranger.get("/api/live").json() == {"status": "live"}
        assert stranger.get("/api/ready").json() == {"status": "ready"}
        health = stranger.get("/api/health").json()
        assert (set(health), health["status"]) == ({"status", "timestamp", "models"}, "healthy")
        assert stranger.get("/api/models").status_code == 401


def test_what_can_be_asked_for_is_told(api):
    models = api.get("/api/models").json()
    assert models["available_models"]["tts"]["id"] == "stand-in-tts"
    assert models["chat_models"][0]["id"] == "local"
    assert models["streaming"] == ["/api/tts", "/ws/stt"]
    voices = api.get("/api/voices").json()
    assert voices["voices"][0]["id"] == "piper-joe"
    assert "en" in voices["languages"]
    metrics = api.get("/api/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "# HELP" in metrics.text


def test_who_chats_over_the_api_waits_behind_calls(api, monkeypatch):
    asked = priorities(monkeypatch)
    api.post("/api/vllm/chat", json={"session_id": "calm", "message": "good day"}).raise_for_status()
    assert asked == [("reply", "batch")]


def test_two_messages_of_a_session_at_once_are_both_remembered(api):
    def ask(message):
        return api.post("/api/vllm/chat", json={"session_id": "both", "message": message}).json()

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(ask, ["slow one two three four", "slow five six seven eight"]))
    assert [answer["context_size"] for answer in answers] == [1, 1]
    assert ask("good day")["context_size"] == 4 + 1


def test_a_session_of_chat_is_remembered_for_who_asks(api, site, new_key):
    asked = {"session_id": "one", "message": "good day", "system_prompt": "Be brief."}
    first, second = (api.post("/api/vllm/chat", json=asked).json() for _ in range(2))
    assert (first["response"], first["context_size"]) == ("[2] good day", 2)
    assert (second["response"], second["context_size"]) == ("[4] good day", 4)
    assert second["session_id"] == "one"
    with httpx.Client(base_url=site, headers=bearer(new_key("designer"))) as other:
        assert other.post("/api/vllm/chat", json=asked).json()["context_size"] == 2
