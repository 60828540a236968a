"""Many messages, many receivers, many workers."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.utils import timezone
from django_q.brokers import get_broker

from tests.fakes.webhook_receiver import Answer, webhook_receiver
from tests.hooks.conftest import happens, hours_pass, send
from voiceforge_site.hooks import rounds, tasks
from voiceforge_site.hooks.models import Delivery, Webhook

State = Delivery.State


def sequences(receiver, about: str) -> list[int]:
    told = [each.told for each in receiver.received]
    return [each["sequence"] for each in told if each["about"] == about]


@pytest.mark.django_db
def test_messages_about_one_call_go_one_after_the_other_and_those_about_others_beside_them(
    subscribe, receiver
) -> None:
    subscribe("call.ended")
    receiver.answer = Answer(seconds=0.03)
    for sequence in range(6):
        for call in "abc":
            happens(about=f"call:{call}", sequence=sequence)
    send()
    for call in "abc":
        assert sequences(receiver, f"call:{call}") == list(range(6))
        own = sorted(
            (each.begun, each.ended) for each in receiver.received if each.told["about"] == f"call:{call}"
        )
        assert all(before[1] <= after[0] for before, after in pairwise(own))
    assert receiver.most_at_once == 3


@pytest.mark.django_db
def test_a_message_that_fails_holds_up_the_next_only_once(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(500))
    for sequence in (1, 2, 3):
        happens(about="call:a", sequence=sequence)
    send()
    assert sequences(receiver, "call:a") == [1, 2, 3]
    hours_pass(seconds=7)
    send()
    assert sequences(receiver, "call:a") == [1, 2, 3, 1]  # its sequence tells that it is old


@pytest.mark.django_db
def test_a_receiver_is_not_asked_more_than_a_few_things_at_once(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answer = Answer(seconds=0.05)
    for number in range(20):
        happens(about=f"call:{number}")
    send()
    assert receiver.most_at_once == rounds.PLACES and len(receiver.received) == 20


@pytest.mark.django_db
def test_a_slow_receiver_holds_up_nobody_else(subscribe, receiver, settings) -> None:
    with webhook_receiver() as slow:
        settings.TOOL_PRIVATE_HOSTS = [*settings.TOOL_PRIVATE_HOSTS, slow.url.removeprefix("http://")]
        slow.answer = Answer(seconds=1.5)
        subscribe("call.ended", to=slow, description="Slow")
        subscribe("call.ended")
        for number in range(10):
            happens(about=f"call:{number}")
        send()
        assert len(receiver.received) == len(slow.received) == 10
        # all of them, before the slow one has taken a sixth
        assert max(each.ended for each in receiver.received) < sorted(each.ended for each in slow.received)[5]


@pytest.mark.django_db
def test_a_round_ends_though_a_receiver_is_slow_and_the_next_goes_on(
    subscribe, receiver, monkeypatch
) -> None:
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 0.3)
    subscribe("call.ended")
    receiver.answer = Answer(seconds=0.2)
    for number in range(30):
        happens(about=f"call:{number}")
    get_broker().purge_queue()
    began = time.monotonic()
    assert send() == "more is due" and get_broker().queue_size() == 1
    assert time.monotonic() - began < 3 and len(receiver.received) < 30
    while send() == "more is due":
        pass
    assert len({each.headers["webhook-id"] for each in receiver.received}) == len(receiver.received) == 30


@pytest.mark.django_db
def test_a_message_that_comes_during_a_round_is_sent_by_it(subscribe, receiver, monkeypatch) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(seconds=0.3))
    happens(about="call:slow")
    claim, looks = rounds.claim, []

    def and_then_another(claim_of, *, room):
        looks.append(room)
        if len(looks) == 2:
            happens(about="call:late")
        return claim(claim_of, room=room)

    monkeypatch.setattr(rounds, "claim", and_then_another)
    monkeypatch.setattr(rounds, "LOOK_SECONDS", 0.05)
    send()
    assert [each.told["about"] for each in receiver.received] == ["call:late", "call:slow"]


@pytest.mark.django_db
def test_a_round_waits_for_what_is_due_in_a_moment(subscribe, receiver, monkeypatch) -> None:
    monkeypatch.setattr(rounds, "LINGER_SECONDS", 2)
    monkeypatch.setattr(rounds, "wait_after", lambda attempts: timedelta(seconds=0.3))
    subscribe("call.ended")
    receiver.answers += [Answer(500), Answer(503), Answer(closes=True)]
    happens()
    send()
    assert len(receiver.received) == 4 and Delivery.objects.get().state == State.DELIVERED


@pytest.mark.django_db
def test_what_a_worker_was_sending_when_it_died_is_sent_again(subscribe, receiver) -> None:
    subscribe("call.ended")
    happens()
    [parcel] = rounds.claim("dead", room=5)
    send()
    assert not receiver.received  # it may be on its way
    hours_pass(seconds=61)
    send()
    assert len(receiver.received) == 1 and Delivery.objects.get().attempts == 2
    # should it live after all, its word comes too late
    rounds.keep(parcel, rounds.Outcome(timezone.now(), 1.0, {}, problem="It answered 500."))
    assert Delivery.objects.get().state == State.DELIVERED and not Webhook.objects.get().failures


@pytest.mark.django_db
def test_what_can_never_be_written_down_is_given_up_after_a_day(subscribe, receiver, monkeypatch) -> None:
    subscribe("call.ended")
    happens()
    monkeypatch.setattr(rounds, "keep", lambda parcel, outcome: 1 / 0)
    for _ in range(2):
        send()
        hours_pass(seconds=61)
    hours_pass(24)
    send()
    hours_pass(seconds=61)
    send()
    assert len(receiver.received) == 2
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.problem) == (State.DEAD, rounds.UNKNOWN)


@pytest.mark.django_db
def test_what_a_server_was_sending_when_it_went_away_for_days_is_sent_again(subscribe, receiver) -> None:
    subscribe("call.ended")
    happens()
    rounds.claim("dead", room=5)
    hours_pass(48)
    send()
    assert len(receiver.received) == 1 and Delivery.objects.get().state == State.DELIVERED


@pytest.mark.django_db(transaction=True)
@pytest.mark.services
def test_of_many_workers_one_sends_each_message(subscribe, receiver) -> None:
    subscribe("call.ended")
    receiver.answer = Answer(seconds=0.01)
    for sequence in range(10):
        for call in "abcd":
            happens(about=f"call:{call}", sequence=sequence)

    def work() -> None:
        send()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    while Delivery.objects.filter(state=State.WAITING).exists():
        send()
    assert len(receiver.received) == 40
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 40
    for call in "abcd":
        assert sequences(receiver, f"call:{call}") == list(range(10))


@pytest.mark.django_db
def test_messages_are_forgotten_after_thirty_days(subscribe, receiver) -> None:
    subscribe("call.ended")
    happens(about="old")
    happens(about="new")
    Delivery.objects.filter(about="old").update(at=timezone.now() - timedelta(days=30, minutes=1))
    assert tasks.forget_old() == "1 messages"
    assert Delivery.objects.get().about == "new"


@pytest.mark.django_db
def test_where_nothing_waits_a_round_asks_the_database_little(django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(8):
        assert send() == "all is sent that was due"
