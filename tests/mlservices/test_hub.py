"""Checkpoints from a hub: whole, of one commit, gone on with where they broke off, or refused in one line."""

import errno
import os
import shutil
from dataclasses import replace

import pytest
from huggingface_hub import snapshot_download

from mlservices import catalog
from mlservices.catalog import BY_ID, Source
from mlservices.errors import PrepareError
from mlservices.prepare import hub as hub_module
from mlservices.prepare import is_ready, prepare, stamp, state
from tests.fakes.hub import StandInHub, be_the_hub

MMS = BY_ID["mms-tts-eng"]
WEIGHTS = os.urandom(600_000)
FILES = {
    "config.json": b'{"model_type": "vits"}',
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"the same in another format",
    "README.md": b"words",
}


@pytest.fixture
def hub(monkeypatch):
    with StandInHub() as hub:
        hub.add("facebook/mms-tts-eng", FILES)
        be_the_hub(hub.url, monkeypatch)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr(hub_module, "PAUSES", (0.0, 0.01, 0.01))
        yield hub


def fetch(folder, *, progress=lambda model, state: None):
    prepare(["mms-tts-eng"], folder, tell=lambda line: None, progress=progress)


def why_not(folder) -> str:
    """The reason for which it cannot be fetched, which is one line, and is kept."""
    with pytest.raises(PrepareError) as caught:
        fetch(folder)
    reason = str(caught.value)
    assert "\n" not in reason
    assert (state(MMS, folder).state, state(MMS, folder).reason) == ("failed", reason)
    assert not is_ready(MMS, folder)
    return reason


def with_source(monkeypatch, **changes):
    changed = replace(MMS, source=replace(MMS.source, **changes))
    monkeypatch.setitem(catalog.BY_ID, "mms-tts-eng", changed)
    return changed


# --- What comes ---


def test_only_what_an_engine_needs_comes_and_the_stamp_tells_of_which_commit(hub, tmp_path):
    assert state(MMS, tmp_path).state == "absent"
    fetch(tmp_path)
    folder = tmp_path / "mms-tts-eng"
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "prepared.json"}
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    commit = hub.repositories["facebook/mms-tts-eng"].commit
    of_hub = stamp.read_whole(MMS, tmp_path)["sources"]["facebook/mms-tts-eng"]
    assert of_hub["commit"] == commit
    assert of_hub["files"]["model.safetensors"]["size"] == len(WEIGHTS)
    assert len(of_hub["files"]["config.json"]["sha256"]) == 64
    ready = state(MMS, tmp_path)
    assert (ready.state, ready.commit) == ("ready", commit)
    assert ready.size_bytes == len(WEIGHTS) + len(FILES["config.json"])
    assert [path.name for path in tmp_path.iterdir()] == ["mms-tts-eng"]  # nothing half-made lies about


def test_a_branch_is_asked_for_once_and_every_file_is_of_its_commit(hub, tmp_path):
    fetch(tmp_path)
    commit = hub.repositories["facebook/mms-tts-eng"].commit
    branch, *files = [each.path for each in hub.asked if each.host != "localhost"]
    assert branch == "/api/models/facebook/mms-tts-eng/revision/main"
    assert {path.partition("/resolve/")[2].partition("/")[0] for path in files} == {commit}


def test_the_hubs_own_client_gets_the_same_from_the_stand_in(hub, tmp_path):
    snapshot_download(
        "facebook/mms-tts-eng",
        endpoint=hub.url,
        cache_dir=tmp_path / "cache",
        local_dir=tmp_path / "theirs",
        allow_patterns=["*.json", "*.safetensors"],
    )
    fetch(tmp_path)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "theirs" / name).read_bytes() == (tmp_path / "mms-tts-eng" / name).read_bytes()


def test_a_second_repository_lies_in_a_folder_of_its_name_and_patterns_choose(hub, tmp_path, monkeypatch):
    hub.add("someone/their-tokenizer", {"model.pth": b"tokens", "sub/config.json": b"{}", "model.onnx": b"-"})
    wanted = {"revision": "main", "patterns": ("*.pth", "*.json")}
    model = with_source(monkeypatch, also=(Source(hub="someone/their-tokenizer", **wanted),), **wanted)
    fetch(tmp_path)
    folder = tmp_path / "mms-tts-eng"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    wanted = {"config.json", "their-tokenizer/model.pth", "their-tokenizer/sub/config.json"}
    assert found == {*wanted, "prepared.json"}
    assert is_ready(model, tmp_path)
    (folder / "their-tokenizer" / "model.pth").unlink()
    assert not is_ready(model, tmp_path)
    assert not is_ready(MMS, tmp_path)  # whose entry asks for other files


