"""`manage.py up`: set up, then run everything the Procfile names until Ctrl-C."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from telephony.sip import records
from telephony.threads import DatabaseThreads
from voiceforge_site import serving
from voiceforge_site.bootstrap import taken_ports
from voiceforge_site.platform_checks import own_address
from voiceforge_site.supervisor import GaveUp, Program, Supervisor, as_object, read_procfile

COLOURS = (36, 33, 35, 32, 34)  # of the labels, in the order of the Procfile (ANSI)
ASK_SECONDS = 0.5  # between two looks at how far the start has come
PARTS = {"database": "web", "live_events": "web", "jobs": "worker", "ml": "ml"}  # of /health/: who serves it


class Command(BaseCommand):
    help = "Set up what is missing, then run web, worker, ml and, for SIP lines, sip; Ctrl-C stops them all."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_taken_ports()
        set_up()
        programs = [_with_our_python(p) for p in read_procfile(settings.BASE_DIR / "Procfile")]
        os.environ["PYTHONUNBUFFERED"] = "1"
        self.labels = self.make_labels(programs)
        address = {name: str(getattr(settings, name)) for name in ("HOST", "PORT", "ML_PORT")}
        try:
            with serving.noting(settings.VAR_DIR, **address):
                asyncio.run(self.supervise(programs))
        except GaveUp as error:
            raise CommandError(str(error)) from None
        self.tell("Everything is stopped.")

    def make_labels(self, programs: list[Program]) -> dict[str, str]:
        names = [program.name for program in programs]
        width = max(map(len, names))
        coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        plain = {name: f"{name:<{width}} |" for name in names}
        if not coloured:
            return {name: f"{label} " for name, label in plain.items()}
        colours = itertools.cycle(COLOURS)
        return {name: f"\x1b[{next(colours)}m{label}\x1b[0m " for name, label in plain.items()}

    def say(self, name: str, line: str) -> None:
        in_json = settings.LOG_FORMAT == "json"
        self.stdout.write(as_object(name, line) if in_json else self.labels[name] + line)
        self.stdout.flush()

    def tell(self, words: str) -> None:
        """Of ourselves."""
        self.stdout.write(as_object("up", words.strip()) if settings.LOG_FORMAT == "json" else words)
        self.stdout.flush()

    async def supervise(self, programs: list[Program]) -> None:
        supervisor = Supervisor(programs, say=self.say)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, supervisor.stopping.set)
        greeting = asyncio.create_task(self.greet_when_ready())
        try:
            await supervisor.run()
        finally:
            greeting.cancel()

    async def greet_when_ready(self) -> None:
        async with httpx.AsyncClient(base_url=own_address(), timeout=5, trust_env=False) as client:
            told = ""
            while (missing := await what_is_missing(client)) != "":
                if missing != told:
                    self.tell(f"Waiting for {missing}.")
                told = missing
                await asyncio.sleep(ASK_SECONDS)
        self.tell(
            f"\nVoiceForge is ready: {settings.PUBLIC_URL}/\n"
            "Sign in as admin with the password shown at the first set-up"
            " (a new one: .venv/bin/python manage.py changepassword admin).\n"
            "Ctrl-C stops everything.\n"
        )


async def what_is_missing(client: httpx.AsyncClient) -> str:
    """What does not work yet, in words; empty once everything does."""
    try:
        states = (await client.get("/health/")).json()
    except (httpx.HTTPError, ValueError):
        return "web to answer"
    models = states["models"]
    loaded = sum(state == "loaded" for state in models.values())
    if models and loaded < len(models):
        return f"ml to load its models ({loaded} of {len(models)})"
    waiting = sorted({server for part, server in PARTS.items() if states[part] != "ok"})
    if waiting == ["ml"] and settings.HF_ML_API_URL:
        return f"the ML service at HF_ML_API_URL={settings.HF_ML_API_URL}"
    return " and ".join(waiting)


def set_up() -> None:
    """In a process of its own, since preparing models leaves much memory behind."""
    done = subprocess.run([sys.executable, "manage.py", "setup"], cwd=settings.BASE_DIR, check=False)
    if done.returncode:  # it has said why
        sys.exit(done.returncode)


def refuse_taken_ports() -> None:
    wanted = {"PORT": (settings.HOST, settings.PORT), "ML_PORT": ("127.0.0.1", settings.ML_PORT)}
    try:
        taken = taken_ports(wanted)
    except socket.gaierror:
        raise CommandError(f"HOST={settings.HOST}: no such address.") from None
    except OSError as error:
        where = f"{settings.HOST}:{settings.PORT}"
        raise CommandError(f"Cannot listen on {where}: {error.strerror}.") from None
    if taken:
        raise CommandError(taken)


in_database = DatabaseThreads(1, "up")


async def has_sip_line() -> bool:
    try:
        return await in_database(records.any_line)
    except DatabaseError:  # away for a while
        return False


WANTED = {"sip": has_sip_line}  # programs that nothing may be there for


def _with_our_python(program: Program) -> Program:
    """`python` in the Procfile is the one that runs us, whatever is first on the PATH."""
    python, *arguments = program.command
    if Path(python).name not in ("python", "python3"):
        return program
    return Program(program.name, (sys.executable, *arguments), WANTED.get(program.name))
