"""Keys with limits: what they open, from where, how long, and how they are replaced."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from voiceforge_site.access import key_actions, keys
from voiceforge_site.access.key_rows import key_row
from voiceforge_site.models import ApiKey

AGENTS = "agents.view_agents"


def asks(key: str, address: str = "/api/agents", method: str = "get", **more):
    return getattr(Client(), method)(address, headers={"Authorization": f"Bearer {key}"}, **more)


def test_a_key_with_scopes_does_those_and_nothing_else(alice):
    _row, key = key_actions.create("a test", alice, scopes=[AGENTS])
    assert asks(key).status_code == 200
    refused = asks(key, "/api/telephony/calls")
    assert (refused.status_code, "not have among its scopes" in refused.json()["detail"]) == (403, True)
    body = {"name": "Front desk", "greeting": "Good day."}
    assert asks(key, method="post", data=body, content_type="application/json").status_code == 403


def test_a_scope_gives_no_more_than_the_role_does(alice, bob):
    row, key = key_actions.create("a test", bob, scopes=[AGENTS])
    ApiKey.objects.filter(pk=row.pk).update(scopes=["telephony.manage_lines"])
    assert asks(key, "/api/telephony/credentials").status_code == 403
    with pytest.raises(ValidationError, match="You may not do this yourself"):
        key_actions.create("a test", bob, scopes=["telephony.manage_lines"])


def test_a_key_opens_from_its_networks_alone(alice, settings):
    _row, key = key_actions.create("a test", alice, networks=["203.0.113.0/24", "2001:db8::/32"])
    settings.BEHIND_PROXY = True
    for address, status in (
        ("203.0.113.9", 200),
        ("::ffff:203.0.113.9", 200),
        ("2001:db8::7", 200),
        ("203.0.114.1", 401),
        ("no address", 401),
    ):
        headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": f"203.0.113.9, {address}"}
        assert Client().get("/api/agents", headers=headers).status_code == status, address
    with pytest.raises(ValidationError, match="is no network"):
        key_actions.create("a test", alice, networks=["203.0.113.9/24"])


def test_a_key_opens_until_it_expires(alice):
    row, key = key_actions.create("a test", alice, expires_at=timezone.now() + timedelta(hours=1))
    assert asks(key).status_code == 200
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    refused = asks(key)
    assert (refused.status_code, "has expired" in refused.json()["detail"]) == (401, True)


def test_a_rotated_key_opens_beside_the_new_one_for_a_while(alice):
    row, old = key_actions.create("a test", alice, scopes=[AGENTS], requests_a_minute=9)
    successor, new = key_actions.rotate(key=row, overlap=timedelta(hours=1), by=alice)
    assert (successor.scopes, successor.requests_a_minute) == ([AGENTS], 9)
    assert [asks(key).status_code for key in (old, new)] == [200, 200]
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    assert [asks(key).status_code for key in (old, new)] == [401, 200]
    row.refresh_from_db()
    with pytest.raises(ValidationError):
        key_actions.rotate(key=row, overlap=timedelta(0), by=alice)


def test_a_key_has_a_rate_of_its_own(alice):
    _row, key = key_actions.create("a test", alice, requests_a_minute=2)
    answers = [asks(key) for _ in range(3)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert answers[0]["X-RateLimit-Limit"] == "2"


def test_a_key_makes_no_key_that_may_do_more(alice):
    _row, key = key_actions.create("a test", alice, scopes=[AGENTS])
    person = keys.found(key).person
    with pytest.raises(ValidationError, match="all that the role may"):
        key_actions.create("another", person)
    with pytest.raises(ValidationError, match="You may not do this yourself"):
        key_actions.create("another", person, scopes=["agents.change_agents"])


# ---- the pages ------------------------------------------------------------------------------


def test_a_key_is_made_shown_once_changed_rotated_and_revoked(bobs_browser, bob):
    made = bobs_browser.post("/keys/new/", {"name": "Reports", "lifetime": "30", "scopes": [AGENTS]})
    assert made["Cache-Control"] == "no-store"
    row = ApiKey.objects.get()
    shown = made.context["shown"]
    assert asks(shown).status_code == 200
    assert (row.scopes, row.expires_at > timezone.now() + timedelta(days=29)) == ([AGENTS], True)
    page = bobs_browser.get(row.get_absolute_url())
    assert shown not in page.text and row.prefix in page.text
    bobs_browser.post(row.get_absolute_url(), {"name": "Reports", "networks": "10.0.0.0/8 ::1"})
    row.refresh_from_db()
    assert (row.scopes, row.networks) == ([], ["10.0.0.0/8", "::1"])
    wrong = bobs_browser.post(row.get_absolute_url(), {"name": "Reports", "networks": "here"})
    assert (wrong.status_code, "is no network" in wrong.text) == (422, True)
    rotated = bobs_browser.post(f"{row.get_absolute_url()}rotate/", {"overlap": "0"})
    assert rotated.context["shown"] != shown
    successor = ApiKey.objects.get(replaces=row)
    bobs_browser.post(f"{successor.get_absolute_url()}revoke/")
    assert "No keys yet" in bobs_browser.get("/keys/").text
    assert [key.pk for key in bobs_browser.get("/keys/?state=closed").context["page"]] == [
        successor.pk,
        row.pk,
    ]


def test_others_keys_are_an_administrators_business(alices_browser, bobs_browser, alice):
    row, _key = key_actions.create("Secret plans", alice)
    assert "Secret plans" not in bobs_browser.get("/keys/?state=all").text
    assert bobs_browser.get(row.get_absolute_url()).status_code == 404
    assert bobs_browser.post(f"{row.get_absolute_url()}revoke/").status_code == 404
    assert "Secret plans" in alices_browser.get("/keys/").text


def test_a_key_is_read_as_the_orm_reads_it(alice, django_assert_num_queries):
    limits = {"scopes": [AGENTS], "networks": ["10.0.0.0/8"], "requests_a_minute": 7}
    row, _key = key_actions.create("a test", alice, expires_at=timezone.now() + timedelta(days=3), **limits)
    with django_assert_num_queries(1):
        read = key_row(row.prefix)
        person = read.person
    stored = ApiKey.objects.select_related("person").get(pk=row.pk)
    for one, other in ((read, stored), (person, stored.person)):
        names = [field.attname for field in other._meta.concrete_fields]
        assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]
    assert not read._state.adding and key_row("vf_sk_00000000") is None
