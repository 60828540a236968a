"""The service as a process: what it leaves behind, and what its start costs."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from mlservices.service.process import LEAN, environment_of
from tests.site.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent

HEAVY = (
    *("torch", "transformers", "ctranslate2", "onnxruntime", "piper", "onnx", "gguf", "tokenizers"),
    *("torchaudio", "chatterbox", "parler_tts", "styletts2", "bitsandbytes", "librosa", "munch", "ray"),
)
LIGHT_HELPERS = {  # of engines: what they share without a library
    *("llm/chatml.py", "llm/refusals.py", "llm/tool_calls.py", "stt/decoding.py", "stt/windows.py"),
    *("tts/codec.py", "tts/handing.py", "tts/refusals.py", "tts/slices.py", "tts/tempo.py"),
    *("vad/energy.py", "vad/segments.py"),
}


def python(code, *args):
    return subprocess.run(
        [sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_nothing_but_the_engines_files_imports_a_heavy_library():
    """All of mlservices but the engines and recipes, and all that a worker needs before its engine."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / "mlservices").rglob("*.py"))
        if "migrations" not in path.parts
        and not (
            path.parent.parent.name == "engines"
            and path.name != "__init__.py"
            and f"{path.parent.name}/{path.name}" not in LIGHT_HELPERS
        )
        and not (path.parent.name == "prepare" and path.name not in ("__init__.py", "wheel.py"))
        and path.name not in ("onnx_session.py", "torch_device.py", "eight_bits.py")
        and path.parent.name != "ray"
    ]
    assert "mlservices.service.worker" in modules
    assert "mlservices.registry" in modules
    code = (
        "import sys, importlib, django; django.setup()\n"
        "for name in sys.argv[1].split(','): importlib.import_module(name)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = python(code, ",".join(modules))
    assert done.stdout.strip() == "[]", done.stderr


def imported(path):
    """The packages of others that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize(
    ("library", "files"),
    [
        ("piper", {"engines/tts/piper.py"}),
        ("parler_tts", {"engines/tts/parler.py"}),
        ("chatterbox", {"engines/tts/chatterbox.py"}),
        ("styletts2", {"engines/tts/styletts2.py"}),
        ("torchaudio", {"engines/tts/styletts2.py"}),
        ("onnxruntime", {"engines/onnx_session.py", "prepare/onnx_graph.py"}),
    ],
)
def test_the_library_of_one_engine_is_imported_by_its_file_alone(library, files):
    package = ROOT / "mlservices"
    importing = {
        str(path.relative_to(package)) for path in package.rglob("*.py") if library in imported(path)
    }
    assert importing == files


def test_a_worker_is_given_what_libraries_need_and_no_secret():
    ours = {"PATH": "/bin", "LC_ALL": "C", "CUDA_HOME": "/cuda", "CUDA_VISIBLE_DEVICES": "0,1"}
    names = ("CREDENTIALS_KEY", "SESSION_SECRET", "HF_TOKEN", "DATABASE_URL", "TWILIO_AUTH_TOKEN")
    secret = dict.fromkeys(names, "x")
    given = environment_of(ours | secret, "1")
    assert given == LEAN | ours | {"CUDA_VISIBLE_DEVICES": "1"}
    assert given["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"  # nvidia-smi's, by which devices are numbered here
    assert environment_of(ours, "cpu")["CUDA_VISIBLE_DEVICES"] == ""


def test_a_worker_starts_without_django():
    code = "import sys, mlservices.service.worker; print('django' in sys.modules, 'fastapi' in sys.modules)"
    assert python(code).stdout.split() == ["False", "False"]


@pytest.fixture
def service(tmp_path):
    """A service process without models (its workers fail to load and are tried again), and its address."""
    port = free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "voiceforge_site.settings",
        "VAR_DIR": str(tmp_path),
        "HF_HOME": str(tmp_path / "models"),
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "mlservice", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    yield process, f"http://127.0.0.1:{port}"
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


def workers_of(pid):
    """Its children, from /proc."""
    return [
        int(task.parent.name)
        for task in Path("/proc").glob("[0-9]*/stat")
        if (fields := read(task).rpartition(")")[2].split()) and int(fields[1]) == pid and fields[0] != "Z"
    ]


def read(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, value
        time.sleep(0.05)
    return value


def asked_for_health(url):
    try:
        return httpx.get(f"{url}/api/health", timeout=2).json()
    except httpx.HTTPError:
        return None


def test_without_prepared_models_it_starts_and_names_the_command(service):
    _, url = service
    health = wait_for(lambda: (answer := asked_for_health(url)) and answer["problems"] and answer)
    assert health["status"] == "degraded"
    assert "models prepare" in " ".join(health["problems"])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_the_service_however_that_ends(service, how):
    process, url = service
    wait_for(lambda: asked_for_health(url))
    workers = wait_for(lambda: workers_of(process.pid))
    process.send_signal(how)
    process.wait(timeout=15)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
