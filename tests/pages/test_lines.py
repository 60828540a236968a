"""Pages of accounts, numbers and the dialler, as Alice (who administers) and Bob (who operates) see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mlservices.pages.figures import grouped
from mlservices.pages.toasts import toast_of
from telephony.actions import SIMULATOR, ensure_simulator_line
from telephony.credentials import save_credential
from telephony.lines.actions import check_credential
from telephony.models import BlockedCaller, Credential, PhoneNumber, PlannedCall, SipLine
from tests.factories import make_agent
from tests.fakes.twilio_rest import SID, TOKEN

from .twilio_account import account, number, told, twilio

__all__ = ["account", "number", "twilio"]  # fixtures

pytestmark = pytest.mark.django_db


def test_the_simulators_account_and_number_are_shown_and_offered_nowhere(alices_browser: Client):
    agent = make_agent()
    simulated = ensure_simulator_line(agent)
    digits = simulated.number.lstrip("+")
    for name in ("lines:accounts", "lines:numbers", "lines:search", "outbound:dial"):
        page = told(alices_browser.get(reverse(name)))
        assert SIMULATOR not in page and grouped(simulated.number) not in page, name
    assert "No number to call from" in told(alices_browser.get(reverse("outbound:dial")))
    part = reverse("telephony:numbers", args=[agent.slug])
    assert grouped(simulated.number) not in told(alices_browser.get(part))
    assert grouped(simulated.number) not in told(alices_browser.get(reverse("palette"), {"q": digits}))
    for address in (simulated.get_absolute_url(), simulated.credential.get_absolute_url()):
        assert alices_browser.get(address).status_code == 404
    sent = {"agent": agent.pk, "caller_id": simulated.pk, "machine": "ignore", "to": "+14155550111"}
    assert alices_browser.post(reverse("outbound:dial"), sent).status_code == 422
    assert not PlannedCall.objects.exists()


class TestAccounts:
    def test_one_is_added_and_asked_at_once_and_its_secret_is_shown_nowhere(
        self, twilio, alices_browser: Client
    ):
        form = {"provider": "twilio", "label": "Main", "account": SID, "secret": f" {TOKEN} "}
        page = alices_browser.post(reverse("lines:account_new"), form, follow=True)
        assert "Harbour Street" in told(page) and "27.50 USD" in told(page)
        assert TOKEN not in told(page) and SID not in told(page)
        assert "Main" in told(alices_browser.get(reverse("lines:accounts")))

    def test_a_wrong_one_is_kept_and_says_what_to_do(self, twilio, alices_browser: Client):
        form = {"provider": "twilio", "label": "Main", "account": "AC" + "9" * 32, "secret": "wrong"}
        page = alices_browser.post(reverse("lines:account_new"), form, follow=True)
        assert "Copy both anew from the Twilio console" in told(page)

    @pytest.mark.parametrize("sid", ["", "AC123", "SK" + "1" * 32])
    def test_what_is_no_account_is_refused_and_its_secret_not_given_back(self, alices_browser: Client, sid):
        form = {"provider": "twilio", "label": "Main", "account": sid, "secret": "swordfish"}
        page = alices_browser.post(reverse("lines:account_new"), form)
        assert page.status_code == 422 and "swordfish" not in told(page)
        assert not Credential.objects.exists()

    def test_its_limits_are_changed_with_words_for_what_is_wrong(self, account, alices_browser: Client):
        form = {"label": "Main", "countries": ["US", "CA"], "daily_cap": "20", "calls_per_second": "2"}
        url = account.get_absolute_url()
        alices_browser.post(url, form)
        account.refresh_from_db()
        assert (account.countries, str(account.daily_cap)) == (["CA", "US"], "20.00")
        assert "May be called now: Canada, United States" in told(alices_browser.get(url))
        page = alices_browser.post(url, {**form, "countries": ["Germany"], "daily_cap": "-1"})
        assert "Germany is not one of the available choices" in told(page) and "Not below 0." in told(page)

    def test_countries_stand_by_name_in_the_language_of_whoever_looks(self, account, alices_browser: Client):
        page = told(alices_browser.get(account.get_absolute_url()))
        assert '<option value="DE">Germany +49</option>' in page
        page = told(alices_browser.get(account.get_absolute_url(), headers={"Accept-Language": "de"}))
        assert '<option value="AT">Österreich +43</option>' in page
        assert page.index("Oman +968") < page.index("Österreich +43") < page.index("Palästin")

    def test_one_that_is_given_no_name_has_its_providers(self, twilio, alices_browser: Client):
        form = {"provider": "twilio", "label": "", "account": SID, "secret": TOKEN}
        alices_browser.post(reverse("lines:account_new"), form)
        assert Credential.objects.get().label == "Twilio"

    def test_a_new_secret_is_tried_at_once(self, account, alices_browser: Client):
        Credential.objects.update(problem="old")
        url = reverse("lines:account_secret", args=[account.pk])
        page = alices_browser.post(url, {"secret": TOKEN}, follow=True)
        assert "The new secret works" in told(page)
        account.refresh_from_db()
        assert account.problem == ""

    def test_what_others_send_in_its_name_changes_nothing_on_its_page(
        self, twilio, account, alices_browser: Client, client: Client
    ):
        check_credential(credential=account, by="alice")
        form = {"AccountSid": SID, "CallSid": "CA1", "From": "+14155550199", "To": "+14155550123"}
        voice = f"{settings.PUBLIC_URL}/telephony/twilio/voice/"
        own, every = account.get_absolute_url(), reverse("lines:accounts")
        headers = {"X-Twilio-Signature": "forged"}
        for _again in range(2):
            assert "None yet. If calls stay away" in told(alices_browser.get(own))
            assert "Works" in told(alices_browser.get(every))
            assert client.post("/telephony/twilio/voice/", form, headers=headers).status_code == 403
        twilio.post(client, voice, form)
        assert "None yet. If calls stay away" not in told(alices_browser.get(own))

    def test_who_operates_sees_none_of_them(self, account, bobs_browser: Client):
        assert bobs_browser.get(reverse("lines:accounts")).status_code == 403
        assert bobs_browser.post(reverse("lines:account_check", args=[account.pk])).status_code == 403


class TestNumbers:
    def test_they_are_imported_by_one_button(self, twilio, account, alices_browser: Client):
        assert "Import numbers" in told(alices_browser.get(reverse("lines:numbers")))
        twilio.own("+14155550123")
        page = alices_browser.post(reverse("lines:account_import", args=[account.pk]), follow=True)
        assert "1 number, 1 of them new" in told(page) and "+1 415-555-0123" in told(page)

    def test_the_addresses_at_the_provider_are_shown_before_and_after(self, number, alices_browser: Client):
        PhoneNumber.objects.update(hooks={"voice_url": "https://demo.twilio.com/welcome/voice/"})
        assert "differs" in told(alices_browser.get(number.get_absolute_url()))
        page = alices_browser.post(reverse("lines:hooks", args=["14155550123"]), follow=True)
        assert "differs" not in told(page) and "voice.example.org/telephony/twilio/voice/" in told(page)

    def test_its_hours_and_who_answers_are_stored(self, number, alices_browser: Client):
        day, night = make_agent("Day"), make_agent("Night")
        form = {
            "label": "Reception", "agent": day.pk, "week": "Monday to Friday: 9-17\nclosed: 2026-12-25",
            "zone": "Europe/London", "after": "agent", "after_agent": night.pk,
        }  # fmt: skip
        alices_browser.post(number.get_absolute_url(), form)
        number.refresh_from_db()
        assert (number.agent, number.after_agent, number.hours["closed_on"]) == (day, night, ["2026-12-25"])
        assert "Monday to Friday: 09:00-17:00" in told(alices_browser.get(number.get_absolute_url()))

    @pytest.mark.parametrize(
        "wrong, words",
        [
            ({"week": "Someday: 9-17", "zone": "Europe/London"}, "This line cannot be read: Someday: 9-17"),
            ({"week": "Monday: 9-17"}, "Name the time zone"),
            ({"week": "Monday: 9-17", "zone": "Mars/North"}, "use a time zone like Europe/London"),
            ({"after": "forward"}, "Write the number of the telephone"),
            ({"after": "agent"}, "Choose the agent"),
            ({"fallback_number": "555"}, "Write the number with its country code"),
            ({"fallback_number": "+14155550123"}, "This is the number itself"),
            ({"after": "forward", "after_number": "+19005551234"}, "costs its callers extra"),
            ({"week": "closed: 2026-12-25", "zone": "Europe/London"}, "Write when it is answered too"),
            ({"week": "Monday: 9-9", "zone": "Europe/London"}, "all day is 00:00-24:00"),
            ({"week": "Monday: 9-24:30", "zone": "Europe/London"}, "use a time of day like 08:30"),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_is_stored(self, number, alices_browser: Client, wrong, words):
        page = alices_browser.post(number.get_absolute_url(), {"label": "New", "after": "closed", **wrong})
        assert page.status_code == 422 and words in told(page)
        number.refresh_from_db()
        assert number.label == ""

    def test_one_is_searched_bought_and_given_back(self, twilio, account, alices_browser: Client):
        query = {"account": account.pk, "country": "US", "kind": "local", "contains": "415"}
        page = alices_browser.get(reverse("lines:search"), query)
        assert "+1 415-555-0177" in told(page) and "1.15 USD" in told(page)
        assert "Calls, SMS, MMS" in told(page)
        faxes = told(alices_browser.get(reverse("lines:search"), {**query, "can": ["sms", "fax"]}))
        assert "Nothing is on offer" in faxes and 'value="fax" id="id_can_2" checked' in faxes
        form = {"account": account.pk, "number": "+14155550177"}
        page = alices_browser.post(reverse("lines:buy"), form, follow=True)
        assert "Choose who answers it" in told(page)
        remove = reverse("lines:remove", args=["14155550177"])
        alices_browser.post(remove, {"do": "give_back"})
        assert not twilio.numbers and not PhoneNumber.objects.exists()

    def test_they_are_chosen_by_who_answers_and_by_words(self, number, account, alices_browser: Client):
        desk, night = make_agent("Desk"), make_agent("Night", status="paused")
        for digit, agent in enumerate((desk, night)):
            account.numbers.create(number=f"+1415555020{digit}", agent=agent)
        shown = {"": (True, True, True), "-": (True, False, False), desk.slug: (False, True, False)}
        for chosen, expected in shown.items():
            page = told(alices_browser.get(reverse("lines:numbers"), {"agent": chosen}))
            seen = tuple(f"+1 415-555-{each}" in page for each in ("0123", "0200", "0201"))
            assert seen == expected, chosen
        assert "Paused" in told(alices_browser.get(reverse("lines:numbers"), {"q": "0201"}))
        assert "No numbers match" in told(alices_browser.get(reverse("lines:numbers"), {"account": "99"}))

    def test_a_thousand_take_as_many_questions_as_one(
        self, number, account, alices_browser: Client, django_assert_max_num_queries
    ):
        agent = make_agent("Desk")
        rows = [PhoneNumber(number=f"+1415556{n:04}", credential=account, agent=agent) for n in range(1000)]
        PhoneNumber.objects.bulk_create(rows)
        with django_assert_max_num_queries(12):
            page = told(alices_browser.get(reverse("lines:numbers")))
        assert "Page 1 of 21" in page
        part = told(alices_browser.get(reverse("telephony:numbers", args=[agent.slug])))
        assert part.count("Release +1") == 20 and "980 more numbers" in part

    def test_those_of_every_account_are_imported_and_one_that_refuses_keeps_none_from_it(
        self, number, alices_browser: Client
    ):
        save_credential(provider="twilio", account="AC" + "2" * 32, secret="wrong", label="Another")
        page = told(alices_browser.post(reverse("lines:import"), follow=True))
        assert "Another: " in page and "1 number, 0 of them new" in page

    def test_what_zadarma_does_in_its_own_pages_is_not_offered_here(self, number, alices_browser: Client):
        other = save_credential(provider="zadarma", account="KEY", secret="x", label="Zadarma")
        row = other.numbers.create(number="+442071234567", provider_id="442071234567")
        page = told(alices_browser.get(row.get_absolute_url()))
        assert "Give it back" not in page and "While we are down" not in page
        assert "in the pages of Zadarma" in page
        sent = {"after": "closed", "fallback_number": "+442071234568"}
        assert "set it in the pages of Zadarma" in told(alices_browser.post(row.get_absolute_url(), sent))
        assert f'<option value="{other.pk}"' not in told(alices_browser.get(reverse("lines:search")))

    def test_a_blocked_caller_is_found_again_by_digits_and_by_the_reason(self, alices_browser: Client):
        for pattern, note in (("+14155550100", "rude"), ("+4490*", "costs")):
            BlockedCaller.objects.create(pattern=pattern, note=note)
        url = reverse("lines:blocked")
        for words, expected in {"0100": (True, False), "COSTS": (False, True), "x": (False, False)}.items():
            page = told(alices_browser.get(url, {"q": words}))
            assert ("+1 415-555-0100" in page, "+4490*" in page) == expected, words
        assert "No blocked number matches" in page

    def test_who_was_let_in_again_can_be_blocked_again_at_once(self, alices_browser: Client):
        BlockedCaller.objects.create(pattern="+4490*", note="costs")
        page = alices_browser.post(reverse("lines:unblock"), {"pattern": "+4490*"}, follow=True)
        undo = toast_of(next(iter(page.context["messages"])))["undo"]
        alices_browser.post(undo["url"], dict(undo["fields"]))
        assert BlockedCaller.objects.get().note == "costs"

    def test_callers_are_blocked_and_unblocked(self, alices_browser: Client):
        page = alices_browser.post(reverse("lines:blocked"), {"pattern": "+1 (415) 555*"}, follow=True)
        assert "+1415555*" in told(page) and "+1415555* is turned away" in told(page)
        assert alices_browser.post(reverse("lines:blocked"), {"pattern": "nobody"}).status_code == 422
        alices_browser.post(reverse("lines:unblock"), {"pattern": "+1415555*"})
        assert not BlockedCaller.objects.exists()

    @pytest.mark.parametrize(
        ("written", "blocked"),
        [
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("0044 20 7946 0958", "+442079460958"),
            ("tel:+442079460958", "+442079460958"),
            ("+44 (0)20*", "+4420*"),
            ("0044 (0) 20 *", "+4420*"),
            ("+39 06 698*", "+3906698*"),  # this nought is dialled from abroad too
            ("+1 000 555 0100", "+10005550100"),  # who hides may tell a number that nobody has
        ],
    )
    def test_a_caller_to_be_blocked_may_be_written_as_people_do(
        self, alices_browser: Client, written: str, blocked: str
    ):
        alices_browser.post(reverse("lines:blocked"), {"pattern": written})
        assert BlockedCaller.objects.get().pattern == blocked

    def test_a_number_that_is_none_of_ours_is_not_found(self, alices_browser: Client):
        assert alices_browser.get(reverse("lines:number", args=["1 OR 1"])).status_code == 404


class TestSipLines:
    FORM = {
        "label": "Reception", "host": "pbx.example.org", "port": "5060", "transport": "udp", "user": "100",
        "registers": "on", "max_calls": "3", "enabled": "on", "calls_per_second": "1",
    }  # fmt: skip

    def test_one_is_made_and_its_password_is_shown_nowhere(self, alices_browser: Client):
        page = alices_browser.post(
            reverse("lines:sip_new"), {**self.FORM, "secret": "swordfish"}, follow=True
        )
        line = SipLine.objects.get()
        assert line.clear_password() == "swordfish" and "swordfish" not in line.password
        assert "100@pbx.example.org" in told(page) and "No gateway" in told(page)
        assert "swordfish" not in told(alices_browser.get(reverse("lines:sip_line", args=[line.pk])))

    def test_a_change_keeps_the_password_unless_another_is_written(self, alices_browser: Client):
        alices_browser.post(reverse("lines:sip_new"), {**self.FORM, "secret": "swordfish"})
        line = SipLine.objects.get()
        url = reverse("lines:sip_line", args=[line.pk])
        alices_browser.post(url, {**self.FORM, "label": "Desk", "countries": ["US"]})
        line.refresh_from_db()
        assert (line.label, line.countries, line.clear_password()) == ("Desk", ["US"], "swordfish")
        alices_browser.post(reverse("lines:sip_delete", args=[line.pk]))
        assert not SipLine.objects.exists()

    def test_transfers_and_ways_through_a_router_are_chosen_by_line(self, alices_browser: Client):
        alices_browser.post(reverse("lines:sip_new"), {**self.FORM, "secret": "swordfish"})
        line = SipLine.objects.get()
        assert (line.takes_transfers, line.nat, line.stun_server) == (False, "", "")
        chosen = {"takes_transfers": "on", "nat": "stun", "stun_server": "stun.example.org"}
        alices_browser.post(reverse("lines:sip_line", args=[line.pk]), {**self.FORM, **chosen})
        line.refresh_from_db()
        assert (line.takes_transfers, line.nat, line.stun_server) == (True, "stun", "stun.example.org")

    @pytest.mark.parametrize(
        "wrong, words",
        [
            ({"secret": ""}, "needs its password"),
            ({"host": "pbx/1", "secret": "x"}, "Write a name or an address"),
            ({"user": "a@b", "secret": "x"}, "Write the name alone"),
            ({"allowed_peers": "nobody", "secret": "x"}, "Write addresses and networks"),
            ({"secret": 'a"b'}, "cannot be used in it"),
            ({"nat": "stun", "secret": "x"}, "Name the server"),
            ({"nat": "ice", "stun_server": "a;b", "secret": "x"}, "Write a name or an address"),
        ],
    )
    def test_what_is_wrong_is_named(self, alices_browser: Client, wrong, words):
        page = alices_browser.post(reverse("lines:sip_new"), {**self.FORM, **wrong})
        assert page.status_code == 422 and words in told(page) and not SipLine.objects.exists()

    def test_its_state_is_told_as_the_gateway_has_it(self, alices_browser: Client):
        now = timezone.now()
        SipLine.objects.create(
            label="A", host="a.test", user="1", state="failed", reason="403 Forbidden", held_at=now
        )
        SipLine.objects.create(
            label="B", host="a.test", user="2", state="ready", held_at=now - timedelta(minutes=5)
        )
        page = told(alices_browser.get(reverse("lines:sip") + "?part"))
        assert "403 Forbidden" in page and "No gateway" in page and "<html" not in page
