"""How far a model's files are, as every process sees it, and one attempt at a time."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mlservices.catalog import BY_ID
from mlservices.prepare import is_ready, prepare, remove, state
from tests.fakes.hub import StandInHub, be_the_hub

ROOT = Path(__file__).resolve().parent.parent.parent
MMS = BY_ID["mms-tts-eng"]
WEIGHTS = os.urandom(600_000)


@pytest.fixture
def hub(monkeypatch):
    with StandInHub() as hub:
        hub.add(
            "facebook/mms-tts-eng", {"config.json": b'{"model_type": "vits"}', "model.safetensors": WEIGHTS}
        )
        be_the_hub(hub.url, monkeypatch)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


def fetch(folder, *, progress=lambda model, state: None):
    prepare(["mms-tts-eng"], folder, tell=lambda line: None, progress=progress)


def command(folder, hub):
    """Another process that fetches the same model."""
    code = (
        "import sys; from pathlib import Path; from mlservices.prepare import prepare\n"
        "prepare(['mms-tts-eng'], Path(sys.argv[1]), tell=lambda line: print(line, flush=True))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, folder],
        cwd=ROOT,
        env=os.environ | {"HF_ENDPOINT": hub.url},
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_one_that_is_killed_in_the_middle_is_told_from_one_that_goes_on_and_is_gone_on_with(hub, tmp_path):
    hub.bytes_per_second = 200_000
    process = command(tmp_path, hub)
    wait_until(lambda: state(MMS, tmp_path).done_bytes > 30_000)
    seen = state(MMS, tmp_path)
    assert (seen.state, seen.total_bytes) == ("downloading", 600_022)
    assert f"process {process.pid} on " in seen.by
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    dead = state(MMS, tmp_path)
    assert dead.state == "failed"
    assert "It was interrupted at" in dead.reason
    assert "`manage.py models download mms-tts-eng` goes on from there" in dead.reason
    hub.bytes_per_second = 0
    hub.asked.clear()
    fetch(tmp_path)
    (asked,) = hub.ranges("model.safetensors")
    assert int(asked.removeprefix("bytes=").removesuffix("-")) > 30_000
    assert (tmp_path / "mms-tts-eng" / "model.safetensors").read_bytes() == WEIGHTS


def test_of_two_processes_one_fetches_and_the_other_says_so_and_waits(hub, tmp_path):
    hub.bytes_per_second = 300_000
    first = command(tmp_path, hub)
    wait_until(lambda: state(MMS, tmp_path).state == "downloading")
    second = command(tmp_path, hub)
    told, _ = second.communicate(timeout=20)
    first.communicate(timeout=20)
    assert (first.returncode, second.returncode) == (0, 0)
    assert f"mms-tts-eng is being fetched by process {first.pid} on" in told
    assert hub.ranges("model.safetensors") == [""]
    assert is_ready(MMS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mms-tts-eng"]


def test_many_at_once_fetch_it_once(hub, tmp_path):
    threads = [threading.Thread(target=fetch, args=(tmp_path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert hub.ranges("model.safetensors") == [""]
    assert is_ready(MMS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mms-tts-eng"]


def test_progress_goes_up_to_the_whole_and_what_it_raises_keeps_what_has_come(hub, tmp_path):
    hub.bytes_per_second = 400_000
    seen = []

    def watch(model, now):
        seen.append(now)
        if now.done_bytes > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, progress=watch)
    assert "It was interrupted at" in state(MMS, tmp_path).reason
    done = [now.done_bytes for now in seen]
    assert done == sorted(done)
    assert any(now.seconds_left for now in seen)
    hub.bytes_per_second = 0
    fetch(tmp_path, progress=lambda model, now: seen.append(now))
    assert hub.ranges("model.safetensors")[-1].startswith("bytes=")
    assert (seen[-1].state, seen[-1].done_bytes) == ("preparing", 600_022)


def test_one_that_is_removed_is_absent_and_one_that_is_underway_is_not_removed(hub, tmp_path):
    fetch(tmp_path)
    assert remove(MMS, tmp_path)
    assert state(MMS, tmp_path).state == "absent"
    assert list(tmp_path.iterdir()) == []
    tries = []

    def watch(model, now):
        if now.done_bytes and not tries:
            tries.append(remove(MMS, tmp_path))

    hub.bytes_per_second = 1_000_000
    fetch(tmp_path, progress=watch)
    assert tries == [False]
    assert is_ready(MMS, tmp_path)
