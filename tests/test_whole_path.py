"""The whole product on real speech: rung as Twilio rings it, with the embedded models behind it."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from pathlib import Path
from statistics import median

import httpx
import jiwer
import pytest
import soundfile

from telephony.measure import heard_turns
from tests.product import Product

pytestmark = [pytest.mark.models, pytest.mark.services, pytest.mark.alone]

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
SPOKEN = {
    "transfer": "Please hold while I try that extension.",
    "conf-now-recording": "The conference is now being recorded.",
    "number-not-answering": "The number is not answering.",
    "please-try-again": "Please try again.",
    "conf-onlyperson": "You are currently the only person in this conference.",
}


@pytest.fixture
def speak(product, tmp_path):
    """A function that makes a WAV of the demonstration voice saying something."""

    def make(text: str) -> Path:
        answer = httpx.post(f"{product.ml_url}/api/tts", json={"text": text}, timeout=30).raise_for_status()
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.wav"
        path.write_bytes(base64.b64decode(answer.json()["audio_base64"]))
        return path

    return make


class Rung:
    """A finished `simulate_call`."""

    def __init__(self, product: Product, folder: Path, turns: list[Path]) -> None:
        self.report, self.record = folder / "call.json", folder / "call.wav"
        self.process = product.manage(
            "simulate_call",
            *map(str, turns),
            *("--agent", "front-desk", "--json", str(self.report), "--record", str(self.record)),
        )

    def finish(self) -> Rung:
        self.output, _ = self.process.communicate(timeout=180)
        assert self.process.returncode == 0, self.output
        self.call = json.loads(self.report.read_text())
        return self

    def payloads(self, kind: str) -> list[dict]:
        return [event["payload"] for event in self.call["events"] if event["kind"] == kind]


@pytest.fixture(scope="module")
def rung(product, tmp_path_factory):
    """Who says what people have recorded for telephones."""
    return Rung(
        product, tmp_path_factory.mktemp("rung"), [SOUNDS / f"{name}.wav" for name in SPOKEN]
    ).finish()


def test_real_speech_is_understood_answered_and_measured_alike_by_clock_and_recording(rung):
    said = " ".join(turn["text"] for turn in rung.payloads("caller_said"))
    words = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation()])
    assert jiwer.wer(words(" ".join(SPOKEN.values())), words(said)) < 0.15, said

    by_clock = [turn["voice_to_voice_seconds"] for turn in rung.payloads("turn_measured")]
    sound, rate = soundfile.read(rung.record, dtype="int16")
    by_ear = [turn.voice_to_voice_seconds for turn in heard_turns(sound[:, 0], sound[:, 1], rate)]
    assert len(by_clock) == len(by_ear) == len(SPOKEN)
    differences = [abs(ear - clock) for ear, clock in zip(by_ear, by_clock, strict=True)]
    assert median(differences) <= 0.04, differences
    # A stall of the machine while frames wait is in the recording and not on the session's clock.
    assert sorted(differences)[-2] <= 0.08, differences


def test_the_server_keeps_a_recording_of_both_sides_and_numbers_events_without_a_gap(product, rung):
    assert [event["seq"] for event in rung.call["events"]] == list(range(1, len(rung.call["events"]) + 1))
    saved = rung.payloads("recording_saved")[0]
    (kept,) = Path(product.environment["VAR_DIR"]).rglob(f"{rung.call['call']}.wav")
    sound, rate = soundfile.read(kept, dtype="int16")
    assert len(sound) / rate == pytest.approx(saved["duration_seconds"], abs=0.02)
    assert abs(sound[:, 0]).max() > 1000 and abs(sound[:, 1]).max() > 1000


def test_a_caller_leaves_a_message_and_hangs_up_content(product, tmp_path, speak):
    turns = [
        "I would like to leave a message.",
        "My name is David.",
        "Four one five, five five five, zero one three two.",
        "Yes, that's right.",
        "Please call me back on Tuesday.",
        "No, not Tuesday. Wednesday.",
        "Yes, that's right.",
        "No, that is all. Goodbye.",
    ]
    rung = Rung(product, tmp_path, [speak(turn) for turn in turns]).finish()
    (message,) = rung.payloads("message_taken")
    assert (message["name"], message["number"]) == ("David", "4155550132")
    assert "Wednesday" in message["words"] and message["confirmed"]
    assert message["number_confirmed"] and message["complete"]
    assert rung.call["end_reason"] == "agent_hung_up"


def test_what_a_caller_told_of_a_message_before_hanging_up_is_kept(product, tmp_path, speak):
    turns = ["I would like to leave a message.", "My name is David."]
    rung = Rung(product, tmp_path, [speak(turn) for turn in turns]).finish()
    (message,) = rung.payloads("message_taken")
    assert (message["name"], message["number"], message["complete"]) == ("David", "", False)
    assert rung.call["end_reason"] == "caller_hung_up"


def test_a_caller_who_asks_for_a_person_is_put_through(product, tmp_path, speak):
    rung = Rung(product, tmp_path, [speak("Can I speak to a real person please?")]).finish()
    assert rung.payloads("transfer_started")[0]["number"] == "+14155550100"
    assert rung.call["end_reason"] == "transferred"
    assert "Dial" in rung.output, "the carrier is told to dial once the stream has ended"


def test_a_voice_that_is_killed_in_the_middle_of_a_call_is_replaced_and_the_caller_is_answered(
    product, tmp_path, speak
):
    question = speak("What are your opening hours?")
    rung = Rung(product, tmp_path, [question, question])
    killed = 0
    while killed < 2 and rung.process.poll() is None:
        workers = httpx.get(f"{product.ml_url}/api/health", timeout=5).json()["pools"]["tts"]["workers"]
        busy = [worker["pid"] for worker in workers if worker["state"] == "busy"]
        if busy and all(worker["state"] in ("ready", "busy") for worker in workers):
            os.kill(busy[0], signal.SIGKILL)
            killed += 1
        time.sleep(0.02)
    rung.finish()
    assert killed == 2
    assert len(rung.payloads("turn_measured")) == 2
    assert rung.call["end_reason"] == "caller_hung_up"
