"""The whole product, started as a user starts it, on free ports and in a folder of its own."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from tests.site.ports import free_port

REPOSITORY = Path(__file__).resolve().parent.parent
READY = "VoiceForge is ready"
STOP_SECONDS = 20.0
START_SECONDS = 180.0
OUR_KEYS = re.compile(r"vf_sk_[0-9a-f]{32}|whsec_[A-Za-z0-9+/=]{20,}")


@dataclass(frozen=True)
class Product:
    environment: dict[str, str]
    log: Path
    pid: int  # of `manage.py up`

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def ml_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['ML_PORT']}"

    def manage(self, *arguments: str) -> subprocess.Popen[str]:
        """`manage.py` beside the running product; standard output is piped."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@contextmanager
def running_product(folder: Path, **environment: str) -> Iterator[Product]:
    """Set up and start; the models prepared by `make run` or `make test` are used, not made anew."""
    whole = os.environ | {
        "DJANGO_SETTINGS_MODULE": "voiceforge_site.settings",
        "ENV_FILE": "",
        "VAR_DIR": str(folder),
        "HF_HOME": os.environ.get("HF_HOME", str(REPOSITORY / "var" / "models")),
        "PORT": str(free_port()),
        "ML_PORT": str(free_port()),
        **environment,
    }
    whole.pop("DEBUG", None)
    if "DATABASE_URL" in whole:  # off the embedded database secrets must be given
        whole |= {
            "SESSION_SECRET": secrets.token_urlsafe(50),
            "CREDENTIALS_KEY": Fernet.generate_key().decode(),
        }
    else:
        whole.pop("SESSION_SECRET", None)
    log = folder / "product.log"
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=REPOSITORY,
            env=whole,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout
            _copy_until_ready(process, output)
            # The log goes on being copied, or a full pipe would stop the product.
            rest = threading.Thread(target=shutil.copyfileobj, args=(process.stdout, output), daemon=True)
            rest.start()
            yield Product(whole, log, process.pid)
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
            rest.join(STOP_SECONDS)
            assert not (leaked := leaks(log, whole)), "A secret stands in the log: " + " | ".join(leaked)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _copy_until_ready(process: subprocess.Popen[str], output) -> None:
    said = []
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    for line in process.stdout:
        said.append(line)
        output.write(line)
        output.flush()
        if READY in line:
            timer.cancel()
            return
    timer.cancel()
    raise RuntimeError("The product did not start:\n" + "".join(said[-20:]))


def leaks(log: Path, environment: dict[str, str]) -> list[str]:
    """Lines with the server's own secrets, or with a key or a webhook's secret that was made meanwhile."""
    kept = [Path(environment["VAR_DIR"]) / name for name in ("credentials-key", "session-secret")]
    own = {path.read_text().strip() for path in kept if path.exists()}
    own |= {environment[name] for name in ("CREDENTIALS_KEY", "SESSION_SECRET") if environment.get(name)}
    return [
        line
        for line in log.read_text().splitlines()
        if OUR_KEYS.search(line) or any(secret in line for secret in own)
    ]
