"""Whole calls through a real server: signed webhook, socket, session, recording, end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from django.core.management import CommandError, call_command
from streamdouble.protocol import StreamIdentity
from streamdouble.session import Session, SessionConfig, SessionResult

from agents.models import Agent
from mlservices.audio import ulaw_encode, wav_bytes
from telephony.measure import sounds
from telephony.models import Call, PhoneNumber
from telephony.providers.twilio.simulator import Caller, Carrier, Instructions, NotConnected, Stream
from tests.telephony.conftest import NUMBER, Server, kinds_of, start_server, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def voice(seconds: float, *, rate: int = 8000) -> bytes:
    """Sound that the stand-in for voice detection takes for speech."""
    return (np.sin(np.arange(int(rate * seconds)) * 0.3) * 6000).astype("<i2").tobytes()


async def call_in(server: Server, turns: Sequence[bytes]) -> tuple[Carrier, Instructions, Stream]:
    carrier = Carrier(server.account(), caller="+14155550199", callee=NUMBER)
    told = await carrier.ring()
    async with carrier.socket(told.socket_path) as socket:
        stream = Stream(socket, account_sid=server.account().sid, call_sid=carrier.call_sid)
        listening = asyncio.create_task(stream.listen())
        await stream.start(told.parameters)
        await Caller(stream, turns).talk()
        await listening
    return carrier, told, stream


def test_a_caller_rings_talks_and_hangs_up(server: Server) -> None:
    carrier, told, stream = asyncio.run(call_in(server, [voice(1.0), voice(0.7)]))

    call = Call.objects.get(provider_call_id=carrier.call_sid)
    wait_until(lambda: "recording_saved" in kinds_of(call))
    call.refresh_from_db()
    assert told.verbs == ("Connect", "Redirect")
    assert (call.status, call.end_reason) == ("completed", "caller_hung_up")
    assert call.card["turns"] == 2
    assert [event.seq for event in call.events.all()] == list(range(1, call.last_seq + 1))

    # What the server recorded is what the carrier heard.
    samples, rate = soundfile.read(call.recording.file.path, dtype="int16")
    heard = np.frombuffer(bytes(stream.agent_leg), "<i2")
    ours, theirs = sounds(samples[:, 1], rate), sounds(heard, rate)
    assert len(ours) == len(theirs) == 3
    for ours_one, theirs_one in zip(ours, theirs, strict=True):
        assert ours_one.end - ours_one.start == pytest.approx(theirs_one.end - theirs_one.start, abs=0.03)


@pytest.mark.parametrize("server", ["uvicorn", "granian"], indirect=True)
def test_a_call_goes_through_every_web_server(server: Server) -> None:
    carrier, _, stream = asyncio.run(call_in(server, [voice(0.7)]))
    call = Call.objects.get(provider_call_id=carrier.call_sid)
    wait_until(lambda: "recording_saved" in kinds_of(call))
    call.refresh_from_db()
    assert (call.status, call.end_reason, call.card["turns"]) == ("completed", "caller_hung_up", 1)
    assert len(sounds(np.frombuffer(bytes(stream.agent_leg), "<i2"), 8000)) == 2


def test_a_call_outlives_the_server_that_carried_it(server: Server, agent: Agent) -> None:
    """The server is killed in the middle; another one answers Twilio's question what to do."""
    Agent.objects.update(on_failure="transfer", fallback_number="+14155550177")

    async def talk() -> Instructions:
        carrier = Carrier(server.account(), caller="+14155550199", callee=NUMBER)
        told = await carrier.ring()
        async with carrier.socket(told.socket_path) as socket:
            stream = Stream(socket, account_sid=server.account().sid, call_sid=carrier.call_sid)
            listening = asyncio.create_task(stream.listen())
            await stream.start(told.parameters)
            for _ in range(20):
                await stream.tick()
                await asyncio.sleep(0.02)
            server.kill()
            await listening
        successor = start_server()
        try:
            after = Carrier(successor.account(), caller="+14155550199", callee=NUMBER)
            after.call_sid = carrier.call_sid
            return await after.after(told.redirect_path)
        finally:
            successor.kill()

    told = asyncio.run(talk())
    assert (told.verbs, told.text) == (("Dial",), "+14155550177")
    assert Call.objects.get().end_reason == "line_lost"


def test_a_foreign_simulator_finds_nothing_to_complain_of(server: Server) -> None:
    """streamdouble: Twilio as somebody else understood it."""
    ulaw = ulaw_encode(bytes(16000) + voice(1.2) + bytes(24000))
    frames = [ulaw[start : start + 160] for start in range(0, len(ulaw), 160)]

    async def talk() -> SessionResult:
        carrier = Carrier(server.account(), caller="+14155550199", callee=NUMBER)
        told = await carrier.ring()
        identity = StreamIdentity(account_sid=server.account().sid, call_sid=carrier.call_sid)
        config = SessionConfig(
            custom_parameters=told.parameters, response_timeout_s=5.0, quiet_period_s=1.0, max_drain_s=5.0
        )
        url = server.url.replace("http", "ws") + told.socket_path
        return await Session(url, frames, config=config, identity=identity).run()

    result = asyncio.run(talk())
    assert result.audio_received
    assert result.violations == []
    call = Call.objects.get()
    wait_until(lambda: "call_ended" in kinds_of(call))
    assert "caller_said" in kinds_of(call)


