"""`manage.py models`: what it shows, what it does to files and to the ML service, and its refusals."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mlservices.catalog import BY_ID
from mlservices.prepare import state
from tests.fakes.hub import StandInHub, be_the_hub
from tests.fakes.mlservice import StandInMlService
from tests.site.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
WEIGHTS = os.urandom(400_000)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def alone(settings, tmp_path):
    """No models, and no ML service."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.ML_PORT = free_port()


@pytest.fixture
def hub(monkeypatch):
    with StandInHub() as hub:
        hub.add("facebook/mms-tts-eng", {"config.json": b"{}", "model.safetensors": WEIGHTS})
        be_the_hub(hub.url, monkeypatch)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


@pytest.fixture
def service(settings):
    with StandInMlService() as service:
        settings.ML_PORT = service.port
        yield service


def models(*words, out=None) -> list[str]:
    """The lines that it writes."""
    out = out or io.StringIO()
    call_command("models", *words, stdout=out)
    return out.getvalue().splitlines()


def listed(*words) -> dict[str, str]:
    heading, *lines = models("list", *words)
    assert heading.split()[0] == "ID"
    return {line.split()[0]: line for line in lines if line and line.split()[0] in BY_ID}


def test_the_list_has_every_model_with_its_files_and_marks_what_is_not_for_commercial_use():
    models("prepare", "silero-vad")
    lines = listed()
    assert set(lines) == set(BY_ID)
    assert " ready " in lines["silero-vad"]
    assert " absent " in lines["piper-joe"]
    assert re.search(r"tts +hf_tts +36M +620 MB +400 MB +absent +! CC-BY-NC-4\.0$", lines["mms-tts-eng"])
    assert lines["whisper-tiny.en"].endswith("  MIT")
    assert "! not for commercial use" in models("list")
    assert "! not for commercial use" not in models("list", "silero")


def test_the_list_is_narrowed_by_kind_language_and_words():
    assert set(listed("--kind", "vad")) == {"silero-vad", "energy"}
    assert set(listed("--language", "de", "mms")) == {"mms-tts-deu"}
    assert set(listed("WHISPER", "openai")) == {"whisper-large-v3-turbo", "whisper-large-v3-turbo-ct2"}
    with pytest.raises(CommandError, match="No model matches"):
        models("list", "nonsense")


def test_on_a_terminal_a_line_is_as_long_as_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, models("list", "piper", out=Terminal()))) == 80


def test_programs_read_it_as_json(hub):
    models("download", "mms-tts-eng")
    (told,) = json.loads("".join(models("list", "mms-tts-eng", "--json")))["models"]
    assert told["source"]["hub"] == "facebook/mms-tts-eng"
    assert told["commercial_use"] is False
    assert told["files"]["state"] == "ready"
    assert told["files"]["commit"] == hub.repositories["facebook/mms-tts-eng"].commit
    assert told["service"] is None
    assert json.loads("".join(models("show", "energy", "--json")))["models"][0]["files"]["state"] == "ready"


def test_one_model_is_shown_at_length():
    text = "\n".join(models("show", "indic-parler-tts", "piper-joe"))
    assert re.search(r"from +ai4bharat/indic-parler-tts \(main\)", text)
    assert re.search(r"licence .*\(not for commercial use\)", text)
    assert re.search(r"configured +no\n(.*\n)*piper-joe\n(.*\n)* +configured +yes", text)


def test_a_download_tells_how_far_it_is_and_what_came(hub):
    hub.bytes_per_second = 400_000
    lines = models("download", "mms-tts-eng")
    assert lines[0] == "[1/1] preparing MMS English (VITS) ..."
    assert re.fullmatch(r"  \d+ %, \d+ kB of 400 kB, 0\.\d MB/s, \d s left", lines[2])
    commit = hub.repositories["facebook/mms-tts-eng"].commit[:8]
    assert lines[-2:] == ["  fetched and checked", f"mms-tts-eng is ready: 400 kB, commit {commit}"]
    assert models("download", "mms-tts-eng", "energy") == [lines[-1], "energy is ready: it has no files"]


