"""`manage.py sip_call LABEL NUMBER --agent front-desk`: have an agent call somebody over a SIP line."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.models import Agent
from mlservices.audit import COMMAND, acting
from telephony.models import Call, SipLine
from telephony.outbound.guard import NotAllowed
from telephony.sip import records

LOOK_SECONDS = 0.2


class Command(BaseCommand):
    help = "Place a call, tell how it goes, and end with it; Ctrl-C leaves the call alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("label", help="the SIP line")
        parser.add_argument("number", help="whom to call: a number, or what the registrar knows")
        parser.add_argument("--agent", required=True, metavar="ADDRESS", help="who speaks, like front-desk")

    @acting(COMMAND)
    def handle(self, *, label: str, number: str, agent: str, **options: Any) -> None:
        line = SipLine.objects.filter(label=label, enabled=True).first()
        if line is None:
            raise CommandError(f"No SIP line that is on is called {label}: see `sipgateway --check`.")
        who = Agent.objects.filter(slug=agent).first()
        if who is None:
            raise CommandError(f"--agent: no agent has the address {agent}.")
        try:
            call = records.place(line=line, agent=who, number=number)
        except NotAllowed as error:
            raise CommandError(str(error)) from None
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
