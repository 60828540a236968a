"""Live calls before batches where they share processors, and where they share the only worker of a model."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mlservices.catalog import Kind
from mlservices.errors import EngineError, EngineTimeout
from mlservices.service.deployment import Deployment
from mlservices.service.layout import Plan
from mlservices.service.precedence import Patience, Precedence, Work
from tests.mlservices import stand_ins
from tests.mlservices.asking import SAYS, say, until

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
async def machine(tmp_path):
    """Makes models of one machine, each with a worker on its device, and waits until they are loaded."""
    made = []

    async def make(precedence, *devices, **changes):
        for number, device in enumerate(devices):
            voice = replace(stand_ins.model(Kind.TTS, "Voice"), id=f"voice-{number}")
            plan = Plan(voice, **{"deadline_seconds": 5.0, **changes})
            made.append(Deployment(plan, tmp_path, precedence=precedence))
            made[-1].load([device])
        await until(lambda: all(each.state() == "loaded" for each in made), seconds=20)
        return made

    yield make
    for each in made:
        await each.close()


@asynccontextmanager
async def on_a_call(pool):
    """A live request is served meanwhile; yields what waits for its next pieces."""
    async with aclosing(pool.run("speak", SAYS | {"text": "endless"})) as pieces:

        async def hear(count):
            for _ in range(count):
                await anext(pieces)

        await hear(1)
        yield hear


def pid(pool):
    return pool.workers()[0]["pid"]


def stands_still(pool):
    return bool(pid(pool)) and psutil.Process(pid(pool)).status() == psutil.STATUS_STOPPED


def is_busy(pool):
    return pool.workers()[0]["state"] == "busy"


def batch(pool, text="slow"):
    return asyncio.create_task(say(pool, text, batch=True))


class TestProcessors:
    async def test_a_batch_stands_still_while_a_live_call_is_served_and_then_loses_nothing(self, machine):
        calls, others = await machine(Precedence(), "cpu", "cpu")
        made = batch(others)
        await until(lambda: is_busy(others))
        assert not stands_still(others)
        async with on_a_call(calls):
            await until(lambda: stands_still(others))
            assert not stands_still(calls)
            assert not made.done()
        assert await made == stand_ins.PIECES
        assert not stands_still(others)

    async def test_a_batch_that_comes_in_the_middle_of_a_call_waits_as_well(self, machine):
        calls, others = await machine(Precedence(), "cpu", "cpu")
        async with on_a_call(calls):
            made = batch(others, "hello")
            await until(lambda: stands_still(others))
        assert await made == stand_ins.PIECES

    async def test_neither_live_calls_nor_a_batch_on_a_gpu_stand_still(self, machine):
        calls, more_calls, gpu = await machine(Precedence(), "cpu", "cpu", "0")
        async with on_a_call(calls), asyncio.timeout(5):
            assert await say(more_calls, "slow") == stand_ins.PIECES
            assert await batch(gpu) == stand_ins.PIECES

    async def test_a_batch_does_not_stand_still_for_a_call_on_a_gpu(self, machine):
        gpu, others = await machine(Precedence(), "0", "cpu")
        async with on_a_call(gpu):
            assert await batch(others) == stand_ins.PIECES

    async def test_under_calls_without_end_a_batch_gets_its_share(self, machine):
        calls, others = await machine(Precedence(Patience(longest=0.1, share=0.1)), "cpu", "cpu")
        async with on_a_call(calls):
            made = batch(others)
            await until(lambda: stands_still(others))
            assert await made == stand_ins.PIECES

    async def test_its_deadline_stands_still_as_well(self, machine):
        calls, others = await machine(Precedence(), "cpu", "cpu", deadline_seconds=1.0)
        made = batch(others)
        await until(lambda: is_busy(others))
        async with on_a_call(calls) as hear:
            await until(lambda: stands_still(others))
            await hear(60)  # at least 1.2 s
        assert await made == stand_ins.PIECES
        assert others.report()["restarts"] == 0

    async def test_one_that_hangs_is_found_once_it_had_its_time(self, machine):
        calls, others = await machine(Precedence(), "cpu", "cpu", deadline_seconds=0.5)
        made = batch(others, "hang")
        await until(lambda: is_busy(others))
        async with on_a_call(calls):
            await until(lambda: stands_still(others))
        with pytest.raises(EngineTimeout, match="no answer within"):
            await made

    async def test_standing_still_is_told_as_waiting_not_as_work(self, machine):
        calls, others = await machine(Precedence(), "cpu", "cpu")
        timings = []

        async def listen():
            async with aclosing(others.run("speak", SAYS | {"text": "slow"}, batch=True)) as pieces:
                timings.extend([timing async for _, _, timing in pieces])

        listening = asyncio.create_task(listen())
        await until(lambda: is_busy(others))
        async with on_a_call(calls) as hear:
            await until(lambda: stands_still(others))
            await hear(100)  # at least 2 s
        await listening
        assert timings[-1].queue_seconds > 1.9
        assert timings[-1].compute_seconds < timings[-1].queue_seconds
        assert others.report()["lately"]["inference_ms_p95"] < timings[-1].queue_seconds * 1000


class TestTheEndOfOneThatStandsStill:
    @pytest.fixture
    async def still(self, machine):
        """(a model in a call, one whose worker stands still, its batch)"""
        calls, others = await machine(Precedence(), "cpu", "cpu")
        async with on_a_call(calls):
            made = batch(others)
            await until(lambda: stands_still(others))
            yield calls, others, made
            made.cancel()
            await asyncio.gather(made, return_exceptions=True)

    async def test_a_request_that_is_given_up_frees_its_worker_during_the_call(self, still):
        _, others, made = still
        made.cancel()
        await until(lambda: others.workers()[0]["state"] == "ready")
        assert not stands_still(others)

    async def test_a_model_that_is_unloaded_finishes_its_batch_during_the_call(self, still):
        _, others, made = still
        async with asyncio.timeout(5):
            await others.unload()
        assert await made == stand_ins.PIECES
        assert others.state() == "off"

    async def test_a_model_that_is_closed_leaves_no_process(self, still):
        _, others, made = still
        process = pid(others)
        await others.close()
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
        with pytest.raises(EngineError, match="the service is stopping"):
            await made

    async def test_one_that_is_killed_is_replaced_and_its_request_asked_again(self, machine):
        calls, others = await machine(Precedence(), "cpu", "cpu")
        async with on_a_call(calls):
            made = batch(others, "hello")
            await until(lambda: stands_still(others))
            killed = pid(others)
            os.kill(killed, signal.SIGKILL)
            await until(lambda: pid(others) not in (0, killed) and stands_still(others), seconds=20)
        assert await made == stand_ins.PIECES

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
    def test_none_outlives_the_service_however_that_ends(self, how, tmp_path):
        service = subprocess.Popen(
            [sys.executable, "-c", "import asyncio; from tests.mlservices import test_precedence as this; "
             f"asyncio.run(this.serve({str(tmp_path)!r}))"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        with service:
            workers = [psutil.Process(int(word)) for word in service.stdout.readline().split()]
            assert workers[1].status() == psutil.STATUS_STOPPED
            service.send_signal(how)
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert not alive


async def serve(folder):
    """A service in a call, with a worker that stands still; prints the pids of both workers."""
    import django

    django.setup()
    precedence = Precedence()
    pools = [
        Deployment(Plan(stand_ins.model(Kind.TTS, "Voice")), Path(folder), precedence=precedence)
        for _ in range(2)
    ]
    for pool in pools:
        pool.load(["cpu"])
    await until(lambda: all(pool.state() == "loaded" for pool in pools), seconds=20)
    async with on_a_call(pools[0]) as hear:
        made = batch(pools[1])
        await until(lambda: stands_still(pools[1]))
        sys.stdout.write(f"{pid(pools[0])} {pid(pools[1])}\n")
        sys.stdout.flush()
        await hear(3000)
    await made


class TestTheOnlyWorker:
    """A live call does not wait for a batch's request to end, and a batch's request is not begun anew."""

    async def test_serves_a_live_call_in_the_middle_of_a_batch_s_request(self, make_pool):
        pool = await make_pool()
        params = SAYS | {"text": "endless"}
        async with aclosing(pool.run("speak", params, batch=True)) as made:
            await anext(made)
            before = pid(pool)
            assert await say(pool, "hello") == stand_ins.PIECES
            await anext(made)
            assert pid(pool) == before
        assert pool.report()["retried"] == 0

    async def test_serves_one_live_call_after_the_other_and_the_batch_loses_nothing(self, make_pool):
        pool = await make_pool()
        made = batch(pool)
        await until(lambda: is_busy(pool))
        order = []

        async def ask(name, text):
            count = await say(pool, text)
            order.append((name, count, made.done()))

        await asyncio.gather(*(ask(number, "slow hello") for number in range(4)))
        assert order == [(number, stand_ins.PIECES, False) for number in range(4)]
        assert await made == stand_ins.PIECES

    async def test_goes_on_with_the_batch_when_the_live_call_is_given_up(self, make_pool):
        pool = await make_pool()
        made = batch(pool)
        await until(lambda: is_busy(pool))
        async with on_a_call(pool):
            waiting = [asyncio.create_task(say(pool, "endless")) for _ in range(2)]
            await until(lambda: pool.report()["queue"] == 1)  # the other waits with the worker
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        async with asyncio.timeout(10):
            assert await made == stand_ins.PIECES
        assert pool.report()["restarts"] == 0

    async def test_serves_a_live_call_that_one_elsewhere_made_it_stand_still_for(self, machine):
        calls, others = await machine(Precedence(), "cpu", "cpu")
        made = batch(others)
        await until(lambda: is_busy(others))
        async with on_a_call(calls):
            await until(lambda: stands_still(others))
            assert await say(others, "hello") == stand_ins.PIECES
            await until(lambda: stands_still(others))
            assert not made.done()
        assert await made == stand_ins.PIECES

    async def test_tells_a_live_call_that_it_waited_until_the_batch_s_next_piece(self, make_pool):
        pool = await make_pool("Ears", kind=Kind.STT, deadline_seconds=5.0)
        half_of_full_scale = b"\x00\x40" * 16000  # takes half a second a window
        hears = {"rate": 16000, "language": "en"}
        recording = pool.run("transcribe", hears, half_of_full_scale * 110, batch=True)
        heard = asyncio.create_task(anext(recording))
        await until(lambda: is_busy(pool))
        ((head, _, timing),) = [each async for each in pool.run("transcribe", hears, bytes(3200))]
        assert head["duration_seconds"] == pytest.approx(0.1)
        assert timing.queue_seconds > timing.compute_seconds
        assert not heard.done()
        head, _, _ = await heard
        assert head["duration_seconds"] == pytest.approx(110)
        await recording.aclose()

    async def test_that_falls_serves_the_live_call_anew_and_fails_a_batch_that_had_begun(self, make_pool):
        pool = await make_pool()
        params = SAYS | {"text": "endless"}
        async with aclosing(pool.run("speak", params, batch=True)) as made:
            await anext(made)
            assert await say(pool, "crash once") == stand_ins.PIECES
            with pytest.raises(EngineError, match="in the middle of the answer"):
                async for _ in made:
                    pass
        assert pool.report()["retried"] == 1


async def test_one_that_is_done_in_the_moment_in_which_it_was_stopped_goes_on():
    precedence, told = Precedence(), []
    live = Work(lambda still: told.append("live"), is_live=lambda: True, may_wait=lambda: False)
    other = Work(told.append, is_live=lambda: False, may_wait=lambda: True)
    with precedence.among(live):
        with precedence.among(other):
            assert told == [True]
        assert told == [True, False]


class TestPatience:
    """How long batches stand still, in seconds told to it."""

    def test_is_over_after_the_longest_time_until_the_share_was_had(self):
        patience = Patience(longest=10, share=1)
        patience.pass_to(100)
        assert patience.goes_on(stands=True) == 10
        patience.pass_to(109)
        assert not patience.is_over
        patience.pass_to(110)
        assert patience.is_over
        assert patience.goes_on(stands=False) == pytest.approx(1)
        patience.pass_to(110.5)
        assert patience.is_over
        patience.pass_to(111)
        assert not patience.is_over
        assert patience.goes_on(stands=True) == pytest.approx(10)

    def test_is_not_renewed_by_moments_between_calls(self):
        patience = Patience(longest=10, share=1)
        now = 0.0
        while not patience.is_over:
            patience.goes_on(stands=True)
            now += 1
            patience.pass_to(now)
            patience.goes_on(stands=False)
            now += 0.01
            patience.pass_to(now)
            assert now < 20
        assert now == pytest.approx(11, abs=1.1)

    def test_is_whole_again_after_a_while_without_calls(self):
        patience = Patience(longest=10, share=1)
        patience.pass_to(0)
        patience.goes_on(stands=True)
        patience.pass_to(9)
        patience.goes_on(stands=False)
        patience.pass_to(20)
        assert patience.goes_on(stands=True) == 10
