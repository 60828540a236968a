"""Workers that crash, hang and are killed, and what those who asked them see of it."""

import asyncio
import os
import signal
import time
from contextlib import aclosing

import pytest

from mlservices.catalog import Kind
from mlservices.circuit import Circuit
from mlservices.errors import EngineBusy, EngineError, EngineTimeout
from mlservices.service import measures
from mlservices.service.layout import Plan
from mlservices.service.line import Job, Line
from mlservices.service.measures import Measures
from mlservices.service.precedence import Precedence
from mlservices.service.process import WorkerGone, WorkerProcess
from mlservices.service.seat import Seat, Shared
from tests.mlservices import stand_ins
from tests.mlservices.asking import SAYS, say, until


def kept_processes(monkeypatch):
    """The processes that pools will have started."""
    started, start = [], WorkerProcess.start

    async def keep(*how):
        started.append(await start(*how))
        return started[-1]

    monkeypatch.setattr(WorkerProcess, "start", keep)
    return started


def first_pid(pool):
    return pool.report()["workers"][0]["pid"]


async def test_an_answer_comes_piece_by_piece_with_its_timing(make_pool):
    pool = await make_pool()
    params = SAYS | {"text": "slow hello", "rate": 8000}
    answers = [answer async for answer in pool.run("speak", params)]
    heads, sounds, timings = zip(*answers, strict=True)
    assert {head["rate"] for head in heads} == {8000}
    assert sum(map(len, sounds)) == stand_ins.PIECES * 800 * 2
    computed = [timing.compute_seconds for timing in timings]
    assert computed == sorted(computed)
    assert computed[0] < computed[-1] - 0.2  # the first piece did not wait for the last
    assert pool.report()["served"] == 1


async def test_a_worker_that_crashes_before_it_answers_is_replaced_and_asked_again(make_pool):
    pool = await make_pool()
    before = first_pid(pool)
    assert await say(pool, "crash once") == stand_ins.PIECES
    assert first_pid(pool) != before
    assert pool.report()["retried"] == 1


async def test_a_text_that_always_crashes_the_worker_fails_and_the_next_one_is_served(make_pool):
    pool = await make_pool()
    with pytest.raises(EngineError, match="exited with code 3") as caught:
        await say(pool, "crash")
    assert not caught.value.permanent
    await until(lambda: pool.state() == "loaded")
    assert await say(pool, "hello") == stand_ins.PIECES


async def test_a_worker_that_falls_in_the_middle_of_an_answer_fails_that_answer_and_no_other(make_pool):
    pool = await make_pool()
    broken = asyncio.create_task(say(pool, "break"))
    behind = [asyncio.create_task(say(pool, "hello")) for _ in range(3)]
    with pytest.raises(EngineError, match="in the middle of the answer"):
        await broken
    assert await asyncio.gather(*behind) == [stand_ins.PIECES] * 3
    assert pool.report()["retried"] == 0


async def test_a_worker_killed_from_outside_while_it_speaks_is_replaced(make_pool):
    pool = await make_pool(workers=2)
    speaking = asyncio.create_task(say(pool, "slow sentence"))
    await until(lambda: any(worker["state"] == "busy" for worker in pool.report()["workers"]))
    busy = next(worker for worker in pool.report()["workers"] if worker["state"] == "busy")
    os.kill(busy["pid"], signal.SIGKILL)
    assert await speaking == stand_ins.PIECES  # nothing was delivered yet: asked again
    await until(lambda: all(worker["state"] == "ready" for worker in pool.report()["workers"]))
    assert busy["pid"] not in [worker["pid"] for worker in pool.report()["workers"]]


async def test_a_worker_killed_while_idle_is_replaced_before_anybody_asks(make_pool):
    pool = await make_pool()
    before = first_pid(pool)
    os.kill(before, signal.SIGKILL)
    await until(lambda: first_pid(pool) != before and pool.state() == "loaded")
    assert await say(pool, "hello") == stand_ins.PIECES


