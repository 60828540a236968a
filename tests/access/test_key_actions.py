"""What a key may make of keys, and what becomes of one that two change at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from voiceforge_site.access import key_actions
from voiceforge_site.models import ApiKey, AuditEntry

KEYS, CALLS = "voiceforge_site.have_keys", "telephony.view_calls"
PEOPLE = "voiceforge_site.manage_people"
HOUR = timedelta(hours=1)


@pytest.fixture
def limited(alice, program):
    """A program whose key has every limit."""
    limits = {"networks": ["127.0.0.0/8"], "requests_a_minute": 100, "expires_at": timezone.now() + HOUR}
    return program(alice, scopes=[KEYS, CALLS], **limits)


def within(**others):
    """What that one may make."""
    soon = (timezone.now() + HOUR / 2).isoformat()
    limits = {"networks": ["127.0.0.1/32"], "requests_a_minute": 60, "expires_at": soon}
    return {"name": "Narrower", "scopes": [CALLS], **limits, **others}


@pytest.mark.parametrize("overlap", [{}, {"overlap_hours": 0}], ids=["a day", "at once"])
def test_a_key_with_scopes_rotates_none_that_may_do_more(alice, program, overlap):
    full, _key = key_actions.create("All", alice)
    narrow = program(alice, scopes=[KEYS])
    refused = narrow.send("POST", f"/api/keys/{full.prefix}/rotate", overlap)
    assert (refused.status_code, "all that the role may" in refused.text) == (400, True)
    assert ApiKey.objects.count() == 2


def test_a_key_with_scopes_changes_none_that_may_do_more(alice, program):
    wide, _key = key_actions.create("Calls", alice, scopes=[CALLS], networks=["10.0.0.0/8"])
    narrow = program(alice, scopes=[KEYS])
    for change in ({"networks": []}, {"expires_at": None}, {"name": "Mine"}):
        refused = narrow.send("PATCH", f"/api/keys/{wide.prefix}", change)
        assert (refused.status_code, "You may not do this yourself" in refused.text) == (400, True), change
    wide.refresh_from_db()
    assert (wide.networks, wide.name) == (["10.0.0.0/8"], "Calls")


def test_nobody_gets_a_key_that_acts_as_another_person(alice, bob, program, alices_browser):
    bobs, _key = key_actions.create("Bob's", bob, scopes=[CALLS])
    keeper = program(alice, scopes=[KEYS, PEOPLE, CALLS])
    refused = keeper.send("POST", f"/api/keys/{bobs.prefix}/rotate", {})
    assert (refused.status_code, "only its person" in refused.text) == (400, True)
    page = alices_browser.get(bobs.get_absolute_url())
    assert "Put another in its place" not in page.text
    alices_browser.post(f"{bobs.get_absolute_url()}rotate/", {"overlap": "0"})
    assert not ApiKey.objects.exclude(replaced_by=None).exists()


def test_a_key_makes_those_within_its_limits(limited):
    assert limited.send("POST", "/api/keys", within()).status_code == 201


BEYOND = [
    ("expires_at", None),
    ("expires_at", "2999-01-01T00:00:00Z"),
    ("networks", []),
    ("networks", ["126.0.0.0/7"]),
    ("networks", ["127.0.0.1", "10.0.0.1"]),
    ("networks", ["::1"]),
    ("requests_a_minute", None),
    ("requests_a_minute", 101),
]


@pytest.mark.parametrize(("field", "value"), BEYOND, ids=lambda value: str(value))
def test_a_key_makes_none_beyond_its_limits(limited, field, value):
    refused = limited.send("POST", "/api/keys", within(**{field: value}))
    assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(("field", "value"), BEYOND, ids=lambda value: str(value))
def test_a_key_takes_no_limit_off_itself(limited, field, value):
    own = ApiKey.objects.get()
    refused = limited.send("PATCH", f"/api/keys/{own.prefix}", {field: value})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])
    before = getattr(own, field)
    own.refresh_from_db()
    assert getattr(own, field) == before


def test_a_key_without_a_rate_makes_none_that_is_faster_than_all_are(alices, settings):
    fast = {"name": "Fast", "requests_a_minute": 1_000_000}
    assert list(alices.send("POST", "/api/keys", fast).json()["fields"]) == ["requests_a_minute"]
    settings.API_REQUESTS_A_MINUTE = 0
    assert alices.send("POST", "/api/keys", fast).status_code == 201


def test_a_key_with_limits_is_put_into_its_own_place(limited):
    own = ApiKey.objects.get()
    made = limited.send("POST", f"/api/keys/{own.prefix}/rotate", {"overlap_hours": 0})
    assert made.status_code == 201
    successor = ApiKey.objects.get(replaces=own)
    assert (successor.networks, successor.expires_at) == (own.networks, own.expires_at)


def test_a_person_changes_their_key_whatever_it_may(bob, bobs_browser):
    row, _key = key_actions.create("a test", bob)
    ApiKey.objects.filter(pk=row.pk).update(scopes=["telephony.manage_lines"])  # as when he administered
    row.refresh_from_db()
    key_actions.change(key=row, by=bob, name="Old")
    assert ApiKey.objects.get().name == "Old"


def test_a_key_that_was_rotated_meanwhile_gets_no_second_successor(alice):
    first, _key = key_actions.create("a test", alice)
    second = ApiKey.objects.get()  # another request has read it too
    key_actions.rotate(key=first, overlap=HOUR, by=alice)
    with pytest.raises(ValidationError, match="replaced already"):
        key_actions.rotate(key=second, overlap=HOUR, by=alice)
    assert ApiKey.objects.count() == 2


def test_a_key_that_was_revoked_meanwhile_is_neither_rotated_nor_changed(alice):
    row, _key = key_actions.create("a test", alice)
    key_actions.revoke(row.prefix)
    with pytest.raises(ValidationError, match="opens nothing any more"):
        key_actions.rotate(key=row, overlap=HOUR, by=alice)
    with pytest.raises(ValidationError, match="opens nothing any more"):
        key_actions.change(key=row, by=alice, name="Other")
    assert ApiKey.objects.count() == 1


def test_what_changed_is_told_against_what_was_stored(alice):
    row, _key = key_actions.create("a test", alice)
    stale = ApiKey.objects.get()
    key_actions.change(key=row, by=alice, name="Other")
    key_actions.change(key=stale, by=alice, requests_a_minute=5)
    assert ApiKey.objects.get().name == "Other"
    assert AuditEntry.objects.filter(verb="api_key.changed").count() == 2


def test_a_key_has_a_hundred_networks_at_most(alices, alice):
    many = [f"10.0.{number}.0/24" for number in range(101)]
    for networks in (many, ["10.0.0.0/8"] * 101):
        refused = alices.send("POST", "/api/keys", {"name": "Wide", "networks": networks})
        assert (refused.status_code, list(refused.json()["fields"])) == (400, ["networks"])
    with pytest.raises(ValidationError, match="100 networks"):
        key_actions.create("Wide", alice, networks=many)
    assert alices.send("POST", "/api/keys", {"name": "Wide", "networks": many[:100]}).status_code == 201


def test_a_scope_is_kept_once_however_often_it_is_sent(alices, alice):
    row, _key = key_actions.create("a test", alice)
    alices.send("PATCH", f"/api/keys/{row.prefix}", {"scopes": [CALLS] * 500})
    row.refresh_from_db()
    assert row.scopes == [CALLS]


def test_a_key_that_is_replaced_or_revoked_is_in_conflict_over_the_api(alices, alice):
    row, _key = key_actions.create("Reports", alice, scopes=[CALLS])
    assert alices.send("POST", f"/api/keys/{row.prefix}/rotate", {}).status_code == 201
    assert alices.send("POST", f"/api/keys/{row.prefix}/rotate", {}).status_code == 409
    key_actions.revoke(row.prefix)
    assert alices.send("PATCH", f"/api/keys/{row.prefix}", {"name": "Other"}).status_code == 409
    assert alices.send("POST", f"/api/keys/{row.prefix}/rotate", {}).status_code == 409