def test_a_recipe_that_converts_is_given_the_folder_of_what_was_fetched(hub, tmp_path, monkeypatch):
    def convert(files, folder, model):
        (fetched,) = files
        (folder / "model.bin").write_bytes((fetched / "model.safetensors").read_bytes()[:1000])

    monkeypatch.setattr("mlservices.prepare.whisper.prepare", convert)
    model = replace(MMS, recipe="mlservices.prepare.whisper.prepare")
    monkeypatch.setitem(catalog.BY_ID, "mms-tts-eng", model)
    fetch(tmp_path)
    assert state(model, tmp_path).size_bytes == 1000
    assert state(model, tmp_path).commit == hub.repositories["facebook/mms-tts-eng"].commit


def test_files_as_they_are_stay_ready_when_a_library_changes_and_made_ones_do_not(hub, tmp_path, monkeypatch):
    fetch(tmp_path)
    prepare(["silero-vad"], tmp_path, tell=lambda line: None)
    monkeypatch.setattr(stamp, "_version", lambda library: "99.0")
    assert is_ready(MMS, tmp_path)
    assert not is_ready(BY_ID["silero-vad"], tmp_path)


# --- Who is refused ---


def test_the_token_is_told_to_the_hub_and_not_to_the_host_that_it_sends_us_to(hub, tmp_path, monkeypatch):
    hub.add("facebook/mms-tts-eng", FILES, gated=True)
    hub.tokens["hf_alice"] = {"facebook/mms-tts-eng"}
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    fetch(tmp_path)
    tokens = {(each.host, each.token) for each in hub.asked}
    assert tokens == {("127.0.0.1", "hf_alice"), ("localhost", "")}
    assert all(b"hf_alice" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("token", "remedy"),
    [
        ("", "Accept its conditions on https://huggingface.co/facebook/mms-tts-eng and set HF_TOKEN"),
        ("hf_bob", "Accept its conditions on https://huggingface.co/facebook/mms-tts-eng, then try again"),
        ("hf_nonsense", "the hub does not accept HF_TOKEN. Set a valid one"),
    ],
)
@pytest.mark.parametrize("hidden", [True, False])
def test_a_closed_model_names_the_page_and_the_token(hub, tmp_path, monkeypatch, token, remedy, hidden):
    hub.hides_closed = hidden
    hub.add("facebook/mms-tts-eng", FILES, gated=True)
    hub.tokens["hf_bob"] = set()
    monkeypatch.setenv("HF_TOKEN", token)
    reason = why_not(tmp_path)
    assert reason.startswith("facebook/mms-tts-eng could not be fetched from the hub: ")
    assert remedy in reason
    assert not token or token not in reason


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("token", ["", "hf_bob"])
def test_a_repository_that_is_not_there_or_hidden_is_one_line(hub, tmp_path, monkeypatch, private, token):
    hub.repositories.clear()
    if private:
        hub.add("facebook/mms-tts-eng", FILES, private=True)
    hub.tokens["hf_bob"] = set()
    monkeypatch.setenv("HF_TOKEN", token)
    assert "there is no such repository, or it is private" in why_not(tmp_path)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"revision": "0" * 40}, "it has no such revision"),
        ({"patterns": ("*.nemo",)}, r"it holds no *.nemo"),
        ({"also": (Source(hub="someone/nothing", revision="main"),)}, "someone/nothing could not be fetched"),
    ],
)
def test_an_entry_that_asks_for_what_is_not_there_says_what(hub, tmp_path, monkeypatch, source, reason):
    with_source(monkeypatch, **source)
    assert reason in why_not(tmp_path)


@pytest.mark.parametrize("name", ["../../away.json", "/etc/away.json", "sub\\..\\away.json"])
def test_a_file_that_would_lie_elsewhere_is_refused(hub, tmp_path, name):
    hub.add("facebook/mms-tts-eng", {**FILES, name: b"{}"})
    assert "would lie elsewhere" in why_not(tmp_path)
    assert not list(tmp_path.parent.rglob("away.json"))


