"""The way in: a password, where asked for a code, and the price of guessing."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from django.db import connection
from django.test import Client, RequestFactory

from mlservices.secret_box import opened
from voiceforge_site.access import codes, throttle
from voiceforge_site.models import Session, User, WrongTries
from voiceforge_site.people import actions

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch):
    """Moves the clock of everything that counts in seconds."""
    now = [1_800_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])

    def pass_seconds(seconds: float) -> None:
        now[0] += seconds

    return pass_seconds


def try_in(username: str, password: str, client: Client | None = None, **extra: str):
    return (client or Client()).post("/login/", {"username": username, "password": password}, **extra)


def code_of(user: User) -> str:
    user.refresh_from_db()
    return pyotp.TOTP(opened(user.code_secret)).now()


@pytest.fixture
def bob_with_codes(bob: User) -> tuple[User, list[str]]:
    secret = codes.new_secret()
    before = pyotp.TOTP(opened(secret)).now()
    recovery = actions.require_codes(user=bob, secret=secret, code=before)
    User.objects.filter(pk=bob.pk).update(last_code_step=0)  # he set it up some time ago
    bob.refresh_from_db()
    return bob, recovery


def test_the_right_password_leads_to_the_page_that_was_wanted(bob: User) -> None:
    answer = Client().post("/login/?next=/calls/", {"username": "bob", "password": "password"})
    assert (answer.status_code, answer["Location"]) == (302, "/calls/")


def test_capitals_in_the_username_do_not_matter(bob: User) -> None:
    assert try_in("BOB", "password").status_code == 302


@pytest.mark.parametrize("who", ["wrong password", "deactivated", "unknown"])
def test_every_refusal_says_the_same_and_keeps_the_username(bob: User, who: str) -> None:
    if who == "deactivated":
        User.objects.update(is_active=False)
    name = "nobody" if who == "unknown" else "bob"
    answer = try_in(name, "password" if who == "deactivated" else "wrong")
    assert answer.status_code == 422
    assert "Username or password is wrong." in answer.text
    assert f'value="{name}"' in answer.text


def test_an_unknown_account_costs_the_server_as_much_as_a_known_one(bob: User, monkeypatch) -> None:
    hashed = []
    from django.contrib.auth.hashers import MD5PasswordHasher

    plain = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda self, *args: hashed.append(1) or plain(self, *args)
    )
    try_in("bob", "wrong")
    known = len(hashed)
    try_in("nobody", "wrong")
    assert known == len(hashed) - known == 1


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_after_five_wrong_tries_an_account_waits_whether_or_not_it_exists(bob: User, hours, name) -> None:
    for number in range(5):
        answer = try_in(name, "wrong", REMOTE_ADDR=f"192.0.2.{number}")
    assert answer.status_code == 429
    assert "Username or password is wrong. Too many wrong tries. Wait 30 seconds" in answer.text
    refused = try_in(name, "password", REMOTE_ADDR="192.0.2.9")
    assert refused.status_code == 429
    assert "Wait 30 seconds, then try again." in refused.text


def test_the_wait_grows_with_each_wrong_try_to_a_quarter_of_an_hour(bob: User, hours) -> None:
    for _number in range(5):
        try_in("bob", "wrong")
    hours(31)
    assert "Wait 60 seconds" in try_in("bob", "wrong").text
    hours(61)
    assert "Wait 2 minutes" in try_in("bob", "wrong").text
    for _number in range(10):
        hours(1000)
        answer = try_in("bob", "wrong")
    assert "Wait 15 minutes" in answer.text


def test_after_the_wait_the_right_password_works_and_wipes_the_slate(bob: User, hours) -> None:
    for _number in range(5):
        try_in("bob", "wrong")
    hours(31)
    assert try_in("bob", "password").status_code == 302
    assert try_in("bob", "wrong").status_code == 422


def test_one_address_that_tries_many_accounts_waits(bob: User, hours) -> None:
    for number in range(throttle.FREE_FOR_ADDRESS):
        try_in(f"guess{number}", "wrong")
    assert try_in("bob", "password").status_code == 429
    assert try_in("bob", "password", REMOTE_ADDR="192.0.2.1").status_code == 302


def test_behind_our_proxy_the_address_is_what_the_proxy_adds(bob: User, hours, settings) -> None:
    settings.BEHIND_PROXY = True
    for number in range(throttle.FREE_FOR_ADDRESS):
        try_in(f"guess{number}", "wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 198.51.100.7")
    assert try_in("bob", "password", HTTP_X_FORWARDED_FOR="198.51.100.7").status_code == 429
    assert try_in("bob", "password", HTTP_X_FORWARDED_FOR="198.51.100.8").status_code == 302


def test_the_log_tells_of_a_wrong_try_without_what_was_typed(bob: User, caplog) -> None:
    with caplog.at_level(logging.INFO):
        try_in("bob", "hunter2")
        try_in("my-password-by-mistake", "hunter2")
    own = [record.getMessage() for record in caplog.records if record.name.startswith("voiceforge_site")]
    assert own == [
        "A wrong password or code for bob from 127.0.0.1.",
        "A wrong password or code for an unknown account from 127.0.0.1.",
    ]
    assert "hunter2" not in caplog.text


class TestWithACode:
    def test_the_password_alone_opens_nothing(self, bob_with_codes) -> None:
        client = Client()
        answer = try_in("bob", "password", client)
        assert (answer.status_code, answer["Location"]) == (302, "/login/code/")
        assert client.get("/profile/")["Location"].startswith("/login/")

    def test_the_code_leads_to_the_page_that_was_wanted(self, bob_with_codes) -> None:
        client, (bob, _recovery) = Client(), bob_with_codes
        client.post("/login/?next=/calls/", {"username": "bob", "password": "password"})
        answer = client.post("/login/code/", {"code": code_of(bob)})
        assert (answer.status_code, answer["Location"]) == (302, "/calls/")
        assert client.get("/profile/").status_code == 200

    def test_a_code_lets_nobody_in_twice(self, bob_with_codes) -> None:
        bob, _recovery = bob_with_codes
        code = code_of(bob)
        answers = []
        for _number in range(2):
            client = Client()
            try_in("bob", "password", client)
            answers.append(client.post("/login/code/", {"code": code}).status_code)
        assert answers == [302, 422]

    def test_a_recovery_code_works_once_however_it_is_written(self, bob_with_codes) -> None:
        _bob, recovery = bob_with_codes
        answers = []
        for written in (recovery[0].upper().replace("-", " "), recovery[0]):
            client = Client()
            try_in("bob", "password", client)
            answers.append(client.post("/login/code/", {"code": written}).status_code)
        assert answers == [302, 422]

    def test_guessing_codes_is_made_slow_too(self, bob_with_codes) -> None:
        client = Client()
        try_in("bob", "password", client)
        answers = [client.post("/login/code/", {"code": "000 000"}).status_code for _number in range(6)]
        assert answers == [422] * 4 + [429] * 2

    def test_the_second_step_must_follow_within_five_minutes(self, bob_with_codes, hours) -> None:
        client, (bob, _recovery) = Client(), bob_with_codes
        try_in("bob", "password", client)
        hours(301)
        assert client.post("/login/code/", {"code": code_of(bob)})["Location"] == "/login/"

    def test_a_password_that_changed_meanwhile_ends_the_second_step(self, bob_with_codes) -> None:
        client, (bob, _recovery) = Client(), bob_with_codes
        try_in("bob", "password", client)
        bob.set_password("another")
        bob.save()
        assert client.post("/login/code/", {"code": code_of(bob)})["Location"] == "/login/"

    def test_without_the_first_step_there_is_no_second(self, db) -> None:
        assert Client().get("/login/code/")["Location"] == "/login/"

    def test_a_secret_that_no_key_opens_leaves_the_recovery_codes(self, bob_with_codes, settings) -> None:
        from cryptography.fernet import Fernet

        _bob, recovery = bob_with_codes
        settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
        client = Client()
        try_in("bob", "password", client)
        assert client.post("/login/code/", {"code": "123456"}).status_code == 422
        assert client.post("/login/code/", {"code": recovery[0]}).status_code == 302


def test_a_session_knows_the_browser_and_the_address(bob: User) -> None:
    client = Client(headers={"user-agent": FIREFOX})
    try_in("bob", "password", client, REMOTE_ADDR="192.0.2.7")
    page = client.get("/profile/").text
    assert "Firefox on Windows" in page
    assert "192.0.2.7" in page


class TestWhoCannotGoOn:
    """Is told why, at the page and in the answers to scripts."""

    def asked(self, browser: Client, address: str = "/agents/") -> tuple[str, object]:
        told = browser.get(address, headers={"X-Requested-With": "fetch"})
        return browser.get(address)["Location"], (told.status_code, told.json())

    def test_a_stranger_was_never_signed_in(self, db) -> None:
        assert Client().get("/agents/")["Location"] == "/login/?next=/agents/"
        assert "signed out" not in Client().get("/login/?next=/agents/").text

    def test_a_session_that_is_over_was_one(self, bob: User, bobs_browser: Client) -> None:
        Session.objects.filter(user=bob).delete()
        answer = bobs_browser.get("/agents/", follow=True)
        assert answer.redirect_chain[0][0] == "/login/?next=/agents/&why=signed-out"
        assert "You were signed out." in answer.text

    def test_a_script_learns_it_too(self, bob: User, bobs_browser: Client) -> None:
        Session.objects.filter(user=bob).delete()
        told = bobs_browser.get("/agents/", headers={"X-Requested-With": "fetch"})
        assert (told.status_code, told.json()) == (401, {"why": "signed-out"})

    def test_who_was_deactivated_learns_it_each_time(
        self, alice: User, bob: User, bobs_browser: Client
    ) -> None:
        actions.deactivate(user=bob, by=alice)
        for _ in range(2):
            location, told = self.asked(bobs_browser)
            assert location == "/login/?next=/agents/&why=ended"
            assert told == (401, {"why": "ended"})
        page = bobs_browser.get("/login/?why=ended").text
        assert "Your access has been ended by an administrator." in page

    def test_an_account_that_is_opened_again_asks_for_the_password(
        self, alice: User, bob: User, bobs_browser: Client
    ) -> None:
        actions.deactivate(user=bob, by=alice)
        actions.reactivate(user=bob, by=alice)
        assert self.asked(bobs_browser)[0].startswith("/login/")
        assert not Session.objects.filter(user=bob).exists()

    @pytest.mark.parametrize(
        ("role", "path", "method", "status"),
        [
            ("designer", "/agents/new/", "post", 200),
            ("operator", "/agents/new/", "post", 403),
            ("operator", "/agents/", "get", 200),
            ("", "/agents/", "get", 403),
            ("", "/profile/", "post", 200),
            ("", "/no/such/page/", "post", 200),
        ],
    )
    def test_a_form_asks_before_it_is_sent(
        self, bob: User, bobs_browser: Client, role: str, path: str, method: str, status: int
    ) -> None:
        User.objects.filter(pk=bob.pk).update(role=role)
        answer = bobs_browser.get("/session/", {"path": path, "method": method})
        assert answer.status_code == status
        assert answer.json()["token"]


@pytest.mark.django_db(transaction=True)
def test_tries_at_once_count_one_by_one() -> None:
    def guess(_number: int) -> None:
        throttle.wrong_try(RequestFactory().post("/login/"), "bob")
        connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(guess, range(16)))
    assert [row.tries for row in WrongTries.objects.all()] == [16, 16]  # the account's and the address's
    assert "Too many wrong tries" in try_in("bob", "password").content.decode()


def test_tries_for_others_make_nobodys_waiting_forgotten(bob: User) -> None:
    for number in range(6):
        try_in("bob", f"guess {number}")
    for number in range(400):
        request = RequestFactory().post("/login/", REMOTE_ADDR=f"198.51.100.{number % 250}")
        throttle.wrong_try(request, f"nobody-{number}")
    assert "Too many wrong tries" in try_in("bob", "password", REMOTE_ADDR="203.0.113.7").content.decode()
