"""What the carrier is told of a call that we carry, and what a machine is told by it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches

from mlservices.errors import EngineError
from mlservices.types import SpeechChunk
from telephony import actions
from telephony.admission import issue_token
from telephony.lines import limiting
from telephony.lines.limiting import limit_at_carrier
from telephony.models import Call, Credential, PhoneNumber, PlannedCall
from telephony.outbound.longest import lasts_as_people_speak
from telephony.session.operators import TakeOver
from telephony.session.parts import Engines
from telephony.switchboard import Switchboard
from tests import trail
from tests.fakes.exchange import FakeSuppliers, InstantStt, ToneTts
from tests.fakes.twilio_rest import FakeTwilio
from tests.telephony.conftest import kinds_of, wait_until
from tests.telephony.test_sockets import Socket, ringing, start
from tests.telephony.test_switchboard import converse
from tests.telephony.test_webhooks import post, verbs

pytestmark = pytest.mark.django_db(transaction=True)
MESSAGE = "Please call us back."
LOUD = base64.b64encode(b"\x80\x00" * 80).decode()  # the loudest that G.711 has


@pytest.fixture(autouse=True)
def twilio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTwilio]:
    fake = FakeTwilio()
    monkeypatch.setattr(settings, "TWILIO_API_URL", fake.url)
    monkeypatch.setattr(settings, "PUBLIC_URL", "https://voice.example.org")
    yield fake
    fake.close()


@pytest.fixture
def call(number: PhoneNumber, twilio: FakeTwilio) -> Call:
    call = ringing(number)
    twilio.calls[call.provider_call_id] = {"sid": call.provider_call_id, "status": "in-progress"}
    return call


def limit_of(twilio: FakeTwilio, call: Call) -> str:
    return str(twilio.calls[call.provider_call_id].get("time_limit", ""))


async def hang_up(socket: Socket) -> None:
    socket.say({"event": "stop"})
    await socket.until(lambda: socket.closed)


class TestHowLongItMayLast:
    def test_the_carrier_ends_a_call_that_we_could_not(self, call: Call, twilio: FakeTwilio) -> None:
        caches["noted"].clear()
        converse(call, Switchboard(FakeSuppliers()), hang_up)
        wait_until(lambda: limit_of(twilio, call))
        assert "account.limited" in trail.verbs("telephony.credential")
        assert limit_of(twilio, call) == str(call.agent.max_call_seconds + 30)

    def test_nobody_waits_for_the_carrier(self, call: Call, twilio: FakeTwilio) -> None:
        twilio.seconds = 1.0

        async def script(socket: Socket) -> None:
            assert not limit_of(twilio, call), "the agent speaks already"
            await hang_up(socket)

        converse(call, Switchboard(FakeSuppliers()), script)
        wait_until(lambda: limit_of(twilio, call))

    def test_with_a_person_on_the_line_it_may_last_as_people_speak(
        self, call: Call, twilio: FakeTwilio
    ) -> None:
        async def script(socket: Socket) -> None:
            board.calls[call.pk].session.operators.ask(TakeOver("bob"))
            while limit_of(twilio, call) != "14400":
                await asyncio.sleep(0.05)
            await hang_up(socket)

        board = Switchboard(FakeSuppliers())
        converse(call, board, script)

    @pytest.mark.parametrize(("cap", "seconds"), [("9.60", 14400), ("9.59", 600)])
    def test_one_that_we_placed_may_last_so_only_as_far_as_the_day_has_money_left(
        self, call: Call, twilio: FakeTwilio, cap: str, seconds: int
    ) -> None:
        assert call.phone_number
        payer = call.phone_number.credential
        Credential.objects.update(daily_cap=cap)
        Call.objects.update(direction="outbound", paid_by=payer, rate="0.04", most_seconds=600)
        call.refresh_from_db()
        thread = lasts_as_people_speak(call)
        if thread:
            thread.join()
        call.refresh_from_db()
        assert call.most_seconds == seconds
        assert limit_of(twilio, call) == ("14400" if seconds == 14400 else "")

    def test_a_caller_who_is_put_through_is_not_cut_off_with_the_agent(
        self, call: Call, twilio: FakeTwilio
    ) -> None:
        actions.connect_call(call.pk, line="twilio")
        actions.end_call(call.pk, reason="transferred", transfer_to="+14155550100")
        after = f"/telephony/twilio/after/{call.pk}/"
        assert verbs(post(after, CallSid=call.provider_call_id)) == ["Dial"]
        wait_until(lambda: limit_of(twilio, call))
        assert limit_of(twilio, call) == "14400"

    def test_a_carrier_that_has_trouble_is_told_again(
        self, call: Call, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limiting, "PAUSES_SECONDS", (0.01, 0.01))
        twilio.limits = 2
        told(limit_at_carrier(call, 90))
        assert limit_of(twilio, call) == "90"

    def test_one_that_does_not_take_it_is_named_in_the_log(
        self, call: Call, twilio: FakeTwilio, caplog: pytest.LogCaptureFixture
    ) -> None:
        twilio.limits = 9
        told(limit_at_carrier(call, 90))
        assert f"The carrier was not told how long call {call.pk} may last: Twilio: " in caplog.text

    def test_a_call_that_is_over_there_is_no_error(
        self, call: Call, twilio: FakeTwilio, caplog: pytest.LogCaptureFixture
    ) -> None:
        twilio.calls[call.provider_call_id]["status"] = "completed"
        told(limit_at_carrier(call, 90))
        assert not caplog.text

    def test_the_simulator_is_no_carrier(self, call: Call, twilio: FakeTwilio) -> None:
        Credential.objects.update(is_simulated=True)
        assert limit_at_carrier(Call.objects.get(), 90) is None


def told(thread: Thread | None) -> None:
    assert thread
    thread.join()


def carried(call: Call, board: Switchboard) -> Call:
    """To its end, though not a sound may come."""
    token = issue_token(call)

    async def listen() -> None:
        socket = Socket("twilio", board)
        socket.say(start(call, token))
        await socket.until_closed()
        while board.calls:
            await asyncio.sleep(0.01)

    asyncio.run(listen())
    call.refresh_from_db()
    return call


class TestAMachine:
    @pytest.fixture
    def answered(self, call: Call) -> Call:
        """A call of ours that a machine has answered, and is to be left a message."""
        Call.objects.update(direction="outbound", answered_by="machine_end_beep")
        PlannedCall.objects.create(
            to="+14155550199",
            agent=call.agent,
            caller_id=call.phone_number,
            machine="message",
            message=MESSAGE,
            call=call,
            state="placed",
        )
        call.refresh_from_db()
        return call

    def test_it_is_left_the_message_by_the_agents_own_voice_and_nothing_else(self, answered: Call) -> None:
        async def listen(socket: Socket) -> None:
            await socket.until(lambda: socket.closed)

        over = converse(answered, Switchboard(FakeSuppliers()), listen)
        assert (over.status, over.end_reason, over.outcome) == ("completed", "machine", "no_answer")
        said = over.events.filter(kind="agent_said").values_list("payload__text", flat=True)
        assert list(said) == [MESSAGE]
        assert over.events.get(kind="agent_heard").payload["text"] == MESSAGE
        assert verbs(post(f"/telephony/twilio/after/{over.pk}/", CallSid=over.provider_call_id)) == ["Hangup"]

    def test_its_own_noises_and_a_person_who_lifts_do_not_stop_the_message(self, answered: Call) -> None:
        async def speak(socket: Socket) -> None:
            for _number in range(60):
                socket.say({"event": "media", "media": {"track": "inbound", "payload": LOUD}})
                await asyncio.sleep(0.005)
            await socket.until(lambda: socket.closed)

        over = converse(answered, Switchboard(FakeSuppliers()), speak)
        assert over.end_reason == "machine"
        assert not over.events.get(kind="agent_heard").payload["interrupted"]
        assert "caller_said" not in kinds_of(over)

    def test_one_that_hangs_up_in_the_middle_was_a_machine_all_the_same(self, answered: Call) -> None:
        assert converse(answered, Switchboard(FakeSuppliers()), hang_up).end_reason == "machine"

    def test_where_the_voice_fails_twilio_says_it_and_no_apology_is_left(self, answered: Call) -> None:
        class Mute(ToneTts):
            async def speak(self, text: str, **how: Any) -> AsyncGenerator[SpeechChunk, None]:
                raise EngineError("the worker died", service="tts")
                yield

        class MuteSuppliers(FakeSuppliers):
            def engines(self) -> Engines:
                return replace(super().engines(), stt=InstantStt(), tts=Mute())

        over = carried(answered, Switchboard(MuteSuppliers()))
        assert over.end_reason == "engine_failure" and "agent_said" not in kinds_of(over)
        response = post(f"/telephony/twilio/after/{over.pk}/", CallSid=over.provider_call_id)
        assert verbs(response) == ["Say", "Hangup"] and MESSAGE in response.content.decode()
