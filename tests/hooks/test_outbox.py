"""What happens is written down as messages in the transaction that it happens in."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django_q.brokers import get_broker

from mlservices import happenings
from mlservices.happenings import KINDS, tell
from tests.hooks.conftest import happens, send
from voiceforge_site.hooks import actions
from voiceforge_site.hooks.models import Delivery, Webhook

CALL = {"agent": {"slug": "front-desk"}, "direction": "inbound", "number": "+14155550100"}


@pytest.mark.django_db
def test_what_nobody_wants_is_not_written_nor_even_put_together(subscribe, django_assert_num_queries) -> None:
    subscribe("call.ringing")
    with django_assert_num_queries(1):
        tell("call.ended", lambda: pytest.fail("it was put together"))
    assert not Delivery.objects.exists()


@pytest.mark.django_db
def test_each_webhook_gets_a_message_of_its_own(subscribe) -> None:
    subscribe("call.ended")
    subscribe("call.ended", "call.ringing", description="Warehouse")
    tell("call.ended", {"n": 1})
    assert Delivery.objects.count() == 2 == Delivery.objects.values("uid").distinct().count()


@pytest.mark.django_db
def test_a_kind_that_nobody_has_declared_is_a_mistake(subscribe) -> None:
    with pytest.raises(ValueError, match="declare it"):
        tell("call.endet", {})


@pytest.mark.django_db
def test_what_is_rolled_back_was_never_told(subscribe) -> None:
    subscribe("call.ended")
    with pytest.raises(RuntimeError), transaction.atomic():
        tell("call.ended", {})
        raise RuntimeError
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.services
def test_what_another_process_wants_is_known_at_once(subscribe) -> None:
    tell("call.ended", {})  # nobody wants it, and that must not be remembered

    def another_process() -> None:
        subscribe("call.ended")
        connection.close()

    thread = threading.Thread(target=another_process)
    thread.start()
    thread.join()
    tell("call.ended", {})
    assert Delivery.objects.count() == 1
    Webhook.objects.update(state="disabled")
    tell("call.ended", {})
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_called_once_for_all_that_happens_until_it_comes(subscribe, receiver) -> None:
    subscribe("call.ended")
    get_broker().purge_queue()
    with transaction.atomic():
        happens()
        assert not get_broker().queue_size()  # nothing is there yet that it could see
    happens()
    assert get_broker().queue_size() == 1
    send()
    happens()
    assert get_broker().queue_size() == 2 and len(receiver.received) == 2


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_away_spoils_nothing(subscribe, receiver, monkeypatch) -> None:
    def away(*_args):
        raise ConnectionError("the queue is away")

    monkeypatch.setattr("voiceforge_site.hooks.outbox.async_task", away)
    subscribe("call.ended")
    happens()
    send()  # the schedule of each minute
    assert receiver.kinds == ["call.ended"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("filters", "data", "told"),
    [
        ({}, {"call": CALL}, True),
        ({"directions": ["inbound", "web"]}, {"call": CALL}, True),
        ({"directions": ["outbound"]}, {"call": CALL}, False),
        ({"agents": ["front-desk"]}, {"call": CALL}, True),
        ({"agents": ["sales"]}, {"call": CALL}, False),
        ({"agents": ["sales"]}, {"agent": {"slug": "front-desk"}}, False),
        ({"agents": ["sales"]}, {"planned_call": CALL}, False),
        ({"numbers": ["+14155550100"]}, {"call": CALL}, True),
        ({"numbers": ["+14155550199"]}, {"call": CALL}, False),
        ({"numbers": ["+14155550199"]}, {"call": {**CALL, "number": ""}}, False),
        ({"agents": ["front-desk"], "directions": ["outbound"]}, {"call": CALL}, False),
        ({"agents": ["sales"], "numbers": ["+14155550199"]}, {"alert": {"id": 1}}, True),
    ],
    ids=str,
)
def test_filters_leave_out_what_is_of_something_else(subscribe, filters, data, told) -> None:
    webhook = subscribe("call.ended")
    Webhook.objects.filter(pk=webhook.pk).update(**filters)
    tell("call.ended", data)
    assert Delivery.objects.exists() is told


@pytest.mark.django_db
def test_what_is_kept_of_a_thing_goes_with_it(subscribe) -> None:
    subscribe("call.ended")
    tell("call.ended", {}, about="call:1")
    tell("call.ended", {}, about="call:2")
    happenings.forget("call:1", "call:3")
    assert [delivery.about for delivery in Delivery.objects.all()] == ["call:2"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("kinds", [], "at least one"),
        ("kinds", ["call.endet"], "no “call.endet”"),
        ("kinds", ["test.ping"], "no “test.ping”"),
        ("kinds", "call.ended", "list of texts"),
        ("kinds", [["call.ended"]], "list of texts"),
        ("agents", ["nobody"], "no “nobody”"),
        ("directions", ["sideways"], "no “sideways”"),
        ("numbers", ["+1"], r"no “\+1”"),
        ("description", "", "blank"),
        ("description", "x" * 121, "120"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_by_field(subscribe, field, value, why) -> None:
    webhook = subscribe("call.ended")
    with pytest.raises(actions.ValidationError, match=why) as refused:
        actions.change_webhook(webhook=webhook, by="alice", **{field: value})
    assert list(refused.value.message_dict) == [field]


def test_each_kind_is_told_in_words_and_shown_by_an_example() -> None:
    assert len(KINDS) >= 18
    for kind in KINDS.values():
        assert str(kind.what) and kind.example and "." in kind.name
