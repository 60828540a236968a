"""Which engines the suite is held against, and where.

Engines whose libraries live in an environment of their own are tested by this same suite inside it:
`test_environments.py` starts pytest there with ENGINE_ENVIRONMENT set.
"""

import os
from functools import cache
from importlib import import_module

import numpy as np
import pytest
from django.conf import settings

from mlservices import audio, engines
from mlservices.catalog import BY_ID
from mlservices.prepare import prepare

ENVIRONMENT = os.environ.get("ENGINE_ENVIRONMENT", "")
_TINY = "tests.mlservices.tiny_checkpoints."
_OWN = "tests.mlservices.engines.tiny_"

# name: (id in the catalogue, what makes the checkpoint, the environment that it runs in)
TINY = {
    "tiny transformers-whisper": ("transformers-whisper-tiny.en", f"{_TINY}whisper", ""),
    "tiny whisper-turbo": ("whisper-large-v3-turbo", f"{_TINY}multilingual_whisper", ""),
    "tiny whisper-turbo-ct2": ("whisper-large-v3-turbo-ct2", f"{_TINY}converted_whisper", ""),
    "tiny transformers-vits": ("mms-tts-eng", f"{_TINY}vits", ""),
    "tiny higgs": ("higgs_audio_v2", f"{_OWN}higgs.make", "higgs"),
    "tiny parler": ("parler-tts-multilingual", f"{_OWN}parler.make", "parler"),
    "tiny indic-parler": ("indic-parler-tts", f"{_OWN}parler.make", "parler"),
    "tiny chatterbox": ("chatterbox", f"{_OWN}chatterbox.make", "chatterbox"),
    "tiny styletts2": ("styletts2", f"{_OWN}styletts2.make", "styletts2"),
    "tiny transformers-chat": ("transformers-smollm2-135m", f"{_TINY}chat", ""),
    "tiny llama": ("llama-3.1-8b-instruct", f"{_TINY}llama", ""),
}


def real(*model_ids):
    """Parameters for engines with real weights; none inside another environment."""
    return [pytest.param(model_id, marks=pytest.mark.models) for model_id in model_ids if not ENVIRONMENT]


def tiny(*names):
    """Those that run in the environment that we are in."""
    return [name for name in names if TINY[name][2] == ENVIRONMENT]


@pytest.fixture(scope="package")
def load(tmp_path_factory):
    """Loads an engine by id, warm, once; tiny ones with random weights."""

    @cache
    def load(model_id):
        if model_id in TINY:
            model_id, maker, _ = TINY[model_id]
            folder = tmp_path_factory.mktemp("tiny")
            (folder / model_id).mkdir()
            module, _, make = maker.rpartition(".")
            getattr(import_module(module), make)(folder / model_id)
        else:
            folder = settings.MODELS_DIR
            prepare([model_id], folder, tell=lambda line: None)
        engine = engines.load(BY_ID[model_id], folder)
        engine.warm()
        return engine

    yield load
    load.cache_clear()


@pytest.fixture(scope="package")
def utterance(speech):
    """A real voice at 16 kHz."""
    pcm, rate = speech
    return audio.to_float(audio.resample(pcm, rate, 16000))


@pytest.fixture(autouse=True)
def seeded():
    """What an engine draws is the same in each run."""
    np.random.seed(0)
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)


def words(text):
    return "".join(c for c in text.lower() if c.isalpha() or c == " ").split()


def catalogued(name):
    return BY_ID[TINY[name][0] if name in TINY else name]
