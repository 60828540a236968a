"""What callers hear last when engines fail, and where they go."""

from __future__ import annotations

import pytest

from agents.models import Recorded
from agents.sentences import key_of
from mlservices.audio import wav_bytes
from telephony import prompts
from telephony.last_words import last_words
from telephony.session.reply import PROMPT_TEXTS
from tests.factories import make_agent

pytestmark = pytest.mark.django_db
RATE = 8000


@pytest.mark.parametrize(
    ("choice", "number", "prompt"),
    [
        ("goodbye", "", "goodbye"),
        ("goodbye", "+14155550177", "goodbye"),
        ("transfer", "+14155550177", "one_moment"),
    ],
)
def test_the_choice_decides_not_the_number_alone(choice, number, prompt):
    agent = make_agent(on_failure=choice, fallback_number=number)
    words = last_words(agent, RATE)
    assert (words.text, words.pcm) == (PROMPT_TEXTS[prompt], prompts.load("en", RATE)[prompt])
    assert agent.failure_number == (number if choice == "transfer" else "")


def test_a_sentence_of_ones_own_is_played_at_the_lines_rate():
    agent = make_agent(on_failure="sentence", failure_sentence="Call 555.")
    assert last_words(agent, RATE).text == PROMPT_TEXTS["goodbye"], "until it is recorded"
    Recorded.objects.create(key=key_of(agent), text="Call 555.", wav=wav_bytes(bytes(32000), 16000))
    words = last_words(agent, RATE)
    assert (words.text, len(words.pcm)) == ("Call 555.", 16000)
