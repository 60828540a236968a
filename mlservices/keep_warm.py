"""Keeping a Space awake: every HF_ML_KEEP_WARM minutes the worker has it say and hear something."""

from __future__ import annotations

import asyncio
import logging

from django.conf import settings
from django.utils import timezone
from django_q.models import Schedule

from .awake import address_of
from .clients import warm
from .clients.waking import Happening, Waking
from .errors import EngineError, Outcome
from .models import SpaceAwake
from .services import new_space

logger = logging.getLogger(__name__)

NAME = "keep the Space warm"


def schedule() -> None:
    """Once every HF_ML_KEEP_WARM minutes, the first time at once; not at all without a Space or minutes."""
    if not (settings.HF_ML_API_URL and settings.HF_ML_KEEP_WARM):
        Schedule.objects.filter(name=NAME).delete()
        return
    how = {
        "func": "mlservices.keep_warm.keep_warm",
        "schedule_type": Schedule.MINUTES,
        "minutes": settings.HF_ML_KEEP_WARM,
        "repeats": -1,
        "next_run": timezone.now(),
    }
    Schedule.objects.update_or_create(name=NAME, defaults=how)


def keep_warm() -> str:
    """Ask the Space how it is, and have it say and hear something: a container may be up and its models not.

    Answers what went wrong, "" if nothing did; the same is kept in the Space's row, with its cold starts.
    """
    url = settings.HF_ML_API_URL
    if not (url and settings.HF_ML_KEEP_WARM):
        return ""
    told: list[Happening] = []
    error = asyncio.run(_rouse(Waking(tell=told.append)))
    address = address_of(url)
    SpaceAwake.record(address, *told)
    SpaceAwake.checked(address, error)
    if error:
        logger.warning("The Space is not kept warm: %s", error)
    return str(error) if error else ""


async def _rouse(waking: Waking) -> EngineError | None:
    """The first thing that went wrong."""
    client = new_space(waking)
    problem: EngineError | None = None
    try:
        for ask in (client.health(), warm.speak(client), warm.hear(client)):
            try:
                await ask
            except EngineError as error:
                asleep = error.cold or error.outcome is Outcome.TIMEOUT
                if not (error.service == "ml" and asleep):  # the next request waits until it is awake
                    problem = problem or error
    finally:
        await client.close()
    return problem