def test_on_a_terminal_a_bar_moves_in_one_line(hub):
    hub.bytes_per_second = 400_000
    written = io.StringIO.getvalue
    out = Terminal()
    models("download", "mms-tts-eng", out=out)
    bars = re.findall(r"\r\033\[K  (#*\.*)  (\d+) %, ", written(out))
    assert len(bars) >= 2
    assert all(len(bar) == 24 and bar.count("#") == int(share) * 24 // 100 for bar, share in bars)
    assert written(out).count("\n") == 3


def test_a_download_that_fails_is_one_line_that_the_list_repeats(hub):
    hub.repositories["facebook/mms-tts-eng"].gated = True
    with pytest.raises(CommandError, match="Accept its conditions on https://huggingface") as caught:
        models("download", "mms-tts-eng")
    assert f"mms-tts-eng: {caught.value}" in models("list", "mms-tts-eng")
    assert " failed " in listed("mms-tts-eng")["mms-tts-eng"]


def test_ctrl_c_keeps_what_has_come(hub, tmp_path, settings):
    hub.holds_after = 100_000
    process = subprocess.Popen(
        [sys.executable, "manage.py", "models", "download", "mms-tts-eng"],
        cwd=ROOT,
        env=os.environ
        | {"HF_ENDPOINT": hub.url, "VAR_DIR": str(tmp_path), "HF_HOME": str(settings.MODELS_DIR)}
        | {"DJANGO_SETTINGS_MODULE": "voiceforge_site.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    model, end = BY_ID["mms-tts-eng"], time.monotonic() + 60
    while state(model, settings.MODELS_DIR).done_bytes < 30_000:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert re.search(r" downloading \d+ % ", listed("mms-tts-eng")["mms-tts-eng"])
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told == "CommandError: Stopped. What has come is kept: the same command goes on from there.\n"
    hub.holds_after = 0
    models("download", "mms-tts-eng")
    assert int(hub.ranges("model.safetensors")[1].removeprefix("bytes=").removesuffix("-")) > 30_000


def test_prepare_is_quiet_about_packages_and_knows_its_models():
    assert models("prepare", "silero-vad") == ["[1/1] preparing Silero VAD 6.2 ...", "models ready"]
    for verb in ("prepare", "download", "show", "remove", "load"):
        with pytest.raises(CommandError, match="Unknown model nonsense: see `manage"):
            models(verb, "nonsense")
    with pytest.raises(CommandError, match="Name one or more models"):
        models("download")


def test_files_are_removed_when_somebody_agrees(hub, monkeypatch, settings):
    models("download", "mms-tts-eng")
    asked = []
    answers = iter(["", "y"])
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or next(answers))
    assert models("remove", "mms-tts-eng") == ["mms-tts-eng is kept"]
    assert models("remove", "mms-tts-eng") == ["mms-tts-eng is deleted"]
    assert asked == ["Delete the files of mms-tts-eng (400 kB)? [y/N] "] * 2
    assert models("remove", "mms-tts-eng") == ["mms-tts-eng has no files here"]
    assert list(settings.MODELS_DIR.iterdir()) == []
    models("download", "mms-tts-eng")
    assert models("remove", "mms-tts-eng", "--yes") == ["mms-tts-eng is deleted"]


def test_of_a_download_that_brought_nothing_nothing_is_left_to_be_asked_about(hub):
    hub.repositories["facebook/mms-tts-eng"].gated = True
    with pytest.raises(CommandError):
        models("download", "mms-tts-eng")
    assert models("remove", "mms-tts-eng") == ["mms-tts-eng has no files here"]
    assert " absent " in listed("mms-tts-eng")["mms-tts-eng"]


def test_the_help_of_a_verb_holds_what_belongs_to_it():
    def help_of(*words):
        command = [sys.executable, "manage.py", "models", *words, "--help"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    removing = help_of("remove")
    assert removing.startswith("usage: manage.py models remove [options] ID ...")
    assert "--yes" in removing
    assert "--timeout" not in removing
    everything = help_of()
    assert "--timeout" in everything
    assert "  remove ID ...      delete the files" in everything


def test_where_nobody_can_be_asked_nothing_is_removed(hub, monkeypatch):
    models("download", "mms-tts-eng")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CommandError, match="add --yes"):
        models("remove", "mms-tts-eng")
    assert " ready " in listed("mms-tts-eng")["mms-tts-eng"]


def test_what_is_configured_or_loaded_is_not_removed(hub, service):
    with pytest.raises(
        CommandError, match="piper-joe is configured: choose another in STT_ENGINE, TTS_ENGINE"
    ):
        models("remove", "piper-joe", "--yes")
    models("download", "mms-tts-eng")
    service.models["mms-tts-eng"] = {"id": "mms-tts-eng", "state": "loaded"}
    with pytest.raises(CommandError, match="mms-tts-eng is loaded: run `manage"):
        models("remove", "mms-tts-eng", "--yes")
    assert " ready " in listed("mms-tts-eng")["mms-tts-eng"]


def test_a_model_is_loaded_warmed_and_let_go_by_the_service(service):
    assert models("load", "energy") == ["energy is loading ...", "energy is loaded"]
    assert re.search(r" SERVICE +LICENCE$", models("list", "energy")[0])
    assert re.search(r"ready +loaded +MIT$", listed("energy")["energy"])
    assert re.search(r"service +loaded, 1 worker\b", "\n".join(models("show", "energy")))
    assert models("warm", "energy") == ["energy is loading ...", "energy is loaded"]
    assert models("unload", "energy") == ["energy is unloading ...", "energy is not loaded"]


def test_a_refusal_and_a_failure_of_the_service_are_told(service):
    service.refusal = "energy needs 8000 MB and 3000 MB are free: unload chatterbox first"
    with pytest.raises(CommandError, match="needs 8000 MB and 3000 MB are free: unload chatterbox first"):
        models("load", "energy")
    service.refusal = ""
    service.ways["load"] = ["loading", "failed"]
    service.reasons["failed"] = "its files are gone"
    with pytest.raises(CommandError, match="energy failed: its files are gone"):
        models("load", "energy")
    assert "energy: its files are gone" in models("list", "energy")
    service.ways["load"] = ["loading"]
    with pytest.raises(CommandError, match=r"energy is still loading after 0 s"):
        models("load", "energy", "--timeout", "0.2")


@pytest.mark.parametrize("verb", ["load", "unload", "warm"])
def test_without_the_service_they_say_how_to_start_it(verb):
    with pytest.raises(
        CommandError, match=r"does not answer on port \d+: start it with `manage.py mlservice`"
    ):
        models(verb, "energy")
