"""The sentences recorded beforehand are there, audible, and in the words that the log tells."""

from __future__ import annotations

import numpy as np
import pytest

from telephony import prompts
from telephony.session.reply import PROMPT_TEXTS


@pytest.mark.parametrize("rate", [8_000, 16_000])
@pytest.mark.parametrize("name", PROMPT_TEXTS)
def test_every_prompt_is_recorded_and_sounds(name, rate):
    samples = np.frombuffer(prompts.load("en", rate)[name], dtype="<i2")
    assert 0.5 < len(samples) / rate < 8
    assert np.abs(samples).max() > 3000


def test_a_language_without_recordings_gets_the_english_ones():
    assert prompts.load("hi-IN", 8_000) == prompts.load("en", 8_000)