def test_simulate_call_tells_the_call_and_writes_it_down(
    server: Server, number: PhoneNumber, tmp_path: Path, settings: object, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.PUBLIC_URL = "https://voice.example.org"  # type: ignore[attr-defined]
    audio, events, record = tmp_path / "turn.wav", tmp_path / "events.json", tmp_path / "call.wav"
    audio.write_bytes(wav_bytes(voice(1.0, rate=16000), 16000))

    call_command("simulate_call", audio, agent="front-desk", json=events, record=record, server=server.url)

    told = capsys.readouterr().out
    assert "caller   what are your opening hours?" in told
    assert "agent    You said: what are your opening hours?" in told
    report = json.loads(events.read_text())
    assert report["status"] == "completed"
    assert [event["seq"] for event in report["events"]] == list(range(1, len(report["events"]) + 1))
    samples, rate = soundfile.read(record, dtype="int16")
    assert (rate, samples.shape[1]) == (8000, 2)
    assert len(sounds(samples[:, 0], rate)) == 1
    assert len(sounds(samples[:, 1], rate)) == 2


def test_simulate_call_rings_an_agent_that_has_no_number_yet(
    server: Server, tmp_path: Path, settings: object, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.PUBLIC_URL = "https://voice.example.org"  # type: ignore[attr-defined]
    other = Agent.objects.create(name="Night desk", slug="night-desk", greeting="Hello.", record=False)
    audio = tmp_path / "turn.wav"
    audio.write_bytes(wav_bytes(voice(1.0), 8000))
    call_command("simulate_call", audio, agent="night-desk", server=server.url)
    assert "agent    You said" in capsys.readouterr().out
    assert Call.objects.get().agent == other


def test_simulate_call_names_what_is_missing(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no agent 'nobody'"):
        call_command("simulate_call", tmp_path / "turn.wav", agent="nobody")


def test_simulate_call_says_when_no_server_answers(number: PhoneNumber, tmp_path: Path) -> None:
    audio = tmp_path / "turn.wav"
    audio.write_bytes(wav_bytes(voice(0.2), 8000))
    with pytest.raises(CommandError, match="Start it with `make run`"):
        call_command("simulate_call", audio, agent="front-desk", server="http://127.0.0.1:9")


def test_a_server_that_does_not_believe_us_says_so(server: Server) -> None:
    async def ring() -> None:
        account = server.account()
        forged = type(account)(account.sid, "another token", account.server, account.public_url)
        await Carrier(forged, caller="+1", callee=NUMBER).ring()

    with pytest.raises(NotConnected, match="403"):
        asyncio.run(ring())


def test_simulate_call_says_that_the_agent_is_paused(agent: Agent, tmp_path: Path) -> None:
    Agent.objects.update(status=Agent.Status.PAUSED)
    with pytest.raises(CommandError, match="is paused and takes no calls"):
        call_command("simulate_call", tmp_path / "turn.wav", agent="front-desk")


def test_simulate_call_says_where_it_stands_that_a_call_is_not_taken(
    server: Server, number: PhoneNumber, tmp_path: Path, settings: object
) -> None:
    settings.PUBLIC_URL = "https://voice.example.org"  # type: ignore[attr-defined]
    PhoneNumber.objects.filter(pk=number.pk).update(hours={"timezone": "UTC", "week": {}})
    audio = tmp_path / "turn.wav"
    audio.write_bytes(wav_bytes(voice(0.2), 8000))
    with pytest.raises(CommandError, match="See the opening hours") as refused:
        call_command("simulate_call", audio, agent="front-desk", server=server.url)
    assert number.number in str(refused.value) and "make run" not in str(refused.value)


def test_simulate_call_writes_down_a_call_in_which_the_server_stopped(
    server: Server, tmp_path: Path, settings: object, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.PUBLIC_URL = "https://voice.example.org"  # type: ignore[attr-defined]
    audio, events, record = tmp_path / "turn.wav", tmp_path / "call.json", tmp_path / "call.wav"
    audio.write_bytes(wav_bytes(bytes(16000 * 20), 8000))
    stop = threading.Timer(3.0, server.process.terminate)
    stop.start()
    call_command("simulate_call", audio, agent="front-desk", json=events, record=record, server=server.url)
    assert json.loads(events.read_text())["end_reason"] == "server_restarted"
    assert record.stat().st_size > 16000
    assert "gone" in capsys.readouterr().out
