"""The service on a real Ray cluster of two nodes, both on this machine: one is killed in the end."""

import asyncio
import gc
import os
import shutil
import tempfile
from contextlib import aclosing
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio
from django.core.management import CommandError, call_command

from mlservices.catalog import Kind
from mlservices.errors import EngineBusy, EngineError
from mlservices.service.app import create_app
from mlservices.service.layout import Plan
from mlservices.wire import Unpacker
from tests.mlservices import stand_ins
from tests.mlservices.conftest import serving, wait_until_healthy

pytest.importorskip("ray.serve", reason="needs the extra `ray`: run `make test-ray`")

from ray.cluster_utils import Cluster as Machines

from mlservices.service.ray import Cluster, RayDeployment
from mlservices.service.ray.cluster import gpu_share

SAYS = {"rate": 0, "voice": "default", "language": "", "speed": 1.0}
HALF_A_SECOND = b"\x00\x40" * 1600  # what the stand-in ears take so long for
SMALL = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


class Nodes:
    """Two: the second has a GPU of 16 GB, as far as its driver's program tells."""

    def __init__(self, folder: Path) -> None:
        driver = folder / "nvidia-smi"
        driver.write_text("#!/bin/sh\necho '0, GPU-stand-in, Stand-in GPU, 16000, 15000'\n")
        driver.chmod(0o755)
        self._machines = Machines(
            initialize_head=True, head_node_args={**SMALL, "num_gpus": 0, "temp_dir": str(folder)}
        )
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{folder}:{path}"
        second = self._machines.add_node(**SMALL, num_gpus=1)
        os.environ["PATH"] = path
        self._raylets = [
            psutil.Process(node.all_processes["raylet"][0].process.pid)
            for node in (self._machines.head_node, second)
        ]
        self.address = self._machines.address

    def processes(self) -> list[psutil.Process]:
        alive = [raylet for raylet in self._raylets if raylet.is_running()]
        return [*alive, *(each for raylet in alive for each in raylet.children(recursive=True))]

    def replicas(self) -> list[int]:
        """How many run on each node."""
        return [
            sum("ServeReplica" in each.cmdline()[0] for each in raylet.children(recursive=True))
            for raylet in self._raylets
        ]

    def on_second(self) -> set[int]:
        return {each.pid for each in self._raylets[1].children(recursive=True)}

    def kill_second(self) -> None:
        """As if its power failed."""
        raylet = self._raylets[1]
        for process in [raylet, *raylet.children(recursive=True)]:
            process.kill()

    def close(self) -> None:
        self._machines.shutdown()


@pytest.fixture(scope="module")
def nodes():
    folder = Path(tempfile.mkdtemp(prefix="vf-ray-", dir="/tmp"))  # short: sockets are in it
    nodes = Nodes(folder)
    yield nodes
    nodes.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(nodes):
    cluster = Cluster(nodes.address)
    yield cluster
    processes = nodes.processes()
    cluster.close()
    nodes.close()
    _, left = psutil.wait_procs(processes, timeout=10)
    assert not left


def deployment(cluster, folder, kind=Kind.TTS, engine="Voice", *, workers=2, deadline_seconds=3.0, **changes):
    plan = Plan(stand_ins.model(kind, engine, **changes), workers=workers, deadline_seconds=deadline_seconds)
    made = RayDeployment(plan, folder, cluster=cluster)
    made.load(["cpu"] * workers)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voice(cluster, folder):
    voice = deployment(cluster, folder)
    await until(lambda: voice.state() == "loaded")
    yield voice
    await voice.close()


async def say(pool, text, **how):
    """The number of pieces that came."""
    async with aclosing(pool.run("speak", SAYS | {"text": text}, **how)) as pieces:
        return len([piece async for piece in pieces])


