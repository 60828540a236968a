"""Several engines for one task: who answers, who is passed over, and what an answer says of it."""

from __future__ import annotations

import asyncio

import pytest

from mlservices.errors import EngineBusy, EngineError, EngineTimeout
from mlservices.types import ChatMessage
from tests.fakes.clock import run_in_virtual_time
from tests.mlservices.scripted import ASLEEP, BAD_TEXT, BROKEN, NO_ROUTE, NO_TOKEN, Engine, chat, now, said


def test_the_first_that_works_answers_and_says_who_it_is():
    async def script():
        space, local = Engine("space"), Engine("local")
        assert await said(chat(space, local)) == ("welldone", "space", False)
        assert local.asked == 0

    run_in_virtual_time(script())


@pytest.mark.parametrize("error", [BROKEN, NO_TOKEN, NO_ROUTE, ASLEEP, EngineTimeout("late")])
def test_the_next_stands_in_for_one_that_fails(error):
    async def script():
        assert await said(chat(Engine("space", [error]), Engine("local"))) == ("welldone", "local", True)

    run_in_virtual_time(script())


def test_what_is_refused_for_its_own_sake_is_refused_by_all_and_is_no_fault_of_the_engine():
    async def script():
        space, local = Engine("space", [BAD_TEXT]), Engine("local")
        model = chat(space, local)
        with pytest.raises(EngineError, match="cannot say this"):
            await said(model)
        assert local.asked == 0
        assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_once_a_piece_was_delivered_nobody_begins_anew():
    async def script():
        space, local = Engine("space", [["half", BROKEN]]), Engine("local")
        model = chat(space, local)
        got = []
        with pytest.raises(EngineError, match="died"):
            async for delta in model.reply([ChatMessage("user", "hi")]):
                got.append(delta.text)
        assert (got, local.asked) == (["half"], 0)
        assert (await said(model))[1] == "local", "but the next request goes past it"

    run_in_virtual_time(script())


def test_an_answer_without_a_word_is_none():
    async def script():
        space, local = Engine("space", [[], ["", " "]]), Engine("local")
        model = chat(space, local)
        assert await said(model) == ("welldone", "local", True)
        assert await said(model) == ("welldone", "local", True)
        assert await said(model) == ("welldone", "space", False), "it works, so it is asked"
        assert await said(chat(Engine("space", [[]]), Engine("local", [[]]))) == ("", "", False)

    run_in_virtual_time(script())


def test_the_first_has_its_budget_and_the_last_all_the_time_it_needs():
    async def script():
        space, local = Engine("space", [[30.0, "late"]]), Engine("local", [[5.0, "slow"]])
        begun = now()
        assert await said(chat(space, local)) == ("slow", "local", True)
        assert now() - begun == pytest.approx(1.0 + 5.0)

    run_in_virtual_time(script())


def test_the_budget_is_for_the_first_piece_alone():
    async def script():
        space = Engine("space", [[0.5, "a", 20.0, "b"]])
        assert (await said(chat(space, Engine("local"))))[0] == "ab"

    run_in_virtual_time(script())


def test_one_that_failed_is_passed_over_then_tried_by_one_request():
    async def script():
        space, local = Engine("space", [BROKEN, [0.9, BROKEN]]), Engine("local")
        model = chat(space, local)
        for _ in range(4):
            await said(model)
        assert space.asked == 1
        await asyncio.sleep(5)
        answers = await asyncio.gather(*(said(model) for _ in range(3)))
        assert space.asked == 2, "one of three tried it"
        assert {who for _, who, _ in answers} == {"local"}
        await asyncio.sleep(6)
        await said(model)
        assert space.asked == 2, "it rests longer after a second failure"
        await asyncio.sleep(5)
        assert (await said(model))[1:] == ("space", False)
        assert (await said(model))[1:] == ("space", False)

    run_in_virtual_time(script())


def test_one_that_is_busy_rests_as_long_as_it_asks_for_and_one_without_our_token_for_minutes():
    async def script():
        for error, seconds in ((EngineBusy("full", retry_after=20), 20), (NO_TOKEN, 120)):
            space = Engine("space", [error])
            model = chat(space, Engine("local"))
            await said(model)
            await asyncio.sleep(seconds - 1)
            assert (await said(model))[1] == "local"
            await asyncio.sleep(1)
            assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_a_request_that_is_given_up_leaves_the_trial_to_the_next():
    async def script():
        space, local = Engine("space", [BROKEN, [0.5, "ok"]]), Engine("local")
        model = chat(space, local)
        await said(model)
        await asyncio.sleep(5)
        given_up = asyncio.create_task(said(model))
        await asyncio.sleep(0.1)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_when_all_rest_all_are_asked():
    async def script():
        space, local = Engine("space", [BROKEN, BROKEN]), Engine("local", [BROKEN])
        model = chat(space, local)
        with pytest.raises(EngineError, match="died"):
            await said(model)
        assert await said(model) == ("welldone", "local", True)

    run_in_virtual_time(script())


def test_a_service_that_sleeps_is_woken_up_while_others_answer():
    async def script():
        space, local = Engine("space", [ASLEEP]), Engine("local")
        woken = 0

        async def wake():
            nonlocal woken
            woken += 1
            await asyncio.sleep(45)

        model = chat(space, local, wake=wake)
        for _ in range(4):
            assert (await said(model))[1] == "local"
            await asyncio.sleep(11)
        assert (space.asked, woken) == (1, 1), "no call waits for it"
        await asyncio.sleep(2)
        assert await said(model) == ("welldone", "space", False)

    run_in_virtual_time(script())


def test_one_that_is_slow_as_a_sleeper_is_tried_until_it_works_and_no_call_waits_for_that():
    async def script():
        space, local = Engine("space", [[60.0]]), Engine("local")
        tried = []

        async def wake():
            tried.append(now())
            await asyncio.sleep(40)
            if len(tried) < 3:
                raise EngineTimeout("it never woke up")

        model = chat(space, local, wake=wake)
        await said(model)
        while len(tried) < 3:
            begun = now()
            assert (await said(model))[1] == "local"
            assert now() == begun
            await asyncio.sleep(10)
        assert space.asked == 1
        assert [round(at) for at in tried] == [1, 51, 111], "with growing pauses"
        await asyncio.sleep(41)
        assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_one_that_broke_is_tried_in_the_background_only_after_its_rest():
    async def script():
        space, local = Engine("space", [BROKEN]), Engine("local")
        tried = []

        async def wake():
            tried.append(now())

        model = chat(space, local, wake=wake)
        for _ in range(4):
            assert (await said(model))[1] == "local"
            await asyncio.sleep(2)
        assert tried == [6.0]
        assert (await said(model))[1] == "space"

    run_in_virtual_time(script())


def test_who_closes_it_stops_the_waking_and_the_next_request_begins_it_anew():
    async def script():
        woken = []

        async def wake():
            woken.append(now())
            await asyncio.sleep(100)

        model = chat(Engine("space", [ASLEEP]), Engine("local"), wake=wake)
        for begun in (1, 2):
            assert (await said(model))[1] == "local"
            await asyncio.sleep(0)
            assert len(woken) == begun
            await model.close()
            assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(script())
