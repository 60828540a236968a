"""What SIP lines lead to, on loopback: a registrar (kamailio), a telephone (Debian's baresip), and we."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mlservices.audio import read_wav, wav_bytes
from tests.telephony.conftest import free_port

HERE = Path(__file__).parent
PROGRAMS = {"kamailio": "kamailio", "baresip": "baresip-core", "sipp": "sip-tester"}
RATE = 8000
PIECE = RATE // 10
SIP_PORTS = range(21_000, 32_000, 2)  # no sound goes there, and the system hands them to nobody


def refuse_what_is_missing() -> None:
    """Fails, and says what to install: nothing of this is skipped."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if not list(Path("/usr/lib").glob("*/kamailio/modules/tls.so")):
        missing.append("kamailio-tls-modules")
    assert not missing, f"Run: apt-get install --no-install-recommends {' '.join(missing)}"


def free_sip_port() -> int:
    """Free over UDP and TCP, and so is the one above it: both stacks take that for TLS, unasked."""
    while True:
        port = random.choice(SIP_PORTS)
        with contextlib.ExitStack() as probes:
            try:
                for number in (port, port + 1):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        probe = probes.enter_context(socket.socket(type=kind))
                        probe.bind(("127.0.0.1", number))
            except OSError:
                continue
        return port


def chirp(seconds: float) -> np.ndarray:
    """300 to 3100 Hz, so that every moment of it is told from every other."""
    time_axis = np.arange(int(RATE * seconds)) / RATE
    phase = 2 * np.pi * (300 * time_axis + 1400 / seconds * time_axis**2)
    return (np.sin(phase) * 12000).astype("<i2")


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(RATE * seconds), "<i2")


def signal_to_noise(reference: np.ndarray, heard: np.ndarray) -> float:
    """dB, the median over pieces of the reference, each laid upon what was heard where it fits best: a frame
    that a jitter buffer puts in or leaves out spoils one piece."""
    pieces = np.array_split(reference.astype(float), max(1, len(reference) // PIECE))
    return float(np.median([_of_piece(piece, heard.astype(float)) for piece in pieces]))


def _of_piece(piece: np.ndarray, heard: np.ndarray) -> float:
    """At the best lag and gain."""
    size = 1 << (len(piece) + len(heard)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    lag = int(np.argmax(np.abs(likeness[: len(heard) - len(piece)])))
    there = heard[lag : lag + len(piece)]
    said = piece * (there @ piece) / (piece @ piece)
    noise = there - said
    return float(10 * np.log10((said @ said) / (noise @ noise)))


class Program:
    """A process with its output in a file."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
            )

    def said(self, words: str, *, seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.log.read_text(errors="replace"):
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def make_certificate(path: Path) -> None:
    """For 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(pem) + secret)


class Registrar(Program):
    """On `port` over UDP and TCP and, with a certificate that it signs itself, on `tls_port` over TLS."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port, self.tls_port = port, port + 1
        folder.mkdir(exist_ok=True)
        self.certificate = folder / "certificate.pem"
        make_certificate(self.certificate)
        config = folder / "kamailio.cfg"
        text = (HERE / "kamailio.cfg").read_text()
        for name, value in {"PORT": port, "TLS_PORT": self.tls_port, "CERTIFICATE": self.certificate}.items():
            text = text.replace(f"@{name}@", str(value))
        config.write_text(text)
        command = ["kamailio", "-DD", "-E", "-f", str(config), "-Y", str(folder), "-P", str(folder / "pid")]
        super().__init__(command, folder / "kamailio.log")
        deadline = time.monotonic() + 10
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Phone(Program):
    """Registered as `user`, it answers at once, plays `speech` (s16le, 8 kHz), hangs up where that ends, and
    keeps what it hears."""

    def __init__(
        self, folder: Path, registrar: Registrar, speech: np.ndarray, *, user: str = "phone", more: str = ""
    ) -> None:
        """`more`: parameters of its account."""
        self.folder = folder
        sip_port, control_port = free_sip_port(), free_port()
        folder.mkdir()
        (folder / "speech.wav").write_bytes(wav_bytes(speech.tobytes(), RATE))
        modules = ("g711.so", "aufile.so", "sndfile.so", "srtp.so")
        lines = [
            f"sip_listen 127.0.0.1:{sip_port}",
            "net_interface 127.0.0.1",
            "rtp_ports 10000-19999",
            f"audio_source aufile,{folder}/speech.wav",
            "ausrc_srate 8000",
            "auplay_srate 8000",
            f"snd_path {folder}",
            "module_path /usr/lib/baresip/modules",
            *(f"module {name}" for name in modules),
            "module_tmp account.so",
            "module_app menu.so",
            "module_app ctrl_tcp.so",
            f"ctrl_tcp_listen 127.0.0.1:{control_port}",
        ]
        (folder / "config").write_text("\n".join(lines) + "\n")
        (folder / "accounts").write_text(
            f"<sip:{user}@sip.test>;auth_pass=pw-{user};regint=120;answermode=auto;audio_codecs=pcma,pcmu;{more}"
            f'outbound="sip:127.0.0.1:{registrar.port}"\n'
        )
        (folder / "contacts").touch()
        super().__init__(["baresip", "-f", str(folder)], folder / "phone.log")
        self.said("200 OK")
        self._control = socket.create_connection(("127.0.0.1", control_port), timeout=5)

    def order(self, command: str, parameter: str = "") -> None:
        text = json.dumps({"command": command, "params": parameter}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def dial(self, user: str) -> None:
        self.order("dial", f"sip:{user}@sip.test")

    def press(self, digits: str) -> None:
        for digit in digits:
            self.order("sndcode", digit)
            time.sleep(0.15)
            self.order("sndcode", "")

    def hang_up(self) -> None:
        self.order("hangup")

    def heard(self) -> np.ndarray:
        """In its last call, which is over."""
        newest = max(self.folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
        pcm, rate = read_wav(newest)
        assert rate == RATE
        return np.frombuffer(pcm, "<i2")

    def stop(self) -> None:
        self._control.close()
        super().stop()


class GatewayProcess(Program):
    """`manage.py sipgateway` on this test's database."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, server: str) -> None:
        command = [sys.executable, "manage.py", "sipgateway", "--drain", "1"]
        command += ["--server", server.replace("http://", "ws://")]
        super().__init__(command, folder / "gateway.log", environment)
