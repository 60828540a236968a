"""Turn-taking without sound or clock: windows of voice in, decisions out."""

from __future__ import annotations

import pytest

from mlservices.interfaces import WINDOW_SECONDS
from telephony.session.turns import (
    Endpointer,
    Paused,
    Resumed,
    SpeechStarted,
    TurnEnded,
    TurnPolicy,
    is_backchannel,
    patience,
    reads_complete,
    spoken_words,
)

POLICY = TurnPolicy()


def decisions(*stretches: tuple[float, float], agent_speaking: bool = False, endpointer=None):
    """Feed (probability, seconds) stretches; the decisions with the second at which each was made."""
    endpointer = endpointer or Endpointer(POLICY)
    made = []
    for probability, seconds in stretches:
        for _ in range(round(seconds / WINDOW_SECONDS)):
            if decision := endpointer.window(probability, agent_speaking=agent_speaking):
                made.append((round(endpointer.now, 3), decision))
    return made


def kinds(made):
    return [type(decision) for _, decision in made]


def test_silence_decides_nothing():
    assert decisions((0.02, 20)) == []


def test_a_click_is_no_speech():
    assert decisions((0.02, 1), (0.99, 0.064), (0.02, 2)) == []


def test_a_word_starts_pauses_and_ends_a_turn():
    made = decisions((0.02, 1.024), (0.9, 0.992), (0.02, 2))
    assert kinds(made) == [SpeechStarted, Paused, TurnEnded]
    started, paused, ended = (decision for _, decision in made)
    assert started.start_seconds == pytest.approx(1.024)
    assert paused.end_seconds == ended.end_seconds == pytest.approx(2.016)
    assert made[1][0] == pytest.approx(2.016 + POLICY.draft_seconds, abs=WINDOW_SECONDS)
    assert made[2][0] == pytest.approx(2.016 + POLICY.pause_seconds, abs=WINDOW_SECONDS)


def test_over_the_agent_more_voice_is_needed():
    blip = ((0.02, 1), (0.9, 0.128), (0.02, 2))
    assert SpeechStarted in kinds(decisions(*blip))
    assert kinds(decisions(*blip, agent_speaking=True)) == []


def test_the_agent_is_stopped_within_200_ms_of_voice():
    made = decisions((0.02, 0.992), (0.9, 1), agent_speaking=True)
    assert made[0][0] - 0.992 <= 0.2


def test_a_quieter_middle_of_a_word_does_not_end_it():
    assert kinds(decisions((0.9, 0.32), (0.4, 0.64), (0.9, 0.32))) == [SpeechStarted]


def test_going_on_after_a_pause_voids_the_draft():
    made = decisions((0.9, 0.64), (0.02, 0.32), (0.9, 0.64), (0.02, 1))
    assert kinds(made) == [SpeechStarted, Paused, Resumed, Paused, TurnEnded]


def test_a_click_in_the_pause_does_not_hold_the_turn_open():
    made = decisions((0.9, 0.64), (0.02, 0.256), (0.9, 0.032), (0.02, 0.32))
    assert kinds(made) == [SpeechStarted, Paused, TurnEnded]
    assert made[-1][1].end_seconds == pytest.approx(0.64)


def test_patience_lasts_for_one_turn():
    endpointer = Endpointer(POLICY)
    endpointer.window(0.9, agent_speaking=False)
    decisions((0.9, 0.5), (0.02, 0.2), endpointer=endpointer)
    endpointer.be_patient(2.0)
    assert kinds(decisions((0.02, 1.5), endpointer=endpointer)) == []
    assert kinds(decisions((0.02, 0.5), endpointer=endpointer)) == [TurnEnded]
    made = decisions((0.9, 0.5), (0.02, 1), endpointer=endpointer)
    assert made[-1][0] - made[-1][1].end_seconds == pytest.approx(POLICY.pause_seconds, abs=WINDOW_SECONDS)


def test_a_noise_without_end_is_cut_into_turns():
    made = decisions((0.9, 130))
    assert kinds(made) == [SpeechStarted, TurnEnded] * 2 + [SpeechStarted]


@pytest.mark.parametrize(
    ("text", "completeness", "expects", "pause"),
    [
        ("What are your hours?", 0.9, "anything", POLICY.complete_pause_seconds),
        ("What are your hours?", None, "anything", POLICY.complete_pause_seconds),
        ("What are your hours?", 0.2, "anything", POLICY.pause_seconds),
        ("I would like to", 0.99, "anything", POLICY.incomplete_pause_seconds),
        ("It was, um", None, "anything", POLICY.incomplete_pause_seconds),
        ("Tuesday", 0.05, "anything", POLICY.incomplete_pause_seconds),
        ("Tuesday", 0.6, "anything", POLICY.pause_seconds),
        ("", 0.9, "anything", POLICY.pause_seconds),
        ("555 01", 0.9, "number", POLICY.dictation_pause_seconds),
        ("415 555 0100", 0.9, "number", POLICY.pause_seconds),
        ("jane dot doe", 0.9, "spelling", POLICY.dictation_pause_seconds),
        ("Jane dot doe at example dot com.", 0.9, "spelling", POLICY.pause_seconds),
        ("jane.doe@example.com", 0.9, "spelling", POLICY.pause_seconds),
        ("Yes", None, "yes_no", POLICY.complete_pause_seconds),
    ],
)
def test_how_long_a_pause_may_be(text, completeness, expects, pause):
    assert patience(POLICY, text=text, completeness=completeness, expects=expects) == pause


def test_eagerness_scales_the_pauses_and_nothing_else():
    shy, eager = TurnPolicy.for_eagerness(0.0), TurnPolicy.for_eagerness(1.0)
    assert TurnPolicy.for_eagerness(0.5) == POLICY
    assert shy.pause_seconds == 2 * POLICY.pause_seconds
    assert eager.pause_seconds == pytest.approx(POLICY.pause_seconds * 2 / 3)
    assert shy.interrupt_seconds == eager.interrupt_seconds == POLICY.interrupt_seconds
    assert eager.complete_pause_seconds > POLICY.draft_seconds


@pytest.mark.parametrize(
    "text", ["", "...", "[BLANK_AUDIO]", "(coughs)", " *sighs* ", "♪ music ♪", "You", "you."]
)
def test_what_is_written_for_noise_is_not_words(text):
    assert spoken_words(text) == ""


def test_words_beside_a_noise_are_kept():
    assert spoken_words("(coughs) On Tuesday.") == "On Tuesday."


@pytest.mark.parametrize("text", ["Mm-hm.", "Yeah", "Okay, okay.", "Uh huh", "Right.", "I see.", "Oh okay."])
def test_backchannels(text):
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["", "Yes please do", "Stop.", "No", "Okay, what about Sunday?"])
def test_what_is_no_backchannel(text):
    assert not is_backchannel(text)


@pytest.mark.parametrize(
    ("text", "complete"), [("So the", False), ("Hello.", True), ("Tuesday", None), ("", None)]
)
def test_what_the_wording_tells(text, complete):
    assert reads_complete(text) is complete
