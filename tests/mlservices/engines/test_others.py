"""Meaning, the end of a turn, voice activity: the engines that are neither ear, voice nor language model."""

import numpy as np
import pytest
import torch
from django.conf import settings
from transformers import AutoTokenizer, BertConfig, BertModel, WhisperFeatureExtractor

from mlservices import audio, engines
from mlservices.catalog import BY_ID
from mlservices.engines.eight_bits import in_eight_bits
from mlservices.engines.turn.smart_turn import features
from mlservices.engines.vad.segments import probabilities, speech_segments
from mlservices.errors import EngineError
from mlservices.interfaces import WINDOW_SECONDS
from mlservices.prepare import source_files
from tests.mlservices.conftest import RECORDINGS

VAD = ["energy", pytest.param("silero-vad", marks=pytest.mark.models)]
every_detector = pytest.mark.parametrize("model_id", VAD)


@every_detector
@pytest.mark.parametrize("rate", [8000, 16000])
def test_any_sound_has_probabilities_and_silence_has_no_voice(load, model_id, rate):
    engine, size = load(model_id), round(rate * WINDOW_SECONDS)
    loud = np.random.default_rng(0).standard_normal((50, size)).astype(np.float32) * 0.2
    for sound in (loud, np.zeros((50, size), np.float32)):
        stream = engine.open(rate)
        heard = np.concatenate([engine.probabilities([stream], window[None]) for window in sound])
        assert heard.dtype == np.float32
        assert np.isfinite(heard).all()
        assert ((heard >= 0) & (heard <= 1)).all()
    assert heard.max() < 0.5  # of the silence


@every_detector
def test_streams_that_are_heard_together_hear_what_each_hears_alone(load, model_id):
    engine, size = load(model_id), round(16000 * WINDOW_SECONDS)
    sound = np.random.default_rng(0).standard_normal((2, 20, size)).astype(np.float32) * 0.1
    sound[1] *= 0.01
    together, alone = ([engine.open(16000), engine.open(16000)] for _ in range(2))
    for step in range(20):
        both = engine.probabilities(together, sound[:, step])
        each = [float(engine.probabilities([alone[n]], sound[n : n + 1, step])[0]) for n in (0, 1)]
        np.testing.assert_allclose(both, each, atol=1e-3)


@every_detector
def test_a_real_voice_is_found_where_it_is(load, model_id, utterance):
    pause = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 1e-4
    heard = list(probabilities(load(model_id), np.concatenate([pause, utterance, pause]), 16000))
    segments = speech_segments(heard, 0.5)
    assert segments[0].start == pytest.approx(1.0, abs=0.4)
    assert segments[-1].end < 1.6 + len(utterance) / 16000


def test_smart_turn_sees_what_it_was_trained_on():
    samples = np.random.default_rng(0).standard_normal(16000 * 3).astype(np.float32) * 0.1
    padded = np.concatenate([np.zeros(16000 * 5, np.float32), samples])
    extractor = WhisperFeatureExtractor(chunk_length=8)
    theirs = extractor(padded, sampling_rate=16000, return_tensors="np", do_normalize=True)
    np.testing.assert_allclose(features(samples), theirs.input_features[0], atol=2e-3)


@pytest.mark.models
def test_the_converted_minilm_means_what_transformers_means(load):
    weights, tokenizer, config = source_files(BY_ID["minilm-l6"], settings.MODELS_DIR)
    texts = ["I'd like to book an appointment", "what does it cost?", "purple elephants sing", "a"]
    model = BertModel.from_pretrained(weights.parent, config=BertConfig.from_json_file(config)).eval()
    batch = AutoTokenizer.from_pretrained(tokenizer.parent)(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None].float()
    theirs = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1).numpy()
    ours = load("minilm-l6").embed(texts)
    assert (ours * theirs).sum(axis=1).min() > 0.98  # ours is int8
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


@pytest.mark.models
def test_like_meanings_are_near_and_unlike_ones_far(load):
    price, cost, cat = load("minilm-l6").embed(
        ["what is the price", "how much does it cost", "the cat sat there"]
    )
    assert price @ cost > 0.5 > 0.3 > price @ cat


@pytest.mark.models
def test_many_texts_have_the_rows_that_each_has_alone(load):
    engine = load("minilm-l6")
    texts = [f"sentence number {number} " * (number % 7 + 1) for number in range(70)]
    together = engine.embed(texts)
    assert together.shape == (70, 384)
    np.testing.assert_allclose(together[33], engine.embed([texts[33]])[0], atol=0.05)
    assert engine.embed([]).shape == (0, 384)
    assert engine.embed(["word " * 5000]).shape == (1, 384)


@pytest.mark.models
def test_finished_turns_are_more_complete_than_halves_of_them(load, speech):
    """On the whole: single ones it misjudges, one in ten when whole and one in three when cut."""
    engine = load("smart-turn-v3.2")
    pause = np.zeros(3200, np.float32)
    wholes, halves = [], []
    for recording in sorted(RECORDINGS.glob("vm-[i-r]*.wav"))[::2]:
        pcm, rate = audio.read_wav(recording)
        samples = audio.to_float(audio.resample(pcm, rate, 16000))
        if len(samples) > 32000:
            wholes.append(engine.judge(np.concatenate([samples, pause])))
            halves.append(engine.judge(np.concatenate([samples[: int(len(samples) * 0.45)], pause])))
    assert len(wholes) > 5
    assert np.mean(wholes) > np.mean(halves) + 0.2
    assert all(0 <= completeness <= 1 for completeness in (*wholes, *halves))
    assert 0 <= engine.judge(np.zeros(0, np.float32)) <= 1


def test_a_model_that_is_planned_in_eight_bits_is_never_loaded_in_sixteen():
    """On processors it is planned in whole digits."""
    llama = BY_ID["llama-3.1-8b-instruct"]
    assert in_eight_bits(llama, torch.device("cpu")) == {}
    with pytest.raises(EngineError, match=r"bitsandbytes: run `manage\.py models install llama-3") as caught:
        in_eight_bits(llama, torch.device("cuda"))
    assert (caught.value.service, caught.value.permanent) == ("llm", True)


@pytest.mark.parametrize(("model_id", "service"), [("mms-tts-eng", "tts"), ("minilm-l6", "embed")])
def test_what_is_not_prepared_is_told_by_what_it_is_for(tmp_path, model_id, service):
    with pytest.raises(EngineError, match="is not prepared") as caught:
        engines.load(BY_ID[model_id], tmp_path)
    assert caught.value.service == service
