"""Recordings: aligned, bounded, readable whatever happens."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import soundfile

from telephony.line import Line
from telephony.providers.twilio.codec import TwilioCodec
from telephony.recorder import Recorder, StereoFile

RATE = 8000
FRAME = 160
BEEP = np.full(FRAME, 12000, "<i2").tobytes()


async def test_legs_do_not_drift_apart_in_thirty_minutes(tmp_path: Path) -> None:
    """The caller hums once a second, the agent answers at once; frames are lost on the way."""
    line, recorder = Line(TwilioCodec()), Recorder(tmp_path / "call.wav", RATE)
    line.tap = recorder.tap
    random = np.random.default_rng(1)
    frames = 30 * 60 * 50
    for number in range(frames):
        beeps = number % 50 == 0
        if not beeps and random.random() < 0.01:
            continue  # lost by the carrier; its clock runs on
        line.hear(BEEP if beeps else bytes(2 * FRAME), 102 + number * 20)
        if beeps:
            line.send(BEEP)
        if number % 5000 == 0:
            await asyncio.sleep(0)
    saved = await recorder.close()

    samples, rate = soundfile.read(tmp_path / "call.wav", dtype="int16")
    caller, agent = _onsets(samples[:, 0]), _onsets(samples[:, 1])
    expected = np.arange(len(caller)) * 1.0
    assert rate == RATE
    assert abs(saved.duration_seconds - 1800) < 0.05
    assert len(caller) == len(agent) == 1800
    assert np.abs(caller - expected).max() < 0.05
    assert np.abs(agent - caller).max() < 0.05


def _onsets(leg: np.ndarray) -> np.ndarray:
    loud = np.abs(leg) > 6000
    return np.flatnonzero(loud & ~np.roll(loud, 1)) / RATE


async def test_a_recording_knows_its_length_and_its_peaks(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "deep" / "call.wav", RATE)
    for number in range(125):
        recorder.tap(BEEP if number < 10 else bytes(320), bytes(320))
    saved = await recorder.close()
    assert saved.duration_seconds == 2.5
    assert saved.bytes == (tmp_path / "deep" / "call.wav").stat().st_size
    assert saved.peaks == {"rate": 10, "caller": [36, 36] + [0] * 23, "agent": [0] * 25}


def test_what_was_written_before_a_crash_can_be_read(tmp_path: Path) -> None:
    file = StereoFile(tmp_path / "call.wav", RATE)
    file.write(0, BEEP * 50, bytes(320 * 50))
    samples, _ = soundfile.read(tmp_path / "call.wav", dtype="int16")  # never closed
    assert len(samples) == 8000


def test_pieces_that_were_dropped_are_silence(tmp_path: Path) -> None:
    file = StereoFile(tmp_path / "call.wav", RATE)
    file.write(0, BEEP, BEEP)
    file.write(3 * 320, BEEP, BEEP)
    samples, _ = soundfile.read(tmp_path / "call.wav", dtype="int16")
    assert samples[:, 0].tolist() == [12000] * 160 + [0] * 320 + [12000] * 160


async def test_a_disk_that_is_full_costs_the_recording_alone(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    recorder = Recorder(tmp_path / "taken" / "call.wav", RATE)
    recorder.tap(BEEP * 200, BEEP * 200)
    try:
        await recorder.close()
    except OSError:
        return
    raise AssertionError("the loss was not told")
