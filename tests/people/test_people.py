"""What administrators do with the accounts of others."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from voiceforge_site.access import codes
from voiceforge_site.access.roles import ABILITIES
from voiceforge_site.models import Invitation, Session, User
from voiceforge_site.people import actions

GOOD = "a long good passphrase"


def link_of(page: str) -> str:
    found = re.search(r'value="http://testserver(/invitation/[^"]+)"', page)
    assert found
    return found[1]


class TestTheList:
    def test_shows_name_role_state_and_when_somebody_was_last_seen(self, alices_browser, bob) -> None:
        User.objects.filter(pk=bob.pk).update(name="Bob Marsh", seen_at=timezone.now() - timedelta(hours=3))
        page = alices_browser.get("/people/").text
        for words in ("Bob Marsh", "bob", "Operator", "Active", "3 hours ago", "never"):
            assert words in page.replace("\xa0", " ")

    def test_is_in_the_order_of_what_is_shown(self, alices_browser, bob) -> None:
        User.objects.create_user("zz", role="viewer", name="aaron")
        shown = re.findall(r'class="vf-lead"[^>]*>([^<]+)<', alices_browser.get("/people/").text)
        assert shown == ["aaron", "alice", "bob"]

    def test_is_searched_and_filtered_and_says_when_nobody_matches(self, alices_browser, bob) -> None:
        User.objects.create_user("carla", role="viewer", is_active=False)
        parts = {"HX-Request": "true"}
        found = alices_browser.get("/people/?q=CARL", headers=parts).text
        assert ">carla<" in found
        assert ">bob<" not in found
        assert ">bob<" in alices_browser.get("/people/?role=operator").text
        assert ">carla<" not in alices_browser.get("/people/?state=active").text
        none = alices_browser.get("/people/?q=zz").text
        assert "Nobody matches" in none
        assert "You are alone here" not in none

    def test_an_administrator_who_is_alone_is_led_to_invite(self, alices_browser) -> None:
        assert "You are alone here" in alices_browser.get("/people/").text

    def test_asks_the_database_as_often_for_many_as_for_few(
        self, alices_browser, alice, django_assert_num_queries
    ) -> None:
        for number in range(60):
            User.objects.create_user(f"person{number:02}", role="viewer")
            actions.invite(role="viewer", meant_for=f"Friend {number}", by=alice)
        with django_assert_num_queries(7):  # session, user, counts, count, people, invitations, live calls
            page = alices_browser.get("/people/")
        assert 'rel="next"' in page.text

    def test_stands_in_the_menu_of_those_who_manage_people_only(self, alices_browser, bobs_browser) -> None:
        assert 'href="/people/"' in alices_browser.get("/agents/").text
        assert 'href="/people/"' not in bobs_browser.get("/agents/").text


class TestAnInvitation:
    def test_makes_an_account_with_its_role_and_signs_in(self, alices_browser, alice) -> None:
        made = alices_browser.post("/people/invite/", {"meant_for": "Dora", "role": "designer"})
        assert made["Cache-Control"] == "no-store"
        client, link = Client(), link_of(made.text)
        assert "alice invites you" in client.get(link).text
        answer = client.post(link, {"name": "Dora Lund", "username": "dora", "new_password": GOOD})
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert "Dora Lund" in client.get("/profile/").text
        dora = User.objects.get(username="dora")
        assert (dora.role, dora.check_password(GOOD)) == ("designer", True)
        assert Invitation.objects.get().used_by == dora

    def test_is_shown_once_and_only_its_hash_is_kept(self, alices_browser) -> None:
        link = link_of(alices_browser.post("/people/invite/", {"role": "viewer"}).text)
        token = link.split("/")[2]
        assert token not in alices_browser.get("/people/").text
        assert token not in str(Invitation.objects.values())

    def test_works_once_and_then_says_what_to_do(self, alice) -> None:
        link = f"/invitation/{actions.invite(role='viewer', meant_for='', by=alice)}/"
        Client().post(link, {"name": "Dora", "username": "dora", "new_password": GOOD})
        for answer in (
            Client().get(link),
            Client().post(link, {"name": "E", "username": "eve", "new_password": GOOD}),
        ):
            assert answer.status_code == 410
            assert "This link has been used" in answer.text
        assert not User.objects.filter(username="eve").exists()

    def test_that_expired_says_so(self, alice) -> None:
        link = f"/invitation/{actions.invite(role='viewer', meant_for='', by=alice)}/"
        Invitation.objects.update(expires_at=timezone.now())
        answer = Client().get(link)
        assert answer.status_code == 410
        assert "This link has expired" in answer.text

    def test_that_was_withdrawn_is_not_known(self, alices_browser, alice) -> None:
        link = f"/invitation/{actions.invite(role='viewer', meant_for='Dora', by=alice)}/"
        assert "Dora" in alices_browser.get("/people/").text
        alices_browser.post(f"/people/invitations/{Invitation.objects.get().pk}/withdraw/")
        answer = Client().get(link)
        assert answer.status_code == 404
        assert "This link is not known" in answer.text

    def test_of_two_people_who_use_it_at_once_only_one_gets_in(self, alice) -> None:
        invitation = actions.invitation_of(actions.invite(role="viewer", meant_for="", by=alice))
        assert invitation
        actions.accept(invitation=invitation, user=User(username="dora"), password=GOOD)
        with pytest.raises(ValidationError):
            actions.accept(invitation=invitation, user=User(username="eve"), password=GOOD)

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"username": "ALICE"}, "Somebody has this username already"),
            ({"username": "with space"}, "Enter a valid username"),
            ({"new_password": "short1"}, "too short"),
            ({"new_password": "password123"}, "too common"),
            ({"new_password": "83610562907"}, "entirely numeric"),
            ({"new_password": "dora.the.firsts"}, "too similar"),
            ({"name": ""}, "Your name is missing."),
        ],
    )
    def test_refuses_what_is_wrong_keeps_what_was_typed_and_stays_open(self, alice, changed, words) -> None:
        link = f"/invitation/{actions.invite(role='viewer', meant_for='', by=alice)}/"
        typed = {"name": "Dora Lund", "username": "dora.the.first", "new_password": GOOD}
        answer = Client().post(link, typed | changed)
        assert answer.status_code == 422
        assert words in answer.text
        assert (typed | changed)["username"] in answer.text
        assert Client().post(link, typed).status_code == 302

    def test_tells_everything_that_is_wrong_in_one_round(self, alice) -> None:
        link = f"/invitation/{actions.invite(role='viewer', meant_for='', by=alice)}/"
        answer = Client().post(link, {"name": "", "username": "ALICE", "new_password": "123"})
        for words in (
            "Your name is missing.",
            "Somebody has this username",
            "too short",
            "entirely numeric",
        ):
            assert words in answer.text

    def test_without_a_name_is_still_told_from_others_and_hides_that_one_is_alone(
        self, alices_browser, alice
    ) -> None:
        assert "You are alone here" in alices_browser.get("/people/").text
        actions.invite(role="viewer", meant_for="   ", by=alice)
        for headers in ({}, {"HX-Request": "true"}):
            assert "You are alone here" not in alices_browser.get("/people/", headers=headers).text
        assert "Nobody named" in alices_browser.get("/people/").text

    def test_is_not_for_somebody_who_is_signed_in(self, alice, bobs_browser) -> None:
        link = f"/invitation/{actions.invite(role='administrator', meant_for='', by=alice)}/"
        assert "You are signed in as bob" in bobs_browser.get(link).text
        bobs_browser.post(link, {"name": "X", "username": "x", "new_password": GOOD})
        assert not User.objects.filter(username="x").exists()

    def test_with_a_role_that_does_not_exist_is_refused(self, alices_browser) -> None:
        assert alices_browser.post("/people/invite/", {"role": "emperor"}).status_code == 422


class TestAPerson:
    def test_gets_another_role_that_holds_at_once(self, alices_browser, bobs_browser, bob) -> None:
        assert bobs_browser.get("/agents/new/").status_code == 403
        answer = alices_browser.post(f"/people/{bob.pk}/role/", {"role": "designer"}, follow=True)
        assert "bob is now Designer" in answer.text
        assert bobs_browser.get("/agents/new/").status_code == 200

    def test_that_is_deactivated_is_out_and_stays_out_until_reactivated(
        self, alices_browser, bobs_browser, bob
    ) -> None:
        assert "bob is deactivated" in alices_browser.post(f"/people/{bob.pk}/deactivate/", follow=True).text
        assert bobs_browser.get("/agents/").status_code == 302
        signing_in = {"username": "bob", "password": "password"}
        assert Client().post("/login/", signing_in).status_code == 422
        alices_browser.post(f"/people/{bob.pk}/reactivate/")
        assert Client().post("/login/", signing_in).status_code == 302

    def test_is_signed_out_everywhere(self, alices_browser, bobs_browser, bob) -> None:
        answer = alices_browser.post(f"/people/{bob.pk}/sign-out/", follow=True)
        assert "1 browser is signed out" in answer.text
        assert bobs_browser.get("/agents/").status_code == 302

    def test_who_lost_the_telephone_is_let_in_without_a_code(self, alices_browser, bob) -> None:
        User.objects.filter(pk=bob.pk).update(code_secret=codes.new_secret())
        codes.new_recovery_codes(bob)
        alices_browser.post(f"/people/{bob.pk}/codes-off/")
        bob.refresh_from_db()
        assert not bob.signs_in_with_code
        assert not bob.recovery_codes.exists()

    @pytest.mark.parametrize("what", ["role", "deactivate", "codes-off"])
    def test_nobody_takes_their_own_rights_away(self, alices_browser, alice, what) -> None:
        User.objects.create_user("second", role="administrator")
        User.objects.filter(pk=alice.pk).update(code_secret="kept")
        answer = alices_browser.post(f"/people/{alice.pk}/{what}/", {"role": "viewer"}, follow=True)
        assert 'role="alert"' in answer.text
        alice.refresh_from_db()
        assert (alice.role, alice.is_active, alice.code_secret) == ("administrator", True, "kept")

    def test_the_last_administrator_stays_one(self, alice) -> None:
        """Asked by somebody who was one a moment ago: the other's request came first."""
        second = User.objects.create_user("second", role="administrator")
        actions.change_role(user=second, role="viewer", by=alice)
        for change in (
            lambda: actions.change_role(user=alice, role="viewer", by=second),
            lambda: actions.deactivate(user=alice, by=second),
        ):
            with pytest.raises(ValidationError, match="the only administrator"):
                change()

    def test_a_deactivated_administrator_does_not_count(self, alice) -> None:
        User.objects.create_user("gone", role="administrator", is_active=False)
        bob = User.objects.create_user("bob", role="viewer")
        with pytest.raises(ValidationError, match="the only administrator"):
            actions.deactivate(user=alice, by=bob)

    def test_a_role_that_does_not_exist_is_refused(self, alices_browser, bob) -> None:
        answer = alices_browser.post(f"/people/{bob.pk}/role/", {"role": "emperor"}, follow=True)
        assert "There is no such role." in answer.text

    def test_a_session_key_is_on_no_page(self, alices_browser, bobs_browser, bob) -> None:
        keys = [session.session_key for session in Session.objects.all()]
        for page in (alices_browser.get(f"/people/{bob.pk}/").text, bobs_browser.get("/profile/").text):
            assert not [key for key in keys if key in page]


