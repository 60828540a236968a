"""Numbers: taken over, bought, given back; who answers them and when."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from telephony.lines import answering, number_actions
from telephony.lines.accounts import ProviderError
from telephony.lines.answering import REJECTED, Answer, answer_for
from telephony.models import BlockedCaller, PhoneNumber
from tests import trail
from tests.factories import make_agent
from tests.fakes.twilio_rest import SID, offer

pytestmark = pytest.mark.django_db

WEEK = {
    "timezone": "Europe/Berlin",
    "week": {"monday": [["09:00", "17:00"]]},
    "closed_on": ["2026-11-30"],
}
MONDAY, HOLIDAY = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 30, 9, tzinfo=UTC)


def test_the_numbers_of_an_account_are_taken_over_and_stay_who_answers_them(twilio, account):
    twilio.own("+14155550123", friendly_name="Reception")
    twilio.own("+14155550124")
    agent = make_agent()
    assert number_actions.import_numbers(credential=account, by="alice") == (2, 2)
    PhoneNumber.objects.filter(number="+14155550123").update(agent=agent, label="Ours")
    assert number_actions.import_numbers(credential=account, by="alice") == (0, 2)
    number = PhoneNumber.objects.get(number="+14155550123")
    assert (number.agent, number.label, number.can) == (agent, "Ours", ["sms", "voice"])
    assert number.hooks["voice_url"] == "https://demo.twilio.com/welcome/voice/"


def test_webhooks_are_set_with_what_was_there_before(twilio, account):
    row = twilio.own("+14155550123")
    number_actions.import_numbers(credential=account, by="alice")
    number = PhoneNumber.objects.get()
    number.fallback_number = "+14155550199"
    assert number_actions.change_number(number=number, by="alice") == ""
    assert row["voice_fallback_url"] == "https://twimlets.com/forward?PhoneNumber=%2B14155550199"
    assert row["voice_url"] == "https://demo.twilio.com/welcome/voice/", (
        "its calls come here when that is asked for"
    )
    before = number_actions.set_hooks(number=number, by="alice")
    assert before["voice_url"] == "https://demo.twilio.com/welcome/voice/"
    assert row["voice_url"] == "https://voice.example.org/telephony/twilio/voice/"
    assert row["status_callback"] == "https://voice.example.org/telephony/twilio/status/"
    assert "demo.twilio.com" in trail.last().detail


def test_a_fallback_that_the_provider_does_not_take_is_told_and_the_rest_is_kept(twilio, account):
    number = PhoneNumber.objects.create(number="+14155550123", credential=account, provider_id="PN9")
    number.fallback_number, number.label = "+14155550199", "Reception"
    assert "Twilio does not have this" in number_actions.change_number(number=number, by="alice")
    number.refresh_from_db()
    assert (number.label, number.fallback_number) == ("Reception", "+14155550199")


def test_numbers_are_searched_bought_and_given_back(twilio, account):
    (offer,) = number_actions.offers(
        credential=account, country="US", contains="415", kind="local", by="alice"
    )
    assert (offer.place, offer.can, str(offer.price), offer.currency) == (
        "San Francisco, CA, United States", ("mms", "sms", "voice"), "1.15", "USD",
    )  # fmt: skip
    number = number_actions.buy_number(credential=account, number=offer.number, by="alice")
    assert twilio.numbers[number.provider_id]["voice_url"].endswith("/telephony/twilio/voice/")
    number_actions.give_back(number=number, by="alice")
    assert not twilio.numbers and not PhoneNumber.objects.exists()
    done = ["account.searched", "account.bought", "account.released"]
    assert trail.verbs("telephony.credential") == done


def test_a_number_is_searched_by_what_it_must_take_beside_calls(twilio, account):
    twilio.on_offer = [
        offer("+14155550170", "voice"),
        offer("+14155550171", "voice SMS"),
        offer("+14155550172", "voice SMS MMS"),
        offer("+14155550173", "SMS MMS fax"),
        offer("+14155550174", "voice fax"),
    ]
    asked = {"credential": account, "country": "US", "contains": "", "kind": "local", "by": "alice"}

    def last_digits(*can: str) -> str:
        return "".join(each.number[-1] for each in number_actions.offers(can=can, **asked))

    assert (last_digits(), last_digits("sms"), last_digits("sms", "mms")) == ("0124", "12", "2")
    assert (last_digits("fax"), last_digits("sms", "fax")) == ("4", "")
    assert trail.last().detail == "US sms fax"
    fax = number_actions.offers(can=["fax"], **asked)[0]
    assert fax.can_in_words == "Calls, Fax"


def test_a_country_in_which_none_of_a_kind_is_sold_offers_nothing(twilio, account):
    asked = {"credential": account, "contains": "", "kind": "local", "by": "alice"}
    assert number_actions.offers(country="DE", **asked) == []


def test_calls_go_back_where_they_went_before_they_came_here(twilio, account):
    row = twilio.own("+14155550123", voice_url="https://old.example.org/voice")
    number_actions.import_numbers(credential=account, by="alice")
    number = PhoneNumber.objects.get()
    number_actions.set_hooks(number=number, by="alice")
    number_actions.set_hooks(number=number, by="alice")  # once more: what was there first is still known
    assert row["voice_url"].startswith("https://voice.example.org/")
    assert number.hooks_before["voice_url"] == "https://old.example.org/voice"
    number_actions.put_hooks_back(number=number, by="alice")
    assert (row["voice_url"], row["status_callback"]) == ("https://old.example.org/voice", "")
    assert number.hooks_before == {}
    assert "→ https://old.example.org/voice" in trail.last().detail


def test_a_number_that_the_account_has_no_more_is_marked_until_it_is_back(twilio, account):
    for each in ("+14155550123", "+14155550124"):
        twilio.own(each)
    number_actions.import_numbers(credential=account, by="alice")
    gone = twilio.numbers.popitem()[1]
    number_actions.import_numbers(credential=account, by="alice")
    assert [each.number for each in PhoneNumber.objects.exclude(missing_since=None)] == ["+14155550124"]
    twilio.numbers[gone["sid"]] = gone
    number_actions.import_numbers(credential=account, by="alice")
    assert not PhoneNumber.objects.exclude(missing_since=None).exists()


def test_one_that_was_sold_meanwhile_is_told(twilio, account):
    with pytest.raises(ProviderError, match="not available any more"):
        number_actions.buy_number(credential=account, number="+442071234567", by="alice")
    assert not PhoneNumber.objects.exists()


def test_one_that_was_bought_though_no_answer_came_is_ours(twilio, account, monkeypatch):
    slow = twilio._route
    monkeypatch.setattr("telephony.lines.twilio.SECONDS", 0.2)

    def route(method, path, form):
        found = slow(method, path, form)
        time.sleep(0.4 if method == "POST" else 0)
        return found

    monkeypatch.setattr(twilio, "_route", route)
    number_actions.buy_number(credential=account, number="+14155550177", by="alice")
    assert PhoneNumber.objects.get().number == "+14155550177" and len(twilio.numbers) == 1


class TestWhoAnswers:
    @pytest.fixture
    def number(self, account):
        return PhoneNumber.objects.create(
            number="+14155550123", credential=account, agent=make_agent(), hours=WEEK
        )

    @pytest.mark.parametrize("now, is_open", [(MONDAY, True), (HOLIDAY, False)])
    def test_it_is_the_agent_in_opening_hours_and_on_no_holiday(self, number, monkeypatch, now, is_open):
        monkeypatch.setattr(answering.timezone, "now", lambda: now)
        assert (answer_for(number, "+14155550199").agent == number.agent) is is_open

    @pytest.mark.parametrize(
        "now, is_open",
        [
            pytest.param(datetime(2026, 11, 24, 0, 59, tzinfo=UTC), True, id="past midnight"),
            pytest.param(datetime(2026, 11, 24, 1, 0, tzinfo=UTC), False, id="at its end"),
            pytest.param(datetime(2026, 11, 24, 22, 59, tzinfo=UTC), True, id="the last minute of a day"),
            pytest.param(datetime(2026, 11, 24, 23, 0, tzinfo=UTC), False, id="midnight"),
        ],
    )
    def test_a_night_and_a_day_to_its_end_are_opening_hours_too(self, number, monkeypatch, now, is_open):
        number.hours = {**WEEK, "week": {"monday": [["22:00", "02:00"]], "tuesday": [["18:00", "24:00"]]}}
        monkeypatch.setattr(answering.timezone, "now", lambda: now)
        assert (answer_for(number, "+14155550199").agent == number.agent) is is_open

    def test_then_another_agent_a_telephone_or_a_sentence(self, number, monkeypatch):
        monkeypatch.setattr(answering.timezone, "now", lambda: HOLIDAY)
        assert answer_for(number, "").words == (
            "We're closed right now. We open again on Monday, December 7 at 9 am. Goodbye."
        )
        number.after, number.after_number = PhoneNumber.After.FORWARD, "+14155550188"
        assert answer_for(number, "") == Answer(forward="+14155550188")
        number.after, number.after_agent = PhoneNumber.After.AGENT, make_agent("Night")
        assert answer_for(number, "").agent.name == "Night"

    def test_blocked_callers_are_turned_away_and_counted(self, number):
        number_actions.block_caller(pattern="+1415555*", note="spam", by="alice")
        number_actions.block_caller(pattern="+442071234567", note="", by="alice")
        assert answer_for(number, "+14155550199") == answer_for(number, "+442071234567") == REJECTED
        assert answer_for(number, "+14165550199") != REJECTED
        assert BlockedCaller.objects.get(pattern="+1415555*").turned_away == 1

    @pytest.mark.parametrize("pattern", ["", "*", "+", "0123", "+1*5", "+1*", "+4", "+1' OR 1=1"])
    def test_what_is_no_number_blocks_nobody(self, number, pattern):
        with pytest.raises(ValidationError):
            number_actions.block_caller(pattern=pattern, note="", by="alice")

    def test_twilio_is_told_to_reject_or_forward(self, number, twilio):
        def verbs(caller: str) -> list[str]:
            form = {"AccountSid": SID, "CallSid": "CA1", "From": caller, "To": number.number}
            answer = twilio.post(Client(), "https://voice.example.org/telephony/twilio/voice/", form)
            return [each.tag for each in ElementTree.fromstring(answer.content)]

        number_actions.block_caller(pattern="+14155550199", note="", by="alice")
        assert verbs("+14155550199") == ["Reject"]
        number.hours = {**WEEK, "week": {}}
        number.after, number.after_number = PhoneNumber.After.FORWARD, "+14155550188"
        number.save()
        assert verbs("+14155550198") == ["Dial"]
