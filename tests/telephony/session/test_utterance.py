"""Which words a caller heard, told by how much of the sound reached them."""

from telephony.session.utterance import Sentence, Utterance

BYTES_PER_SECOND = 16_000


def an_utterance(*sentences: Sentence, sound_seconds: float) -> Utterance:
    sound = bytearray(int(sound_seconds * BYTES_PER_SECOND))
    return Utterance(BYTES_PER_SECOND, sound=sound, sentences=list(sentences))


def made(text: str, start: float, end: float | None, *, recorded: bool = False) -> Sentence:
    """A sentence whose sound lies between these seconds."""
    last = None if end is None else int(end * BYTES_PER_SECOND)
    return Sentence(text, recorded=recorded, start=int(start * BYTES_PER_SECOND), end=last)


def test_words_are_heard_in_proportion_to_the_sound() -> None:
    utterance = an_utterance(made("We open at eight.", 0, 1), made("We close at six.", 1, 2), sound_seconds=2)

    def heard(seconds: float) -> str:
        return utterance.text_within(int(seconds * BYTES_PER_SECOND), recorded=True)

    assert heard(0) == ""
    assert heard(0.5) == "We open"
    assert heard(1) == "We open at eight."
    assert heard(1.5) == "We open at eight. We close"
    assert heard(2) == "We open at eight. We close at six."


def test_a_sentence_still_being_made_is_taken_to_be_as_long_as_its_text() -> None:
    half_made = made("We are closed on every bank holiday.", 0, None)  # 36 characters, 2.4 s
    utterance = an_utterance(half_made, sound_seconds=0.6)
    assert utterance.text_within(int(0.6 * BYTES_PER_SECOND), recorded=True) == "We are"


def test_what_was_recorded_beforehand_is_no_part_of_an_answer() -> None:
    moment = made("One moment, please.", 0, 1, recorded=True)
    utterance = an_utterance(moment, made("At eight.", 1, 2), sound_seconds=2)
    assert utterance.text_within(2 * BYTES_PER_SECOND, recorded=True) == "One moment, please. At eight."
    assert utterance.text_within(2 * BYTES_PER_SECOND, recorded=False) == "At eight."


def test_what_must_be_heard_is_owed_until_its_last_byte() -> None:
    notice = made("This call is recorded.", 0, 1)
    utterance = an_utterance(notice, sound_seconds=1)
    utterance.owed.append(notice)
    assert not utterance.owes_nothing(BYTES_PER_SECOND - 2)
    assert utterance.owes_nothing(BYTES_PER_SECOND)


def test_the_sentence_at_a_place_is_the_last_that_has_begun() -> None:
    utterance = an_utterance(made("One.", 0, 1), made("Two.", 1, None), sound_seconds=1.5)
    assert utterance.sentence_at(BYTES_PER_SECOND // 2) == 0
    assert utterance.sentence_at(BYTES_PER_SECOND) == 1
    assert an_utterance(sound_seconds=0).sentence_at(0) is None
    assert not utterance.between_sentences
