"""What keeps Whisper from looping and inventing, with a decoder that does as the test says."""

import numpy as np
import pytest

from mlservices.catalog import BY_ID
from mlservices.engines.stt.decoding import Decoded, Vocabulary, transcribe

TIME = 1000  # the first timestamp token; each step is 20 ms
END = 900
ENGLISH = BY_ID["whisper-tiny.en"]
MANY = BY_ID["whisper-large-v3-turbo"]
WORDS = {1: " good", 2: " day", 3: " five"}
VOCABULARY = Vocabulary(TIME, END, lambda ids: "".join(WORDS[token] for token in ids))


def at(seconds):
    return TIME + round(seconds / 0.02)


def hear(*answers, seconds=2.0, level=0.1, language="en", model=ENGLISH):
    """(transcript, what the decoder was asked: frames and cap) for its answers in turn."""
    ear = Ear(answers)
    samples = np.full(int(16000 * seconds), level, np.float32)
    return transcribe(samples, ear, VOCABULARY, model, language), ear.asked


class Ear:
    def __init__(self, answers):
        self.asked, self._left = [], list(answers)

    def encode(self, samples, frames):
        return frames

    def detect(self, heard):
        return "de"

    def decode(self, heard, language, cap):
        self.asked.append((heard, cap))
        answer = self._left.pop(0)
        return answer if isinstance(answer, Decoded) else Decoded(answer, -0.2, 0.0)


def test_the_encoder_sees_the_sound_and_five_seconds_at_least_eight_at_most_thirty():
    answer = [at(0), 1, at(2.0)]
    for seconds, frames in ((0.5, 800), (3.5, 850), (10, 1500), (27, 3000)):
        _, ((seen, _),) = hear(answer, seconds=seconds)
        assert seen == frames


def test_text_between_timestamps_becomes_segments():
    transcript, _ = hear([at(0), 1, at(0.8), at(1.0), 2, at(2.0)])
    assert transcript.text == "good day"
    assert [(s.start, s.end, s.text) for s in transcript.segments] == [(0.0, 0.8, "good"), (1.0, 2.0, "day")]
    assert transcript.confidence == pytest.approx(np.exp(-0.2), abs=0.01)


def test_what_comes_after_the_closing_timestamp_is_cut():
    transcript, _ = hear([at(0), 1, 2, at(1.9), at(1.9), 3, 3, 3])
    assert transcript.text == "good day"


def test_a_loop_that_runs_into_the_cap_is_heard_once_more_with_all_thirty_seconds():
    transcript, asked = hear([at(0), *[3] * 25], [at(0), 3, 3, at(1.5)], seconds=2.0)
    assert transcript.text == "five five"
    assert asked == [(800, 26), (3000, 26)]


def test_words_without_a_closing_timestamp_end_with_the_sound():
    transcript, _ = hear([at(0), 1, 2])
    assert transcript.segments[0].end == 2.0


@pytest.mark.parametrize(("seconds", "level"), [(0.05, 0.5), (2.0, 0.0005)])
def test_too_short_or_silent_a_sound_is_never_decoded(seconds, level):
    transcript, asked = hear(seconds=seconds, level=level)
    assert (transcript.text, transcript.confidence, asked) == ("", 0.0, [])


def test_unlikely_words_where_nothing_was_said_are_left_out():
    transcript, _ = hear(Decoded([at(0), 1, at(2.0)], -1.5, 0.9))
    assert transcript.text == ""
    transcript, _ = hear(Decoded([at(0), 1, at(2.0)], -0.3, 0.9))
    assert transcript.text == "good"


def test_a_language_is_heard_where_none_is_named():
    answer = [at(0), 1, at(2.0)]
    assert hear(answer, language="auto", model=MANY)[0].language == "de"
    assert hear(answer, language="fr", model=MANY)[0].language == "fr"
    assert hear(answer, language="auto")[0].language == "en"
    assert hear(seconds=0.05, language="auto", model=MANY)[0].language == ""  # silence has none


def test_languages_that_need_a_token_for_each_byte_have_more_of_them():
    answer = [at(0), 1, at(2.0)]
    assert hear(answer, language="hi", model=MANY)[1] == [(800, 52)]
    assert hear(answer, language="en", model=MANY)[1] == [(800, 26)]
    assert hear(answer, language="hi", model=MANY, seconds=28)[1] == [(3000, 440)]
