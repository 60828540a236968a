"""What a worker does with one request, and where it can be stopped."""

import numpy as np
import pytest

from mlservices import audio
from mlservices.engines.vad.energy import Energy
from mlservices.service import tasks
from mlservices.types import Transcript

SECOND = b"\x10\x00" * 16000


class Ears:
    rate = 16000

    def __init__(self):
        self.heard = []

    def transcribe(self, samples, language):
        self.heard.append(len(samples) / self.rate)
        return Transcript("word", "en", 0.5, self.heard[-1], engine="ears")


class Voice:
    rate = 16000

    def __init__(self):
        self.texts = []

    def speak(self, text, *, voice, language, speed):
        self.texts.append(text)
        for _ in range(2):
            yield np.full(1600, 0.25, np.float32)


def test_a_long_recording_shows_a_sign_of_life_after_each_window():
    ears = Ears()
    *beats, (head, _) = tasks.transcribe(ears, {"rate": 16000, "language": "en"}, SECOND * 65)
    assert beats == [None] * len(ears.heard)
    assert len(ears.heard) == 3
    assert head["text"] == "word word word"
    assert head["duration_seconds"] == 65


def test_a_long_recording_that_is_given_up_is_not_heard_to_its_end():
    ears = Ears()
    pieces = tasks.transcribe(ears, {"rate": 16000, "language": "en"}, SECOND * 65)
    assert next(pieces) is None
    pieces.close()
    assert len(ears.heard) == 1


def test_voice_is_looked_for_with_signs_of_life_on_the_way(tmp_path):
    times = np.arange(16000 * 4) / 16000
    tone = (np.sin(2 * np.pi * 300 * times) * 8000).astype("<i2").tobytes()
    params = {"rate": 16000, "threshold": 0.5}
    *beats, (head, _) = tasks.detect(Energy(tmp_path, None), params, SECOND * 4 + tone + SECOND * 4)
    assert beats == [None] * 3  # one in 3.2 s
    (segment,) = head["segments"]
    assert (segment["start"], segment["end"]) == pytest.approx((4, 8), abs=0.1)


def test_a_voice_is_given_the_whole_text_so_that_its_manner_outlives_a_sentence():
    voice = Voice()
    text = "Good morning. How are you? " + "on and " * 200
    params = {"text": text, "rate": 8000, "voice": "default", "language": "", "speed": 1.0}
    pcm = b"".join(sound for _, sound in tasks.speak(voice, params, b""))
    assert voice.texts == [text]
    assert len(pcm) == 2 * 1600  # one stream of sound, whatever it was made of
    assert np.abs(audio.to_float(pcm)[400:-400] - 0.25).max() < 0.01
