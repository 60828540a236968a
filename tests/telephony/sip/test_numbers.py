"""Numbers as lines write them, and whom a call is from and to."""

from __future__ import annotations

import pytest

from agents.models import Agent
from telephony.credentials import save_credential
from telephony.models import BlockedCaller, Call, PhoneNumber, SipLine
from telephony.sip import records
from telephony.sip.accounts import save_line
from telephony.sip.numbers import readings


@pytest.mark.parametrize(
    ("written", "countries", "read"),
    [
        ("4155550199", ["US"], ["+14155550199"]),
        ("4155550199", [], []),
        ("14155550199", ["US"], ["+14155550199"]),
        ("02079460000", ["GB"], ["+442079460000"]),
        ("2079460000", ["GB"], ["+442079460000"]),
        ("442079460000", ["US"], ["+442079460000"]),
        ("00442079460000", [], ["+442079460000"]),
        ("+1-415-555-0199", [], ["+14155550199"]),
        ("100", ["US"], []),
        ("anonymous", ["US"], []),
    ],
)
def test_a_number_is_read_as_its_country_dials_it(written, countries, read):
    assert readings(written, countries) == read


def test_a_line_that_writes_country_codes_is_taken_at_its_word():
    assert readings("31206794600", ["US", "NL"], international=True)[0] == "+31206794600"


@pytest.mark.django_db
class TestACallThatComesIn:
    @pytest.fixture
    def line(self, agent: Agent) -> SipLine:
        account = save_credential(provider="zadarma", account="KEY", secret="hush")
        PhoneNumber.objects.create(number="+14155550123", credential=account, agent=agent)
        return save_line(
            label="Desk", host="sip.example.org", user="100", agent=agent, countries=["US", "GB"]
        )

    def ring(self, line: SipLine, caller: str, callee: str = "4155550123") -> Call | None:
        announced = records.announce(line.pk, sip_call_id=f"{caller}@there", caller=caller, callee=callee)
        return Call.objects.get(pk=announced.call_id) if announced else None

    def test_without_a_country_code_our_number_is_found_and_the_caller_is_of_its_country(self, line):
        call = self.ring(line, "4155550199")
        assert call and call.phone_number and call.phone_number.number == "+14155550123"
        assert (call.caller, call.callee) == ("+14155550199", "+14155550123")

    def test_who_is_blocked_is_so_however_the_line_writes_it(self, line):
        BlockedCaller.objects.create(pattern="+14155550199")
        assert self.ring(line, "4155550199") is None
