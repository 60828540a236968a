"""Answers that take their time: no thread waits for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any

from django.http import HttpResponseBase, JsonResponse

from ..api.answers import Later, refusal
from .problems import answered

logger = logging.getLogger(__name__)


def later(make: Callable[[], Awaitable[Any]], *, status: int = 200) -> Later:
    """What `make` gives, on the event loop once the middleware is through: an answer, or what JSON holds.
    Its faults are told as everybody's. It asks the database only by `sync_to_async`; what it does is done by
    who asks now, for the audit trail too."""
    around = copy_context()

    async def made() -> HttpResponseBase:
        try:
            content = await asyncio.create_task(_of(make), context=around)
        except Exception as error:
            if told := answered(error, {}):
                return told
            logger.exception("a request of the API failed")
            return refusal(500, "Something broke on our side; the server's log says more.")
        if isinstance(content, HttpResponseBase):
            return content
        return JsonResponse(content, status=status, json_dumps_params={"ensure_ascii": False})

    return Later(made)


async def _of(make: Callable[[], Awaitable[Any]]) -> Any:
    return await make()
