"""`manage.py sip_line LABEL --host sip.example.org --user 1234 --agent front-desk`."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from agents.models import Agent
from mlservices.audit import COMMAND, acting
from telephony.models import SipLine
from telephony.sip.accounts import save_line

GIVEN_AS_THEY_ARE = (
    *("host", "port", "transport", "user", "auth_user", "domain"),
    *("max_calls", "allowed_peers", "countries", "takes_transfers", "nat", "stun_server"),
    *("price_per_minute", "currency", "daily_cap", "calls_per_second"),
)


class Command(BaseCommand):
    help = "Make a SIP line, or change what is given of it; its password is asked for, or read from stdin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("label", help="what it is called here")
        parser.add_argument("--host", help="the registrar or trunk")
        parser.add_argument("--port", type=int, help="its port (5060)")
        parser.add_argument("--transport", choices=SipLine.Transport.values, help="(udp)")
        parser.add_argument("--user", help="the account's name, or an extension")
        parser.add_argument("--auth-user", help="the name to sign in with, where it is another one")
        parser.add_argument("--domain", help="what follows the @ of our address, where it is not HOST")
        parser.add_argument("--max-calls", type=int, help="at once (3)")
        parser.add_argument("--allowed-peers", help="addresses and networks that may ring it")
        parser.add_argument(
            "--countries", nargs="*", metavar="DE", help="that it may call, not only extensions"
        )
        parser.add_argument(
            "--takes-transfers",
            action=BooleanOptionalAction,
            help="let the other side pass the agent on to what the line may call",
        )
        parser.add_argument("--nat", choices=SipLine.Nat.values, help="how our address is found (not at all)")
        parser.add_argument("--stun-server", help="that is asked for it, HOST or HOST:PORT")
        parser.add_argument("--price-per-minute", type=Decimal, help="the dearest that it may call")
        parser.add_argument("--currency", help="of its price and cap, as USD")
        parser.add_argument("--daily-cap", type=Decimal, help="most that its calls may cost in 24 hours")
        parser.add_argument("--calls-per-second", type=Decimal, help="begun by the dialler (1)")
        parser.add_argument("--agent", metavar="ADDRESS", help="who answers, like front-desk")
        parser.add_argument("--trunk", action="store_true", help="it does not register")
        parser.add_argument("--password", action="store_true", help="ask for a new password")
        parser.add_argument("--off", action="store_true", help="carry it no more, until it is changed again")

    @acting(COMMAND)
    def handle(self, *, label: str, **options: Any) -> None:
        fields = {name: options[name] for name in GIVEN_AS_THEY_ARE if options[name] is not None}
        fields["enabled"] = not options["off"]
        if options["trunk"]:
            fields["registers"] = False
        if options["agent"]:
            fields["agent"] = self.agent(options["agent"])
        asks = options["password"] or not (options["trunk"] or SipLine.objects.filter(label=label).exists())
        try:
            line = save_line(label=label, password=self.password() if asks else None, **fields)
        except ValidationError as error:
            problems = [f"{field}: {' '.join(told)}" for field, told in error.message_dict.items()]
            raise CommandError("\n".join(problems)) from None
        self.stdout.write(f"{line.label} is saved. `manage.py sipgateway --check` tells how it stands.")

    def agent(self, slug: str) -> Agent:
        try:
            return Agent.objects.get(slug=slug)
        except Agent.DoesNotExist:
            raise CommandError(f"--agent: no agent has the address {slug}.") from None

    def password(self) -> str:
        return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
