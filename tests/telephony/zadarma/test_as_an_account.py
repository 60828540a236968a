"""An account with Zadarma, asked as any provider's is."""

from __future__ import annotations

import pytest

from telephony.credentials import save_credential
from telephony.lines.accounts import ProviderError, account_of
from telephony.lines.actions import check_credential
from telephony.lines.number_actions import import_numbers
from telephony.models import Credential, PhoneNumber

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(zadarma, settings) -> Credential:
    settings.ZADARMA_API_URL = zadarma.url
    return save_credential(provider="zadarma", account=zadarma.key, secret=zadarma.secret, label="Zadarma")


def test_it_tells_what_it_holds(account):
    assert check_credential(credential=account, by="alice"), account.problem
    assert {"Balance", "Numbers", "Tariff"} <= dict(account.facts).keys()


def test_a_wrong_secret_is_told(account):
    wrong = save_credential(provider="zadarma", account=account.account, secret="wrong", label="Zadarma")
    assert not check_credential(credential=wrong, by="alice") and wrong.problem


def test_its_numbers_are_taken_over(account, zadarma):
    zadarma.numbers.append({"number": "442071234567", "status": "on", "number_name": "London", "sip": "100"})
    assert import_numbers(credential=account, by="alice") == (1, 1)
    number = PhoneNumber.objects.get()
    assert (number.number, number.label, number.hooks) == ("+442071234567", "London", {"sip": "100"})


def test_what_its_interface_does_not_offer_is_refused_in_words(account):
    asked = account_of(account)
    for ask in (lambda: asked.hang_up("1"), lambda: asked.buy("+1", {}), lambda: asked.release("1")):
        with pytest.raises(ProviderError, match="Zadarma"):
            ask()


@pytest.mark.django_db(transaction=True)
def test_a_button_has_it_tell_of_calls_here(account, zadarma, alices_browser, live_server, settings):
    settings.PUBLIC_URL = live_server.url
    page = alices_browser.post(f"/accounts/{account.pk}/notices/", follow=True).text
    assert zadarma.webhook == f"{live_server.url}/webhooks/zadarma/{account.pk}/"
    assert f"{zadarma.webhook}; before: –" in page
    settings.PUBLIC_URL = zadarma.url
    assert "zd_echo" in alices_browser.post(f"/accounts/{account.pk}/notices/", follow=True).text


def test_only_numbers_of_zadarmas_have_an_extension(account, alices_browser):
    PhoneNumber.objects.create(number="+442071234567", credential=account)
    twilio = save_credential(provider="twilio", account="AC1", secret="hush", label="Twilio")
    PhoneNumber.objects.create(number="+14155550123", credential=twilio)
    assert "Extension that answers" not in alices_browser.get("/numbers/14155550123/").text
    fields = {"after": "closed", "extension": "10"}
    refused = alices_browser.post("/numbers/442071234567/", fields)
    assert (refused.status_code, "three digits" in refused.text) == (422, True)
    assert alices_browser.post("/numbers/442071234567/", fields | {"extension": "100"}).status_code == 302
    assert PhoneNumber.objects.get(credential=account).extension == "100"
