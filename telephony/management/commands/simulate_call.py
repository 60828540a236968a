"""Rings the running server as Twilio would and plays recordings as the caller's turns."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from agents.models import Agent
from mlservices.audio import read_wav, resample, wav_bytes
from mlservices.audit import COMMAND, acting
from telephony.actions import ensure_simulator_line
from telephony.credentials import secret_of
from telephony.eventlog import event_json
from telephony.measure import heard_turns
from telephony.models import Call, PhoneNumber
from telephony.providers.twilio.simulator import (
    RATE,
    Account,
    Caller,
    Carrier,
    Instructions,
    NotConnected,
    Stream,
)

POLL_SECONDS = 0.1
CALLER = "+15005550001"
LAST_EVENTS_SECONDS = 15.0  # the recording is saved after the call


class Command(BaseCommand):
    help = "Rings the running server as Twilio would: signed webhook, media socket, status callbacks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("audio", nargs="+", type=Path, help="WAV files, the caller's turns in order")
        parser.add_argument("--agent", required=True, help="the agent's address, like front-desk")
        parser.add_argument("--caller", default=CALLER, help="the number that rings, with its country code")
        parser.add_argument(
            "--stay",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="stay on the line, silent, after the last turn was answered: time to try the live page",
        )
        parser.add_argument("--json", type=Path, help="write the call's events here")
        parser.add_argument("--record", type=Path, help="write what the caller's side heard (caller left)")
        parser.add_argument(
            "--server",
            default=f"http://127.0.0.1:{settings.PORT}",
            help="where the running server is reached, if not on PORT of this machine; requests are signed "
            "for PUBLIC_URL, which must be the same here as there",
        )

    @acting(COMMAND)
    def handle(self, **options: Any) -> None:
        number = _number_of(options["agent"])
        account = Account(
            sid=number.credential.account,
            auth_token=secret_of(number.credential),
            server=options["server"].rstrip("/"),
            public_url=settings.PUBLIC_URL,
        )
        turns = [self._turn(path) for path in options["audio"]]
        try:
            carrier = Carrier(account, caller=options["caller"], callee=number.number)
            call, stream = asyncio.run(self._call(carrier, account, turns, options["stay"]))
        except (NotConnected, OSError) as error:
            raise CommandError(
                f"{error} Start it with `make run`; set PORT and PUBLIC_URL here as they were set for it."
            ) from None
        self._print_heard(stream)
        if options["record"]:
            options["record"].write_bytes(_stereo(stream))
        if options["json"]:
            options["json"].write_text(json.dumps(_report(call), indent=1))

    @staticmethod
    def _turn(path: Path) -> bytes:
        try:
            return resample(*read_wav(path), RATE)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from None

    async def _call(
        self, carrier: Carrier, account: Account, turns: list[bytes], stay_seconds: float
    ) -> tuple[Call, Stream]:
        told = await carrier.ring()
        if "Connect" not in told.verbs:
            raise CommandError(
                f"The server did not take the call on {carrier.callee}: {told.text or ', '.join(told.verbs)} "
                "See the opening hours of this number, and who is turned away, on the page of numbers."
            )
        call = await Call.objects.select_related("agent").aget(provider_call_id=carrier.call_sid)
        await carrier.tell_status("in-progress")
        narrator = _Narrator(call, self._say)
        narration = asyncio.create_task(narrator.run())
        stream, caller_hung_up = await self._talk(carrier, account, told, turns, stay_seconds, narrator)
        try:
            if not caller_hung_up:
                after = await carrier.after(told.redirect_path)
                self._say(f"{'':>9}  then     {', '.join(after.verbs)} {after.text}")
            await carrier.tell_status("completed")
            await narration
        except NotConnected as error:  # the server stopped during the call; what it stored is told
            self._say(f"{'':>9}  gone     {error}")
            await asyncio.wait({narration}, timeout=LAST_EVENTS_SECONDS)
            narration.cancel()
        return call, stream

    @staticmethod
    async def _talk(
        carrier: Carrier,
        account: Account,
        told: Instructions,
        turns: list[bytes],
        stay_seconds: float,
        narrator: _Narrator,
    ) -> tuple[Stream, bool]:
        async with carrier.socket(told.socket_path) as socket:
            stream = Stream(socket, account_sid=account.sid, call_sid=carrier.call_sid)
            listening = asyncio.create_task(stream.listen())
            await stream.start(told.parameters)
            caller = Caller(
                stream,
                turns,
                may_speak=lambda: narrator.agent_state == "listening",
                stay_seconds=stay_seconds,
            )
            caller_hung_up = await caller.talk()
            await listening
        return stream, caller_hung_up

    def _print_heard(self, stream: Stream) -> None:
        for turn in heard_turns(*_legs(stream), RATE):
            milliseconds = turn.voice_to_voice_seconds * 1000
            self._say(f"{turn.caller_end:8.2f}s  heard    the answer began after {milliseconds:.0f} ms")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # as it happens, into a pipe too


def _number_of(slug: str) -> PhoneNumber:
    """A Twilio number that leads to the agent; one of the simulator's if it has none."""
    agent = Agent.objects.filter(slug=slug).first()
    if agent is None:
        known = ", ".join(Agent.objects.order_by("slug").values_list("slug", flat=True)) or "none"
        raise CommandError(f"There is no agent {slug!r}. Those there are: {known}.")
    if agent.status != Agent.Status.ACTIVE:
        raise CommandError(f"The agent {slug} is {agent.status} and takes no calls; set it active first.")
    numbers = PhoneNumber.objects.filter(agent=agent, credential__provider="twilio")
    return numbers.select_related("credential").first() or ensure_simulator_line(agent)


