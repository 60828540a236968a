"""Webhooks and their messages over the API, with a receiver of our own making."""

from __future__ import annotations

import pytest

from mlservices.happenings import KINDS
from tests.fakes.webhook_receiver import Answer
from tests.hooks.conftest import _rounds_do_not_linger, happens, receiver, send
from tests.hooks.made import make_busy_webhook, make_delivery, make_webhook
from voiceforge_site.hooks.models import Delivery, Webhook

__all__ = ["_rounds_do_not_linger", "receiver"]  # fixtures

WEBHOOKS = "/api/webhooks"
ABILITY = "voiceforge_site.manage_webhooks"


def sent_to(receiver, **more):
    return {"description": "Our CRM", "url": f"{receiver.url}/hook", "kinds": ["call.ended"], **more}


def audited(alices, pk):
    trail = alices.get(f"/api/audit?kind=voiceforge_site.webhook&thing={pk}").json()["results"]
    return [entry["verb"] for entry in reversed(trail)]


def test_a_webhook_is_added_told_paused_resumed_and_deleted(alices, receiver):
    added = alices.send("POST", WEBHOOKS, sent_to(receiver))
    assert (added.status_code, added["Cache-Control"]) == (201, "no-store"), added.text
    told, address = added.json(), f"{WEBHOOKS}/{added.json()['id']}"
    receiver.secrets.append(told["signing_secret"])
    for where in (address, WEBHOOKS, f"/api/audit?kind=voiceforge_site.webhook&thing={told['id']}"):
        assert told["signing_secret"] not in alices.get(where).text
    happens()
    send()
    assert receiver.received[0].genuine and alices.get(address).json()["figures"]["delivered"] == 1
    for verb, state in (("pause", "paused"), ("pause", "paused"), ("resume", "active")):
        assert alices.send("POST", f"{address}/{verb}").json()["state"] == state
    assert alices.send("DELETE", address).status_code == 204
    assert alices.get(address).status_code == 404 and not Webhook.objects.exists()
    verbs = ["webhook.added", "webhook.paused", "webhook.resumed", "webhook.deleted"]
    assert audited(alices, told["id"]) == verbs


def test_both_secrets_sign_until_the_old_one_has_had_its_time(alices, receiver):
    told = alices.send("POST", WEBHOOKS, sent_to(receiver)).json()
    address, secrets = f"{WEBHOOKS}/{told['id']}", [told["signing_secret"]]
    rotated = alices.send("POST", f"{address}/rotate", {"overlap_hours": 1})
    assert (rotated.status_code, rotated["Cache-Control"]) == (200, "no-store")
    assert rotated.json()["both_sign_until"]
    secrets.append(rotated.json()["signing_secret"])
    assert len(set(secrets)) == 2
    for secret in secrets:
        receiver.secrets = [secret]
        assert alices.send("POST", f"{address}/test").json()["state"] == "delivered"
    assert all(message.genuine for message in receiver.received)
    leaked = alices.send("POST", f"{address}/rotate", {"overlap_hours": 0}).json()
    assert leaked["both_sign_until"] is None
    assert set(alices.send("POST", f"{address}/rotate", {"overlap_hours": 169}).json()["fields"]) == {
        "overlap_hours"
    }


def test_a_test_tells_what_was_sent_and_answered(alices, receiver):
    webhook = alices.send("POST", WEBHOOKS, sent_to(receiver)).json()
    receiver.answers.append(Answer(500, body=b"Oops"))
    told = alices.send("POST", f"{WEBHOOKS}/{webhook['id']}/test").json()
    assert (told["state"], told["status"], told["answer"]) == ("dead", 500, "Oops")
    assert (told["kind"], told["message"]["data"]) == ("test.ping", {"by": "alice"})
    assert told["headers"]["webhook-id"] == told["id"] == told["message"]["id"]
    assert audited(alices, webhook["id"]) == ["webhook.added", "webhook.tested"]


