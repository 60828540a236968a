"""That a key may open nothing any more is told to the sockets that it has opened, in every process."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

log = logging.getLogger(__name__)

_listening = set[asyncio.Task[None]]()  # which nothing else may hold


def tell_sockets(prefix: str) -> None:
    """After it was changed or revoked. If this is lost on the way, they see for themselves within seconds."""
    try:
        async_to_sync(get_channel_layer().group_send)(_group(prefix), {"type": "key_changed"})
    except Exception as error:  # each layer has its own kinds
        log.error("The sockets of key %s were not told that it was changed: %s", prefix, error)


async def until_news(prefix: str, seconds: float) -> None:
    """Until something is told of this key, and no longer than this. Of a person, who has none, nothing is."""
    if not prefix:
        await asyncio.sleep(seconds)
        return
    listening = asyncio.create_task(_heard(prefix, seconds))
    _listening.add(listening)
    listening.add_done_callback(_listening.discard)
    try:
        await asyncio.wait([listening])  # its own task: redis forgets of a wait that it was cancelled
    finally:
        listening.cancel()


async def _heard(prefix: str, seconds: float) -> None:
    try:
        await _received(prefix, seconds)
    except Exception as error:  # the layer is away
        log.warning("No news of key %s come for now: %s", prefix, error)
        await asyncio.sleep(seconds)


async def _received(prefix: str, seconds: float) -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(_group(prefix), channel)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await layer.receive(channel)
    finally:
        await layer.group_discard(_group(prefix), channel)


def _group(prefix: str) -> str:
    return f"key.{prefix}"