def test_without_a_network_one_line_names_the_hub(tmp_path, monkeypatch):
    be_the_hub("http://127.0.0.1:9", monkeypatch)
    assert "http://127.0.0.1:9 cannot be reached" in why_not(tmp_path)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(503, "the hub answered with status 503. Try again later"), (200, "does not answer like a hub")],
)
def test_a_hub_that_is_ill_and_a_page_that_is_none_are_one_line(hub, tmp_path, status, reason):
    hub.broken_status = status
    assert reason in why_not(tmp_path)


# --- What breaks off ---


def test_a_connection_that_breaks_is_gone_on_with_at_once(hub, tmp_path):
    hub.cuts = [100_000, 0, 200_000]
    fetch(tmp_path)
    assert (tmp_path / "mms-tts-eng" / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.ranges("model.safetensors") == ["", *["bytes=100000-"] * 2, "bytes=300000-"]


def test_what_came_before_it_broke_for_good_is_not_asked_for_again(hub, tmp_path):
    hub.cuts = [150_000, 0, 0, 0, 0]
    assert "model.safetensors broke off at 25 %" in why_not(tmp_path)
    broken = state(MMS, tmp_path)
    assert (broken.done_bytes, broken.total_bytes) == (150_022, 600_022)
    hub.cuts.clear()
    hub.asked.clear()
    fetch(tmp_path)
    assert hub.ranges("model.safetensors") == ["bytes=150000-"]
    assert not any(each.path.endswith("config.json") for each in hub.asked)
    assert (tmp_path / "mms-tts-eng" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_host_that_sends_all_of_it_again_is_believed(hub, tmp_path):
    hub.cuts = [100_000]
    hub.ignores_ranges = True
    fetch(tmp_path)
    assert (tmp_path / "mms-tts-eng" / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_with_a_wrong_checksum_is_refused_and_no_other_is_lost(hub, tmp_path, name):
    hub.repositories["facebook/mms-tts-eng"].spoiled.add(name)
    assert f"{name} came with a wrong checksum and is deleted" in why_not(tmp_path)
    assert not list(tmp_path.rglob(f"{name}*"))
    hub.repositories["facebook/mms-tts-eng"].spoiled.clear()
    hub.asked.clear()
    fetch(tmp_path)
    assert hub.ranges("model.safetensors") == [""]
    assert (tmp_path / "mms-tts-eng" / name).read_bytes() == FILES[name]


def test_parts_of_another_commit_are_not_gone_on_with(hub, tmp_path):
    hub.cuts = [150_000, 0, 0, 0, 0]
    why_not(tmp_path)
    hub.cuts.clear()
    hub.asked.clear()
    moved = hub.add("facebook/mms-tts-eng", {**FILES, "model.safetensors": WEIGHTS[::-1]})
    fetch(tmp_path)
    assert hub.ranges("model.safetensors") == [""]
    assert (tmp_path / "mms-tts-eng" / "model.safetensors").read_bytes() == WEIGHTS[::-1]
    assert state(MMS, tmp_path).commit == moved.commit


def test_a_part_that_was_damaged_meanwhile_is_fetched_anew(hub, tmp_path):
    hub.repositories["facebook/mms-tts-eng"].spoiled.add("model.safetensors")
    why_not(tmp_path)
    (part,) = (tmp_path / ".underway" / "mms-tts-eng" / "fetched").iterdir()
    part.write_bytes(b"!" * part.stat().st_size)  # config.json, which was whole
    hub.repositories["facebook/mms-tts-eng"].spoiled.clear()
    fetch(tmp_path)
    assert (tmp_path / "mms-tts-eng" / "config.json").read_bytes() == FILES["config.json"]


def test_too_little_room_is_said_before_the_first_byte(hub, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=150 * 2**20))
    assert "has 150 MB free, the files of facebook/mms-tts-eng need 201 MB" in why_not(tmp_path)
    assert [each.path for each in hub.asked] == ["/api/models/facebook/mms-tts-eng/revision/main"]


def test_a_disk_that_becomes_full_is_one_line(hub, tmp_path, monkeypatch):
    def full(files, folder, model):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub_module, "prepare", full)
    assert "became full while mms-tts-eng was prepared: free some space" in why_not(tmp_path)
