"""Where utterances begin and end, window by window."""

import pytest

from mlservices.api import listening
from mlservices.api.listening import Listening
from mlservices.interfaces import WINDOW_SECONDS

WINDOW = bytes(1024)


def heard(ear, *stretches):
    """The utterances that end while `stretches` of (seconds, probability) are heard."""
    ended = []
    for seconds, probability in stretches:
        for _ in range(round(seconds / WINDOW_SECONDS)):
            if utterance := ear.hear(WINDOW, probability):
                ended.append(utterance)
    return ended


def seconds_of(pcm):
    return len(pcm) / len(WINDOW) * WINDOW_SECONDS


def test_an_utterance_ends_after_silence_and_tells_when_it_was_spoken():
    ear = Listening()
    first, second = heard(ear, (1, 0), (2, 0.9), (1, 0.1), (0.5, 0.9), (1, 0))
    assert (first.start, first.end) == (pytest.approx(1, abs=0.05), pytest.approx(3, abs=0.05))
    assert (second.start, second.end) == (pytest.approx(4, abs=0.05), pytest.approx(4.5, abs=0.05))
    expected = listening.LEAD_SECONDS + 2 + listening.SILENCE_SECONDS
    assert seconds_of(first.pcm) == pytest.approx(expected, abs=0.1)
    assert (ear.number, ear.finish(), ear.so_far()) == (2, None, b"")


def test_a_short_pause_and_a_doubtful_window_end_nothing():
    ear = Listening()
    assert heard(ear, (1, 0.9), (0.5, 0.1), (1, 0.4), (0.5, 0), (1, 0.9)) == []
    assert seconds_of(ear.so_far()) == pytest.approx(4, abs=0.1)
    assert ear.finish().end == pytest.approx(4, abs=0.1)


def test_what_is_too_short_to_be_a_word_is_none():
    ear = Listening()
    assert heard(ear, (1, 0), (0.1, 0.99)) == []
    assert ear.so_far() == b""
    assert heard(ear, (1, 0)) == []
    assert (ear.number, ear.finish()) == (0, None)


def test_who_never_pauses_is_cut_and_goes_on():
    ear = Listening()
    first, second = heard(ear, (2 * listening.LONGEST_SECONDS, 0.9), (1, 0))
    assert seconds_of(first.pcm) == pytest.approx(listening.LONGEST_SECONDS, abs=0.1)
    assert second.start == pytest.approx(first.end, abs=0.1)
