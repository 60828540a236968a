"""What a receiver may do: ask to wait, go away, break off, hang, be down."""

from __future__ import annotations

import gzip
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from tests.fakes.webhook_receiver import Answer
from tests.hooks.conftest import again, due_in_seconds, happens, hours_pass, only, send
from voiceforge_site.hooks import actions, rounds, sending
from voiceforge_site.hooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db
State = Delivery.State


def test_a_receiver_says_how_long_to_wait(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    receiver.answers.append(Answer(429, {"Retry-After": "600"}))
    happens()
    send()
    assert 590 < due_in_seconds(only()) < 601
    assert again(webhook).held_until > timezone.now() + timedelta(seconds=590)  # the others wait too
    happens()
    send()
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        ("soon", 0),
        ("", 0),
        ("-5", 0),
        ("1e9", 0),
        ("9" * 400, 999_999_999),
        ("٣", 3),
        (" " * 12 + "5", 5),
        ("Jan 31 99999999999 12:00:00 12:00:00 0001", 0),
    ],
    ids=["seconds", "word", "none", "negative", "float", "endless", "other digits", "indented", "no year"],
)
def test_whatever_a_receiver_writes_as_the_wait_is_read_or_left(asked, seconds) -> None:
    assert sending.wait_asked_for(asked, timezone.now()) == seconds


def test_a_wait_can_be_a_date() -> None:
    now = timezone.now().replace(microsecond=0)
    assert sending.wait_asked_for(format_datetime(now + timedelta(minutes=5)), now) == 300
    assert sending.wait_asked_for(format_datetime(now - timedelta(minutes=5)), now) == 0


def test_a_wait_of_years_is_no_longer_than_the_day(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(503, {"Retry-After": "999999999"}))
    happens()
    send()
    assert only().next_at == only().give_up_at


def test_410_switches_the_webhook_off(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    receiver.answers.append(Answer(410))
    happens()
    send()
    assert again(webhook).state == Webhook.State.DISABLED and "410" in webhook.reason
    assert only().state == State.DEAD
    happens()  # nothing is written for it any more
    assert Delivery.objects.count() == 1
    with pytest.raises(actions.ValidationError, match="Switch it on first"):
        actions.replay_dead(webhook=webhook, by="alice")
    assert actions.resume(webhook=webhook, by="alice")
    assert actions.replay_dead(webhook=webhook, by="alice") == 1
    send()
    assert only().state == State.DELIVERED


def test_a_redirect_is_not_followed(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(302, {"Location": f"{receiver.url}/elsewhere"}))
    happens()
    send()
    assert receiver.kinds == ["call.ended"] and only().problem == "It answered 302."


def test_a_redirect_to_what_is_no_address_is_a_failure(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(302, {"Location": "https://xn--a/"}))
    happens()
    send()
    assert (only().state, only().attempts) == (State.WAITING, 1) and "no address" in only().problem


def test_a_receiver_that_breaks_off_is_asked_again(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(closes=True))
    happens()
    send()
    delivery = only()
    assert delivery.status is None and "broke off" in delivery.problem and delivery.state == State.WAITING
    hours_pass(seconds=7)
    send()
    assert only().state == State.DELIVERED


def test_a_receiver_that_hangs_is_given_up_on(subscribe, receiver, monkeypatch) -> None:
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 0.3)
    subscribe("call.ended")
    receiver.answers.append(Answer(seconds=1))
    happens()
    send()
    assert only().state == State.WAITING and "did not answer within 0.3 seconds" in only().problem


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b"x" * 3_000_000),
        Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 10_000_000)),
        Answer(200, {"Content-Type": "text/plain; charset=base64"}, b"\xff\xfe\x00"),
        Answer(200, {"Content-Type": "text/plain; charset=utf-7"}, b"+2AA-"),
        Answer(200, {"Content-Type": "text/plain; charset=unicode_escape"}, rb"\ud800"),
    ],
    ids=["too large", "packed", "no text", "half a sign", "half a sign in letters"],
)
def test_that_it_was_taken_counts_and_not_what_is_answered(subscribe, receiver, answer) -> None:
    subscribe("call.ended")
    receiver.answers.append(answer)
    happens()
    send()
    assert only().state == State.DELIVERED and len(only().answer) <= sending.LARGEST_ANSWER


def test_a_receiver_that_is_down_is_tried_with_one_message_at_a_time(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    receiver.answer = Answer(503)
    for number in range(20):
        happens(about=f"call:{number}")
    send()
    assert 1 <= len(receiver.received) <= rounds.PLACES
    before = len(receiver.received)
    for _ in range(3):
        hours_pass(seconds=400)
        send()
    assert len(receiver.received) == before + 3 and again(webhook).failing_since
    receiver.answer = Answer()
    hours_pass(seconds=400)
    send()  # the first is taken: all the others follow at once
    assert not Delivery.objects.exclude(state=State.DELIVERED).exists()
    assert again(webhook).failures == 0 and webhook.failing_since is None


def test_what_a_dead_receiver_never_got_is_given_up_after_a_day(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answer = Answer(503)
    for number in range(8):
        happens(about=f"call:{number}")
    send()
    tried = len(receiver.received)
    hours_pass(24.5)
    Webhook.objects.update(held_until=timezone.now() + timedelta(minutes=1))
    send()
    assert len(receiver.received) == tried
    dead = Delivery.objects.filter(state=State.DEAD)
    assert dead.count() == 8 and dead.filter(problem=rounds.NEVER_THERE).count() == 8 - tried


def test_what_waited_while_the_server_was_away_is_still_sent(subscribe, receiver) -> None:
    subscribe("call.ended")
    happens()
    hours_pass(48)
    send()
    assert only().state == State.DELIVERED
