"""The voices there are, and what can speak each."""

from __future__ import annotations

from collections import Counter

import pytest

from mlservices import voices
from mlservices.catalog import BY_ID, MODELS, Kind
from mlservices.errors import EngineError
from mlservices.voices import LIBRARY, OWN, VOICES, Gender, models_for, resolve, spoken_by


def test_the_library_has_81_voices_in_27_languages():
    assert len(LIBRARY) == 81
    assert len({voice.language for voice in LIBRARY}) == 27
    assert Counter(voice.gender for voice in LIBRARY) == {Gender.FEMALE: 46, Gender.MALE: 35}


@pytest.mark.parametrize("of", ["id", "prompt", "description"])
def test_no_two_voices_are_alike(of):
    told = [getattr(voice, of) for voice in LIBRARY]
    assert len(set(told)) == len(told) and all(told)


def test_ids_tell_language_name_and_gender():
    ids = {voice.id for voice in LIBRARY}
    assert {
        "hindi-aditi-f",
        "tamil-kumar-m",
        "telugu-sita-f",
        "malayalam-suresh-m",
        "bengali-riya-f",
        "urdu-aisha-f",
        "kannada-kiran-m",
        "marathi-rohit-m",
        "gujarati-rupa-f",
        "punjabi-jaspal-m",
        "en-us-sarah-f",
        "en-gb-isabella-f",
        "es-mx-valentina-f",
        "pt-br-pedro-m",
        "ko-seo-yeon-f",
        "zh-wei-m",
    } <= ids
    for voice in LIBRARY:
        assert voice.id.endswith("-f" if voice.gender is Gender.FEMALE else "-m")
        assert voice.prompt.startswith(voice.name)


def test_every_voice_has_a_model_and_each_of_its_models_speaks_its_language():
    for voice in VOICES:
        assert models_for(voice), voice.id
        for model in models_for(voice):
            assert model.kind is Kind.TTS
            assert voices.speaks(model.languages, voice.language), (voice.id, model.id)


@pytest.mark.parametrize(
    ("voice", "expected"),
    [
        ("hindi-aditi-f", ["indic-parler-tts"]),
        ("urdu-zara-f", ["indic-parler-tts"]),
        ("de-anna-f", ["parler-tts-multilingual"]),
        ("pt-pt-maria-f", ["parler-tts-multilingual"]),
        ("en-au-jack-m", ["parler-tts-multilingual", "indic-parler-tts"]),
        ("ru-dmitry-m", ["chatterbox"]),
        ("ja-yuki-f", ["chatterbox"]),
        ("ko-min-jun-m", ["chatterbox"]),
        ("zh-ling-f", ["chatterbox"]),
        ("piper-joe", ["piper-joe"]),
        ("mms-tts-tam", ["mms-tts-tam"]),
    ],
)
def test_the_models_of_a_voice_come_in_order_of_preference(voice, expected):
    assert [model.id for model in models_for(voices.by_id(voice))] == expected


def test_every_model_with_a_voice_of_its_own_is_a_voice():
    one_language = {m.id for m in MODELS if m.kind is Kind.TTS and len(m.languages) == 1 and not m.cloning}
    assert {voice.id for voice in OWN} == {*one_language, "chatterbox", "styletts2"}
    assert all(voice.model == voice.id for voice in OWN)
    assert len({voice.id for voice in VOICES}) == len(VOICES)


def test_a_voice_is_told_to_a_model_by_its_description_where_the_model_follows_one():
    aditi = resolve("hindi-aditi-f")
    assert (aditi.model, aditi.language) == ("indic-parler-tts", "hi")
    assert aditi.voice == voices.by_id("hindi-aditi-f").prompt
    assert resolve("ru-dmitry-m") == voices.Spoken("chatterbox", "default", "ru")
    assert resolve("piper-joe") == voices.Spoken("piper-joe", "default", "en")


def test_the_first_of_the_models_that_run_speaks():
    assert resolve("en-us-sarah-f", ["indic-parler-tts", "chatterbox"]).model == "indic-parler-tts"
    assert resolve("en-us-sarah-f", BY_ID).model == "parler-tts-multilingual"


@pytest.mark.parametrize(
    ("voice", "among", "told"),
    [
        ("nobody", None, "There is no voice 'nobody'."),
        (
            "hindi-aditi-f",
            ["piper-joe"],
            "(hi) needs indic-parler-tts, which does not run here",
        ),
        ("en-us-sarah-f", [], "needs parler-tts-multilingual or indic-parler-tts"),
    ],
)
def test_a_voice_that_nothing_speaks_is_refused_with_what_it_needs(voice, among, told):
    with pytest.raises(EngineError) as caught:
        resolve(voice, among)
    assert told in str(caught.value) and caught.value.permanent


def test_the_voices_of_a_service_are_those_that_its_models_speak():
    assert [voice.id for voice in spoken_by({"piper-joe"})] == ["piper-joe"]
    indian = spoken_by({"indic-parler-tts"})
    assert {voice.language.split("-")[0] for voice in indian} == {
        *("en", "hi", "ta", "te", "ml", "bn", "ur", "kn", "mr", "gu", "pa")
    }
    assert len(indian) == 17 + 27


def test_each_voice_greets_in_its_own_language_and_as_its_gender():
    greetings = {voice.language: voices.greeting(voice.language, voice.gender) for voice in VOICES}
    english = voices.greeting("en")
    assert {language for language, said in greetings.items() if said == english} <= {"en", "en-US", "en-CA"}
    assert voices.greeting("hi", "female") != voices.greeting("hi", "male")
    assert voices.greeting("pt-PT", "male").startswith("Bom dia, obrigado")
