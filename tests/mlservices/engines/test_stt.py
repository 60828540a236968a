"""What every ear must do, whatever runs it: real weights, and tiny checkpoints of true code."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from mlservices import audio
from mlservices.engines.mel import log_mel
from mlservices.engines.stt.windows import LONGEST_SECONDS, windows
from mlservices.errors import EngineError
from tests.mlservices.engines.conftest import catalogued, real, tiny, words

REAL = real("whisper-tiny.en", "transformers-whisper-tiny.en")
MANY_LANGUAGES = tiny("tiny whisper-turbo", "tiny whisper-turbo-ct2")
STT = [*REAL, *tiny("tiny transformers-whisper"), *MANY_LANGUAGES]
NOISE = np.random.default_rng(0).standard_normal(48000).astype(np.float32) * 0.1

every_ear = pytest.mark.parametrize("model_id", STT)


@every_ear
def test_its_rate_is_the_catalogue_s(load, model_id):
    assert load(model_id).rate == catalogued(model_id).rate == 16000


@every_ear
def test_silence_and_nothing_have_no_words(load, model_id):
    engine = load(model_id)
    for samples in (np.zeros(0, np.float32), np.zeros(100, np.float32), np.zeros(32000, np.float32)):
        transcript = engine.transcribe(samples, "en")
        assert transcript.text == ""
        assert transcript.confidence == 0.0
        assert transcript.duration_seconds == pytest.approx(len(samples) / 16000)


@every_ear
@pytest.mark.parametrize("language", ["auto", "en"])
def test_a_transcript_is_well_formed_for_any_sound(load, model_id, language):
    transcript = load(model_id).transcribe(NOISE, language)
    assert transcript.language in catalogued(model_id).languages
    assert language in ("auto", transcript.language)
    assert 0.0 <= transcript.confidence <= 1.0
    assert transcript.duration_seconds == 3.0
    assert all(0 <= s.start <= s.end <= 3.0 for s in transcript.segments)
    assert transcript.text == " ".join(segment.text for segment in transcript.segments)


@every_ear
def test_a_language_that_it_does_not_know_is_refused(load, model_id):
    with pytest.raises(EngineError, match="does not know the language 'xx'") as caught:
        load(model_id).transcribe(np.ones(16000, np.float32), "xx")
    assert caught.value.permanent


@every_ear
def test_the_longest_sound_that_it_is_given_is_heard(load, model_id):
    loud = np.random.default_rng(1).standard_normal(int(LONGEST_SECONDS * 16000)).astype(np.float32)
    transcript = load(model_id).transcribe(loud, "en")
    assert transcript.duration_seconds == LONGEST_SECONDS


@every_ear
def test_two_calls_at_once_in_two_threads_hear_what_each_hears_alone(load, model_id):
    """As when a worker lets a call end that nobody wants any more, beside the next."""
    engine = load(model_id)
    assert engine.side_by_side == 2
    sounds = [NOISE, np.random.default_rng(2).standard_normal(160000).astype(np.float32) * 0.1]
    alone = [engine.transcribe(sound, "en") for sound in sounds]
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda sound: engine.transcribe(sound, "en"), sounds)) == alone


@pytest.mark.parametrize("model_id", MANY_LANGUAGES)
@pytest.mark.parametrize("language", ["de", "hi", "yue"])
def test_what_it_is_told_to_hear_it_says_it_heard(load, model_id, language):
    assert load(model_id).transcribe(NOISE, language).language == language


def test_both_libraries_hear_the_same_language_and_the_same_words(load):
    """Of one checkpoint with random weights: what CTranslate2 was made of by the recipe."""
    theirs, ours = load("tiny whisper-turbo"), load("tiny whisper-turbo-ct2")
    heard = theirs.encode(NOISE, 800)
    np.testing.assert_allclose(
        np.array(ours.encode(NOISE, 800)), heard.numpy(), atol=0.05
    )  # ours has 8 bits a weight
    detected = [theirs.detect(heard), ours.detect(ours.encode(NOISE, 800))]
    with torch.inference_mode():
        states = theirs._model.model.decoder(
            input_ids=torch.tensor([[theirs._start]]), encoder_hidden_states=heard
        ).last_hidden_state
        scores = theirs._model.proj_out(states[0, -1])
    ids = [theirs._ids[f"<|{language}|>"] for language in detected]
    assert abs(float(scores[ids[0]] - scores[ids[1]])) < 0.05  # or two that are as likely


def test_the_prompt_names_the_language_and_the_task(load):
    engine = load("tiny whisper-turbo")
    asked = []
    decoder = engine._model.model.decoder
    handle = decoder.register_forward_pre_hook(
        lambda module, args, kwargs: asked.append(kwargs["input_ids"].tolist()), with_kwargs=True
    )
    engine.transcribe(NOISE, "de")
    handle.remove()
    marks = ["<|startoftranscript|>", "<|de|>", "<|transcribe|>"]
    assert asked[0] == [[engine._ids[mark] for mark in marks]]


@pytest.mark.parametrize("model_id", REAL)
@pytest.mark.parametrize("band", ["wide", "telephone"])
def test_real_speech_is_understood_wide_band_and_by_telephone(load, model_id, band, utterance):
    samples = utterance
    if band == "telephone":
        narrow = audio.resample(audio.from_float(utterance), 16000, 8000)
        pcm = audio.resample(audio.ulaw_decode(audio.ulaw_encode(narrow)), 8000, 16000)
        samples = audio.to_float(pcm)
    transcript = load(model_id).transcribe(samples, "en")
    assert words(transcript.text)[:7] == ["please", "leave", "your", "message", "after", "the", "tone"]
    assert transcript.confidence > 0.5
    assert transcript.segments[-1].end <= len(samples) / 16000 + 0.01


@pytest.mark.parametrize("model_id", REAL)
def test_words_that_make_it_loop_are_heard_once_more_in_full(load, model_id):
    """ "five five", by telephone: with a short context alone it says five until it is stopped."""
    recording = Path("/usr/share/pocketsphinx/test/data/cards/004.wav")
    if not recording.exists():
        pytest.skip("needs Debian's pocketsphinx-testdata")
    narrow = audio.resample(*audio.read_wav(recording), 8000)
    pcm = audio.resample(audio.ulaw_decode(audio.ulaw_encode(narrow)), 8000, 16000)
    text = load(model_id).transcribe(audio.to_float(pcm), "en").text
    assert re.findall(r"five|5", text.lower()) == re.findall(r"\w+", text.lower())
    assert len(text.split()) == 2


@pytest.mark.models
def test_both_whispers_hear_the_same_words(load, utterance):
    heard = [
        load(name).transcribe(utterance, "en").text
        for name in ("whisper-tiny.en", "transformers-whisper-tiny.en")
    ]
    assert heard[0] == heard[1]


def test_a_long_recording_is_cut_where_it_is_quiet():
    rate = 1000
    samples = np.ones(70 * rate, np.float32)
    for second in (25, 50):
        samples[second * rate : second * rate + 300] = 0
    pieces = list(windows(samples, rate))
    assert np.concatenate([piece for _, piece in pieces]).tolist() == samples.tolist()
    assert [start for start, _ in pieces] == pytest.approx([0, 25.15, 50.15], abs=0.2)
    assert all(len(piece) <= LONGEST_SECONDS * rate for _, piece in pieces)


@pytest.mark.parametrize("bands", [80, 128])
def test_log_mel_equals_that_of_transformers(bands):
    samples = np.random.default_rng(0).standard_normal(16000 * 8).astype(np.float32) * 0.1
    extractor = WhisperFeatureExtractor(chunk_length=8, feature_size=bands)
    theirs = extractor(samples, sampling_rate=16000, return_tensors="np")
    np.testing.assert_allclose(log_mel(samples, 800, bands), theirs.input_features[0], atol=2e-4)
