"""What the records of an account, and its recordings, add to our calls."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
from django.utils import timezone

from agents.models import Agent
from telephony import actions
from telephony import zadarma as asking
from telephony.credentials import save_credential
from telephony.lines.reconciling import compare_all
from telephony.models import Call, Credential, PhoneNumber, ProviderRecording
from telephony.providers.zadarma.events import read
from telephony.recordings.fetching import fetch_due
from telephony.zadarma_calls import take_notice
from telephony.zadarma_matching import TIME
from tests.fakes.zadarma import MP3, Zadarma
from tests.telephony.conftest import kinds_of

from .conftest import new_call_back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked_here")]


HOUR = timedelta(hours=1)
BEGAN = datetime.now(UTC).replace(microsecond=0) - HOUR


@pytest.fixture
def call(number: PhoneNumber, agent: Agent) -> Call:
    """A call-back an hour ago none of whose notices came."""
    call = new_call_back(number, agent, extension="100", callee="+442037691880")
    Call.objects.filter(pk=call.pk).update(created_at=BEGAN)
    return call


def there(zadarma: Zadarma, moment: datetime) -> str:
    return f"{moment + timedelta(seconds=zadarma.zone_seconds):{TIME}}"


def leg(zadarma: Zadarma, began: datetime = BEGAN, **fields: Any) -> dict[str, Any]:
    return {
        "call_id": 1439981389.2702773,
        "sip": 100,
        "callstart": there(zadarma, began),
        "clid": 442037691881,
        "destination": 442037691880,
        "disposition": "answered",
        "seconds": 61,
        "is_recorded": False,
        "pbx_call_id": "out_1",
    } | fields


def bill(zadarma: Zadarma, began: datetime = BEGAN, **fields: Any) -> dict[str, Any]:
    return {
        "id": "155112249",
        "sip": "100",
        "callstart": there(zadarma, began),
        "from": 442037691881,
        "to": 442037691880,
        "disposition": "answered",
        "billseconds": 61,
        "cost": 0.195,
        "billcost": 0.39,
        "currency": "USD",
    } | fields


def imported(credential: Credential, before: timedelta = 2 * HOUR) -> tuple[int, int]:
    now = timezone.now()
    done = asking.import_statistics(credential, since=now - before, until=now)
    return done.settled, done.priced


@pytest.mark.parametrize("zone", [-5 * 3600, 0, 5 * 3600 + 1800])
def test_records_end_a_call_and_tell_what_it_cost(zadarma: Zadarma, call: Call, zone: int) -> None:
    zadarma.zone_seconds = zone
    zadarma.pbx, zadarma.billed = [leg(zadarma, BEGAN + timedelta(seconds=5))], [bill(zadarma)]
    assert imported(call.phone_number.credential) == (1, 1)
    call.refresh_from_db()
    assert (call.status, call.duration_seconds, call.provider_call_id) == ("completed", 61, "out_1")
    assert call.ended_at == BEGAN + timedelta(seconds=66)
    assert (call.price, call.price_currency) == (Decimal("0.39"), "USD")
    assert imported(call.phone_number.credential) == (0, 0), "what is known is not told again"


def test_a_call_that_was_taken_for_unanswered_is_put_right(zadarma: Zadarma, call: Call) -> None:
    assert actions.end_orphans() == 1
    zadarma.pbx = [leg(zadarma, seconds=7, disposition="no answer", sip=101), leg(zadarma)]
    assert imported(call.phone_number.credential) == (1, 0)
    call.refresh_from_db()
    assert (call.status, call.duration_seconds, call.end_reason) == ("completed", 61, "spoken_elsewhere")


@pytest.mark.parametrize(
    ("disposition", "status"), [("busy", "busy"), ("no answer", "no-answer"), ("line limit", "failed")]
)
def test_records_keep_ways_to_fail_apart(zadarma: Zadarma, call: Call, disposition: str, status: str) -> None:
    zadarma.pbx = [leg(zadarma, disposition=disposition, seconds=0)]
    assert imported(call.phone_number.credential) == (1, 0)
    call.refresh_from_db()
    assert (call.status, call.duration_seconds) == (status, 0)


def test_a_leg_that_has_just_ended_ends_no_call(zadarma: Zadarma, call: Call) -> None:
    until_just_now = (datetime.now(UTC) - BEGAN).seconds - 100
    zadarma.pbx = [leg(zadarma, seconds=until_just_now)]
    assert imported(call.phone_number.credential) == (0, 0)


def test_what_we_heard_ourselves_is_as_long_as_we_heard_it(zadarma: Zadarma, call: Call) -> None:
    Call.objects.update(
        answered_at=BEGAN, ended_at=BEGAN + HOUR / 2, duration_seconds=1800, status="completed"
    )
    zadarma.pbx = [leg(zadarma)]
    assert imported(call.phone_number.credential) == (0, 0)
    assert Call.objects.get().duration_seconds == 1800


def test_records_of_other_people_change_nothing(zadarma: Zadarma, call: Call) -> None:
    zadarma.pbx = [
        leg(zadarma, pbx_call_id="out_2", destination=442037691899),
        leg(zadarma, pbx_call_id="out_3", sip=101),
        leg(zadarma, BEGAN - HOUR / 2, pbx_call_id="out_4"),
        leg(zadarma, pbx_call_id=""),
    ]
    zadarma.billed = [bill(zadarma, BEGAN - HOUR / 2), bill(zadarma, to=442037691899)]
    assert imported(call.phone_number.credential) == (0, 0)
    assert Call.objects.get().price is None


def test_a_call_of_two_bills_costs_their_sum_and_the_nearest_call_bears_a_bill(
    zadarma: Zadarma, call: Call, agent: Agent
) -> None:
    later = new_call_back(call.phone_number, agent, extension="100", callee=call.callee)
    Call.objects.filter(pk=later.pk).update(created_at=BEGAN + timedelta(seconds=60))
    zadarma.billed = [
        bill(zadarma, id="1"),
        bill(zadarma, BEGAN + timedelta(seconds=2), id="2", billcost=0.1),
        bill(zadarma, BEGAN + timedelta(seconds=55), id="3", billcost=0.009),
    ]
    assert imported(call.phone_number.credential) == (0, 2)
    prices = dict(Call.objects.values_list("pk", "price"))
    assert prices == {call.pk: Decimal("0.49"), later.pk: Decimal("0.009")}


def test_a_call_whose_first_bill_may_stand_before_keeps_its_price(zadarma: Zadarma, call: Call) -> None:
    Call.objects.update(price=Decimal("0.49"), price_currency="USD")
    zadarma.billed = [bill(zadarma, billcost=0.1)]
    assert imported(call.phone_number.credential, timezone.now() - BEGAN + timedelta(seconds=30)) == (0, 0)
    assert Call.objects.get().price == Decimal("0.49")


def test_a_bill_for_a_call_that_came_in_is_its_callers(
    zadarma: Zadarma, number: PhoneNumber, agent: Agent
) -> None:
    call = actions.answer_call(
        line="zadarma",
        agent=agent,
        number=number,
        provider_call_id="in_1",
        caller="+442037691880",
        callee=number.number,
    )
    zadarma.billed = [
        bill(zadarma, timezone.now(), id="1", **{"from": 442037691899, "to": 442037691881}),
        bill(zadarma, timezone.now(), id="2", billcost=0.02, **{"from": 442037691880, "to": 442037691881}),
    ]
    assert imported(number.credential, HOUR) == (0, 1)
    call.refresh_from_db()
    assert call.price == Decimal("0.02")


def test_more_than_a_month_is_asked_for_by_months(zadarma: Zadarma, credential: Credential) -> None:
    imported(credential, timedelta(days=70))
    assert zadarma.asked["GET /v1/statistics/"] == zadarma.asked["GET /v1/statistics/pbx/"] == 3


def test_each_hour_every_account_is_asked_whatever_became_of_another(
    zadarma: Zadarma, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    save_credential(provider="zadarma", account="KEY-OF-NOBODY", secret="hush", label="Lost")
    zadarma.pbx, zadarma.billed = [leg(zadarma)], [bill(zadarma)]
    told = compare_all()
    assert "Zadarma: 2" in told and "Lost: Zadarma does not take the key" in told
    assert "hush" not in caplog.text


def sound(kind: str, channels: int) -> bytes:
    tone = (8000 * numpy.sin(numpy.arange(16000) / 5)).astype("int16")
    file = io.BytesIO()
    soundfile.write(file, numpy.stack([tone, tone // 2][:channels], axis=1), 8000, format=kind)
    return file.getvalue()


@pytest.fixture
def recorded(call: Call, zadarma: Zadarma, settings: Any, tmp_path: Path) -> ProviderRecording:
    """Of a call that is over; Zadarma has told of it, and it is due now."""
    settings.MEDIA_ROOT = tmp_path
    began = f"{datetime.now(UTC):{TIME}}"
    Call.objects.update(created_at=timezone.now())
    out = {"pbx_call_id": "out_1", "call_start": began, "internal": "100", "destination": "442037691880"}
    end = {"duration": "2", "disposition": "answered", "is_recorded": "1", "call_id_with_rec": "1.25"}
    take_notice(call.phone_number.credential, read({"event": "NOTIFY_OUT_END", **out, **end}))
    ready = {"event": "NOTIFY_RECORD", "pbx_call_id": "out_1", "call_id_with_rec": "1.25"}
    take_notice(call.phone_number.credential, read(ready))
    recording = ProviderRecording.objects.get()
    assert (recording.provider_id, recording.state) == ("1.25", "waiting")
    assert timedelta(seconds=40) < recording.due_at - timezone.now() < timedelta(seconds=50)
    assert fetch_due() == "0 recordings"
    ProviderRecording.objects.update(due_at=timezone.now())
    return recording


@pytest.mark.parametrize(("kind", "channels"), [("MP3", 1), ("MP3", 2), ("WAV", 1)])
def test_a_recording_of_zadarmas_is_kept_like_our_own(
    zadarma: Zadarma, recorded: ProviderRecording, kind: str, channels: int
) -> None:
    assert fetch_due() == "1 recordings"
    recorded.refresh_from_db()
    assert recorded.state == "waiting" and "No such record" in recorded.problem
    zadarma.recordings = {"1.25": sound(kind, channels)}
    ProviderRecording.objects.update(due_at=timezone.now())
    assert fetch_due() == "1 recordings" and fetch_due() == "0 recordings"
    kept = ProviderRecording.objects.get()
    assert (kept.state, kept.problem, kept.due_at) == ("kept", "", None)
    assert (kept.rate, soundfile.info(kept.file.path).channels) == (8000, 2)
    assert kept.duration_seconds == pytest.approx(2, abs=0.2)
    assert max(kept.peaks["caller"]) > 20
    assert kinds_of(Call.objects.get())[-1] == "recording_saved"


def test_what_cannot_be_decoded_is_not_kept(
    zadarma: Zadarma, recorded: ProviderRecording, tmp_path: Path
) -> None:
    zadarma.recordings = {"1.25": MP3}
    fetch_due()
    recorded.refresh_from_db()
    assert recorded.state == "waiting" and "no sound: it cannot be decoded" in recorded.problem
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
