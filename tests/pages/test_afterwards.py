"""What the end of a call adds to its page: what it cost, and its files."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from mlservices.ledger import write
from mlservices.models import Price
from telephony.models import Call
from telephony.session.events import StepNoted
from tests.factories import ended, make_agent, make_call, make_past_call, make_recording, spoken
from tests.mlservices.test_ledger import NOON, entry

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


class TestAfterwards:
    def part(self, browser: Client, call: Call) -> str:
        return browser.get(reverse("telephony:afterwards", args=[call.pk])).text

    def test_the_page_shows_what_was_collected_with_its_last_value(
        self, bobs_browser: Client, agent: Agent
    ) -> None:
        noted = [
            StepNoted(note="variable", name=name, data={"value": value})
            for name, value in (("name", "Ann"), ("number", "415"), ("name", "Anne"))
        ]
        call = make_call(agent, ended([*spoken([]), *noted]))
        page = bobs_browser.get(call.get_absolute_url()).text
        assert '<dt data-variable="name">name</dt><dd>Anne</dd>' in page
        assert "415" in page and "<dd>Ann</dd>" not in page

    def test_a_cost_is_minutes_begun_times_the_price(
        self, alices_browser: Client, bobs_browser: Client, agent: Agent, settings: Any
    ) -> None:
        call = make_past_call(agent)
        Call.objects.filter(pk=call.pk).update(duration_seconds=61)
        page = self.part(bobs_browser, call)
        assert "no price set" in page and "TWILIO_PRICE_PER_MINUTE" not in page
        assert "TWILIO_PRICE_PER_MINUTE" in self.part(alices_browser, call), "who can set it is told how"
        settings.TWILIO_PRICE_PER_MINUTE, settings.CURRENCY = Decimal("0.0085"), "EUR"
        page = self.part(bobs_browser, call)
        assert "2 minutes begun" in page and "0.0170 EUR" in page
        assert "free, through the browser" in self.part(bobs_browser, make_past_call(agent, line="browser"))

    def test_a_cost_is_what_the_carrier_charged_once_it_has_told(
        self, bobs_browser: Client, agent: Agent, settings: Any
    ) -> None:
        call = make_past_call(agent, line="zadarma")
        assert "not told by the carrier yet" in self.part(bobs_browser, call)
        Call.objects.filter(pk=call.pk).update(price=Decimal("0.195"), price_currency="GBP")
        assert "0.1950 GBP" in self.part(bobs_browser, call)

    def test_what_its_models_cost_is_shown_to_whoever_may_see_costs(
        self, alices_browser: Client, bobs_browser: Client, agent: Agent, settings: Any
    ) -> None:
        settings.CURRENCY = "EUR"
        call = make_past_call(agent)
        assert "to models" not in self.part(alices_browser, call), "nothing is kept of it"
        write([entry("stt", "whisper", call=call.pk), entry("llm", "openai", 500, call=call.pk)])
        assert "2 requests to models" in self.part(alices_browser, call)
        assert "no cost" in self.part(alices_browser, call)
        Price.objects.create(engine="openai", per=1000, amount=Decimal("0.5"), since=NOON.date())
        write([entry("llm", "openai", 500, call=call.pk)])
        assert "0.2500 EUR" in self.part(alices_browser, call)
        assert "to models" not in self.part(bobs_browser, call)

    def test_its_files_hold_the_whole_call(self, bobs_browser: Client, agent: Agent) -> None:
        call = make_past_call(agent, "My bicycle.")
        text = bobs_browser.get(reverse("telephony:transcript_file", args=[call.pk])).text
        assert "[0:03] Caller: My bicycle.\n[0:05] Agent: Certainly." in text
        events = bobs_browser.get(reverse("telephony:events_file", args=[call.pk])).json()["events"]
        assert [event["seq"] for event in events] == list(range(1, call.last_seq + 1))
        row = bobs_browser.get(reverse("telephony:csv_file", args=[call.pk])).text
        assert "Caller: My bicycle." in row

    def test_its_files_are_named_by_who_called_when(self, bobs_browser: Client, agent: Agent) -> None:
        started = datetime(2026, 11, 30, 9, 15, tzinfo=UTC)
        for caller, named in (("+14155550112", "14155550112"), ('Zoë "x"\r\n', "zoe-x"), ("", "unknown")):
            call = make_past_call(agent, caller=caller, started=started)
            make_recording(call, seconds=1)
            for page, ending in (("transcript_file", "txt"), ("events_file", "json"), ("csv_file", "csv")):
                answer = bobs_browser.get(reverse(f"telephony:{page}", args=[call.pk]))
                assert answer["Content-Disposition"] == (
                    f'attachment; filename="call-{named}-2026-11-30-0915.{ending}"'
                )
            answer = bobs_browser.get(reverse("telephony:recording", args=[call.pk]) + "?download")
            assert f"call-{named}-2026-11-30-0915.wav" in answer["Content-Disposition"]

    def test_who_may_not_hear_is_not_offered_the_recording(
        self, bobs_browser: Client, bob: Any, agent: Agent
    ) -> None:
        call = make_past_call(agent)
        make_recording(call, seconds=1)
        assert "recording.wav" in self.part(bobs_browser, call)
        bob.role = "viewer"
        bob.save()
        page = self.part(bobs_browser, call)
        assert "recording.wav" not in page and "Delete" not in page

    def test_a_call_that_goes_on_has_no_afterwards(self, bobs_browser: Client, agent: Agent) -> None:
        assert self.part(bobs_browser, make_call(agent, spoken(TURNS))) == ""