class _Narrator:
    """Tells a call's events as they are stored; knows what the agent is doing."""

    def __init__(self, call: Call, write: Any) -> None:
        self.agent_state = ""
        self._call = call
        self._write = write
        self._last = 0

    async def run(self) -> None:
        """Until the call has ended and its recording, if it has one, is saved."""
        loop = asyncio.get_running_loop()
        until: float | None = None
        kinds: set[str] = set()
        while until is None or loop.time() < until:
            for event in await sync_to_async(self._newer)():
                kinds.add(event.kind)
                self._tell(event.kind, event.at_seconds, event.payload)
                self._last = event.seq
            if "call_ended" in kinds and until is None:
                until = loop.time() + LAST_EVENTS_SECONDS
            if "call_ended" in kinds and ("recording_saved" in kinds or not self._call.agent.record):
                return
            await asyncio.sleep(POLL_SECONDS)

    def _newer(self) -> list[Any]:
        return list(self._call.events.filter(seq__gt=self._last))

    def _tell(self, kind: str, at_seconds: float, payload: dict[str, Any]) -> None:
        if kind == "agent_state_changed":
            self.agent_state = payload["state"]
        line = _IN_WORDS.get(kind, lambda fields: "")(payload)
        if line:
            self._write(f"{at_seconds:8.2f}s  {line}")


_IN_WORDS: dict[str, Any] = {
    "call_answered": lambda event: f"answered {event['line']}",
    "caller_words_guessed": lambda event: f"caller…  {event['text']}",
    "caller_said": lambda event: f"caller   {event['text']}",
    "caller_said_nothing": lambda event: "caller   (no words)",
    "agent_said": lambda event: f"agent    {event['text']}",
    "step_noted": lambda event: f"note     {event['note']}: {event['name']}",
    "message_taken": lambda event: f"message  {event['name']}, {event['number']}: {event['words']}",
    "silence_prompted": lambda event: f"silence  number {event['count']}",
    "engine_failed": lambda event: f"failed   {event['engine']}: {event['error']} ({event['remedy']})",
    "transfer_started": lambda event: f"transfer {event['number']}",
    "transfer_ended": lambda event: f"transfer {event['status']} after {event['seconds']:.0f} s",
    "turn_measured": lambda event: (
        f"measured {event['voice_to_voice_seconds'] * 1000:.0f} ms: "
        + ", ".join(
            f"{stage} {event[stage + '_seconds'] * 1000:.0f}"
            for stage in ("endpointing", "words", "text", "audio")
        )
    ),
    "call_ended": lambda event: f"ended    {event['reason']} after {event['duration_seconds']:.1f} s",
    "recording_saved": lambda event: f"recorded {event['duration_seconds']:.1f} s",
}


def _legs(stream: Stream) -> tuple[Any, Any]:
    return np.frombuffer(bytes(stream.caller_leg), "<i2"), np.frombuffer(bytes(stream.agent_leg), "<i2")


def _stereo(stream: Stream) -> bytes:
    return wav_bytes(np.column_stack(_legs(stream)).tobytes(), RATE, channels=2)


def _report(call: Call) -> dict[str, Any]:
    call.refresh_from_db(fields=["status", "end_reason"])
    return {
        "call": str(call.pk),
        "status": call.status,
        "end_reason": call.end_reason,
        "events": [event_json(event) for event in call.events.all()],
    }
