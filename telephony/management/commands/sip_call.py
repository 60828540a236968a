"""`manage.py sip_call LABEL NUMBER --agent front-desk`: have an agent call somebody over a SIP line."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from agents.constants import read_constants
from agents.models import Agent
from mlservices.audit import COMMAND, acting
from telephony.models import Call, PlannedCall, SipLine
from telephony.outbound.actions import plan_call

LOOK_SECONDS = 0.2
LONG_SECONDS = 5.0  # that a call waits where something is amiss
STATE = PlannedCall.State


class Command(BaseCommand):
    help = "Place a call, tell how it goes, and end with it; Ctrl-C leaves the call alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("label", help="the SIP line")
        parser.add_argument("number", help="whom to call: a number, or what the registrar knows")
        parser.add_argument("--agent", required=True, metavar="ADDRESS", help="who speaks, like front-desk")
        parser.add_argument("--set", action="append", metavar="NAME=VALUE", help="a variable of this call")
        parser.add_argument("--keys", default="", metavar="1w23#", help="to press once it is answered")

    @acting(COMMAND)
    def handle(self, *, label: str, number: str, agent: str, **options: Any) -> None:
        line = SipLine.objects.filter(label=label, enabled=True).first()
        if line is None:
            raise CommandError(f"No SIP line that is on is called {label}: see `sipgateway --check`.")
        who = Agent.objects.filter(slug=agent).first()
        if who is None:
            raise CommandError(f"--agent: no agent has the address {agent}.")
        try:
            values = read_constants("\n".join(options["set"] or []))
            planned = plan_call(
                to=number, agent=who, line=line, values=values, send_digits=options["keys"], by=""
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self._follow(self._placed(planned))

    def _placed(self, planned: PlannedCall) -> Call:
        since, told = time.monotonic(), False
        while planned.state in (STATE.WAITING, STATE.DIALLING):
            if time.monotonic() - since > LONG_SECONDS and not told:
                told = True
                self.stdout.write("It waits: for the line to be ready and free, and for `manage.py up`.")
            time.sleep(LOOK_SECONDS)
            planned.refresh_from_db()
        if planned.call is None or planned.state != STATE.PLACED:
            raise CommandError(planned.reason or planned.get_state_display())
        return planned.call

    def _follow(self, call: Call) -> None:
        told = ""
        while call.ended_at is None:
            if call.status != told:
                self.stdout.write(call.get_status_display())
                told = call.status
            time.sleep(LOOK_SECONDS)
            call.refresh_from_db()
        self.stdout.write(f"{call.get_status_display()}{_why(call)}")


def _why(call: Call) -> str:
    last = call.events.filter(kind="provider_status_received").last()
    detail = last.payload.get("detail") if last else ""
    return f": {detail}" if detail else ""
