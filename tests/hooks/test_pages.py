"""The pages of webhooks."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mlservices.happenings import KINDS
from tests.fakes.webhook_receiver import Answer
from tests.hooks.conftest import happens, only, send
from tests.hooks.made import make_busy_webhook, make_delivery, make_webhook
from voiceforge_site.hooks import actions
from voiceforge_site.hooks.forms import GROUPS
from voiceforge_site.hooks.models import Delivery, Webhook
from voiceforge_site.hooks.outbox import PING

FORM = {
    "description": "Our CRM",
    "url": "https://crm.example.com/hook",
    "kinds": ["call.ended", "flow.published"],
}


def secret_in(page: str) -> str:
    [secret] = re.findall(r'value="(whsec_[^"]+)"', page)
    return secret


def test_a_new_webhook_shows_its_secret_this_once(alices_browser) -> None:
    answer = alices_browser.post("/webhooks/new/", FORM)
    webhook = Webhook.objects.get()
    assert webhook.kinds == FORM["kinds"] and webhook.changed_by == "alice"
    secret = secret_in(answer.text)
    assert answer["Cache-Control"] == "no-store" and webhook.get_absolute_url() in answer.text
    for address in (webhook.get_absolute_url(), "/webhooks/", f"/webhooks/{webhook.pk}/edit/"):
        assert secret not in alices_browser.get(address).text


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"url": "https://127.0.0.1/"}, "url", "private network"),
        ({"url": ""}, "url", "required"),
        ({"kinds": []}, "kinds", "required"),
        ({"kinds": ["call.endet"]}, "kinds", "valid choice"),
        ({"agents": ["nobody"]}, "agents", "valid choice"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    alices_browser, change, field, words
) -> None:
    answer = alices_browser.post("/webhooks/new/", {**FORM, **change})
    assert answer.status_code == 422 and words in str(answer.context["form"].errors[field])
    assert 'value="Our CRM"' in answer.text and not Webhook.objects.exists()


def test_a_webhook_is_changed_paused_resumed_and_deleted(alices_browser, db) -> None:
    webhook = make_webhook()
    page = webhook.get_absolute_url()
    assert alices_browser.post(f"{page}edit/", {**FORM, "description": "The CRM"}).status_code == 302
    assert Webhook.objects.get().description == "The CRM"
    for verb, state in (("pause", "paused"), ("resume", "active")):
        alices_browser.post(f"{page}{verb}/")
        assert Webhook.objects.get().state == state
    alices_browser.post(f"{page}delete/")
    assert not Webhook.objects.exists()


def test_what_was_chosen_and_is_gone_can_be_taken_off(alices_browser, db) -> None:
    webhook = make_webhook(agents=["left"], kinds=["call.ended", "call.of_old"])
    form = alices_browser.get(f"{webhook.get_absolute_url()}edit/").context["form"]
    assert ("left", "left") in form.fields["agents"].choices
    answer = alices_browser.post(f"{webhook.get_absolute_url()}edit/", FORM)
    assert answer.status_code == 302 and Webhook.objects.get().agents == []


def test_a_new_secret_takes_the_place_of_the_old_one(alices_browser, db) -> None:
    webhook = make_webhook()
    before = webhook.secret
    first = secret_in(alices_browser.post(f"{webhook.get_absolute_url()}secret/", {"hours": 24}).text)
    webhook.refresh_from_db()
    assert webhook.previous_secret == before and webhook.both_sign
    assert "Two secrets sign" in alices_browser.get(webhook.get_absolute_url()).text
    second = secret_in(alices_browser.post(f"{webhook.get_absolute_url()}secret/", {"hours": 0}).text)
    webhook.refresh_from_db()
    assert first != second and not webhook.both_sign
    alices_browser.post(f"{webhook.get_absolute_url()}secret/", {"hours": 10_000})
    assert Webhook.objects.get().secret == webhook.secret


def test_the_list_shows_true_figures(alices_browser, db) -> None:
    make_busy_webhook()
    make_webhook("Idle")
    for state in ("delivered", "dead"):
        make_delivery(Webhook.objects.get(description="Our CRM"), PING, state)
    make_delivery(Webhook.objects.get(description="Our CRM"), state="dead", minutes=60 * 24 * 8)
    rows = {
        webhook.description: figures
        for webhook, figures, _ in alices_browser.get("/webhooks/").context["rows"]
    }
    crm, idle = rows["Our CRM"], rows["Idle"]
    assert (crm.delivered, crm.lost, crm.waiting, crm.dead) == (22, 2, 2, 3)
    assert crm.share == 22 / 24 and idle.share is None
    page = alices_browser.get("/webhooks/").text
    assert "92 %" in page.replace("\u202f", " ").replace("\xa0", " ") and "of 24" in page


def test_a_longer_list_asks_the_database_no_more(alices_browser, db) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            alices_browser.get("/webhooks/")
        return len(queries)

    make_busy_webhook(description="A")
    asked()  # the first page notes who is seen
    before = asked()
    for name in "BCDE":
        make_busy_webhook(description=name)
    assert asked() == before


def test_messages_are_filtered_by_state_and_kind(alices_browser, db) -> None:
    page = make_busy_webhook().get_absolute_url()
    states = {
        query: {row.state for row in alices_browser.get(page + query).context["page"]}
        for query in ("?state=delivered", "?state=dead", "?state=waiting")
    }
    assert states == {
        "?state=delivered": {"delivered"},
        "?state=dead": {"dead"},
        "?state=waiting": {"waiting"},
    }
    kinds = {row.kind for row in alices_browser.get(f"{page}?kind=call.ended").context["page"]}
    assert kinds == {"call.ended"}
    assert len(alices_browser.get(f"{page}?state=odd&kind=odd").context["page"]) == 26
    part = alices_browser.get(f"{page}?state=dead", headers={"HX-Request": "true"}).text
    assert "<html" not in part and 'id="count-dead" hx-swap-oob="true">2<' in part


def test_a_test_shows_at_once_what_was_answered(alices_browser, subscribe, receiver) -> None:
    webhook = subscribe("call.ended")
    receiver.answers.append(Answer(403, body=b"<b>who are you?</b>"))
    failed = alices_browser.post(f"{webhook.get_absolute_url()}test/")
    assert "It answered 403." in failed.text and "&lt;b&gt;who are you?" in failed.text
    assert failed["HX-Trigger"] == "tested"
    done = alices_browser.post(f"{webhook.get_absolute_url()}test/").text
    assert "The test was taken: 204" in done and "webhook-signature: v1," in done
    assert receiver.kinds == ["test.ping", "test.ping"]


def test_a_message_shows_what_was_sent_and_answered_and_can_be_sent_again(
    alices_browser,
    subscribe,
    receiver,
) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(410, body=b"Gone for good"))
    happens("call.ended", about="call:1", sequence=7, outcome="completed")
    send()
    page = only().get_absolute_url()
    shown = alices_browser.get(page).text
    for words in ("Gone for good", "&quot;outcome&quot;: &quot;completed&quot;", str(only().uid), "call:1"):
        assert words in shown
    assert "Switch it on first" in alices_browser.post(f"{page}replay/", follow=True).text
    alices_browser.post(f"{Webhook.objects.get().get_absolute_url()}resume/")
    assert "with the same id" in alices_browser.post(f"{page}replay/", follow=True).text
    send()
    assert only().state == "delivered"


def test_all_that_were_not_delivered_are_sent_again(alices_browser, db) -> None:
    webhook = make_busy_webhook()
    page = webhook.get_absolute_url()
    assert "Send all 2 again" in alices_browser.get(page).text
    assert "2 messages are sent again" in alices_browser.post(f"{page}replay/", follow=True).text
    assert not Delivery.objects.filter(state="dead").exists()


def test_a_message_is_found_only_under_its_own_webhook(alices_browser, db) -> None:
    delivery, other = make_delivery(make_webhook()), make_webhook("Other")
    assert alices_browser.get(delivery.get_absolute_url()).status_code == 200
    assert alices_browser.get(reverse("webhooks:delivery", args=[other.pk, delivery.uid])).status_code == 404


def test_every_kind_stands_in_the_form_and_in_the_document_but_for_the_test(alices_browser, db) -> None:
    document, form = alices_browser.get("/webhooks/kinds/").text, alices_browser.get("/webhooks/new/").text
    for name in KINDS:
        assert (f"<code>{name}</code>" in document and f'value="{name}"' in form) == (name != PING)
    assert {name.partition(".")[0] for name in KINDS} - {"test"} == set(GROUPS)


def test_only_administrators_see_webhooks(bobs_browser, charlies_browser, db) -> None:
    page = make_webhook().get_absolute_url()
    for browser in (bobs_browser, charlies_browser):
        assert browser.get("/webhooks/").status_code == browser.get(page).status_code == 403
        assert browser.post(f"{page}test/").status_code == browser.post(f"{page}secret/").status_code == 403


def test_a_webhook_is_found_by_its_name(alices_browser, bobs_browser, db) -> None:
    make_webhook()

    def found(browser) -> list[str]:
        groups = browser.get("/palette/", {"q": "our crm"}).context["groups"]
        return [entry.title for group in groups for entry in group.entries]

    assert "Our CRM" in found(alices_browser) and "Our CRM" not in found(bobs_browser)


def test_what_an_action_refuses_is_not_stored_by_another_way(db) -> None:
    with pytest.raises(actions.ValidationError):
        actions.add_webhook(by="alice", **{**FORM, "url": "http://example.com"})
    assert not Webhook.objects.exists()
