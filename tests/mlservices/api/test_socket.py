"""`/ws/stt` of the site really served, before a service of stand-ins."""

import asyncio
import json
import time

import pytest
import websockets

from mlservices import audio
from mlservices.api import socket
from tests.mlservices.api.conftest import bearer
from voiceforge_site.access import key_actions
from voiceforge_site.access.gate import INACTIVE_KEY, NOT_ALLOWED, UNKNOWN_KEY

RATE = 16000
FRAME = RATE // 50 * 2  # bytes of 20 ms


async def open_socket(site, **how):
    return await websockets.connect(site.replace("http", "ws") + "/ws/stt", **how)


async def told_until_closed(ws):
    """(messages, the code it was closed with)"""
    told = []
    try:
        async with asyncio.timeout(20):
            while True:
                told.append(json.loads(await ws.recv()))
    except websockets.ConnectionClosed:
        return told, ws.close_code


async def conversation(site, key, pcm, *, pace_seconds=0.0, frame=FRAME, **first):
    ws = await open_socket(site)
    await ws.send(json.dumps({"apiKey": key, **first}))

    async def speak():
        for start in range(0, len(pcm), frame):
            await ws.send(pcm[start : start + frame])
            await asyncio.sleep(pace_seconds)
        await ws.send(json.dumps({"end": True}))

    (told, code), _ = await asyncio.gather(told_until_closed(ws), speak())
    assert (told[0]["type"], code) == ("ready", 1000), told
    return told[1:]


@pytest.fixture
def spoken(speech):
    """A real voice at 16 kHz between silences."""
    pcm, rate = speech
    return bytes(RATE) + audio.resample(pcm, rate, RATE)[: 2 * RATE * 3] + bytes(2 * RATE)


async def test_words_come_while_somebody_speaks_and_whole_at_the_end(site, new_key, spoken):
    key = await asyncio.to_thread(new_key)
    begun = time.monotonic()
    told = await conversation(site, key, spoken, pace_seconds=0.02)
    lasted = time.monotonic() - begun
    kinds = [message["type"] for message in told]
    assert kinds[0] == "partial"
    assert kinds[-1] == "final"
    assert 2 <= kinds.count("partial") <= 1 + lasted / socket.PARTIAL_SECONDS
    lengths = [float(message["text"].split()[0]) for message in told if message["type"] == "partial"]
    assert lengths == sorted(lengths)  # the utterance so far
    final = told[-1]
    assert final["start"] == pytest.approx(0.5, abs=0.3)
    assert final["start"] + 1 < final["end"] < 4
    assert final["confidence"] == 0.9


async def test_a_recording_may_be_sent_faster_than_it_was_spoken(site, new_key, spoken):
    key = await asyncio.to_thread(new_key)
    at_8000 = audio.resample(spoken * 2, RATE, 8000)
    told = await conversation(site, key, at_8000, frame=50_000, rate=8000)
    finals = [message for message in told if message["type"] == "final"]
    assert len(finals) >= 2
    seconds = len(spoken) / 2 / RATE
    assert finals[-1]["end"] > seconds  # nothing was lost on the way


async def test_what_is_left_at_the_end_is_said(site, new_key, spoken):
    key = await asyncio.to_thread(new_key)
    told = await conversation(site, key, spoken[: 2 * RATE * 2])
    assert told[-1]["type"] == "final"
    assert told[-1]["end"] > 1


async def test_it_opens_for_whom_the_door_says(site, new_key, alices_browser, bob):
    good, viewers, revoked = await asyncio.to_thread(
        lambda: [new_key(), new_key("viewer"), new_key("designer")]
    )
    await asyncio.to_thread(key_actions.revoke, revoked[:14])
    cookie = {"Cookie": f"sessionid={alices_browser.cookies['sessionid'].value}"}
    for first, headers, expected in (
        ({"apiKey": good}, {}, "ready"),
        ({}, bearer(good), "ready"),
        ({}, cookie, "ready"),
        ({}, {}, UNKNOWN_KEY),
        ({"apiKey": "vf_sk_" + "0" * 32}, cookie, UNKNOWN_KEY),
        ({}, bearer("nothing"), UNKNOWN_KEY),
        ({"apiKey": revoked}, {}, INACTIVE_KEY),
        ({"apiKey": viewers}, {}, NOT_ALLOWED),
    ):
        ws = await open_socket(site, additional_headers=headers)
        await ws.send(json.dumps(first))
        message = json.loads(await ws.recv())
        if expected == "ready":
            assert message == {"type": "ready"}
            await ws.close()
        else:
            _, code = await told_until_closed(ws)
            assert (message["type"], code) == ("error", expected), message


