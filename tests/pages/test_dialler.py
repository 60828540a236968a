"""The page that places calls."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from telephony.credentials import save_credential
from telephony.models import DoNotCall, PhoneNumber, PlannedCall, SipLine
from tests.factories import make_agent
from voiceforge_site.models import AuditEntry

from .twilio_account import account, number, told, twilio

__all__ = ["account", "number", "twilio"]  # fixtures

pytestmark = pytest.mark.django_db


class TestDialler:
    @pytest.fixture
    def form(self, number):
        return {"agent": make_agent("Caller").pk, "caller_id": f"twilio-{number.pk}", "machine": "ignore"}

    def test_a_call_waits_to_be_placed_with_its_variables(self, form, bobs_browser: Client):
        asked = {**form, "to": "+1 415 555 0111", "values": "name = Ann"}
        page = bobs_browser.post(reverse("outbound:dial"), asked, follow=True)
        planned = PlannedCall.objects.get()
        assert (planned.to, planned.values, planned.by) == ("+14155550111", {"name": "Ann"}, "bob")
        assert "+1 415-555-0111" in told(page)

    def test_one_for_later_is_canceled(self, form, bobs_browser: Client):
        later = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
        bobs_browser.post(reverse("outbound:dial"), {**form, "to": "+14155550111", "due_at": later})
        planned = PlannedCall.objects.get()
        page = bobs_browser.post(reverse("outbound:cancel", args=[planned.pk]), follow=True)
        assert "is not called" in told(page)
        page = bobs_browser.post(reverse("outbound:cancel", args=[planned.pk]), follow=True)
        assert "too late" in told(page)

    @pytest.mark.parametrize(
        "wrong, words",
        [
            ({"to": "0155"}, "Write the number with its country code"),
            ({"to": "+442071234567"}, "Main may call United States, and not United Kingdom"),
            ({"to": "+14155550111", "machine": "message"}, "Write what is said to a machine"),
            ({"to": "+14155550111", "send_digits": "1;2"}, "Enter a valid value"),
        ],
    )
    def test_what_is_wrong_is_named_and_nobody_is_called(self, form, bobs_browser: Client, wrong, words):
        page = bobs_browser.post(reverse("outbound:dial"), {**form, **wrong})
        assert page.status_code == 422 and words in told(page)
        assert not PlannedCall.objects.exists()

    def test_what_is_known_of_a_number_is_told_while_it_is_written(
        self, number, bobs_browser: Client, settings
    ):
        settings.TWILIO_PRICE_PER_MINUTE = "0.014"
        about = reverse("outbound:about_number")
        shown = f"twilio-{number.pk}"
        answer = bobs_browser.get(about, {"to": "+1 415 555 0111", "caller_id": shown}).json()
        assert answer == {"country": "US", "price": "0.10", "refusal": ""}
        abroad = bobs_browser.get(about, {"to": "+442071234567", "caller_id": shown}).json()
        assert "not United Kingdom" in abroad["refusal"]
        assert bobs_browser.get(about, {"to": "41"}).json() == {}

    def test_who_asks_what_calls_cost_is_written_down_once_a_day(
        self, number, bobs_browser: Client, alices_browser: Client
    ):
        caches["noted"].clear()
        about = {"to": "+14155550111", "caller_id": f"twilio-{number.pk}"}
        for browser in (bobs_browser, bobs_browser, alices_browser):
            browser.get(reverse("outbound:about_number"), about)
        asked = AuditEntry.objects.filter(verb="account.priced").values_list("name", flat=True)
        assert sorted(asked) == ["alice", "bob"]

    def test_numbers_are_put_on_the_list_all_or_none(self, bobs_browser: Client):
        page = bobs_browser.post(reverse("outbound:never"), {"numbers": "+1 415 555 0111\nnobody"})
        assert page.status_code == 422 and "Line 2, nobody" in told(page) and not DoNotCall.objects.exists()
        page = bobs_browser.post(reverse("outbound:never"), {"numbers": "+1 415 555 0111"}, follow=True)
        assert "1 number is called no more" in told(page)
        bobs_browser.post(reverse("outbound:allow"), {"number": "+14155550111"})
        assert not DoNotCall.objects.exists()

    def test_a_sip_line_stands_among_the_caller_ids_and_takes_what_it_can(self, form, bobs_browser: Client):
        line = SipLine.objects.create(
            label="Reception", host="pbx.test", user="100", countries=["US"], price_per_minute="0.02"
        )
        page = told(bobs_browser.get(reverse("outbound:dial")))
        assert '<optgroup label="Main">' in page and '<optgroup label="SIP lines">' in page
        asked = {**form, "caller_id": f"sip-{line.pk}", "to": "100", "values": "name = Ann"}
        hidden = {"machine": "message", "telephone": "nobody at all"}  # of other ways: not shown, not meant
        bobs_browser.post(reverse("outbound:dial"), {**asked, **hidden, "send_digits": "1w2"})
        planned = PlannedCall.objects.get()
        assert (planned.line, planned.caller_id, planned.to) == (line, None, "100")
        assert (planned.values, planned.send_digits, planned.machine) == ({"name": "Ann"}, "1w2", "ignore")
        page = bobs_browser.post(reverse("outbound:dial"), {**asked, "to": "+442071234567"})
        assert page.status_code == 422
        assert "Reception may call United States, and not United Kingdom" in told(page)
        about = {"to": "+14155550111", "caller_id": f"sip-{line.pk}"}
        known = bobs_browser.get(reverse("outbound:about_number"), about).json()
        assert known == {"country": "US", "price": "0.02 USD", "refusal": ""}

    def test_a_number_of_zadarmas_is_called_back_by_ones_own_telephone(self, form, bobs_browser: Client):
        account = save_credential(provider="zadarma", account="KEY", secret="hush", label="London")
        number = PhoneNumber.objects.create(number="+442071234560", credential=account)
        page = told(bobs_browser.get(reverse("outbound:dial")))
        assert '<optgroup label="Call-back by Zadarma · London">' in page
        asked = {**form, "caller_id": f"back-{number.pk}", "to": "+442071234567", "speaks": "me"}
        page = bobs_browser.post(reverse("outbound:dial"), asked)
        assert page.status_code == 422 and "rings a telephone of yours first" in told(page)
        bobs_browser.post(reverse("outbound:dial"), {**asked, "telephone": "100"})
        planned = PlannedCall.objects.get()
        assert (planned.telephone, planned.operator, planned.called_from) == ("100", "", "+442071234560")

    def test_without_a_number_it_says_what_is_missing(self, alices_browser: Client):
        assert "No number to call from" in told(alices_browser.get(reverse("outbound:dial")))