class TestALinkForANewPassword:
    @pytest.fixture
    def link(self, alices_browser, bob) -> str:
        return link_of(alices_browser.post(f"/people/{bob.pk}/new-password/").text)

    def test_lets_its_person_choose_one_and_signs_them_in(self, link, bob, bobs_browser) -> None:
        client = Client()
        assert "signs in as bob" in client.get(link).text
        assert client.post(link, {"new_password": GOOD})["Location"] == "/"
        assert client.get("/profile/").status_code == 200
        assert bobs_browser.get("/profile/").status_code == 302
        bob.refresh_from_db()
        assert (bob.check_password(GOOD), bob.role) == (True, "operator")

    def test_works_once(self, link, bob) -> None:
        Client().post(link, {"new_password": GOOD})
        assert Client().post(link, {"new_password": "another good passphrase"}).status_code == 410
        bob.refresh_from_db()
        assert bob.check_password(GOOD)

    def test_keeps_the_rules(self, link, bob) -> None:
        assert Client().post(link, {"new_password": "bob"}).status_code == 422
        assert Client().post(link, {"new_password": GOOD}).status_code == 302

    def test_takes_the_place_of_an_earlier_one(self, link, alices_browser, bob) -> None:
        alices_browser.post(f"/people/{bob.pk}/new-password/")
        assert Client().get(link).status_code == 404

    def test_does_not_stand_in_for_a_code(self, link, bob) -> None:
        User.objects.filter(pk=bob.pk).update(code_secret=codes.new_secret())
        client = Client()
        assert client.post(link, {"new_password": GOOD})["Location"] == "/login/"
        assert client.get("/profile/").status_code == 302

    def test_ends_with_the_account(self, link, bob, alice) -> None:
        actions.deactivate(user=bob, by=alice)
        assert Client().get(link).status_code == 404

    def test_is_not_made_for_oneself_or_for_somebody_deactivated(self, alice, bob) -> None:
        User.objects.filter(pk=bob.pk).update(is_active=False)
        bob.refresh_from_db()
        for user in (alice, bob):
            with pytest.raises(ValidationError):
                actions.offer_new_password(user=user, by=alice)


def test_the_only_administrator_gets_in_again_without_a_telephone(alice) -> None:
    User.objects.filter(pk=alice.pk).update(code_secret=codes.new_secret())
    call_command("codes_off", "alice", stdout=StringIO())
    alice.refresh_from_db()
    assert not alice.signs_in_with_code
    with pytest.raises(CommandError, match="Nobody has the username"):
        call_command("codes_off", "nobody")


def test_the_table_of_roles_has_a_row_for_each_ability(alices_browser) -> None:
    page = alices_browser.get("/people/roles/").text
    for what, having in ABILITIES.values():
        row = re.search(rf"<tr><th[^>]*>{re.escape(escape(str(what)))}</th>(.*?)</tr>", page, re.DOTALL)
        assert row, what
        assert row[1].count(">yes<") == len(having)
