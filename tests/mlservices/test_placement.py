"""Who gets memory and who makes room, on machines of all sizes."""

import asyncio
import stat
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from mlservices.catalog import BY_ID, MODELS
from mlservices.service import devices
from mlservices.service.app import create_app
from mlservices.service.placement import CPU, Device, Holding, Wish, at_start, on_demand, too_full

MACHINE = Device(CPU, "Machine", 64_000, 50_000)
A100 = Device("0", "A100 80GB", 80_000, 80_000)
BIG = [model for model in MODELS if model.at_start]
STYLE = BY_ID["styletts2"]
CHATTERBOX, HIGGS, LLAMA = BY_ID["chatterbox"], BY_ID["higgs_audio_v2"], BY_ID["llama-3.1-8b-instruct"]


def gpu(id, total, free=None):
    return Device(id, f"GPU {id}", total, total if free is None else free)


def wishes(workers=1):
    return [Wish(model, workers) for model in BIG]


def test_the_models_of_a_gpu_host_sum_to_what_is_documented():
    whole = [*BIG, BY_ID["silero-vad"]]
    assert sum(model.memory_mb for model in BIG) == 31_000
    assert sum(model.memory_mb for model in whole) / 1000 == pytest.approx(31.1, abs=0.05)


def test_one_large_gpu_holds_two_workers_of_each():
    seats = at_start([MACHINE, A100], [Wish(model, 1 if model is LLAMA else 2) for model in BIG])
    assert all(set(given.devices) == {"0"} for given in seats.values())
    assert {id: len(given.devices) for id, given in seats.items() if id != LLAMA.id} == {
        model.id: 2 for model in BIG if model is not LLAMA
    }


def test_where_there_is_room_for_one_of_each_nobody_has_two():
    seats = at_start([MACHINE, gpu("0", 33_500)], wishes(workers=2))
    assert [len(given.devices) for given in seats.values()] == [1] * len(BIG)


def test_on_a_small_gpu_the_most_important_models_come_first():
    seats = at_start([MACHINE, gpu("0", 16_000)], wishes())
    placed = {id for id, given in seats.items() if given.devices}
    assert placed == {"whisper-large-v3-turbo", "llama-3.1-8b-instruct", "styletts2"}
    assert seats["higgs_audio_v2"].refusal.startswith(
        "Higgs Audio V2 needs 8000 MB and GPU 0 has 0 MB to spare"
    )
    assert "unload another model" in seats["higgs_audio_v2"].refusal


def test_several_gpus_share_the_models_by_their_room():
    seats = at_start([MACHINE, gpu("0", 16_000), gpu("1", 24_000)], wishes())
    used = {"0": 0, "1": 0}
    for id, given in seats.items():
        assert given.devices, id
        used[given.devices[0]] += BY_ID[id].memory_mb
    assert used["0"] <= 15_000
    assert used["1"] <= 22_500


def test_without_a_gpu_all_live_in_the_machines_memory_and_what_does_not_fit_is_refused():
    seats = at_start([Device(CPU, "Machine", 8_000, 6_000)], [Wish(BY_ID["piper-joe"], 2), Wish(LLAMA, 1)])
    assert seats["piper-joe"].devices == (CPU, CPU)
    assert "needs 35220 MB and the machine's memory has 5100 MB to spare" in seats[LLAMA.id].refusal


def test_a_model_for_processors_never_takes_room_on_a_gpu():
    seats = at_start([MACHINE, A100], [Wish(BY_ID["piper-joe"], 1)])
    assert seats["piper-joe"].devices == (CPU,)