async def test_who_may_no_longer_listen_is_cut_off(site, new_key, monkeypatch):
    monkeypatch.setattr(socket, "RECHECK_SECONDS", 0.1)
    key = await asyncio.to_thread(new_key)
    ws = await open_socket(site)
    await ws.send(json.dumps({"apiKey": key}))
    assert json.loads(await ws.recv()) == {"type": "ready"}
    await asyncio.to_thread(key_actions.revoke, key[:14])
    (message,), code = await told_until_closed(ws)
    assert (message["error"], code) == ("This API key was revoked.", INACTIVE_KEY)


async def test_a_key_has_so_many_sockets_at_once_and_another_once_one_is_closed(site, new_key, monkeypatch):
    monkeypatch.setattr(socket, "MOST_AT_ONCE", 2)
    key, other = await asyncio.to_thread(new_key), await asyncio.to_thread(new_key, "administrator")

    async def listening(key):
        ws = await open_socket(site)
        await ws.send(json.dumps({"apiKey": key}))
        return ws, json.loads(await ws.recv())

    (first, told), (_second, _told) = await listening(key), await listening(key)
    assert told == {"type": "ready"}
    third, told = await listening(key)
    assert told["error"].startswith("2 sockets are open") and (await told_until_closed(third))[1] == 1013
    assert (await listening(other))[1] == {"type": "ready"}
    await first.close()
    for _ in range(50):  # the server hears of it a moment later
        if (await listening(key))[1] == {"type": "ready"}:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no socket is free again")


async def test_what_no_client_should_send_ends_the_socket(site, new_key, monkeypatch):
    monkeypatch.setattr(socket, "LONGEST_STREAM_SECONDS", 3.0)
    monkeypatch.setattr(socket, "IDLE_SECONDS", 0.3)
    hello = json.dumps({"apiKey": await asyncio.to_thread(new_key)})
    for messages, code, error in (
        (["nonsense"], 1008, "JSON"),
        ([bytes(FRAME)], 1008, "JSON"),
        ([json.dumps({"rate": 1})], 1008, "rate"),
        (
            [hello[:-1] + ', "language": "xx"}'],
            1008,
            "language: whisper-tiny.en does not know 'xx': use en, auto",
        ),
        ([hello[:-1] + ', "model": "nothing"}'], 1008, "model: there is no 'nothing' that hears: use "),
        ([hello[:-1] + ', "model": "piper-joe"}'], 1008, "model: there is no 'piper-joe' that hears"),
        ([hello, "nonsense"], 1008, "binary"),
        ([hello, bytes(socket.LARGEST_MESSAGE + 2)], 1009, "larger"),
        ([hello, bytes(2 * RATE * 4)], 1008, "Longer"),
        ([hello], 1008, "Nothing came"),
    ):
        ws = await open_socket(site)
        for message in messages:
            await ws.send(message)
        told, closed_with = await told_until_closed(ws)
        assert (told[-1]["type"], closed_with) == ("error", code), messages[-1][:50]
        assert error in told[-1]["error"]


async def test_an_utterance_that_cannot_be_heard_is_an_error_of_its_own(site, new_key, spoken, settings):
    settings.ML_PORT = 9  # nobody listens there
    told = await conversation(site, await asyncio.to_thread(new_key), spoken)
    assert {message["type"] for message in told} == {"error"}
    assert told[0]["service"] == "stt"
    assert told[0]["end"] > told[0]["start"]
