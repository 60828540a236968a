"""The ML service against its own engines, in one run on one machine:

    python -m tests.bench.service --rounds 40 --json OUT

The service runs in a process of its own with its defaults, and is asked as a call asks it; the bare engines
run in this process. Every figure that compares two things alternates between them, so that both meet the
same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import django
import httpx
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402

from mlservices import audio, engines  # noqa: E402
from mlservices.catalog import BY_ID  # noqa: E402
from mlservices.clients.service import ServiceClient  # noqa: E402
from mlservices.errors import EngineError  # noqa: E402
from mlservices.types import ChatMessage  # noqa: E402
from tests.site.ports import free_port  # noqa: E402

RECORDING = Path("/usr/share/asterisk/sounds/en_US_f_Allison/vm-intro.wav")
SENTENCE = "Sure, I can book a table for four this Friday at seven thirty."
MANY_SENTENCES = " ".join([SENTENCE] * 20)
START_SECONDS = 60
BLOCK = 5  # rounds beside a batch, and alone before it
LONGEST_UTTERANCE_SECONDS = 28
REST_SECONDS = 3.0  # in which what was left to end by itself has ended


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = asyncio.run(measure(options.rounds))
    print(json.dumps(result, indent=1))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


async def measure(rounds: int) -> dict[str, Any]:
    async with running_service(ML_TTS_WORKERS="1", ML_STT_WORKERS="1") as (client, _):
        one_worker = await beside_a_batch(client, rounds)
    async with running_service() as (client, cold_start):
        return {
            "cold_start_seconds": round(cold_start, 1),
            "speech_begins_ms": await compare(rounds, through(speech_begins, client), bare_speech()),
            "words_known_ms": await compare(rounds, through(words_known, client), bare_words()),
            "mixed_requests": await mixed(client),
            "worker_free_after_cancel_ms": await cancelled(client, rounds // 2),
            "live_beside_a_batch": await beside_a_batch(client, rounds),
            "the_same_with_one_worker_a_model": one_worker,
            "embeddings_at_once": await embeddings(client),
        }


@asynccontextmanager
async def running_service(**environment: str) -> AsyncIterator[tuple[ServiceClient, float]]:
    """A client of a service that is ready, and the seconds that took."""
    port = free_port()
    command = [sys.executable, "manage.py", "mlservice", "--port", str(port)]
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, "ENV_FILE": "", **environment}
    )
    client = ServiceClient(f"http://127.0.0.1:{port}")
    try:
        while True:
            if time.monotonic() - started > START_SECONDS or process.returncode is not None:
                raise RuntimeError("the service did not become ready")
            try:
                if (await client.health())["status"] == "healthy":
                    break
            except EngineError:
                pass
            await asyncio.sleep(0.02)
        yield client, time.monotonic() - started
        await client.close()
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


# ---- through the service, and bare ------------------------------------------------------------------


async def speech_begins(client: ServiceClient) -> None:
    async with aclosing(client.speak(SENTENCE, rate=22050)) as pieces:
        await anext(pieces)


async def words_known(client: ServiceClient) -> None:
    pcm, rate = recording()
    await client.transcribe(pcm, rate=rate)


def through(
    ask: Callable[[ServiceClient], Awaitable[None]], client: ServiceClient
) -> Callable[[], Awaitable[None]]:
    return lambda: ask(client)


def bare_speech() -> Callable[[], Awaitable[None]]:
    engine = engine_of(settings.TTS_ENGINE)

    async def begin() -> None:
        pieces = engine.speak(SENTENCE, voice="default", language="", speed=1.0)
        audio.from_float(next(pieces))
        pieces.close()

    return begin


def bare_words() -> Callable[[], Awaitable[None]]:
    engine = engine_of(settings.STT_ENGINE)
    pcm, rate = recording()

    async def hear() -> None:
        engine.transcribe(audio.to_float(audio.resample(pcm, rate, engine.rate)), "en")

    return hear


def engine_of(model_id: str) -> Any:
    engine = engines.load(BY_ID[model_id], settings.MODELS_DIR)
    engine.warm()
    return engine


def recording() -> tuple[bytes, int]:
    """Two seconds of a real voice."""
    pcm, rate = audio.read_wav(RECORDING)
    return pcm[: 4 * rate], rate


async def compare(rounds: int, *ways: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """p50 and p95 of two ways, taken in turns; `added` is the median of their differences, round by round."""
    for way in ways:
        await way()
    taken: list[tuple[float, ...]] = []
    for _ in range(rounds):
        taken.append(tuple([await milliseconds(way) for way in ways]))
        await asyncio.sleep(0.15)  # in which the worker finishes what was left
    service, bare = zip(*taken, strict=True)
    return {
        "service_p50": round(statistics.median(service), 1),
        "bare_p50": round(statistics.median(bare), 1),
        "added_p50": round(statistics.median(service) - statistics.median(bare), 1),
        "service_p95": round(p95(service), 1),
        "bare_p95": round(p95(bare), 1),
    }


async def milliseconds(way: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await way()
    return (time.perf_counter() - started) * 1000


def p95(values: Any) -> float:
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)])


# ---- many at once ------------------------------------------------------------------------------------


async def speak_whole(client: ServiceClient, text: str = SENTENCE, **how: Any) -> int:
    async with aclosing(client.speak(text, rate=8000, **how)) as pieces:
        return sum([len(piece.pcm) async for piece in pieces])


async def reply(client: ServiceClient) -> int:
    messages = [ChatMessage("system", "You are brief."), ChatMessage("user", "Are you open today?")]
    async with aclosing(client.reply(messages, max_tokens=20)) as pieces:
        return len([piece async for piece in pieces])


async def mixed(client: ServiceClient) -> dict[str, Any]:
    """20 requests of all kinds at once."""
    pcm, rate = recording()
    asked: list[Awaitable[Any]] = []
    for _ in range(4):
        asked += [
            speak_whole(client),
            client.transcribe(pcm, rate=rate),
            reply(client),
            client.embed(["Can I book a table?"]),
            client.judge(pcm, rate=rate),
        ]
    started = time.perf_counter()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    return {
        "requests": len(outcomes),
        "errors": [str(each) for each in outcomes if isinstance(each, BaseException)],
        "seconds": round(time.perf_counter() - started, 1),
    }


async def cancelled(client: ServiceClient, rounds: int) -> dict[str, Any]:
    """How long after its answer was let go a worker is free, as the service tells it.

    Of the language model also while it reads a long prompt, of the ear also in the longest utterance.
    """
    pcm, rate = audio.read_wav(RECORDING)
    long_pcm = (pcm * 6)[: 2 * rate * LONGEST_UTTERANCE_SECONDS]

    async def begun(pieces: Any) -> None:
        async with aclosing(pieces):
            await anext(pieces)

    async def given_up(asked: Coroutine[Any, Any, Any], after_seconds: float) -> None:
        task = asyncio.create_task(asked)
        await asyncio.sleep(after_seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    messages = [ChatMessage("user", "Tell me a long story about a clinic.")]
    long = [ChatMessage("user", "Tell me about the clinic and its opening hours please. " * 60)]
    ways: dict[str, tuple[str, Callable[[], Awaitable[None]]]] = {
        "speech": ("tts", lambda: begun(client.speak(MANY_SENTENCES, rate=8000))),
        "answer": ("vllm", lambda: begun(client.reply(messages, max_tokens=150))),
        "prompt_of_600_tokens": (
            "vllm",
            lambda: given_up(anext(client.reply(long, max_tokens=150)), 0.1),
        ),
        "words_of_6_s": ("stt", lambda: given_up(client.transcribe(pcm, rate=rate), 0.03)),
        "words_of_28_s": ("stt", lambda: given_up(client.transcribe(long_pcm, rate=rate), 0.1)),
    }
    async with httpx.AsyncClient(base_url=str(client._clients.get().base_url)) as http:
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for name, (pool, way) in ways.items():
            for _ in range(rounds):
                taken[name].append(await freed(http, pool, way))
                await asyncio.sleep(REST_SECONDS)
        return {name: spread(values) for name, values in taken.items()}


async def freed(http: httpx.AsyncClient, pool: str, way: Callable[[], Awaitable[None]]) -> float:
    await way()
    return await milliseconds(lambda: free(http, pool))


async def free(http: httpx.AsyncClient, pool: str) -> None:
    while True:
        workers = (await http.get("/api/health")).json()["pools"][pool]["workers"]
        if all(worker["state"] == "ready" for worker in workers):
            return


def spread(values: list[float]) -> dict[str, float]:
    return {
        "p50": round(statistics.median(values), 1),
        "p95": round(p95(values), 1),
        "max": round(max(values), 1),
    }


# ---- live beside a batch -----------------------------------------------------------------------------


async def beside_a_batch(client: ServiceClient, rounds: int) -> dict[str, Any]:
    """What a live call waits for, alone and while five long texts are made or five recordings heard.

    The two alternate every few rounds.
    """
    url = str(client._clients.get().base_url)
    ways: dict[str, tuple[Callable[[ServiceClient], Awaitable[None]], str, dict[str, str]]] = {
        "first_sound": (speech_begins, "tts", {"text": MANY_SENTENCES[:4000]}),
        "words_known": (words_known, "stt", {"audio_base64": long_recording()}),
    }
    result: dict[str, Any] = {}
    async with httpx.AsyncClient(base_url=url, timeout=300) as http:
        for name, (way, pool, body) in ways.items():
            alone, beside = list[float](), list[float]()
            for _ in range(rounds // BLOCK):
                alone += await block(lambda way=way: way(client))
                batch = [asyncio.create_task(http.post(f"/api/{pool}", json=body)) for _ in range(5)]
                await asyncio.sleep(0.5)
                beside += await block(lambda way=way: way(client))
                waiting = (await http.get("/api/health")).json()["pools"][pool]["queue"]
                assert waiting, "the batch ended too soon"
                for task in batch:
                    task.cancel()
                await asyncio.gather(*batch, return_exceptions=True)
                await free(http, pool)
            ratio = statistics.median(beside) / statistics.median(alone)
            result[name] = {
                "alone_ms": spread(alone),
                "beside_ms": spread(beside),
                "ratio_p50": round(ratio, 2),
            }
    return result


async def block(way: Callable[[], Awaitable[None]]) -> list[float]:
    taken = []
    for _ in range(BLOCK):
        taken.append(await milliseconds(way))
        await asyncio.sleep(0.15)
    return taken


def long_recording() -> str:
    """Two minutes of a real voice, as the plain API takes it."""
    pcm, rate = audio.read_wav(RECORDING)
    pcm = audio.resample(pcm, rate, 16000)
    return base64.b64encode(pcm * (120 * 16000 * 2 // len(pcm))).decode()


async def embeddings(client: ServiceClient) -> dict[str, float]:
    """64 requests of one text each, one after the other and all at once."""
    texts = [f"Can I book a table for {number}?" for number in range(64)]
    await client.embed(texts[:1])
    started = time.perf_counter()
    alone = [await client.embed([text]) for text in texts]
    middle = time.perf_counter()
    together = await asyncio.gather(*(client.embed([text]) for text in texts))
    ended = time.perf_counter()
    apart = max(float(np.abs(a - b).max()) for a, b in zip(alone, together, strict=True))
    return {
        "one_by_one_per_second": round(64 / (middle - started)),
        "at_once_per_second": round(64 / (ended - middle)),
        "largest_difference": round(apart, 4),
    }


if __name__ == "__main__":
    main()