class TestOnDemand:
    devices = (MACHINE, gpu("0", 16_000, 6_000))

    def test_what_fits_sends_nobody_away(self):
        seats = on_demand(self.devices, [Holding(HIGGS, ("0",))], Wish(CHATTERBOX, 2))
        assert (seats.devices, seats.unload) == (("0", "0"), ())

    def test_idle_models_of_lower_priority_make_room_the_least_important_first(self):
        mms = replace(BY_ID["mms-tts-eng"], gpu=True, memory_mb=2_000)
        holdings = [Holding(HIGGS, ("0",), last_used=1.0), Holding(mms, ("0",), last_used=9.0)]
        seats = on_demand(self.devices, holdings, Wish(replace(LLAMA, memory_mb=6_500), 1))
        assert (seats.devices, seats.unload) == (("0",), (mms.id,))
        seats = on_demand(self.devices, holdings, Wish(LLAMA, 1))
        assert (seats.devices, seats.unload) == (("0",), (mms.id, HIGGS.id))

    @pytest.mark.parametrize("kept", [{"busy": True}, {"pinned": True}, {"coming": ("0",)}])
    def test_who_is_busy_configured_or_only_coming_stays(self, kept):
        seats = on_demand(self.devices, [Holding(HIGGS, ("0",), **kept)], Wish(LLAMA, 1))
        assert not seats.devices
        assert "Llama 3.1 8B Instruct (transformers) needs 8000 MB" in seats.refusal

    def test_nobody_makes_room_for_the_less_important(self):
        seats = on_demand(self.devices, [Holding(LLAMA, ("0",))], Wish(HIGGS, 1))
        assert "needs 8000 MB and GPU 0 has 5000 MB to spare" in seats.refusal

    def test_memory_that_is_about_to_be_taken_is_not_given_twice(self):
        coming = Holding(replace(CHATTERBOX, memory_mb=4_000), ("0",), coming=("0",))
        assert not on_demand(self.devices, [coming], Wish(CHATTERBOX, 1)).devices

    def test_nor_is_that_of_a_second_worker_whose_model_the_first_holds_already(self):
        two = Holding(replace(CHATTERBOX, memory_mb=4_000), ("0", "0"), coming=("0",), pinned=True)
        assert not on_demand(self.devices, [two], Wish(CHATTERBOX, 1)).devices

    def test_only_models_of_a_device_that_helps_make_room(self):
        gpus = [MACHINE, gpu("0", 16_000, 2_000), gpu("1", 16_000, 9_000)]
        small = replace(BY_ID["piper-joe"], priority=1)
        held = [
            Holding(small, (CPU,)),
            Holding(replace(STYLE, priority=2), ("0",)),  # would not make enough
            Holding(HIGGS, ("1",)),
        ]
        seats = on_demand(gpus, held, Wish(replace(LLAMA, memory_mb=12_000), 1))
        assert (seats.devices, seats.unload) == (("1",), (HIGGS.id,))

    def test_a_model_on_a_device_that_has_gone_makes_no_room_and_no_trouble(self):
        seats = on_demand(self.devices, [Holding(HIGGS, ("7",), coming=("7",))], Wish(CHATTERBOX, 1))
        assert (seats.devices, seats.unload) == (("0",), ())
        seats = on_demand(self.devices, [Holding(HIGGS, ("7",))], Wish(LLAMA, 1))
        assert not seats.devices
        assert not seats.unload


@pytest.mark.parametrize("model", [model for model in MODELS if model.gpu], ids=lambda model: model.id)
def test_on_processors_a_model_is_planned_with_what_it_takes_in_whole_digits(model):
    """Four bytes a parameter; in 8 bits on CTranslate2 one."""
    millions = float(model.size[:-1]) * (1000 if model.size.endswith("B") else 1)
    if "CTranslate2" not in model.name:
        assert model.cpu_memory_mb > 4 * millions
    machine = [Device(CPU, "Machine", 1_000_000, model.cpu_memory_mb + 62_500)]
    assert on_demand(machine, [], Wish(model, 2)).devices == (CPU,)
    short = [Device(CPU, "Machine", 1_000_000, model.cpu_memory_mb + 62_499)]
    assert f"needs {model.cpu_memory_mb} MB" in on_demand(short, [], Wish(model, 1)).refusal


def test_above_nine_tenths_the_least_important_idle_model_of_the_device_goes():
    holdings = [Holding(LLAMA, ("0",)), Holding(CHATTERBOX, ("0",)), Holding(BY_ID["piper-joe"], (CPU,))]
    assert too_full([MACHINE, gpu("0", 16_000, 1_700)], holdings) == []
    assert too_full([MACHINE, gpu("0", 16_000, 1_500)], holdings) == [CHATTERBOX.id]
    assert too_full([MACHINE, gpu("0", 16_000, 1_500)], [replace(each, busy=True) for each in holdings]) == []


