"""Messages on their way, against a receiver that checks them with the package of Standard Webhooks."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from mlservices.counting import registry
from tests.fakes.webhook_receiver import Answer
from tests.hooks.conftest import again, due_in_seconds, happens, hours_pass, only, send
from voiceforge_site.hooks import actions, sending
from voiceforge_site.hooks.models import Delivery, Webhook
from voiceforge_site.models import AuditEntry

pytestmark = pytest.mark.django_db
State = Delivery.State


def test_a_message_is_signed_and_says_what_happened(subscribe, receiver) -> None:
    subscribe("call.ended")
    happens("call.ended", about="call:1", sequence=12, outcome="completed")
    send()
    [received] = receiver.received
    delivery = only()
    assert received.genuine and received.headers["content-type"] == "application/json"
    assert received.told == {
        "id": str(delivery.uid),
        "type": "call.ended",
        "timestamp": delivery.at.isoformat(),
        "about": "call:1",
        "sequence": 12,
        "data": {"outcome": "completed"},
    }
    assert received.headers["webhook-id"] == str(delivery.uid)
    assert (delivery.state, delivery.status, delivery.attempts, delivery.problem) == (
        State.DELIVERED,
        204,
        1,
        "",
    )


def test_what_was_signed_is_what_is_kept(subscribe, receiver) -> None:
    subscribe("call.ended")
    happens(words="Grüße, “Zoë”\u2028 and \u0000")
    send()
    assert receiver.received[0].genuine and receiver.received[0].body == only().body


def test_a_message_that_was_not_taken_is_sent_again_with_the_same_id(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(500, body=b"oops"))
    counted = {outcome: attempts(outcome) for outcome in ("failed", "delivered")}
    happens()
    send()
    delivery = only()
    assert (delivery.state, delivery.status, delivery.answer) == (State.WAITING, 500, "oops")
    assert delivery.problem == "It answered 500." and 3.5 < due_in_seconds(delivery) < 6.5
    send()
    assert len(receiver.received) == 1  # it is not due
    hours_pass(seconds=7)
    send()
    first, second = receiver.received
    assert first.genuine and second.genuine and first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert only().state == State.DELIVERED and only().attempts == 2
    assert all(attempts(outcome) == before + 1 for outcome, before in counted.items())


def attempts(outcome: str) -> float:
    """As Prometheus is told."""
    sample = registry.get_sample_value("voiceforge_webhook_attempts_total", {"outcome": outcome})
    return sample or 0.0


def test_the_time_of_each_attempt_is_signed(subscribe, receiver, monkeypatch) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(500))
    happens()
    send()
    hours_pass(seconds=7)
    later = timezone.now() + timedelta(seconds=100)
    monkeypatch.setattr(sending.timezone, "now", lambda: later)
    send()
    first, second = (int(each.headers["webhook-timestamp"]) for each in receiver.received)
    assert second == int(later.timestamp()) and 99 <= second - first <= 101
    assert receiver.received[1].genuine


def test_attempts_are_ever_further_apart_for_a_day_and_then_it_is_given_up(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answer = Answer(500)
    happens()
    waits = []
    while True:
        send()
        if only().state == State.DEAD:
            break
        waits.append(due_in_seconds(only()))
        hours_pass(seconds=waits[-1] + 0.01)
    assert sum(waits) == pytest.approx(24 * 3600, abs=60)
    planned = [*sending.WAITS, *[sending.WAITS[-1]] * 10]
    for wait, meant in zip(waits[:-1], planned, strict=False):  # the last is what is left of the day
        assert 0.79 * meant < wait < 1.21 * meant
    assert len(receiver.received) == only().attempts == len(waits) + 1
    send()
    assert len(receiver.received) == only().attempts


def test_waits_differ_so_that_not_all_come_back_at_once() -> None:
    waits = {sending.wait_after(3) for _ in range(20)}
    assert len(waits) == 20 and all(timedelta(seconds=96) <= wait <= timedelta(seconds=144) for wait in waits)


def test_a_dead_message_is_replayed_with_its_id_and_another_day(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    receiver.answers.append(Answer(500))
    happens()
    hours_pass(24.1)
    send()
    assert only().state == State.DEAD
    assert actions.replay_dead(webhook=webhook, by="alice") == 1
    send()
    assert only().state == State.DELIVERED
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
    assert only().give_up_at - timezone.now() > timedelta(hours=23)


def test_one_that_was_delivered_can_be_replayed_but_not_one_on_its_way(subscribe, receiver) -> None:
    subscribe("call.ended")
    happens()
    with pytest.raises(actions.ValidationError, match="on its way"):
        actions.replay(delivery=only(), by="alice")
    send()
    actions.replay(delivery=only(), by="alice")
    send()
    assert len(receiver.received) == 2


# ---- secrets ----------------------------------------------------------------------------------------


def test_after_a_rotation_both_secrets_sign_for_a_while_and_then_the_new_one_alone(
    subscribe, receiver
) -> None:
    webhook = subscribe("call.ended")
    old = receiver.secrets[0]
    new = actions.rotate_secret(webhook=webhook, by="alice")
    happens()
    send()
    assert receiver.received[-1].genuine  # by the old one
    receiver.secrets = [new]
    happens()
    send()
    assert receiver.received[-1].genuine
    hours_pass(24.1)
    happens()
    send()
    assert receiver.received[-1].genuine
    receiver.secrets = [old]
    happens()
    send()
    assert not receiver.received[-1].genuine


def test_a_secret_that_has_leaked_is_replaced_at_once(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    actions.rotate_secret(webhook=webhook, by="alice", overlap=timedelta())
    happens()
    send()
    assert not receiver.received[-1].genuine


def test_a_secret_that_no_key_opens_switches_it_off_until_there_is_another(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    Webhook.objects.update(secret="gAAAA-of-another-key")
    happens()
    send()
    assert again(webhook).state == Webhook.State.DISABLED and "Make a new secret" in webhook.reason
    receiver.secrets = [actions.rotate_secret(webhook=webhook, by="alice")]
    actions.resume(webhook=webhook, by="alice")
    send()
    assert receiver.received[-1].genuine


def test_secrets_are_sealed_and_told_once(subscribe, receiver, caplog) -> None:
    webhook = subscribe("call.ended")
    [secret] = receiver.secrets
    happens()
    send()
    row = json.dumps(Webhook.objects.values().get(), default=str)
    kept = json.dumps(Delivery.objects.values().get(), default=str)
    assert secret.startswith("whsec_") and secret not in row + kept + caplog.text + repr(webhook)


# ---- the test button --------------------------------------------------------------------------------


def test_a_test_is_sent_at_once_and_only_once(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    receiver.answers.append(Answer(500, body=b"no route"))
    failed = actions.send_test(webhook=webhook, by="alice")
    assert (failed.state, failed.status, failed.answer) == (State.DEAD, 500, "no route")
    done = actions.send_test(webhook=webhook, by="alice")
    assert done.state == State.DELIVERED and receiver.received[1].told["data"] == {"by": "alice"}
    assert receiver.received[1].genuine
    send()
    assert receiver.kinds == ["test.ping", "test.ping"]
    assert actions.replay_dead(webhook=webhook, by="alice") == 0


def test_one_that_is_paused_can_be_tested(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    actions.pause(webhook=webhook, by="alice")
    assert actions.send_test(webhook=again(webhook), by="alice").state == State.DELIVERED


# ---- pausing ----------------------------------------------------------------------------------------


def test_messages_of_a_paused_webhook_wait_for_it(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    assert actions.pause(webhook=webhook, by="alice") and not actions.pause(webhook=webhook, by="alice")
    happens()
    send()
    assert not receiver.received
    hours_pass(72)
    assert actions.resume(webhook=webhook, by="alice") and not actions.resume(webhook=webhook, by="alice")
    send()
    assert only().state == State.DELIVERED


def test_what_waits_goes_to_the_new_address(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    receiver.answers.append(Answer(404))
    happens()
    send()
    actions.change_webhook(webhook=webhook, by="alice", url=f"{receiver.url}/right")
    send()
    assert only().state == State.DELIVERED


# ---- the audit trail --------------------------------------------------------------------------------


def test_what_is_done_to_a_webhook_is_in_the_trail_without_its_secrets(subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    actions.change_webhook(
        webhook=webhook, by="bob", url=f"{receiver.url}/T0P/s3cret", kinds=["call.ringing"]
    )
    new = actions.rotate_secret(webhook=webhook, by="alice")
    actions.pause(webhook=webhook, by="alice")
    actions.resume(webhook=webhook, by="alice")
    actions.send_test(webhook=again(webhook), by="alice")
    actions.replay(delivery=only(), by="alice")
    actions.delete_webhook(webhook=webhook, by="alice")
    entries = AuditEntry.objects.order_by("pk")
    assert [entry.verb.removeprefix("webhook.") for entry in entries] == [
        "added",
        "changed",
        "secret_made",
        "paused",
        "resumed",
        "tested",
        "replayed",
        "deleted",
    ]
    assert [entry.name for entry in entries][:3] == ["alice", "bob", "alice"]
    kept = json.dumps(list(entries.values()), default=str)
    assert "call.ringing" in kept
    for secret in (*receiver.secrets, new, "s3cret", webhook.secret):
        assert secret not in kept