def test_one_whose_secret_cannot_be_read_sends_no_test(alices):
    webhook = make_webhook(secret="sealed by another key")
    refused = alices.send("POST", f"{WEBHOOKS}/{webhook.pk}/test")
    assert (refused.status_code, "Make a new secret" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"url": "https://127.0.0.1/"}, "url", "private network"),
        ({"url": "ftp://crm.example.com"}, "url", "https://"),
        ({"url": "https://xn--a/"}, "url", "no address"),
        ({"url": 1}, "url", "Send a text"),
        ({"description": "x" * 121}, "description", "takes 120 characters at most"),
        ({"kinds": []}, "kinds", "at least one"),
        (
            {"kinds": ["call.endet"]},
            "kinds",
            "“call.endet”. Use one of agent.changed, call.answered, call.ended,",
        ),
        ({"kinds": "call.ended"}, "kinds", "Send a list"),
        ({"agents": ["nobody"]}, "agents", "nobody"),
        ({"directions": ["up"]}, "directions", "up"),
        ({"numbers": ["+14155550100"]}, "numbers", "+14155550100"),
        ({"state": "paused"}, "state", "cannot be set here"),
        ({"secret": "whsec_"}, "secret", "cannot be set here"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_by_field(alices, change, field, words):
    sent = {"description": "Our CRM", "url": "https://crm.example.com/", "kinds": ["call.ended"]}
    refused = alices.send("POST", WEBHOOKS, {**sent, **change})
    assert refused.status_code == 400
    [(name, told)] = refused.json()["fields"].items()
    assert name.partition(".")[0] == field and words in told
    webhook = make_webhook()
    assert alices.send("PATCH", f"{WEBHOOKS}/{webhook.pk}", change).status_code == 400
    assert Webhook.objects.get() == webhook


def test_what_is_needed_is_told(alices):
    assert set(alices.send("POST", WEBHOOKS, {}).json()["fields"]) == {"description", "url", "kinds"}


def test_who_read_it_before_somebody_changed_it_changes_nothing(alices):
    webhook = make_webhook()
    address = f"{WEBHOOKS}/{webhook.pk}"
    read = alices.get(address)["ETag"]
    Webhook.objects.update(failures=3)  # how it fares is no change of anybody's
    changed = alices.send("PATCH", address, {"description": "The CRM"}, If_Match=read)
    assert (changed.status_code, changed.json()["description"]) == (200, "The CRM")
    late = alices.send("PATCH", address, {"description": "CRM"}, If_Match=read)
    assert (late.status_code, "alice" in late.json()["detail"]) == (412, True)
    assert alices.send("DELETE", address, If_Match=read).status_code == 412
    assert Webhook.objects.get().description == "The CRM"


def test_messages_are_listed_by_state_and_kind_and_by_pages(alices):
    webhook = make_busy_webhook()
    make_delivery(make_webhook("Another"))
    make_delivery(webhook, state="sending")
    address = f"{WEBHOOKS}/{webhook.pk}/deliveries"

    def found(query):
        return alices.get(f"{address}?{query}").json()["results"]

    newest_first = [str(uid) for uid in webhook.deliveries.values_list("uid", flat=True)]
    assert [each["id"] for each in found("limit=200")] == newest_first
    assert len(found("state=dead")) == 2 and {each["state"] for each in found("state=dead")} == {"dead"}
    assert {each["state"] for each in found("state=waiting")} == {"waiting", "sending"}
    assert {each["kind"] for each in found("kind=call.ringing")} == {"call.ringing"}
    assert not found("about=call:1") and "message" not in found("limit=1")[0]
    page = alices.get(f"{address}?limit=20").json()
    assert len(alices.get(page["next"]).json()["results"]) == webhook.deliveries.count() - 20
    assert set(alices.get(f"{address}?state=lost").json()["fields"]) == {"state"}
    assert set(alices.get(f"{address}?kind=x").json()["fields"]) == {"kind"}


def test_a_message_shows_its_last_attempt_and_is_sent_again(alices, receiver):
    told = alices.send("POST", WEBHOOKS, sent_to(receiver)).json()
    webhook = Webhook.objects.get(pk=told["id"])
    receiver.secrets.append(told["signing_secret"])
    dead = make_delivery(webhook, state="dead")
    address = f"{WEBHOOKS}/{webhook.pk}/deliveries/{dead.uid}"
    shown = alices.get(address).json()
    assert (shown["attempts"], shown["status"], shown["problem"]) == (14, 500, "It answered 500.")
    assert (shown["message"]["type"], shown["next_at"]) == ("call.ended", None)
    again = alices.send("POST", f"{address}/replay")
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    assert alices.send("POST", f"{address}/replay").status_code == 409
    send()
    assert alices.get(address).json()["state"] == "delivered"
    assert receiver.received[0].headers["webhook-id"] == str(dead.uid)
    other = make_webhook("Another")
    assert alices.get(f"{WEBHOOKS}/{other.pk}/deliveries/{dead.uid}").status_code == 404


def test_all_that_was_lost_is_sent_again_but_not_by_one_that_is_off(alices):
    webhook = make_busy_webhook()
    address = f"{WEBHOOKS}/{webhook.pk}/replay-dead"
    assert alices.send("POST", address).json() == {"messages": 2}
    assert not webhook.deliveries.filter(state="dead").exists()
    Webhook.objects.update(state="disabled")
    refused = alices.send("POST", address)
    assert (refused.status_code, "Switch it on" in refused.json()["detail"]) == (409, True)


def test_the_list_asks_the_database_no_more_for_more(alices, django_assert_max_num_queries):
    for number in range(20):
        make_webhook(f"CRM {number:02}")
    alices.get(WEBHOOKS)
    with django_assert_max_num_queries(10):
        assert len(alices.get(WEBHOOKS).json()["results"]) == 20
    assert [each["description"] for each in alices.get(f"{WEBHOOKS}?search=07").json()["results"]] == [
        "CRM 07"
    ]


def test_every_kind_is_told_with_an_example(alices):
    kinds = alices.get(f"{WEBHOOKS}/kinds").json()["kinds"]
    assert {kind["kind"]: kind["example"] for kind in kinds} == {
        name: dict(kind.example) for name, kind in KINDS.items()
    }
    assert all(kind["what"] for kind in kinds)


def test_only_who_may_manage_them_sees_them(alice, bobs, charlie, program):
    delivery = make_delivery(make_webhook())
    one = f"{WEBHOOKS}/{delivery.webhook_id}"
    addresses = {
        "GET": [WEBHOOKS, f"{WEBHOOKS}/kinds", one, f"{one}/deliveries", f"{one}/deliveries/{delivery.uid}"],
        "POST": [
            WEBHOOKS,
            *(f"{one}/{verb}" for verb in ("rotate", "pause", "resume", "test", "replay-dead")),
        ],
        "PATCH": [one],
        "DELETE": [one],
    }
    other_key = program(alice, scopes=["telephony.view_calls"])
    for each in (bobs, program(charlie), other_key):
        for method, found in addresses.items():
            for address in found:
                assert each.send(method, address).status_code == 403, (method, address)
    assert program(alice, scopes=[ABILITY]).get(one).status_code == 200
    assert Delivery.objects.get().state == "delivered"
    assert Webhook.objects.get().state == "active"
