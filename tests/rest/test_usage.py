"""What a call used, over the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from mlservices.ledger import Asker, Entry, write
from mlservices.models import Price
from mlservices.models.usage import Outcome
from telephony.models import Call
from tests.factories import ended, make_agent, make_call, spoken

CALLS = "/api/telephony/calls"


@pytest.fixture
def call(db: None) -> Call:
    over = make_call(make_agent("Front desk"), ended(spoken([("When are you open?", "At nine.")])))
    Price.objects.create(engine="gpt-4o-mini", per=1000, amount=Decimal("0.5"), since="2020-01-01")

    def asked(service: str, engine: str, amount: float, *, by: Asker | None = None, **more: Any) -> Entry:
        defaults = {"latency_seconds": 0.2, "outcome": Outcome.SERVED, "asker": by or Asker(call=over.pk)}
        return Entry(service, engine, amount, **{**defaults, **more})

    write(
        [
            asked("llm", "gpt-4o-mini", 400, answered=60),
            asked("llm", "gpt-4o-mini", 600, answered=40, estimated=True),
            asked("tts", "piper-joe", 80),
            asked("stt", "whisper", 0, outcome=Outcome.FAILED),
            asked("tts", "piper-joe", 99, by=Asker(call=uuid4())),
        ]
    )
    return over


def test_turns_seconds_tokens_and_cost_are_told_as_on_its_page(alices, call, settings):
    settings.TWILIO_PRICE_PER_MINUTE = Decimal("0.0085")
    told = alices.get(f"{CALLS}/{call.pk}/usage").json()
    assert (told["call"], told["turns"], told["duration_seconds"]) == (str(call.pk), 1, call.duration_seconds)
    assert told["carrier"] == alices.get(f"{CALLS}/{call.pk}").json()["cost"]
    assert Decimal(told["carrier"]["amount"]) == Decimal("0.0085") * told["carrier"]["minutes"]
    models = told["models"]
    assert (models["requests"], Decimal(models["cost"]), models["currency"]) == (4, Decimal("0.5"), "USD")
    by_engine = {each["engine"]: each for each in models["engines"]}
    chat = by_engine["gpt-4o-mini"]
    assert (chat["unit"], chat["amount"], chat["answered"], chat["estimated"]) == ("tokens", 1000.0, 100, 1)
    assert (by_engine["piper-joe"]["unit"], by_engine["piper-joe"]["amount"]) == ("characters", 80.0)
    assert (by_engine["whisper"]["requests"], by_engine["whisper"]["failed"]) == (1, 1)


def test_a_call_that_goes_on_has_no_cost_yet(alices):
    live = make_call(make_agent(), spoken([("Hello?", "Yes.")]))
    told = alices.get(f"{CALLS}/{live.pk}/usage").json()
    assert (told["carrier"], told["duration_seconds"]) == (None, None)
    assert told["models"] == {"requests": 0, "cost": "0.00000000", "currency": "USD", "engines": []}


def test_who_may_not_see_usage_is_told_of_the_call_alone(bobs, call):
    told = bobs.get(f"{CALLS}/{call.pk}/usage").json()
    assert told["models"] is None and told["carrier"]


def test_who_may_not_see_calls_is_told_nothing(alice, program, call):
    assert program(alice, scopes=["mlservices.view_usage"]).get(f"{CALLS}/{call.pk}/usage").status_code == 403
    assert program(alice).get(f"{CALLS}/{uuid4()}/usage").status_code == 404
