"""One ear for all calls of a process."""

import asyncio

import numpy as np
import pytest

from mlservices import audio
from mlservices.clients import detector as detector_module
from mlservices.clients.detector import BatchedDetector


def tone(rate, seconds, level=8000):
    times = np.arange(int(rate * seconds)) / rate
    return (np.sin(2 * np.pi * 300 * times) * level).astype("<i2").tobytes()


def silence(rate, seconds):
    return bytes(int(rate * seconds) * 2)


@pytest.fixture
def energy(tmp_path):
    detector = BatchedDetector(tmp_path, ["energy"])
    yield detector
    detector.close()


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("rate", [8000, 16000])
async def test_every_window_is_judged_once_and_in_order(energy, rate):
    heard = []
    track = energy.open(heard.append, rate=rate)
    for pcm in (silence(rate, 0.32), tone(rate, 0.32), silence(rate, 0.32)):
        for at in range(0, len(pcm), 317):  # pieces of any length, even halves of samples
            track.feed(pcm[at : at + 317])
    await until(lambda: len(heard) == 30)
    assert max(heard[:10]) < 0.2
    assert min(heard[10:20]) > 0.8
    assert max(heard[20:]) < 0.2
    assert energy.windows == 30


async def test_results_arrive_on_the_loop_that_opened_the_track(energy):
    loops = []
    track = energy.open(lambda probability: loops.append(asyncio.get_running_loop()), rate=8000)
    track.feed(silence(8000, 0.032))
    await until(lambda: loops)
    assert loops == [asyncio.get_running_loop()]


async def test_all_calls_are_judged_in_one_batch_and_told_in_one_wake_up(energy, monkeypatch):
    told = []
    deliver = detector_module._deliver
    monkeypatch.setattr(
        detector_module, "_deliver", lambda results: (told.append(len(results)), deliver(results))
    )
    heard = []
    tracks = [energy.open(heard.append, rate=8000) for _ in range(20)]
    await asyncio.sleep(0.1)  # the thread has begun to tick
    for track in tracks:
        track.feed(silence(8000, 0.032))
    await until(lambda: len(heard) == 20)
    assert len(told) <= 2  # the tick may have come in the middle of feeding
    assert sum(told) == 20


async def test_calls_keep_their_own_state_at_both_rates(energy):
    loud, quiet = [], []
    loud_track, quiet_track = energy.open(loud.append, rate=16000), energy.open(quiet.append, rate=8000)
    loud_track.feed(tone(16000, 0.32))
    quiet_track.feed(silence(8000, 0.32))
    await until(lambda: len(loud) == len(quiet) == 10)
    assert min(loud) > 0.8
    assert max(quiet) < 0.2


async def test_a_call_that_has_ended_hears_nothing_more(energy):
    heard = []
    track = energy.open(heard.append, rate=8000)
    track.feed(silence(8000, 0.32))
    track.close()
    other = energy.open(heard.append, rate=8000)
    other.feed(tone(8000, 0.032))
    await until(lambda: heard)
    assert len(heard) == 1


async def test_a_backlog_is_bounded_and_what_it_drops_is_told_as_silence(energy):
    heard = []
    track = energy.open(heard.append, rate=8000)
    track.feed(tone(8000, 64))  # 2000 windows at once
    track.feed(silence(8000, 0.032))
    await until(lambda: len(heard) == 2001)
    assert track.dropped_windows > 1000
    assert heard[: track.dropped_windows] == [0.0] * track.dropped_windows
    assert min(heard[track.dropped_windows : -1]) > 0.8  # the newest sound is judged
    assert heard[-1] < 0.2


async def test_the_windows_told_are_the_windows_fed_however_often_the_thread_is_late(energy):
    heard = []
    track = energy.open(heard.append, rate=8000)
    for _ in range(5):
        track.feed(silence(8000, 3.2))
        await asyncio.sleep(0.02)
    await until(lambda: len(heard) >= 500)
    track.feed(tone(8000, 0.032))
    await until(lambda: len(heard) == 501)
    assert heard[-1] > 0.8


