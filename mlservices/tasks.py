"""What the worker does for services."""

from __future__ import annotations

import logging

from asgiref.sync import async_to_sync, sync_to_async
from django.core.cache import cache
from django.utils import timezone

from . import checks, registry
from .checks import alerts, keeping
from .checks.probing import ask_all
from .ledger import forget_old_rows

logger = logging.getLogger(__name__)

_LOCK = "service-checks"
_LONGEST_SECONDS = 120  # after which a check that says nothing more is taken for dead
_PAUSE_SECONDS = 15  # between two of them, where several have piled up behind a long job


def check_services() -> str:
    """Ask every service, keep what it says, tell the webhook of alerts; never two at once."""
    if not cache.add(_LOCK, True, timeout=_LONGEST_SECONDS):
        return "skipped: another is under way, or was just now"
    try:
        services = checks.services()
        async_to_sync(_check)(services)
        alerts.clear_others(service.key for service in services)
        keeping.forget()
        alerts.tell()
    finally:
        cache.set(_LOCK, True, timeout=_PAUSE_SECONDS)
    return f"asked: {len(services)}"


def forget_old_usage() -> str:
    return f"{forget_old_rows(timezone.now())} rows"


async def _check(services: list[checks.Service]) -> None:
    try:
        async for report in ask_all(services):
            await sync_to_async(keeping.store)(report)
    finally:
        await registry.close()  # its connections belong to this loop
