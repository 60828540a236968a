"""Whom nobody may call, on whatever way a call begins and however the number is written."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from agents.models import Agent
from telephony.credentials import save_credential
from telephony.models import Call, DoNotCall, SipLine
from telephony.outbound.actions import plan_call
from telephony.outbound.guard import NotAllowed, costs_nothing, refuse_number, refuse_on_line
from telephony.sip import records
from telephony.sip.accounts import save_line
from tests.factories import make_agent

pytestmark = pytest.mark.django_db
NEVER = "+14155550100"


@pytest.fixture
def agent() -> Agent:
    return make_agent("Caller")


def line_of(agent: Agent, *countries: str) -> SipLine:
    return save_line(label="Desk", host="pbx.example.org", user="100", agent=agent, countries=list(countries))


def refusal(to: str, line: SipLine) -> str:
    try:
        refuse_on_line(to, line)
    except NotAllowed as error:
        return str(error)
    return ""


class TestTheDoNotCallList:
    @pytest.fixture(autouse=True)
    def listed(self) -> None:
        DoNotCall.objects.create(number=NEVER)

    @pytest.mark.parametrize(
        "written",
        ["+1 415 555 0100", "+1-415-555-0100", "+1.415.555.0100", "+1(415)5550100", "004155550100"],
    )
    def test_holds_however_a_number_is_written(self, agent, written):
        line = line_of(agent, "US")
        account = save_credential(provider="twilio", account="AC1", secret="hush")
        account.countries = ["US"]
        assert refusal(written, line)
        with pytest.raises(NotAllowed):
            refuse_number(written, account)

    def test_holds_for_what_is_ordered_with_spaces(self, agent):
        line = line_of(agent, "US")
        with pytest.raises(ValidationError, match="do-not-call"):
            plan_call(to="+1 415 555 0100", agent=agent, line=line, by="")
        assert plan_call(to="+1 415 555 0101", agent=agent, line=line, by="").to == "+14155550101"

    @pytest.mark.parametrize("written", ["+1-415-555-0100", "14155550100", "4155550100", "0014155550100"])
    def test_holds_for_whom_a_peer_passes_us_on_to(self, agent, written):
        line = line_of(agent, "US")
        assert "do-not-call" in records.why_not(line.pk, Call().pk, transfer_to=written)
        assert records.why_not(line.pk, Call().pk, transfer_to=written.replace("0100", "0101")) == ""

    def test_a_number_spelt_in_letters_is_none(self, agent):
        assert "no number with" in refusal("+1415KKK0100", line_of(agent, "US"))


@pytest.mark.parametrize("to", ["+49110", "+49112", "+33112", "+48112", "+4911850"])
def test_a_number_that_its_country_gives_nobody_is_not_called(agent, to):
    why = refusal(to, line_of(agent, "DE", "FR", "PL"))
    assert "no telephone's number" in why or "no number with" in why


class TestShortNumbers:
    @pytest.mark.parametrize("to", ["112", "911", "999", "110", "000", "119", "15"])
    def test_help_is_called_by_people_also_where_no_country_is_named(self, agent, to):
        assert "emergency number" in refusal(to, line_of(agent))

    @pytest.mark.parametrize("to", ["11850", "11833"])
    def test_directories_are_dear_in_all_of_europe(self, agent, to):
        assert "costs its callers extra" in refusal(to, line_of(agent, "DE", "US"))
        line = line_of(agent)
        assert "costs its callers extra" in refusal(to, line) and not costs_nothing(to, line)

    def test_what_is_known_to_be_dear_in_a_country_of_the_line(self, agent):
        assert "costs its callers extra" in refusal("24280", line_of(agent, "US"))
        assert refusal("24280", line_of(agent, "GB")) == ""

    def test_extensions_are_none_of_these_and_cost_nothing(self, agent):
        line = line_of(agent, "US")
        for to in ("100", "110", "2001", "reception"):
            assert refusal(to, line) == "" and costs_nothing(to, line)
        assert not costs_nothing("23333", line), "of which a price is known"

    def test_at_zadarma_three_digits_are_its_exchange_s(self, agent):
        line = line_of(agent)
        SipLine.objects.update(account=save_credential(provider="zadarma", account="KEY", secret="hush"))
        line.refresh_from_db()
        assert refusal("110", line) == "" and costs_nothing("110", line)
        assert "emergency" in refusal("112", line) and "three digits" in refusal("11850", line)


def test_where_an_account_may_not_call_its_lines_may_not(agent):
    account = save_credential(provider="zadarma", account="KEY", secret="hush", label="London")
    line = line_of(agent, "US", "GB")
    SipLine.objects.update(account=account)
    line.refresh_from_db()
    assert refusal("+442079460958", line) == "", "an account that names none leaves it to the line"
    type(account).objects.update(countries=["US"])
    line.refresh_from_db()
    assert "London may call United States, and not United Kingdom" in refusal("+442079460958", line)
    assert refusal("+14155550111", line) == ""