async def until(condition, seconds=60.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


def running(pool):
    """The processes of its replicas."""
    return [each["pid"] for each in pool.report()["workers"] if each["state"] in ("ready", "busy")]


@pytest.mark.asyncio(loop_scope="module")
class TestReplicas:
    """Two replicas of one voice, at the end two others than at the beginning."""

    async def test_more_requests_than_replicas_bring_more_replicas_and_these_are_on_both_nodes(
        self, voice, nodes
    ):
        async with asyncio.timeout(60):
            while len(running(voice)) < 2:
                assert set(await asyncio.gather(*(say(voice, "slow") for _ in range(8)))) == {
                    stand_ins.PIECES
                }
        assert nodes.replicas() == [1, 1]
        assert voice.report()["retried"] == 0

    async def test_an_answer_comes_piece_by_piece_with_its_timing(self, voice):
        params = SAYS | {"text": "slow hello", "rate": 8000}
        answers = [answer async for answer in voice.run("speak", params)]
        heads, sounds, timings = zip(*answers, strict=True)
        assert {head["rate"] for head in heads} == {8000}
        assert sum(map(len, sounds)) == stand_ins.PIECES * 800 * 2
        computed = [timing.compute_seconds for timing in timings]
        assert computed == sorted(computed)
        assert computed[0] < computed[-1] - 0.2  # the first piece did not wait for the last

    async def test_a_cancelled_answer_frees_its_replica_at_the_next_piece(self, voice):
        before = running(voice)
        for _ in range(3):  # more than there are replicas; each would speak for a minute
            pieces = voice.run("speak", SAYS | {"text": "endless"})
            await anext(pieces)
            await pieces.aclose()
        async with asyncio.timeout(20):
            assert await say(voice, "next") == stand_ins.PIECES
        assert running(voice) == before

    async def test_a_batch_never_takes_the_last_free_replica(self, voice):
        batches = [asyncio.create_task(say(voice, "slow", batch=True)) for _ in range(4)]
        await until(lambda: voice.report()["queue"] == 3)
        async with aclosing(voice.run("speak", SAYS | {"text": "hello"})) as pieces:
            timings = [timing async for _, _, timing in pieces]
        assert timings[0].queue_seconds < 0.3
        assert voice.report()["queue"] >= 2
        assert await asyncio.gather(*batches) == [stand_ins.PIECES] * 4

    async def test_a_request_that_an_engine_refuses_is_not_tried_again(self, voice):
        before, retried = running(voice), voice.report()["retried"]
        with pytest.raises(EngineError, match="cannot say this") as caught:
            await say(voice, "refuse")
        assert caught.value.permanent
        assert (running(voice), voice.report()["retried"]) == (before, retried)

    async def test_a_replica_that_hangs_is_replaced_and_its_request_asked_again(self, voice):
        before, retried = running(voice), voice.report()["retried"]
        assert await say(voice, "hang once") == stand_ins.PIECES
        assert voice.report()["retried"] == retried + 1
        await until(lambda: len(running(voice)) == 2 and running(voice) != before)

    async def test_a_replica_that_falls_in_the_middle_of_an_answer_fails_that_answer_and_no_other(
        self, voice
    ):
        broken = asyncio.create_task(say(voice, "break"))
        beside = [asyncio.create_task(say(voice, "hello")) for _ in range(3)]
        with pytest.raises(EngineError, match="in the middle of the answer"):
            await broken
        assert await asyncio.gather(*beside) == [stand_ins.PIECES] * 3


async def test_a_model_that_cannot_be_loaded_tells_why(cluster, folder):
    broken = deployment(cluster, folder, Kind.STT, "Broken", workers=1)
    try:
        await until(lambda: broken.state() == "failed")
        assert "models prepare" in broken.reason()
        with pytest.raises(EngineBusy, match="models prepare"):
            await say(broken, "hello")
    finally:
        await broken.close()


async def test_two_replicas_of_a_model_share_the_gpu_that_a_host_has(cluster, folder):
    gpu = cluster.devices()[1]
    assert (gpu.name.endswith("Stand-in GPU"), gpu.total_mb, gpu.free_mb) == (True, 16000, 15000)
    pool = deployment(cluster, folder, Kind.TURN, "Judge", gpu=True, memory_mb=6000, id="large", workers=2)
    try:
        await until(lambda: pool.state() == "loaded")
        sound = [pool.run("judge", {"rate": 16000}, bytes(3200)) for _ in range(2)]
        assert [len([each async for each in answers]) for answers in sound] == [1, 1]
        assert any(worker["device"].endswith(" GPU 0") for worker in pool.report()["workers"])
    finally:
        await pool.close()


def test_an_address_where_no_cluster_is_stops_the_start():
    with pytest.raises(CommandError, match=r"no Ray cluster to join \(127\.0\.0\.1:1: Connection refused\)"):
        call_command("mlservice", "--on", "ray", "--ray-address", "127.0.0.1:1")


@pytest.mark.parametrize(
    ("memory_mb", "totals", "share"),
    [
        (6000, [16000], 0.4),
        (6000, [80000, 16000], 0.4),  # of the smallest that holds it
        (20000, [80000, 16000], 0.27),
        (1, [80000], 0.01),
        (90000, [80000], 1.0),
    ],
)
def test_a_model_takes_the_share_of_a_gpu_that_its_memory_is(memory_mb, totals, share):
    assert gpu_share(memory_mb, totals) == share


def test_the_http_face_is_the_same(cluster, folder):
    plans = [Plan(stand_ins.model(Kind.STT, "Ears")), Plan(stand_ins.model(Kind.TTS, "Voice", id="spoken"))]
    app = create_app(plans, folder, devices=cluster.devices, make=partial(RayDeployment, cluster=cluster))
    with serving(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        wait_until_healthy(url)
        spoken = client.post("/api/tts", json={"text": "hello"})
        assert (spoken.status_code, spoken.json()["duration"]) == (200, 0.5)
        streamed = client.post("/stream/tts", json={"text": "hello", "rate": 8000})
        frames = Unpacker().feed(streamed.content)
        assert [head.get("rate") for head, _ in frames] == [8000] * stand_ins.PIECES + [None]
        assert frames[-1][0] == {"end": True}
        health = client.get("/api/health").json()
        assert health["devices"][0]["name"].startswith("Cluster of ")
        (worker,) = health["pools"]["tts"]["workers"]
        assert worker["state"] in ("ready", "busy")
        assert worker["pid"] > 0
        assert worker["memory_mb"] > 10
        assert health["pools"]["tts"]["served"] == 2


def busy(pool):
    return {each["pid"] for each in pool.report()["workers"] if each["state"] == "busy"}


async def test_a_node_that_dies_under_load_costs_no_request(cluster, folder, nodes):
    ears = deployment(cluster, folder, Kind.STT, "Ears", workers=4, id="ears")
    try:
        async with asyncio.timeout(90):
            while ears.state() != "loaded" or len(running(ears)) < 2 or 0 in nodes.replicas():
                await asyncio.sleep(0.1)
        asked = [asyncio.create_task(hear(ears)) for _ in range(40)]
        await until(lambda: ears.report()["served"] >= 4 and nodes.on_second() & busy(ears))
        nodes.kill_second()
        assert await asyncio.gather(*asked) == ["0.1 seconds"] * 40
        report = ears.report()
        assert (report["served"], report["failed"]) == (40, 0)
        assert report["retried"] <= 4  # whom the node's replicas served just then
        await until(lambda: len(running(ears)) >= 2)  # on the node that is left
    finally:
        await ears.close()
        gc.collect()  # what Ray left unasked says so now: while a file is parsed, Python 3.11 falls over it


async def hear(pool):
    ((head, _, _),) = [
        answer async for answer in pool.run("transcribe", {"rate": 16000, "language": "en"}, HALF_A_SECOND)
    ]
    return head["text"]