def driver(folder, text):
    """A stand-in for the driver's program."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


TWO_GPUS = """
echo '0, GPU-8932f937-d72c, NVIDIA A100, 81920, 80000'
echo '1, GPU-1f2e3d4c-0000, NVIDIA L4, 23034, 22000'
"""


@pytest.mark.parametrize(
    ("visible", "found"),
    [("GPU-1f2e3d4c-0000", ["1"]), ("GPU-8932", ["0"]), ("GPU-1f2e, 0", ["0", "1"]), ("7", []), ("-1", [])],
)
def test_gpus_may_be_named_by_their_uuids(tmp_path, monkeypatch, visible, found):
    driver(tmp_path, TWO_GPUS)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert [device.id for device in devices.devices(visible)] == [CPU, *found]
    assert devices.misnamed(visible) == ""


@pytest.mark.parametrize("visible", ["GPU-ffff", "MIG-1f2e3d4c", "0,A100"])
def test_a_gpu_that_nobody_knows_is_refused_by_name(tmp_path, monkeypatch, visible):
    driver(tmp_path, TWO_GPUS)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    told = devices.misnamed(visible)
    assert repr(visible.rpartition(",")[2]) in told
    assert "0 (GPU-8932f937-d72c, NVIDIA A100), 1 (GPU-1f2e3d4c-0000, NVIDIA L4)" in told


def test_gpus_are_found_as_the_driver_tells_them(tmp_path, monkeypatch):
    driver(tmp_path, TWO_GPUS)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    machine, first, second = devices.devices()
    assert machine.id == CPU
    assert 0 < machine.free_mb < machine.total_mb
    assert first == Device("0", "NVIDIA A100", 81920, 80000)
    assert second.name == "NVIDIA L4"
    assert [device.id for device in devices.devices("1")] == [CPU, "1"]
    assert [device.id for device in devices.devices("none")] == [CPU]


def test_what_processes_take_of_a_gpu_is_known_where_the_driver_tells_it(tmp_path, monkeypatch):
    lines = ["GPU-b, 41, 5800", "GPU-a, 42, [N/A]", "GPU-b, 43, 260", "No running processes found"]
    driver(
        tmp_path,
        "case $1 in --query-compute-apps*)"
        + "".join(f" echo '{line}';" for line in lines)
        + "; *) echo '0, GPU-a, NVIDIA A100, 81920, 80000'; echo '1, GPU-b, NVIDIA L4, 23034, 16900';; esac",
    )
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    _, first, second = devices.devices()
    assert (first.processes, second.processes) == ({}, {41: 5800, 43: 260})


NOT_COUNTED = "echo '0, GPU-a, NVIDIA GB10, [N/A], [N/A]'"


@pytest.mark.parametrize("text", ["exit 9", "echo 'No devices were found'", NOT_COUNTED])
def test_a_driver_without_devices_is_no_gpu(tmp_path, monkeypatch, text):
    driver(tmp_path, text)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert [device.id for device in devices.devices()] == [CPU]


def test_a_container_has_the_memory_of_its_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text(f"{1024 * 2**20}\n")
    (tmp_path / "memory.current").write_text(f"{600 * 2**20}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {100 * 2**20}\n")
    machine = devices.machine()
    assert (machine.total_mb, machine.free_mb) == (1024, 524)
    (tmp_path / "memory.max").write_text("max\n")
    assert devices.machine().total_mb > 1024


class TestLooking:
    """At GPUs that the driver tells; each time that it is asked leaves a line."""

    @pytest.fixture
    def asked(self, tmp_path, monkeypatch):
        log = tmp_path / "asked"
        gpus = f"*-gpu=*) echo >> {log}; sleep 0.1; echo '0, GPU-a, NVIDIA A100, 81920, 80000';;"
        driver(tmp_path, f"case $1 in {gpus} esac")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        return lambda: len(log.read_text().splitlines()) if log.exists() else 0

    @pytest.fixture
    def looks(self, asked):
        """Those of this test alone: a service that an earlier one has stopped may still ask the driver."""
        made = []

        def look():
            made.append(True)
            return devices.devices()

        look.made = made
        return look

    async def test_many_who_tell_of_them_ask_the_driver_once(self, looks):
        seconds = 100.0
        looking = devices.Looking(looks, now=lambda: seconds)
        answers = await asyncio.gather(*(looking.lately() for _ in range(5)))
        assert len(looks.made) == 1
        assert [[device.id for device in each] for each in answers] == [[CPU, "0"]] * 5
        seconds += 10
        await looking.lately()
        assert len(looks.made) == 2

    async def test_who_plans_asks_anew(self, looks):
        looking = devices.Looking(looks, now=lambda: 100.0)
        await looking.lately()
        await looking.afresh()
        await looking.lately()
        assert len(looks.made) == 2

    async def test_the_event_loop_goes_on_meanwhile(self, asked):
        looking = asyncio.ensure_future(devices.Looking(devices.devices).lately())
        await asyncio.sleep(0)
        assert not looking.done()
        await looking

    def test_a_service_that_is_asked_how_it_is_asks_the_driver_now_and_then(self, asked, tmp_path):
        app = create_app([], tmp_path, devices=devices.devices)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            before = asked()
            for path in ("/api/health", "/models", "/api/health"):
                assert client.get(path).json()["devices"][1]["name"] == "NVIDIA A100"
        assert asked() - before <= 1
