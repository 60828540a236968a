"""What Twilio is told to do with a number's calls."""

from __future__ import annotations

import pytest

from telephony.lines.number_actions import import_numbers, set_hooks, wanted_hooks
from telephony.models import PhoneNumber

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("other", ["voice_application_sid", "trunk_sid"])
def test_an_application_or_a_trunk_that_has_its_calls_is_seen_and_taken_off(twilio, account, other):
    row = twilio.own("+14155550123", **{other: "AP" + "1" * 32})
    import_numbers(credential=account, by="alice")
    number = PhoneNumber.objects.get()
    assert number.hooks[other] == "AP" + "1" * 32
    assert wanted_hooks(number)[other] == ""
    set_hooks(number=number, by="alice")
    assert twilio.numbers[row["sid"]][other] == ""
