"""A deployment outlives its faults: unloading, loading anew, what nobody foresaw."""

import asyncio

import pytest

from mlservices.errors import EngineTimeout
from mlservices.service.seat import Seat
from tests.mlservices import stand_ins
from tests.mlservices.asking import say, until


async def test_a_model_that_fell_again_and_again_is_given_another_chance_once_it_is_loaded_anew(make_pool):
    pool = await make_pool(workers=3)
    await asyncio.gather(*(say(pool, "crash") for _ in range(3)), return_exceptions=True)
    assert pool.report()["circuit_open_seconds"] > 0
    await pool.close()
    pool.load(["cpu"])
    await until(lambda: pool.state() == "loaded")
    assert await say(pool, "hello") == stand_ins.PIECES


async def test_who_waits_for_a_model_is_told_when_it_is_unloaded(make_pool):
    pool = await make_pool()
    waiting = asyncio.create_task(pool.until(lambda: pool.state() == "off"))
    await asyncio.sleep(0)
    await pool.close()
    await asyncio.wait_for(waiting, timeout=5)


async def test_a_fault_in_the_keeping_of_a_worker_leaves_no_seat_empty(make_pool, monkeypatch):
    faults = iter([KeyError("a fault of ours")])
    serve = Seat._serve

    async def faulty(seat, process, taken):
        for fault in faults:
            raise fault
        await serve(seat, process, taken)

    monkeypatch.setattr(Seat, "_serve", faulty)
    pool = await make_pool()
    with pytest.raises(EngineTimeout):
        await say(pool, "hello", within_seconds=0.2)
    await until(lambda: pool.state() == "loaded")
    assert await say(pool, "hello") == stand_ins.PIECES


async def test_a_model_that_cannot_be_loaded_for_an_unforeseen_reason_tells_it(make_pool):
    pool = await make_pool("Unlucky", wait=False)
    await until(lambda: pool.state() == "failed")
    assert "MemoryError" in pool.report()["workers"][0]["reason"]
