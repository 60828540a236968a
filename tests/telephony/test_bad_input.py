"""What nobody should send us, in bulk: nothing fails, nothing stays stuck, and a good call goes on as ever.

200 messages of each kind here; FUZZ=10000 makes it 10,000.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from telephony import actions, consumers
from telephony.admission import issue_token
from telephony.credentials import save_credential
from telephony.models import Call, Credential, PhoneNumber, PlannedCall
from telephony.providers.base import WireEvent
from telephony.providers.twilio.codec import TwilioCodec
from telephony.recordings import actions as recordings
from telephony.switchboard import Switchboard, in_database
from tests.fakes.exchange import FakeSuppliers
from tests.fakes.zadarma import hashed
from tests.fakes.zadarma import signature as zadarma_signature
from tests.telephony.conftest import ACCOUNT_SID, AUTH_TOKEN, NUMBER, PUBLIC_URL
from tests.telephony.mutations import COUNT, spoilt, spoilt_form
from tests.telephony.test_sockets import Socket, ringing, start
from tests.telephony.test_webhooks import post, verbs

A_SOCKETS = 100  # messages that one socket is sent at most
FORM = "application/x-www-form-urlencoded"
SECRET = "SECRET0123456789abcd"
STARTED: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": ACCOUNT_SID,
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "t"},
    },
    "streamSid": "MZ1",
}
FRAMES: list[dict[str, Any]] = [
    {"event": "connected", "protocol": "Call", "version": "1.0.0"},
    {
        "event": "media",
        "sequenceNumber": "2",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "102", "payload": "f39/" * 53},
        "streamSid": "MZ1",
    },
    {"event": "dtmf", "sequenceNumber": "5", "dtmf": {"track": "inbound_track", "digit": "1"}},
    {"event": "mark", "sequenceNumber": "4", "mark": {"name": "0:1"}},
    {"event": "stop", "sequenceNumber": "5", "stop": {"accountSid": ACCOUNT_SID, "callSid": "CA1"}},
]
# Sound is most of what comes, and a stop ends it.
WEIGHTS = (1, 12, 2, 3, 0.1)


def frame(random: Random) -> dict[str, Any]:
    return random.choices(FRAMES, WEIGHTS)[0]


def test_no_message_makes_the_codec_fail() -> None:
    random = Random(1)
    kinds: Counter[str] = Counter()
    for _number in range(COUNT):
        codec = TwilioCodec()
        if random.random() < 0.9:
            codec.decode('{"event":"connected"}')
        event = codec.decode(spoilt(random, random.choice([STARTED, *FRAMES])))
        assert isinstance(event, WireEvent)
        kinds[type(event).__name__] += 1
    assert len(kinds) >= 5, "the messages reach every corner"


@pytest.mark.django_db(transaction=True)
class TestMediaSocket:
    @pytest.fixture(autouse=True)
    def _here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consumers, "LOST_SECONDS", 0.0)

    def test_no_message_fails_a_socket_or_leaves_its_call_stuck(
        self, number: PhoneNumber, caplog: pytest.LogCaptureFixture
    ) -> None:
        random = Random(2)
        sent = 0
        board = Switchboard(FakeSuppliers())

        async def attack() -> None:
            nonlocal sent
            while sent < COUNT:
                sent += await self._one(board, number, random)
            async with asyncio.timeout(30):
                while board.calls:
                    await asyncio.sleep(0.01)

        asyncio.run(attack())
        assert not Call.objects.filter(status__in=Call.LIVE).exclude(status="ringing").exists()
        assert not Call.objects.filter(held_at__isnull=False).exists()
        assert not [each for each in caplog.records if each.exc_info], "nothing was caught either"
        asyncio.run(self._good(board, number))

    async def _one(self, board: Switchboard, number: PhoneNumber, random: Random) -> int:
        """One call whose messages are spoilt, of some the first already; how many were sent."""
        call = await in_database(ringing, number, f"CA{uuid4().hex}")
        token = await in_database(issue_token, call)
        socket = Socket("twilio", board)
        first = start(call, token)
        spoils_first = random.random() < 0.2
        socket.say(spoilt(random, first) if spoils_first else first)
        sent = 1
        while sent < A_SOCKETS and not socket.closed:
            socket.say(spoilt(random, frame(random)) if random.random() < 0.6 else frame(random))
            sent += 1
            await asyncio.sleep(0)
            if sent % 10 == 0:
                await asyncio.sleep(0.002)
        if random.random() < 0.5:
            socket.say({"event": "stop"})
        else:
            socket.leave()
        async with asyncio.timeout(20):
            await socket.task
        return sent

    @staticmethod
    async def _good(board: Switchboard, number: PhoneNumber) -> None:
        call = await in_database(ringing, number, "CAgood")
        socket = Socket("twilio", board)
        socket.say(start(call, await in_database(issue_token, call)))
        await socket.until(socket.media)
        socket.say({"event": "stop"})
        await socket.until_closed()
        while board.calls:
            await asyncio.sleep(0.01)
        await call.arefresh_from_db()
        assert (call.status, call.end_reason) == ("completed", "caller_hung_up")


@pytest.mark.django_db
class TestWebhooks:
    @pytest.fixture(autouse=True)
    def _here(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(settings, "PUBLIC_URL", PUBLIC_URL)
        monkeypatch.setattr(recordings, "async_task", lambda *_job: None)
        self.now = datetime.now(UTC)
        yield

    @pytest.fixture
    def placed(self, number: PhoneNumber) -> Call:
        """A call of ours, which is to leave a machine a message."""
        Credential.objects.update(records="here")
        fields = actions.ringing(
            number.agent, line="twilio", direction="outbound", caller=NUMBER, callee="+14155550111"
        )
        call = Call.objects.create(line="twilio", phone_number=number, provider_call_id="CAout", **fields)
        PlannedCall.objects.create(
            to=call.callee, agent=number.agent, caller_id=number, machine="message", message="Hi.", call=call
        )
        return call

    def twilio_request(self, random: Random, placed: Call) -> tuple[str, dict[str, str]]:
        """As it should be: a webhook of some call, whatever came before it."""
        path = random.choice(
            [
                "voice/",
                "status/",
                f"answered/{placed.pk}/",
                f"placed/{placed.pk}/",
                f"after/{placed.pk}/",
                "dialled/",
                "recording/",
            ]
        )
        calls = ["CAout", *(f"CA{number}" for number in range(12))]
        form = {
            "AccountSid": ACCOUNT_SID,
            "CallSid": "CAout" if str(placed.pk) in path else random.choice(calls),
            "From": "+14155550199",
            "To": NUMBER,
            "CallStatus": random.choice(Call.Status.values),
            "SequenceNumber": str(random.randrange(6)),
            "AnsweredBy": random.choice(["human", "machine_end_beep", "machine_start", "fax", "unknown"]),
            "DialCallStatus": random.choice(["completed", "busy"]),
            "RecordingSid": f"RE{random.randrange(20):032x}",
            "RecordingStatus": random.choice(["in-progress", "completed", "absent"]),
        }
        return f"/telephony/twilio/{path}", form

    def test_twilios_may_say_what_they_like(self, placed: Call) -> None:
        random = Random(3)
        client = Client(raise_request_exception=False)
        answers: Counter[int] = Counter()
        validator = RequestValidator(AUTH_TOKEN)
        for _number in range(COUNT):
            path, form = self.twilio_request(random, placed)
            body = spoilt_form(random, form)
            signature = validator.compute_signature(PUBLIC_URL + path, QueryDict(body))
            right = random.random() < 0.8
            if not right:
                signature = random.choice(["", "forged", signature[::-1], "é", "=" * 5000])
            answer = client.generic("POST", path, body, FORM, headers={"X-Twilio-Signature": signature})
            answers[answer.status_code] += 1
            assert answer.status_code in (200, 204, 400, 403, 404), (path, body[:400])
            assert right or answer.status_code in (400, 403), (path, body[:400])
        assert answers[200] and answers[204] and answers[400] and answers[403]
        self.is_well(placed.phone_number)

    def is_well(self, number: PhoneNumber | None) -> None:
        """Nothing is half ended, what is left ends of itself, and the next call is answered."""
        assert not Call.objects.filter(status__in=Call.LIVE, ended_at__isnull=False).exists()
        assert not Call.objects.exclude(status__in=Call.LIVE).filter(ended_at=None).exists()
        long_ago = timezone.now() - timedelta(hours=5)
        Call.objects.filter(ended_at=None).update(created_at=long_ago)
        actions.end_orphans()
        for call in Call.objects.filter(ended_at=None):
            assert call.direction == "outbound", "which its provider still tells of"
            post("/telephony/twilio/status/", CallSid=call.provider_call_id, CallStatus="busy")
        assert not Call.objects.filter(ended_at=None).exists()
        if number:
            assert verbs(post("/telephony/twilio/voice/", CallSid="CAgood"))[-2:] == ["Connect", "Redirect"]

    def zadarma_notice(self, random: Random) -> dict[str, str]:
        number = random.randrange(12)
        started = self.now + timedelta(seconds=(0, -5, -90_000, 400_000)[number % 4])
        common = {"pbx_call_id": f"in_{number}", "call_start": f"{started:%Y-%m-%d %H:%M:%S}"}
        event = random.choice(
            [
                "NOTIFY_START",
                "NOTIFY_INTERNAL",
                "NOTIFY_ANSWER",
                "NOTIFY_END",
                "NOTIFY_IVR",
                "NOTIFY_OUT_START",
                "NOTIFY_OUT_END",
                "NOTIFY_RECORD",
            ]
        )
        return {
            "event": event,
            **common,
            "caller_id": "442037691880",
            "called_did": "442037691881",
            "destination": "442037691880",
            "internal": "100",
            "duration": "42",
            "disposition": random.choice(["answered", "busy", "cancel", "no answer", "failed", "line limit"]),
            "status_code": "16",
            "is_recorded": random.choice(["0", "1"]),
            "call_id_with_rec": f"1.{number}",
        }

    def test_zadarmas_may_say_what_they_like(self, agent: Any) -> None:
        account = save_credential(provider="zadarma", account="KEY0", secret=SECRET, label="Zadarma")
        number = PhoneNumber.objects.create(
            number="+442037691881", credential=account, agent=agent, extension="100"
        )
        random = Random(4)
        client = Client(raise_request_exception=False)
        path = f"/webhooks/zadarma/{account.pk}/"
        answers: Counter[int] = Counter()
        for _number in range(COUNT):
            body = spoilt_form(random, self.zadarma_notice(random))
            form = QueryDict(body).dict()
            right = random.random() < 0.8
            signature = zadarma_signature({"event": "", **form}, SECRET)
            if not right:
                signature = random.choice(["", "forged", hashed("x", SECRET), "é", "=" * 5000])
            before = Call.objects.count()
            answer = client.generic("POST", path, body, FORM, headers={"Signature": signature})
            answers[answer.status_code] += 1
            assert answer.status_code in (200, 400, 403), body[:400]
            assert right or Call.objects.count() == before, body[:400]
        assert answers[200] and answers[400] and answers[403]
        self.is_well(None)
        notice = {**self.zadarma_notice(Random(5)), "event": "NOTIFY_START", "pbx_call_id": "in_good"}
        notice["call_start"] = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        signed = {"Signature": zadarma_signature(notice, SECRET)}
        assert client.post(path, notice, headers=signed).status_code == 200
        assert Call.objects.get(provider_call_id="in_good").phone_number == number
