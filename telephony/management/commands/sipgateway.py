"""`manage.py sipgateway`: carry the calls of SIP lines to the web process, until told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from argparse import ArgumentParser
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from telephony.models import SipLine
from telephony.sip import records

LOOK_SECONDS = 2.0  # between two looks whether there is a line by now
# Every step of a sound's way lets go of the interpreter, and would have it back from a thread that works for
# the database after 5 ms, which is Python's own choice.
SWITCH_SECONDS = 0.0005


class Command(BaseCommand):
    help = "Register the SIP lines, take and place their calls, carry their sound to the web process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="print the lines and their state, and end")
        parser.add_argument(
            "--server",
            default=f"ws://{_own_host()}:{settings.PORT}",
            help="where the web process is reached",
        )
        parser.add_argument(
            "--drain",
            type=float,
            default=4.0,
            metavar="SECONDS",
            help="how long calls may go on once it is told to stop",
        )

    def handle(self, *, check: bool, server: str, drain: float, **options: Any) -> None:
        if check:
            self.check_lines()
            return
        self.wait_for_a_line()
        sys.setswitchinterval(SWITCH_SECONDS)
        uvloop.run(_run(server.rstrip("/"), drain))

    def check_lines(self) -> None:
        lines = list(SipLine.objects.select_related("agent"))
        if not lines:
            self.stdout.write("There is no SIP line.")
        for line in lines:
            self.stdout.write(_described(line))
        if any(line.enabled and line.shown_state != SipLine.State.READY for line in lines):
            raise CommandError("Not every line is ready.")

    def wait_for_a_line(self) -> None:
        """Without one there is nothing to load."""
        while not records.any_line():
            time.sleep(LOOK_SECONDS)


async def _run(server: str, drain_seconds: float) -> None:
    try:
        from telephony.sip.gateway import Gateway, Network  # loads the SIP stack, 30 MB
    except ModuleNotFoundError as error:
        raise CommandError(
            f"SIP lines need the library {error.name}, which there is for Python 3.11 to 3.13 on Linux and "
            "macOS. Run the gateway with one of these, on any machine that reaches the database."
        ) from None
    network = Network(
        address=settings.SIP_ADDRESS,
        port=settings.SIP_PORT,
        rtp_ports=f"{settings.SIP_RTP_PORT}-{settings.SIP_RTP_PORT + 999}",
        rtp_timeout_seconds=settings.SIP_RTP_TIMEOUT,
        ca_file=settings.SIP_CA_FILE,
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    await Gateway(network, server=server).run(stopping, drain_seconds=drain_seconds)


def _described(line: SipLine) -> str:
    state = SipLine.State(line.shown_state).label
    since = f" for {_ago(line)}" if line.state_at and line.shown_state == line.state else ""
    reason = f": {line.reason}" if line.reason and line.shown_state == SipLine.State.FAILED else ""
    answers = line.agent.name if line.agent else "nobody"
    return (
        f"{line.label} ({line.user}@{line.host}:{line.port}, {line.transport}): "
        f"{state}{since}{reason}; answered by {answers}, at most {line.max_calls} calls"
    )


def _ago(line: SipLine) -> str:
    assert line.state_at
    return f"{(timezone.now() - line.state_at).total_seconds():.0f} s"


def _own_host() -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)
    return f"[{host}]" if ":" in host else host
