"""Who is served when many wait for one model: live calls first, in time, together where that is faster."""

import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from mlservices.catalog import Kind
from mlservices.errors import EngineBusy, EngineError, EngineTimeout
from mlservices.service.line import Job, Line
from tests.mlservices import stand_ins
from tests.mlservices.asking import SAYS, say, until


class TestLiveAndBatch:
    """Live calls go first, and a batch leaves them a worker."""

    async def test_who_is_live_is_served_before_a_batch_that_came_earlier(self, make_pool):
        pool = await make_pool()
        order = []

        async def ask(name, text="slow", **how):
            await say(pool, text, **how)
            order.append(name)

        first = asyncio.create_task(ask("first"))
        await until(lambda: pool.report()["workers"][0]["state"] == "busy")
        batches = [asyncio.create_task(ask("batch", "hello", batch=True)) for _ in range(3)]
        await until(lambda: pool.report()["queue"] == 3)
        live = asyncio.create_task(ask("live", "hello"))
        await asyncio.gather(first, live, *batches)
        assert order == ["first", "live", "batch", "batch", "batch"]

    async def test_a_batch_never_takes_the_last_free_worker(self, make_pool):
        pool = await make_pool(workers=2)
        batches = [asyncio.create_task(say(pool, "slow", batch=True)) for _ in range(4)]
        await until(lambda: pool.report()["queue"] == 3)
        timing = []
        async with aclosing(pool.run("speak", SAYS | {"text": "hello"})) as pieces:
            timing = [timing async for _, _, timing in pieces]
        assert timing[0].queue_seconds < 0.1
        assert pool.report()["queue"] >= 2  # the batch still waits, though a worker was idle
        assert await asyncio.gather(*batches) == [stand_ins.PIECES] * 4

    async def test_a_full_batch_refuses_nobody_who_is_live(self, make_pool):
        pool = await make_pool(queue_limit=2)
        batches = [asyncio.create_task(say(pool, "slow", batch=True)) for _ in range(3)]
        await until(lambda: pool.report()["queue"] == 2)
        with pytest.raises(EngineBusy, match="2 requests are waiting already"):
            await say(pool, "hello", batch=True)
        assert await say(pool, "hello") == stand_ins.PIECES
        await asyncio.gather(*batches)


async def test_a_batch_that_waited_is_taken_as_soon_as_one_may_be():
    line, free = Line(), False
    taking = asyncio.create_task(line.take(lambda: free, 1))
    job = Job("speak", {}, b"", batch=True)
    line.add(job)
    await asyncio.sleep(0)
    assert not taking.done()
    free = True
    line.wake()
    assert await asyncio.wait_for(taking, timeout=5) == [job]


async def test_an_answer_that_cannot_begin_in_time_is_given_up_and_leaves_the_queue(make_pool):
    pool = await make_pool()
    speaking = asyncio.create_task(say(pool, "slow"))
    await until(lambda: pool.report()["workers"][0]["state"] == "busy")
    with pytest.raises(EngineTimeout, match=r"nothing within 0\.05 s"):
        await say(pool, "hello", within_seconds=0.05)
    assert pool.report()["queue"] == 0
    assert await speaking == stand_ins.PIECES


async def test_requests_that_wait_for_the_same_model_are_done_together(make_pool):
    pool = await make_pool("Meaning", kind=Kind.MEANING)

    async def embed(*texts):
        ((head, rows, _),) = [answer async for answer in pool.run("embed", {"texts": list(texts)})]
        lengths = np.frombuffer(rows, "<f4").reshape(head["rows"], head["dimensions"])
        return (lengths[:, 0] / lengths[:, 1]).round(3).tolist()

    alone = [await embed("a"), await embed("bb", "ccc"), await embed()]
    assert await embed("most at once") == [2.0]
    waiting = asyncio.create_task(embed("slow"))
    await until(lambda: pool.report()["workers"][0]["state"] == "busy")
    together = asyncio.gather(embed("a"), embed("bb", "ccc"), embed())
    assert await together == alone
    await waiting
    assert await embed("most at once") == [3.0]


async def test_what_is_done_together_is_no_longer_than_one_request_may_be(make_pool):
    """Hindi of 294,000 characters, three times: together a worker could not be sent them."""
    pool = await make_pool("Meaning", kind=Kind.MEANING, deadline_seconds=10.0)

    async def embed(*texts):
        return [head["rows"] async for head, _, _ in pool.run("embed", {"texts": list(texts)})]

    waiting = asyncio.create_task(embed("slow"))
    await until(lambda: pool.report()["workers"][0]["state"] == "busy")
    hindi = ["नमस्ते दुनिया " * 1000] * 21
    assert await asyncio.gather(*(embed(*hindi) for _ in range(3))) == [[21]] * 3
    await waiting
    assert pool.report()["restarts"] == 0


@pytest.mark.parametrize(("bad", "restarts"), [("refuse", 0), ("crash", 2)])
async def test_one_bad_request_of_several_fails_alone(make_pool, bad, restarts):
    """What is refused is done again one by one; what ended the worker has the second try to itself."""
    pool = await make_pool("Meaning", kind=Kind.MEANING)

    async def embed(text):
        return [head async for head, _, _ in pool.run("embed", {"texts": [text]})]

    waiting = asyncio.create_task(embed("slow"))
    await until(lambda: pool.report()["workers"][0]["state"] == "busy")
    outcomes = await asyncio.gather(embed("a"), embed(bad), embed("c"), return_exceptions=True)
    await waiting
    assert [type(outcome) for outcome in outcomes] == [list, EngineError, list]
    assert pool.report()["restarts"] == restarts
