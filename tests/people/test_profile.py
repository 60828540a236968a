"""What everybody does with their own account."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from mlservices.secret_box import opened
from tests.factories import ended, make_agent, make_call, spoken
from voiceforge_site.access import codes
from voiceforge_site.access.sessions import SessionStore
from voiceforge_site.models import RecoveryCode, Session, User
from voiceforge_site.people import actions

GOOD = "a long good passphrase"
DETAILS = {"name": "Bob Marsh", "email": "", "time_zone": "", "language": ""}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestAboutOneself:
    def test_is_open_to_everybody_who_is_signed_in(self, charlies_browser) -> None:
        page = charlies_browser.get("/profile/")
        assert page.status_code == 200
        assert "You have no role yet" in page.text

    def test_name_zone_and_language_are_saved(self, bobs_browser, bob) -> None:
        details = DETAILS | {"time_zone": "europe/berlin", "language": "de"}
        assert bobs_browser.post("/profile/", details).status_code == 302
        bob.refresh_from_db()
        assert (bob.name, bob.time_zone, bob.language) == ("Bob Marsh", "Europe/Berlin", "de")

    def test_a_zone_that_is_none_is_refused_and_what_was_typed_is_kept(self, bobs_browser, bob) -> None:
        answer = bobs_browser.post("/profile/", DETAILS | {"time_zone": "Middle-earth"})
        assert answer.status_code == 422
        assert "There is no such time zone" in answer.text
        assert 'value="Middle-earth"' in answer.text
        assert 'value="Bob Marsh"' in answer.text

    def test_nobody_gives_themselves_a_role(self, bobs_browser, bob) -> None:
        bobs_browser.post("/profile/", DETAILS | {"role": "administrator", "is_active": "", "username": "x"})
        bob.refresh_from_db()
        assert (bob.role, bob.is_active, bob.username) == ("operator", True, "bob")


class TestTheViewersZone:
    @pytest.fixture
    def call(self, db):
        call = make_call(make_agent(), ended(spoken([("Hello.", "Hello.")])))
        call.created_at = datetime(2026, 1, 15, 23, 30, tzinfo=UTC)
        call.save(update_fields=["created_at"])
        return call

    def test_is_the_profiles(self, bobs_browser, bob, call) -> None:
        User.objects.filter(pk=bob.pk).update(time_zone="Asia/Tokyo")
        bobs_browser.cookies["vf-zone"] = "America/New_York"
        assert "16 Jan 2026, 08:30" in bobs_browser.get("/calls/").text

    def test_is_else_what_the_browser_told(self, bobs_browser, call) -> None:
        bobs_browser.cookies["vf-zone"] = "America/New_York"
        assert "15 Jan 2026, 18:30" in bobs_browser.get("/calls/").text

    @pytest.mark.parametrize("told", ["", "Nowhere/Land", "../../etc/passwd"])
    def test_is_else_the_servers(self, bobs_browser, call, told) -> None:
        bobs_browser.cookies["vf-zone"] = told
        assert "15 Jan 2026, 23:30" in bobs_browser.get("/calls/").text

    def test_of_one_does_not_become_that_of_the_next(self, bobs_browser, alices_browser, bob, call) -> None:
        User.objects.filter(pk=bob.pk).update(time_zone="Asia/Tokyo")
        bobs_browser.get("/calls/")
        assert timezone.get_current_timezone_name() == "UTC"
        assert "15 Jan 2026, 23:30" in alices_browser.get("/calls/").text


class TestTheViewersLanguage:
    def test_is_the_profiles_before_the_browsers(self, bobs_browser, bob) -> None:
        asked = {"Accept-Language": "de"}
        assert '<html lang="de"' in bobs_browser.get("/agents/", headers=asked).text
        User.objects.filter(pk=bob.pk).update(language="en")
        answer = bobs_browser.get("/agents/", headers=asked)
        assert '<html lang="en"' in answer.text
        assert answer["Content-Language"] == "en"

    @pytest.mark.parametrize("asked", ["fr", "xx,*;q=0.1", ""])
    def test_is_english_where_we_do_not_speak_what_is_asked_for(self, db, asked) -> None:
        assert '<html lang="en"' in Client().get("/login/", headers={"Accept-Language": asked}).text


def test_a_page_that_needs_no_database_does_without_it_though_the_browser_has_a_session(
    bobs_browser, monkeypatch
) -> None:
    def gone(self: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(SessionStore, "_get_session_from_db", gone)
    assert bobs_browser.get("/health/").status_code in (200, 503)


class TestThePassword:
    def test_is_changed_and_ends_all_other_sessions(self, bobs_browser, bob) -> None:
        other = signed_in(bob)
        answer = bobs_browser.post("/profile/password/", {"password": "password", "new_password": GOOD})
        assert answer.status_code == 302
        assert bobs_browser.get("/profile/").status_code == 200
        assert other.get("/profile/").status_code == 302

    def test_is_not_changed_by_somebody_who_does_not_know_it(self, bobs_browser, bob) -> None:
        answer = bobs_browser.post("/profile/password/", {"password": "guess", "new_password": GOOD})
        assert answer.status_code == 422
        assert "This is not your password." in answer.text
        bob.refresh_from_db()
        assert bob.check_password("password")

    def test_cannot_be_guessed_at_an_open_browser(self, bobs_browser) -> None:
        for _number in range(5):
            answer = bobs_browser.post("/profile/password/", {"password": "guess", "new_password": GOOD})
        assert "Wait 30 seconds" in answer.text

    def test_both_passwords_are_judged_in_one_round(self, bobs_browser) -> None:
        answer = bobs_browser.post("/profile/password/", {"password": "guess", "new_password": "123"})
        assert answer.status_code == 422
        for words in ("This is not your password.", "too short", "entirely numeric"):
            assert words in answer.text

    def test_that_breaks_a_rule_is_refused(self, bobs_browser, bob) -> None:
        answer = bobs_browser.post("/profile/password/", {"password": "password", "new_password": "bob"})
        assert answer.status_code == 422
        assert "too short" in answer.text
        bob.refresh_from_db()
        assert bob.check_password("password")

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("", [False, False, False, False]),
            ("bob", [False, True, False, False]),
            ("1234567890", [True, False, False, True]),
            (GOOD, [True, True, True, True]),
        ],
    )
    def test_rules_are_judged_while_it_is_typed(self, bobs_browser, typed, kept) -> None:
        answer = bobs_browser.post("/password-rules/", {"new_password": typed})
        assert answer.json() == {"kept": kept}

    def test_rules_know_the_name_that_an_invited_person_types(self, db) -> None:
        typed = {"username": "dora.lund", "name": "Dora", "new_password": "dora.lund.1"}
        assert Client().post("/password-rules/", typed).json()["kept"][3] is False


class TestTwoSteps:
    def shown_secret(self, client: Client) -> str:
        page = client.get("/profile/codes/").text
        assert 'class="vf-qr"' in page
        found = re.search(r'vf-secret">([A-Z2-7 ]+)<', page)
        assert found
        return found[1].replace(" ", "")

    def test_are_switched_on_with_a_code_and_give_eight_recovery_codes_once(self, bobs_browser, bob) -> None:
        secret = self.shown_secret(bobs_browser)
        answer = bobs_browser.post("/profile/codes/", {"code": pyotp.TOTP(secret).now()})
        shown = re.findall(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){3}\b", answer.text)
        assert len(set(shown)) == 8
        bob.refresh_from_db()
        assert bob.signs_in_with_code
        assert opened(bob.code_secret) == secret
        assert secret not in bob.code_secret
        assert not [code for code in shown if code in str(list(RecoveryCode.objects.values()))]
        assert shown[0] not in bobs_browser.get("/profile/").text

    def test_stay_off_after_a_wrong_code_and_the_secret_stays_the_same(self, bobs_browser, bob) -> None:
        secret = self.shown_secret(bobs_browser)
        answer = bobs_browser.post("/profile/codes/", {"code": "000000"})
        assert answer.status_code == 422
        assert "This is not the code of now." in answer.text
        assert self.shown_secret(bobs_browser) == secret
        bob.refresh_from_db()
        assert not bob.signs_in_with_code

    def test_the_secret_that_waits_is_not_in_the_clear_in_the_session(self, bobs_browser) -> None:
        secret = self.shown_secret(bobs_browser)
        assert secret not in str(dict(bobs_browser.session.items()))

    @pytest.fixture
    def with_codes(self, bob) -> User:
        secret = codes.new_secret()
        actions.require_codes(user=bob, secret=secret, code=pyotp.TOTP(opened(secret)).now())
        return bob

    @pytest.mark.parametrize(("password", "on"), [("guess", True), ("password", False)])
    def test_are_switched_off_with_the_password_only(self, bobs_browser, with_codes, password, on) -> None:
        answer = bobs_browser.post("/profile/codes/off/", {"password": password})
        assert answer.status_code == (422 if on else 302)
        with_codes.refresh_from_db()
        assert with_codes.signs_in_with_code is on
        assert with_codes.recovery_codes.count() == (8 if on else 0)

    def test_new_recovery_codes_take_the_place_of_the_old(self, bobs_browser, with_codes) -> None:
        before = set(RecoveryCode.objects.values_list("digest", flat=True))
        assert bobs_browser.post("/profile/codes/recovery/", {"password": "guess"}).status_code == 422
        bobs_browser.post("/profile/codes/recovery/", {"password": "password"})
        after = set(RecoveryCode.objects.values_list("digest", flat=True))
        assert len(after) == 8
        assert not before & after


class TestSessions:
    def handles(self, client: Client) -> list[str]:
        return re.findall(r'name="browser" value="([0-9a-f]{16})"', client.get("/profile/").text)

    def test_this_browser_is_marked_and_cannot_be_ended_from_here(self, bobs_browser) -> None:
        page = bobs_browser.get("/profile/").text
        assert "This browser" in page
        assert self.handles(bobs_browser) == []

    def test_one_other_is_ended(self, bobs_browser, bob) -> None:
        others = [signed_in(bob), signed_in(bob)]
        bobs_browser.post("/profile/browsers/end/", {"browser": self.handles(bobs_browser)[0]})
        assert sorted(other.get("/profile/").status_code for other in others) == [200, 302]
        assert bobs_browser.get("/profile/").status_code == 200

    def test_all_others_are_ended(self, bobs_browser, bob) -> None:
        others = [signed_in(bob), signed_in(bob)]
        answer = bobs_browser.post("/profile/browsers/end/", {"browser": "others"}, follow=True)
        assert "2 other browsers are signed out" in answer.text
        assert [other.get("/profile/").status_code for other in others] == [302, 302]

    def test_nobody_ends_somebody_elses(self, bobs_browser, alice, bob) -> None:
        alices = signed_in(alice)
        signed_in(alice)
        for handle in self.handles(alices):
            assert bobs_browser.post("/profile/browsers/end/", {"browser": handle}).status_code == 404
        assert Session.objects.filter(user=alice).count() == 2

    def test_last_seen_is_noted_once_a_minute(self, bobs_browser, bob, django_assert_num_queries) -> None:
        long_ago = timezone.now() - timedelta(hours=2)
        Session.objects.update(seen_at=long_ago)
        bobs_browser.get("/calls/live/count/")
        bob.refresh_from_db()
        assert timezone.now() - bob.seen_at < timedelta(minutes=1)
        assert timezone.now() - Session.objects.get(user=bob).seen_at < timedelta(minutes=1)
        with django_assert_num_queries(3):  # session, user, live calls
            bobs_browser.get("/calls/live/count/")

    def test_expired_ones_are_cleared_away_at_the_next_sign_in(self, bob) -> None:
        signed_in(bob)
        Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
        Client().post("/login/", {"username": "bob", "password": "password"})
        assert Session.objects.count() == 1