async def test_a_worker_killed_while_it_starts_is_told_as_one_killed_at_work(make_pool):
    pool = await make_pool("SlowToLoad", wait=False)
    await until(lambda: first_pid(pool))
    os.kill(first_pid(pool), signal.SIGKILL)
    await until(pool.reason)
    assert pool.reason() == "its process was killed by signal 9"


async def test_memory_of_a_worker_that_still_loads_is_told_apart_from_that_of_one_that_is_ready(make_pool):
    pool = await make_pool("SlowToLoad", workers=2)
    assert pool.holding().coming == ()
    os.kill(first_pid(pool), signal.SIGKILL)
    await until(lambda: pool.holding().coming)
    assert pool.holding().coming == ("cpu",)
    assert pool.state() == "loaded"


async def test_a_worker_that_hangs_is_replaced_and_asked_again(make_pool):
    pool = await make_pool(deadline_seconds=0.3)
    assert await say(pool, "hang once") == stand_ins.PIECES


async def test_a_text_that_always_hangs_times_out(make_pool):
    pool = await make_pool(deadline_seconds=0.3)
    with pytest.raises(EngineTimeout, match="no answer within"):
        await say(pool, "hang")


async def test_a_request_that_an_engine_refuses_is_not_tried_again(make_pool):
    pool = await make_pool()
    before = first_pid(pool)
    with pytest.raises(EngineError, match="cannot say this") as caught:
        await say(pool, "refuse")
    assert caught.value.permanent
    assert first_pid(pool) == before
    assert pool.report()["retried"] == 0


async def test_what_is_refused_and_who_comes_while_it_loads_are_no_errors(make_pool):
    pool = await make_pool("SlowToLoad", wait=False)
    with pytest.raises(EngineBusy, match="is loading"):
        await say(pool, "too early")
    await until(lambda: pool.state() == "loaded")
    await say(pool, "hello")
    with pytest.raises(EngineError, match="cannot say this"):
        await say(pool, "refuse")
    report = pool.report()
    assert [report[name] for name in ("served", "failed", "busy", "refused", "loading")] == [1, 0, 0, 1, 1]
    assert (report["lately"]["requests"], report["lately"]["errors"]) == (3, 0)


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(make_pool):
    pool = await make_pool(queue_limit=2)
    waiting = [asyncio.create_task(say(pool, "slow")) for _ in range(3)]  # one served, two wait
    await until(lambda: pool.report()["queue"] == 2)
    with pytest.raises(EngineBusy) as caught:
        await say(pool, "one too many")
    assert caught.value.retry_after >= 1
    assert await asyncio.gather(*waiting) == [stand_ins.PIECES] * 3
    assert (pool.report()["busy"], pool.report()["lately"]["errors"]) == (1, pytest.approx(1 / 4))


async def test_a_cancelled_answer_frees_its_worker_at_the_next_piece(make_pool):
    pool = await make_pool()
    params = {"text": "endless", "rate": 0, "voice": "default", "language": "", "speed": 1.0}
    pieces = pool.run("speak", params)
    await anext(pieces)
    before = first_pid(pool)
    await pieces.aclose()
    async with asyncio.timeout(20):
        assert await say(pool, "next") == stand_ins.PIECES
    assert first_pid(pool) == before


async def test_a_long_recording_may_take_longer_than_the_deadline_of_one_window(make_pool):
    pool = await make_pool("Ears", kind=Kind.STT, deadline_seconds=1.5)
    before = first_pid(pool)
    half_of_full_scale = b"\x00\x40" * 16000
    params = {"rate": 16000, "language": "en"}
    ((head, _, timing),) = [
        answer async for answer in pool.run("transcribe", params, half_of_full_scale * 110)
    ]
    assert len(head["segments"]) > 3
    assert timing.compute_seconds > 1.5
    assert first_pid(pool) == before


