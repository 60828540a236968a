"""Settings that are each right but wrong together, or wrong for this machine: said before the start."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from mlservices import registry
from mlservices.errors import EngineError

SHORTEST_SESSION_SECRET = 32  # characters
Checks = list[CheckMessage]


def loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@register
def public_url(**kwargs: Any) -> Checks:
    if settings.PUBLIC_URL.startswith("https://") or loopback(settings.PUBLIC_HOST):
        return []
    return [
        Error(
            f"PUBLIC_URL is {settings.PUBLIC_URL}: passwords and calls would cross the network in the clear.",
            hint="Put a proxy that speaks TLS in front and write its https:// address into PUBLIC_URL. "
            "Providers and microphones need it too. To try VoiceForge on this machine, leave it empty.",
            id="voiceforge.E001",
        )
    ]


@register
def session_secret(**kwargs: Any) -> Checks:
    if not settings.PRODUCTION or len(settings.SESSION_SECRET) >= SHORTEST_SESSION_SECRET:
        return []
    return [
        Error(
            f"SESSION_SECRET has {len(settings.SESSION_SECRET)} characters; in production it must be given, "
            f"and have at least {SHORTEST_SESSION_SECRET}.",
            hint=".venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(48))' makes one."
            + _kept(settings.SESSION_SECRET_FILE),
            id="voiceforge.E002",
        )
    ]


@register
def credentials_key(**kwargs: Any) -> Checks:
    hint = (
        ".venv/bin/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())' "
        "makes one." + _kept(settings.CREDENTIALS_KEY_FILE)
    )
    if not settings.CREDENTIALS_KEYS:
        return [Error("CREDENTIALS_KEY must be given in production.", hint=hint, id="voiceforge.E003")]
    wrong = [n for n, key in enumerate(settings.CREDENTIALS_KEYS, 1) if not _is_fernet_key(key)]
    return [
        Error(f"CREDENTIALS_KEY: key {n} of the list is no Fernet key.", hint=hint, id="voiceforge.E004")
        for n in wrong
    ]


@register
def several_processes(**kwargs: Any) -> Checks:
    if settings.WEB_CONCURRENCY == 1:
        return []
    found: Checks = []
    several = f"WEB_CONCURRENCY is {settings.WEB_CONCURRENCY}"
    if settings.WEB_SERVER == "daphne":
        found.append(
            Error(
                f"{several}, but daphne runs one process.",
                hint="Set WEB_SERVER=uvicorn or WEB_SERVER=granian.",
                id="voiceforge.E005",
            )
        )
    if settings.ON_SQLITE:
        found.append(
            Error(
                f"{several}, but SQLite serves one web process.",
                hint="Set DATABASE_URL to a PostgreSQL database, or WEB_CONCURRENCY=1.",
                id="voiceforge.E006",
            )
        )
    if not settings.REDIS_URL:
        found.append(
            Error(
                f"{several}, but without Redis what happens in one process is not seen in the others.",
                hint="Set REDIS_URL, or WEB_CONCURRENCY=1.",
                id="voiceforge.E007",
            )
        )
    return found


@register
def folders(**kwargs: Any) -> Checks:
    return [
        Error(f"{name} is {path}, which cannot be written.", hint=f"Own it, or set {name}.", id=code)
        for name, path, code in (
            ("VAR_DIR", settings.VAR_DIR, "voiceforge.E008"),
            ("HF_HOME", settings.MODELS_DIR, "voiceforge.E009"),
        )
        if not _writable(path)
    ]


@register
def engines(**kwargs: Any) -> Checks:
    found: Checks = []
    for ask in (registry.speech_to_text, registry.text_to_speech):
        try:
            ask()
        except EngineError as error:
            hint = "Over openai, OPENAI_STT_MODEL hears and OPENAI_TTS_MODEL speaks."
            found.append(Error(str(error), hint=hint, id="voiceforge.E012"))
    return found


@register
def twilio_account(**kwargs: Any) -> Checks:
    given = [bool(settings.TWILIO_ACCOUNT_SID), bool(settings.TWILIO_AUTH_TOKEN)]
    if all(given) or not any([*given, settings.TWILIO_PHONE_NUMBER]):
        return []
    return [
        Error(
            "Of Twilio's account only a part is given.",
            hint="Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN both, or neither and no TWILIO_PHONE_NUMBER.",
            id="voiceforge.E011",
        )
    ]


@register
def job_times(**kwargs: Any) -> Checks:
    times: dict[str, Any] = settings.Q_CLUSTER
    if times["retry"] > times["timeout"]:
        return []
    return [
        Error(
            f"Q_CLUSTER: retry ({times['retry']} s) is not above timeout ({times['timeout']} s), so a job "
            "that still runs would be started a second time.",
            hint="Raise retry above timeout in settings.py.",
            id="voiceforge.E010",
        )
    ]


@register
def redis_answers(**kwargs: Any) -> Checks:
    if not settings.REDIS_URL:
        return []
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2, retry=None
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        host = urlsplit(settings.REDIS_URL).hostname
        return [
            Warning(
                f"Redis at {host} does not answer: {error}",
                hint="Start it, or correct REDIS_URL. Live pages and jobs stand still until it answers.",
                id="voiceforge.W001",
            )
        ]
    return []


@register
def debug_in_public(**kwargs: Any) -> Checks:
    reachable = not (loopback(settings.PUBLIC_HOST) and loopback(settings.HOST))
    if not (settings.DEBUG and reachable):
        return []
    return [
        Warning(
            "DEBUG is on and this server can be reached from outside: its error pages show code.",
            hint="Leave DEBUG out of the environment.",
            id="voiceforge.W002",
        )
    ]


def _kept(path: Path) -> str:
    return f" The one used until now is in {path}." if path.exists() else ""


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _writable(path: Path) -> bool:
    """Whether `path`, or the nearest folder above it that exists, lets us write."""
    try:
        nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    except PermissionError:  # a folder above may not be searched
        return False
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
