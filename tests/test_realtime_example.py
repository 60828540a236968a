"""The example of README, as it stands there, talks with a whole product on real speech."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import pytest
import websockets

from mlservices.audio import read_wav, resample, wav_bytes
from telephony.session.reply import PROMPT_TEXTS
from tests.product import REPOSITORY, Product

pytestmark = [pytest.mark.models, pytest.mark.alone]

QUESTION = "Where can I park my car?"


@pytest.fixture(scope="module")
def key(product: Product) -> str:
    made, _ = product.manage("api_key", "create", "a test", "--person", "alice").communicate(timeout=60)
    return made.strip().splitlines()[-1]


@pytest.fixture
def question(product: Product, tmp_path: Path) -> Path:
    answer = httpx.post(f"{product.ml_url}/api/tts", json={"text": QUESTION}, timeout=30).raise_for_status()
    spoken = tmp_path / "spoken.wav"
    spoken.write_bytes(base64.b64decode(answer.json()["audio_base64"]))
    path = tmp_path / "question.wav"
    path.write_bytes(wav_bytes(resample(*read_wav(spoken), 16000), 16000))
    return path


def is_the_question(text: str) -> bool:
    """But for a word: what a recogniser hears depends on the machine, and on how much else it has to do."""
    words = re.findall(r"\w+", QUESTION.lower())
    return sum(word in re.findall(r"\w+", text.lower()) for word in words) >= len(words) - 1


def example() -> str:
    section = (
        (REPOSITORY / "README.md").read_text().partition("\n## The realtime API\n")[2].partition("\n## ")[0]
    )
    lines = section.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("    # python talk.py"))
    rest = lines[first:]
    last = next(number for number, line in enumerate(rest) if line and not line.startswith("    "))
    return textwrap.dedent("\n".join(rest[:last]))


def test_the_example_says_what_is_in_a_file_and_keeps_the_answer(product, key, question, tmp_path):
    script = tmp_path / "talk.py"
    script.write_text(example())
    command = [
        sys.executable,
        str(script),
        product.url.replace("http", "ws") + "/ws/realtime",
        key,
        str(question),
    ]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90)
    assert ran.returncode == 0, ran.stderr
    *talked, ended = ran.stdout.splitlines()
    understood, answered = [line for line in talked if PROMPT_TEXTS["one_moment"] not in line]  # it is busy
    assert understood.startswith("stt_final ") and is_the_question(understood)
    assert answered.lower().startswith("agent_reply ") and is_the_question(answered)
    assert ended.startswith("caller_hung_up ")
    heard = httpx.post(
        f"{product.url}/api/stt",
        headers={"Authorization": f"Bearer {key}"},
        files={"audio": (tmp_path / "answer.wav").read_bytes()},
        data={"language": "en"},
        timeout=60,
    ).json()
    assert is_the_question(heard["text"])


def test_the_demo_agent_answers_and_its_call_is_followed_beside_it(product, key, question):
    pcm, _rate = read_wav(question)

    async def talk() -> tuple[list[dict], list[dict], float]:
        address = product.url.replace("http", "ws")
        told: list[dict] = []
        followed: list[dict] = []
        spoken_at = 0.0
        async with websockets.connect(f"{address}/ws/realtime") as socket:

            async def send(type: str, **content: object) -> None:
                await socket.send(json.dumps({"type": type, "eventId": type, **content}))

            async def follow(call: str) -> None:
                async with websockets.connect(f"{address}/ws/calls/{call}") as watcher:
                    await watcher.send(json.dumps({"type": "follow", "apiKey": key}))
                    async for text in watcher:
                        followed.append(json.loads(text))

            async def speak() -> None:
                nonlocal spoken_at
                for start in range(0, len(pcm), 640):
                    await send("audio_chunk", chunk=base64.b64encode(pcm[start : start + 640]).decode())
                    await asyncio.sleep(0.02)
                spoken_at = time.monotonic()

            await send("init", apiKey=key, config={"agent": "front-desk"})
            tasks = []
            async for text in socket:
                message = json.loads(text) | {"came_at": time.monotonic()}
                told.append(message)
                if message["type"] == "ready":
                    tasks.append(asyncio.create_task(follow(message["sessionId"])))
                elif message["type"] == "tts_complete" and message["turn"]:
                    await send("end")
                elif message["type"] == "tts_complete" and len(tasks) == 1:
                    tasks.append(asyncio.create_task(speak()))
            await asyncio.wait_for(asyncio.gather(*tasks), 30)
        return told, followed, spoken_at

    told, followed, spoken_at = asyncio.run(asyncio.wait_for(talk(), 120))
    answer = " ".join(each["text"] for each in told if each["type"] == "agent_reply" and each["turn"])
    assert "behind" in answer.lower() or "park" in answer.lower()
    measured = next(each["latency"] for each in told if each["type"] == "metrics" and each["latency"])
    first = next(each for each in told if each["type"] == "agent_reply" and each["turn"])
    if first["text"] != PROMPT_TEXTS["one_moment"]:  # which a machine that is busy says before the answer
        by_our_clock = round((first["came_at"] - spoken_at) * 1000)
        # the file ends in some silence, which our clock knows nothing of
        assert abs(measured["total"] - by_our_clock) < 600, (measured, by_our_clock)
    numbers = [each["event"]["seq"] for each in followed if each["type"] == "event"]
    assert numbers == list(range(1, followed[-1]["last"] + 1))
    assert followed[-1]["type"] == "ended"