async def test_a_worker_that_cannot_read_what_it_is_sent_ends_and_is_replaced(make_pool, monkeypatch):
    started = kept_processes(monkeypatch)
    pool = await make_pool()
    started[0].send({"op": "x" * 5 * 2**20})
    await until(lambda: len(started) == 2 and pool.state() == "loaded")
    assert await say(pool, "hello") == stand_ins.PIECES


async def test_many_requests_leave_nothing_behind_in_the_process(make_pool, monkeypatch):
    started = kept_processes(monkeypatch)
    pool = await make_pool()
    for _ in range(5):
        await say(pool, "hello")
    (process,) = started
    assert len(process._process._transport._exit_waiters) == 1


async def test_a_request_taken_by_a_worker_in_the_moment_of_its_end_goes_to_another(tmp_path):
    class Idle:
        def __init__(self):
            self.gone = asyncio.get_running_loop().create_future()

    plan, line = Plan(stand_ins.model(Kind.TTS, "Voice")), Line()
    measures = Measures("voice", "tts")
    shared = Shared(
        plan,
        tmp_path,
        line,
        Circuit(),
        measures,
        Precedence(),
        may_batch=lambda: True,
        is_alone=lambda: False,
        is_leaving=lambda: False,
        on_change=lambda: None,
    )
    dying, well = Idle(), Idle()
    first = asyncio.create_task(Seat(0, "cpu", shared)._next_jobs(dying))
    second = asyncio.create_task(Seat(1, "cpu", shared)._next_jobs(well))
    await asyncio.sleep(0.01)  # both wait for work
    job = Job("speak", {}, b"")
    line.add(job)
    dying.gone.set_result(0)
    with pytest.raises(WorkerGone):
        await first
    async with asyncio.timeout(5):
        assert await second == [job]


