"""`python -m tests.services COMMAND...`: run it with a PostgreSQL and a Redis of its own.

Both live in a temporary folder on free loopback ports and are gone afterwards, however the command ends.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import redis

from tests.site.ports import free_port

START_SECONDS = 60
ORDINARY_USERS = ("postgres", "nobody")  # PostgreSQL refuses to be root


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as services:
        folder = services.enter_context(scratch_folder())
        environment = os.environ | {
            "DATABASE_URL": services.enter_context(postgresql(folder / "postgresql")),
            "REDIS_URL": services.enter_context(redis_server(folder / "redis")),
        }
        return subprocess.run(command, env=environment, check=False).returncode


@contextmanager
def scratch_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="voiceforge-services-"))
    folder.chmod(0o755)  # PostgreSQL's user must find its own folder inside
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of a new, empty cluster. Without fsync: it need not outlive a power cut."""
    programs = postgresql_programs()
    user = ordinary_user()
    folder.mkdir()
    if user:
        shutil.chown(folder, user)
    initdb = [programs / "initdb", "-D", folder / "data", "-U", "voiceforge", "-A", "trust", "-E", "UTF8"]
    subprocess.run([*initdb, "--no-sync"], user=user, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    port = free_port()
    server = [programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder]
    settings = {"listen_addresses": "127.0.0.1", "fsync": "off", "max_connections": "200"}
    options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
    address = f"postgres://voiceforge@127.0.0.1:{port}/postgres"
    with running([*server, *options], folder=folder, user=user, stop=signal.SIGINT) as process:
        wait_until(lambda: psycopg.connect(address).close(), psycopg.OperationalError, process)
        yield address


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    folder.mkdir()
    port = free_port()
    server = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    address = f"redis://127.0.0.1:{port}/0"
    with running(server, folder=folder, user=None, stop=signal.SIGTERM) as process:
        wait_until(lambda: redis.Redis.from_url(address).ping(), redis.ConnectionError, process)
        yield address


@contextmanager
def running(
    command: list[str | Path], *, folder: Path, user: str | None, stop: signal.Signals
) -> Iterator[subprocess.Popen[bytes]]:
    with open(folder.parent / f"{folder.name}.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, user=user, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(works, not_yet: type[Exception], process: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + START_SECONDS
    while True:
        try:
            works()
            return
        except not_yet as error:
            if process.poll() is not None or time.monotonic() > last:
                sys.exit(f"{process.args[0]} does not answer: {error}")
            time.sleep(0.1)


def postgresql_programs() -> Path:
    """Debian keeps them apart by version, and off the PATH."""
    by_version = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    found = by_version[-1] if by_version else shutil.which("initdb")
    if not found:
        sys.exit("PostgreSQL's server is missing. Run: apt-get install postgresql")
    return Path(found).parent


def ordinary_user() -> str | None:
    """Whom the server shall run as; None where we are nobody special ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ORDINARY_USERS if name in known)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
