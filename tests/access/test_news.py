"""Waiting for what is told of a key ends when the socket does, however busy the layer between is."""

from __future__ import annotations

import asyncio

import pytest

from voiceforge_site.access.news import tell_sockets, until_news


async def again_and_again():
    while True:  # as a socket asks
        await until_news("vf_sk_12345678", 20)


@pytest.mark.services
async def test_who_stops_waiting_is_let_go_at_whatever_moment():
    for moment in range(40):
        task = asyncio.create_task(again_and_again())
        await asyncio.sleep(moment * 0.0003)  # some meet the layer while it connects
        task.cancel()
        _done, pending = await asyncio.wait([task], timeout=2)
        assert not pending, moment


@pytest.mark.services
async def test_what_is_told_is_heard_at_once():
    waiting = asyncio.create_task(until_news("vf_sk_12345678", 20))
    while not waiting.done():
        await asyncio.to_thread(tell_sockets, "vf_sk_12345678")
        await asyncio.sleep(0.05)
    await asyncio.wait_for(waiting, 1)