async def test_a_cancelled_request_leaves_the_queue_at_once(make_pool):
    pool = await make_pool()
    speaking = asyncio.create_task(say(pool, "slow"))
    waiting = asyncio.create_task(say(pool, "hello"))
    await until(lambda: pool.report()["queue"] == 1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert pool.report()["queue"] == 0
    assert await speaking == stand_ins.PIECES


async def test_waiting_for_a_worker_is_told_apart_from_its_work(make_pool):
    pool = await make_pool()
    first = asyncio.create_task(say(pool, "slow"))
    await until(lambda: pool.state() == "loaded" and pool.report()["workers"][0]["state"] == "busy")
    params = SAYS | {"text": "hello"}
    timings = [timing async for _, _, timing in pool.run("speak", params)]
    assert timings[0].queue_seconds > 0.2
    assert timings[-1].compute_seconds < 0.2
    await first


async def test_who_comes_while_the_models_load_is_told_so(make_pool):
    pool = await make_pool("SlowToLoad", wait=False)
    with pytest.raises(EngineBusy, match="loading"):
        await say(pool, "hello")
    await until(lambda: pool.state() == "loaded")
    assert await say(pool, "hello") == stand_ins.PIECES


async def test_a_model_that_cannot_be_loaded_is_reported_with_its_reason(make_pool):
    pool = await make_pool("Broken", wait=False)
    await until(lambda: pool.state() == "failed")
    assert "models prepare" in pool.report()["workers"][0]["reason"]
    with pytest.raises(EngineBusy, match="models prepare"):
        await say(pool, "hello")


async def test_a_model_whose_files_were_never_prepared_names_the_command(make_pool):
    pool = await make_pool(wait=False, recipe="mlservices.prepare.piper.prepare")
    await until(lambda: pool.report()["workers"][0]["reason"])
    assert "run `manage.py models prepare`" in pool.report()["workers"][0]["reason"]


async def test_a_missing_library_names_what_to_install(make_pool):
    pool = await make_pool("no_such_library.Engine", wait=False)
    await until(lambda: pool.report()["workers"][0]["reason"])
    assert "needs the library no_such_library: run `" in pool.report()["workers"][0]["reason"]


async def test_closing_the_pool_ends_its_processes(make_pool):
    pool = await make_pool(workers=2)
    pids = [worker["pid"] for worker in pool.report()["workers"]]
    await pool.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_requests_wait_for_a_worker_that_falls_again_and_again(make_pool):
    pool = await make_pool()
    falling = [asyncio.create_task(say(pool, "crash")) for _ in range(2)]
    behind = asyncio.create_task(say(pool, "hello"))
    outcomes = await asyncio.gather(*falling, return_exceptions=True)
    assert all("exited with code 3" in str(outcome) for outcome in outcomes)
    assert await behind == stand_ins.PIECES


async def test_a_model_whose_workers_fall_again_and_again_rests_for_a_while(make_pool):
    pool = await make_pool(workers=3)
    outcomes = await asyncio.gather(*(say(pool, "crash") for _ in range(3)), return_exceptions=True)
    assert any("exited with code 3" in str(outcome) for outcome in outcomes)
    assert pool.report()["circuit_open_seconds"] > 0
    await until(lambda: pool.state() == "loaded", seconds=15)
    with pytest.raises(EngineBusy, match=r"failed again and again and rests .* exited with code 3") as caught:
        await say(pool, "hello")
    assert 1 <= caught.value.retry_after <= 30


async def test_a_model_is_unloaded_once_it_has_served_whom_it_serves(make_pool):
    pool = await make_pool()
    (pid,) = (worker["pid"] for worker in pool.report()["workers"])
    speaking = [asyncio.create_task(say(pool, "slow")) for _ in range(2)]
    await until(lambda: pool.report()["queue"] == 1)
    unloading = asyncio.create_task(pool.unload())
    await asyncio.sleep(0)
    with pytest.raises(EngineBusy, match="not loaded"):
        await say(pool, "hello")
    await unloading
    assert await asyncio.gather(*speaking) == [stand_ins.PIECES] * 2
    assert pool.state() == "off"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    pool.load(["cpu"])
    await until(lambda: pool.state() == "loaded")
    assert await say(pool, "hello") == stand_ins.PIECES


async def test_who_reads_slowly_makes_no_inference_slow(make_pool):
    pool = await make_pool()
    begun = time.monotonic()
    async with aclosing(pool.run("speak", SAYS | {"text": "hello"})) as pieces:
        await anext(pieces)
        await until(lambda: pool.report()["workers"][0]["state"] == "ready")
        worked_ms = (time.monotonic() - begun) * 1000
        await asyncio.sleep(0.2)
        assert len([piece async for piece in pieces]) == stand_ins.PIECES - 1
    assert pool.report()["lately"]["inference_ms_p95"] <= worked_ms


async def test_how_long_requests_take_is_not_known_where_none_came_lately(make_pool, monkeypatch):
    pool = await make_pool()
    assert pool.report()["mean_seconds"] is None
    await say(pool, "hello")
    assert pool.report()["mean_seconds"] > 0
    monkeypatch.setattr(measures, "LATELY_SECONDS", 1e-9)
    assert pool.report()["mean_seconds"] is None


async def test_what_it_did_lately_is_told_in_figures(make_pool):
    pool = await make_pool()
    assert pool.report()["lately"]["inference_ms_p95"] is None
    assert pool.report()["workers"][0]["memory_mb"] > 10
    await asyncio.gather(*(say(pool, "slow") for _ in range(2)))
    with pytest.raises(EngineError):
        await say(pool, "break")
    lately = pool.report()["lately"]
    assert (lately["requests"], lately["errors"]) == (3, pytest.approx(1 / 3))
    assert 400 < lately["inference_ms_p95"] < 2000
    assert 400 < lately["queue_ms_p95"] < 2000  # the second waited for the first
    assert lately["real_time_factor"] == pytest.approx(
        1.0, rel=0.5
    )  # half a second of sound in half a second
    assert 0 < lately["utilisation"] < 0.1
