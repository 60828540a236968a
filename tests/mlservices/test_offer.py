"""What forms are told of the engines: voices and languages."""

from __future__ import annotations

import pytest

from mlservices import registry, telling
from mlservices.catalog import BY_ID
from mlservices.errors import EngineError
from mlservices.offer import Offer, Voice, of_service


class Space:
    """Meets what `of_service` needs of a client; counts how often it is asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0

    async def models(self):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"available_models": self.answer}


async def test_our_own_service_offers_the_voice_of_its_engine_without_being_asked():
    told = await registry.offer()
    [joe] = told.voices
    assert (joe.id, joe.name, joe.languages) == ("piper-joe", "Joe, US English (Piper)", ("en",))
    assert joe.note == BY_ID["piper-joe"].note and not joe.commercial_use
    assert (told.languages, told.engine, told.commercial_use) == (("en",), joe.name, False)


async def test_the_library_is_offered_as_far_as_a_model_that_runs_speaks_it(settings):
    settings.STT_ENGINE, settings.TTS_ENGINE = "whisper-large-v3-turbo", "indic-parler-tts"
    told = await registry.offer()
    by_id = {voice.id: voice for voice in told.voices}
    assert len(by_id) == 17 + 27
    aditi = by_id["hindi-aditi-f"]
    assert (aditi.name, aditi.languages, aditi.licence) == ("Aditi", ("hi",), "Apache-2.0")
    assert {"hi", "ta", "en"} <= set(told.languages) and "de" not in told.languages
    known = ("default", "indic-parler-tts", "hindi-aditi-f", "en-us-sarah-f")
    assert all(map(registry.knows_voice, known))
    assert not any(map(registry.knows_voice, ("de-anna-f", "piper-joe", "nobody")))


async def test_a_space_tells_its_voices_and_what_it_both_hears_and_speaks():
    voices = [{"id": "anna", "name": "Anna"}, {"id": "max"}, {"name": "nobody"}, "odd"]
    space = Space(
        {"stt": {"languages": ["de", "en", "fr"]}, "tts": {"languages": ["en", "de"], "voices": voices}}
    )
    told = await of_service(space)
    assert [(voice.id, voice.name) for voice in told.voices] == [("anna", "Anna"), ("max", "max")]
    assert told.languages == ("de", "en")
    assert await of_service(space) == told and space.asked == 1


async def test_the_licence_of_a_spaces_voice_is_what_it_says_or_not_known():
    tts = {"id": "mms", "licence": "CC-BY-NC-4.0", "commercial_use": False}
    told = await of_service(Space({"tts": tts}))
    [mms] = told.voices
    assert (mms.licence, mms.commercial_use) == ("CC-BY-NC-4.0", False) == (told.licence, told.commercial_use)
    for odd in ({}, {"licence": 7, "commercial_use": "yes"}):
        told = await of_service(Space({"tts": {"id": "mms", **odd}}))
        assert (told.voices[0].licence, told.voices[0].commercial_use) == ("", None)


async def test_a_voice_of_ours_on_a_space_is_known_by_name_and_licence():
    told = await of_service(Space({"tts": {"voices": [{"id": "de-anna-f", "name": "de-anna-f"}]}}))
    [anna] = told.voices
    assert (anna.name, anna.language, anna.licence) == ("Anna", "de", "Apache-2.0")


async def test_a_space_that_lists_no_voices_offers_its_model_as_one():
    told = await of_service(Space({"tts": {"id": "mms", "name": "MMS"}}))
    assert told == Offer((Voice("mms", "MMS"),), ("en",), engine="MMS")


@pytest.mark.parametrize("answer", [None, [], {"tts": "yes"}])
async def test_a_space_that_tells_nothing_useful_offers_nothing_but_english(answer):
    assert await of_service(Space(answer)) == Offer()


async def test_a_space_that_is_away_keeps_what_it_last_told(monkeypatch):
    space = Space({"tts": {"id": "mms", "name": "MMS"}})
    await of_service(space)
    space.answer = EngineError("cannot be reached")
    monkeypatch.setattr(telling, "REMEMBERED_SECONDS", 0.0)
    told = await of_service(space)
    assert told.voices == (Voice("mms", "MMS"),) and told.problem == "cannot be reached"
