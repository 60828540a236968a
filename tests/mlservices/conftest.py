import asyncio
import contextlib
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from django.conf import settings

from mlservices import audio
from mlservices.catalog import Kind
from mlservices.prepare import prepare
from mlservices.service.app import create_app
from mlservices.service.deployment import Deployment
from mlservices.service.layout import Plan, configured_models, plans
from tests.mlservices import stand_ins

RECORDINGS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")  # of Debian's asterisk-core-sounds-en-wav


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Real weights, prepared once a machine."""
    prepare(configured_models(), settings.MODELS_DIR, tell=lambda line: None)
    return settings.MODELS_DIR


def stand_in_plans(**changes) -> list[Plan]:
    """A service of stand-ins; `changes` go to the voice."""
    tts = {"workers": 1, "deadline_seconds": 1.0, **changes}
    return [
        Plan(stand_ins.model(Kind.TTS, "Voice"), **tts),
        Plan(stand_ins.model(Kind.STT, "Ears")),
        Plan(stand_ins.model(Kind.LLM, "Mind")),
        Plan(stand_ins.model(Kind.MEANING, "Meaning")),
        Plan(stand_ins.model(Kind.TURN, "Judge")),
        Plan(stand_ins.model(Kind.VAD, "mlservices.engines.vad.energy.Energy")),
    ]


@contextlib.contextmanager
def serving(app, *, port=0):
    """`app` on a loopback port (0: a free one), in a thread of its own; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


def wait_until_healthy(url: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while httpx.get(f"{url}/api/health", timeout=5).json()["status"] != "healthy":
        assert time.monotonic() < end, httpx.get(f"{url}/api/health").text
        time.sleep(0.1)


@pytest.fixture(scope="session")
def stand_in_service(tmp_path_factory):
    """The address of a service whose engines are stand-ins."""
    with serving(create_app(stand_in_plans(), tmp_path_factory.mktemp("models"))) as url:
        wait_until_healthy(url)
        yield url


@pytest.fixture(scope="session")
def real_service(models_dir):
    """The address of a service with the embedded models, one worker each."""
    lean = [replace(plan, workers=1) for plan in plans()]
    with serving(create_app(lean, models_dir)) as url:
        wait_until_healthy(url)
        yield url


@pytest.fixture(scope="session")
def speech() -> tuple[bytes, int]:
    """A real voice, (pcm, rate): "please leave your message after the tone ..."."""
    recording = RECORDINGS / "vm-intro.wav"
    if not recording.exists():
        pytest.skip("needs Debian's asterisk-core-sounds-en-wav")
    return audio.read_wav(recording)


@pytest.fixture
async def make_pool(tmp_path):
    """Makes a pool of one stand-in voice (or what else is asked for) and waits until it is loaded."""
    pools = []

    async def make(engine="Voice", *, kind=Kind.TTS, wait=True, recipe="", workers=1, **changes):
        options = {"deadline_seconds": 1.0, **changes}
        pool = Deployment(Plan(stand_ins.model(kind, engine, recipe=recipe), **options), tmp_path)
        pool.load(["cpu"] * workers)
        pools.append(pool)
        while wait and any(worker["state"] != "ready" for worker in pool.report()["workers"]):
            await asyncio.sleep(0.02)
        return pool

    yield make
    for pool in pools:
        await pool.close()
