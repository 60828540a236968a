"""Addresses, cursors and numbers as no client of ours would send them: refused, and no fault of ours."""

from __future__ import annotations

import base64

import pytest
from django.utils import timezone

from telephony.models import Call, Credential
from tests.factories import ended, make_agent, make_call, make_recording, spoken
from voiceforge_site.access import key_actions
from voiceforge_site.models import ApiKey, User

pytestmark = pytest.mark.django_db


def cursor(place: bytes) -> str:
    return base64.b64encode(b"p=" + place).decode().replace("=", "%3D")


@pytest.mark.parametrize(
    "address",
    [
        "/api/audit?",
        "/api/users?",
        "/api/agents?",
        "/api/telephony/calls?",
        "/api/telephony/calls?sort=duration&",
        "/api/telephony/calls?sort=response&",
    ],
)
@pytest.mark.parametrize("place", [b"\0", b"abc"], ids=["nul", "letters"])
def test_a_cursor_that_is_none_is_refused_or_finds_a_page(alices, address, place):
    answer = alices.get(f"{address}cursor={cursor(place)}")
    if place == b"\0":
        assert (answer.status_code, set(answer.json()["fields"])) == (400, {"cursor"})
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/usage?to=0001-01-05", 400),
        ("/api/usage?from=0001-01-01&to=0001-01-05", 400),
        ("/api/audit?to=9999-12-31", 400),
        ("/api/audit?from=0001-01-01", 400),
        ("/api/audit?from=nonsense", 400),
        ("/api/audit?from=2026-03-01&to=2026-03-05", 200),
        ("/api/telephony/numbers/%00", 404),
        ("/api/telephony/calls?tag=%00", 400),
        ("/api/telephony/calls?agent=%00", 400),
        ("/api/telephony/calls?ta%00g=x", 400),
    ],
)
def test_days_and_texts_that_nothing_can_have_are_refused(alices, address, status):
    assert alices.get(address).status_code == status


@pytest.mark.parametrize("address", ["/audit/?to=9999-12-31", "/audit/?from=0001-01-01"])
def test_the_page_of_the_trail_leaves_such_days_out(alices_browser, address):
    assert alices_browser.get(address).status_code == 200


@pytest.mark.parametrize("kept", ["do-not-call", "blocked"])
def test_nothing_is_deleted_whose_name_no_database_takes(alices, kept):
    assert alices.delete(f"/api/telephony/{kept}/%00").status_code == 404


def test_a_range_of_thousands_of_digits_gets_the_whole(alices):
    call = make_call(make_agent(), ended(spoken([("When?", "At six.")])))
    make_recording(call)
    answer = alices.get(
        f"/api/telephony/calls/{call.pk}/recording", headers={"Range": f"bytes={'9' * 5000}-"}
    )
    assert answer.status_code == 200


def test_a_call_that_changed_is_not_deleted(alices):
    call = make_call(make_agent(), ended(spoken([("When?", "At six.")])))
    address = f"/api/telephony/calls/{call.pk}"
    known = alices.get(address)["ETag"]
    alices.send("POST", f"{address}/tags", {"name": "urgent"})
    assert alices.send("DELETE", address, If_Match=known).status_code == 412
    assert Call.objects.filter(pk=call.pk).exists()
    now = alices.get(address)["ETag"]
    assert alices.send("DELETE", address, If_Match=now).status_code == 204


def test_a_blocked_caller_that_changed_stays_blocked(alices):
    alices.send("POST", "/api/telephony/blocked", {"pattern": "+4490*"})
    answer = alices.send("DELETE", "/api/telephony/blocked/+4490*", If_Match='"0000000000000000"')
    assert answer.status_code == 412


def test_an_account_whose_limits_are_refused_is_not_kept(alices):
    sent = {"provider": "twilio", "label": "Main", "account": "AC" + "0" * 32, "secret": "a" * 32}
    answer = alices.send("POST", "/api/telephony/credentials", {**sent, "countries": ["ZZ"]})
    assert answer.status_code == 400
    assert not Credential.objects.filter(label="Main").exists()


def test_rows_that_are_alike_come_once_each(alices):
    slugs = {make_agent("Same").slug for _ in range(20)}
    seen, address = [], "/api/agents?limit=7"
    while address:
        page = alices.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert sorted(seen) == sorted(slugs)


@pytest.mark.parametrize(
    "address",
    [
        "/api/users?is_active=zzz",
        "/api/telephony/messages?done=zzz",
        "/api/telephony/lines?enabled=zzz",
    ],
)
def test_a_filter_that_is_neither_true_nor_false_is_refused(alices, address):
    assert alices.get(address).status_code == 400
    for word in ("true", "false"):
        assert alices.get(address.replace("zzz", word)).status_code == 200


def test_that_a_key_is_used_is_no_change_of_it_and_who_made_one_is_named(alice, alices):
    key, _shown = key_actions.create("Switchboard", alice)
    address = f"/api/keys/{key.prefix}"
    known = alices.get(address)["ETag"]
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now(), last_used_from="192.0.2.7")
    assert alices.send("PATCH", address, {"name": "Desk"}, If_Match=known).status_code == 200
    refused = alices.send("PATCH", address, {"name": "Front"}, If_Match=known)
    assert (refused.status_code, "alice has changed it" in refused.json()["detail"]) == (412, True)


def test_that_somebody_was_here_is_no_change_of_them_and_who_made_one_is_named(alices, bob):
    address = f"/api/users/{bob.pk}"
    known = alices.get(address)["ETag"]
    User.objects.filter(pk=bob.pk).update(seen_at=timezone.now())
    assert alices.send("PATCH", address, {"role": "viewer"}, If_Match=known).status_code == 200
    refused = alices.send("PATCH", address, {"role": "operator"}, If_Match=known)
    assert (refused.status_code, "alice has changed it" in refused.json()["detail"]) == (412, True)