async def test_a_call_that_fails_to_listen_does_not_silence_the_others(energy):
    failed = []

    def fail(probability):
        failed.append(probability)
        raise RuntimeError("no such call")

    heard = []
    tracks = [energy.open(take, rate=8000) for take in (heard.append, fail, heard.append)]
    for _ in range(3):
        for track in tracks:
            track.feed(silence(8000, 0.032))
    await until(lambda: len(heard) == 6)
    assert len(failed) == 1  # it is told nothing more


async def test_another_rate_is_refused(energy):
    with pytest.raises(ValueError, match="8000 or 16000"):
        energy.open(print, rate=44100)


async def test_without_the_model_it_goes_on_by_energy(tmp_path):
    detector = BatchedDetector(tmp_path)  # silero is not prepared there
    heard = []
    detector.open(heard.append, rate=8000).feed(tone(8000, 0.32))
    await until(lambda: len(heard) == 10)
    detector.close()
    assert detector.model_id == "energy"
    assert min(heard) > 0.8


async def test_a_model_that_fails_is_replaced_and_the_call_is_heard_on(tmp_path, monkeypatch):
    class Failing:
        def warm(self):
            pass

        def open(self, rate):
            return object()

        def probabilities(self, streams, windows):
            raise RuntimeError("bad graph")

    load = detector_module.engines.load
    monkeypatch.setattr(
        detector_module.engines,
        "load",
        lambda model, folder: Failing() if model.id == "silero-vad" else load(model, folder),
    )
    detector = BatchedDetector(tmp_path)
    heard = []
    track = detector.open(heard.append, rate=8000)
    for _ in range(10):
        track.feed(tone(8000, 0.032))
        await asyncio.sleep(0.01)
    await until(lambda: len(heard) == 10)  # those that the model failed at are judged by the next one
    detector.close()
    assert detector.model_id == "energy"
    assert min(heard) > 0.8


@pytest.mark.models
@pytest.mark.parametrize("rate", [8000, 16000])
async def test_silero_hears_speech_and_not_silence_or_noise(models_dir, speech, rate):
    detector = BatchedDetector(models_dir)
    pcm = audio.resample(*speech, rate)
    hiss = (np.random.default_rng(0).standard_normal(rate) * 200).astype("<i2").tobytes()
    spoken, hissed, still = [], [], []
    for sound, heard in ((pcm, spoken), (hiss, hissed), (silence(rate, 1.0), still)):
        track = detector.open(heard.append, rate=rate)
        windows = len(sound) // track.window_bytes
        for number in range(windows):
            track.feed(sound[number * track.window_bytes : (number + 1) * track.window_bytes])
            if number % 30 == 29:  # no more waits than the backlog holds
                await until(lambda heard=heard, number=number: len(heard) == number + 1)
        await until(lambda heard=heard, windows=windows: len(heard) == windows)
    detector.close()
    assert detector.model_id == "silero-vad"
    assert np.mean(np.array(spoken) > 0.5) > 0.6
    assert max(hissed) < 0.5
    assert max(still) < 0.5


@pytest.mark.models
async def test_a_batch_says_what_single_calls_say(models_dir, speech):
    def run(tracks):
        engine = detector_module.engines.load(detector_module.BY_ID["silero-vad"], models_dir)
        streams = [engine.open(8000) for _ in range(tracks)]
        sound = audio.to_float(audio.resample(*speech, 8000))
        windows = sound[: len(sound) // 256 * 256].reshape(-1, 256)
        return np.array(
            [engine.probabilities(streams, np.repeat(window[None], tracks, 0)) for window in windows]
        )

    np.testing.assert_allclose(run(7), np.repeat(run(1), 7, axis=1), atol=1e-4)
