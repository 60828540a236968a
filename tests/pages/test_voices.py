"""The library of voices: what it lists, what it plays and why it does not, and favourites."""

from __future__ import annotations

import asyncio
import os
import re
import time

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from mlservices import registry, voices
from mlservices.audio import read_wav
from mlservices.library import samples, standing
from mlservices.models import FavouriteVoice
from mlservices.voices import VOICES
from tests.fakes.speech_service import CHARACTERS_PER_SECOND
from voiceforge_site.models import User


@pytest.fixture
def space(speech, settings, monkeypatch):
    """The same service, as a Space that is not asked twice a minute only."""
    settings.HF_ML_API_URL = f"http://127.0.0.1:{settings.ML_PORT}"
    monkeypatch.setattr("mlservices.telling.REMEMBERED_SECONDS", 0.0)
    return speech


def entries(answer):
    return {entry.voice.id: entry for part in answer.context["sections"] for entry in part.entries}


def shown(browser, **filters):
    return list(entries(browser.get("/voices/", filters)))


def hear(browser, voice="piper-joe", **more):
    return browser.post(f"/voices/{voice}/preview/", more)


# ---- the list -------------------------------------------------------------------------------


def test_every_voice_is_listed_and_the_one_that_can_speak_comes_first(alices_browser, speech):
    answer = alices_browser.get("/voices/")
    assert len(entries(answer)) == len(VOICES)
    labels = [section.label for section in answer.context["sections"]]
    assert labels[:6] == [
        "English (US)",
        "English (Australia)",
        "English (Canada)",
        "English (UK)",
        "Bengali",
        "Chinese (Mandarin)",
    ], "after what can be heard, the language of the page"
    assert answer.context["counts"] == [
        ("", "All", len(VOICES)),
        ("ready", "Ready", 1),
        ("favourites", "Favourites", 0),
    ]
    assert next(iter(entries(answer))) == "piper-joe"


@pytest.mark.parametrize(
    ("filters", "some", "count"),
    [
        ({"q": "aditi"}, "hindi-aditi-f", 1),
        ({"q": "law firms"}, "en-gb-william-m", 2),
        ({"q": "hindi FEMALE"}, "hindi-priya-f", 2),
        ({"q": "chatterbox"}, "ru-dmitry-m", 9),
        ({"language": "es-MX"}, "es-mx-miguel-m", 2),
        ({"language": "es"}, "es-mx-miguel-m", 8),
        ({"language": "ar"}, "chatterbox", 1),
        ({"gender": "male", "language": "de"}, "de-lukas-m", 2),
        ({"model": "indic-parler-tts", "language": "hi"}, "hindi-aditi-f", 4),
        ({"licence": "no-commercial"}, "piper-joe", 20),
        ({"licence": "MIT"}, "zh-ling-f", 10),
        ({"show": "ready"}, "piper-joe", 1),
    ],
)
def test_filters_find_what_fits(alices_browser, speech, filters, some, count):
    found = shown(alices_browser, **filters)
    assert some in found and len(found) == count


def test_filters_are_kept_in_the_page_and_counted_together(alices_browser, speech):
    FavouriteVoice.objects.create(user=User.objects.get(username="alice"), voice="de-anna-f")
    answer = alices_browser.get("/voices/", {"language": "de", "show": "favourites"})
    assert list(entries(answer)) == ["de-anna-f"]
    assert [count for _, _, count in answer.context["counts"]] == [7, 0, 1]
    assert re.search(r'value="de" selected>German \(7\)', answer.text)
    assert ">Arabic (1)</option>" in answer.text  # of a model that speaks many
    part = alices_browser.get("/voices/", {"language": "de"}, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="results"') and 'id="count-ready" hx-swap-oob' in part.text


def opened(browser, **filters):
    return [part.label for part in browser.get("/voices/", filters).context["sections"] if part.open]


def test_many_voices_are_closed_but_for_the_first_language_and_those_that_the_address_names(
    alices_browser, speech
):
    assert opened(alices_browser) == ["English (US)"]
    assert opened(alices_browser, open="hi,de") == ["German", "Hindi"]
    assert opened(alices_browser, open="none") == []
    everything = len(alices_browser.get("/voices/").context["sections"])
    assert len(opened(alices_browser, open="all")) == everything == 30
    assert opened(alices_browser, open="hi", gender="female") == ["Hindi"]
    assert opened(alices_browser, open="de", q="aditi") == ["Hindi"], "few are all shown"
    page = alices_browser.get("/voices/", {"open": "hi"}).text
    assert 'name="open" value="hi">' in page and 'href="?open=all"' in page
    assert 'name="open" value="" disabled>' in alices_browser.get("/voices/").text


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({"q": "klingon"}, "No voices match"),
        ({"show": "favourites"}, "No favourites yet"),
        ({"show": "ready", "language": "de"}, "None of these is ready to speak"),
        ({"show": "favourites", "language": "de"}, "No voices match"),
    ],
)
def test_nothing_to_show_says_why(alices_browser, speech, filters, told):
    assert told in alices_browser.get("/voices/", filters).text


# ---- how each stands ------------------------------------------------------------------------


def test_what_each_voice_lacks_is_told(alices_browser, speech, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no driver, hence no GPU
    found = entries(alices_browser.get("/voices/"))
    told = {id: (found[id].standing.kind, found[id].standing.reason) for id in found}
    assert told["piper-joe"] == ("ready", "")
    assert told["hindi-aditi-f"][0] == "gpu" and "needs a GPU" in told["hindi-aditi-f"][1]
    assert told["mms-tts-hin"][0] == "download"
    assert "manage.py models download mms-tts-hin" in told["mms-tts-hin"][1]


def test_with_a_gpu_a_download_is_what_is_left(alices_browser, speech, monkeypatch, tmp_path, settings):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert entries(alices_browser.get("/voices/"))["hindi-aditi-f"].standing.kind == "download"
    settings.CUDA_VISIBLE_DEVICES = "none"
    assert entries(alices_browser.get("/voices/"))["hindi-aditi-f"].standing.kind == "gpu"


@pytest.mark.parametrize(
    ("state", "kind", "heard"),
    [
        ("loaded", "ready", True),
        ("loading", "loading", False),
        ("failed", "failed", False),
        ("off", "on_demand", True),
    ],
)
def test_a_voice_stands_as_the_service_says(alices_browser, speech, state, kind, heard):
    speech.voices["de-anna-f"] = state
    anna = entries(alices_browser.get("/voices/"))["de-anna-f"].standing
    assert (anna.kind, anna.heard, anna.model.id) == (kind, heard, "parler-tts-multilingual")
    assert bool(anna.reason) == (state != "loaded")


def test_a_service_that_is_away_is_told_at_the_voice_it_would_speak_with(alices_browser, settings):
    settings.ML_PORT = 9
    page = alices_browser.get("/voices/")
    assert "What speaks does not answer, so no voice can be heard now." in page.text
    joe = entries(page)["piper-joe"].standing
    assert (joe.kind, joe.heard) == ("away", False)
    assert "127.0.0.1:9 cannot be reached" in joe.reason


def test_a_space_has_the_voices_it_lists_and_that_of_its_model(alices_browser, space):
    space.voices, space.model = {"ru-dmitry-m": "loaded"}, "facebook/mms-tts-eng"
    found = entries(alices_browser.get("/voices/"))
    assert (found["ru-dmitry-m"].standing.kind, found["ru-dmitry-m"].standing.told) == (
        "on_space",
        "ru-dmitry-m",
    )
    assert (found["mms-tts-eng"].standing.kind, found["mms-tts-eng"].standing.told) == ("on_space", "default")
    assert found["piper-joe"].standing.kind == "not_on_space"
    assert "HF_ML_API_URL" in found["piper-joe"].standing.reason


@pytest.mark.parametrize("order", [("local",), ("local", "space")])
def test_a_space_that_is_not_the_first_to_speak_has_no_voices_here(alices_browser, speech, settings, order):
    settings.HF_ML_API_URL, settings.ML_FALLBACK = "http://127.0.0.1:9", order
    found = entries(alices_browser.get("/voices/"))
    assert found["piper-joe"].standing.kind == "ready"
    assert "ML_FALLBACK" in found["hindi-aditi-f"].standing.reason
    assert hear(alices_browser).status_code == 200
    assert [voice.id for voice in async_to_sync(registry.offer)().voices] == ["piper-joe"]


def test_where_another_speaks_first_no_voice_of_the_library_is_heard(alices_browser, speech, settings):
    settings.AI_INTEGRATIONS_OPENAI_API_KEY, settings.OPENAI_TTS_MODEL = "sk-test", "tts-1"
    settings.ML_FALLBACK = ("openai", "local")
    joe = entries(alices_browser.get("/voices/"))["piper-joe"].standing
    assert (joe.kind, joe.heard) == ("elsewhere", False)
    assert "ML_FALLBACK" in joe.reason
    settings.OPENAI_TTS_MODEL = ""  # then it only thinks
    assert entries(alices_browser.get("/voices/"))["piper-joe"].standing.kind == "ready"


def test_a_space_is_asked_once_for_the_page_and_the_form(alices_browser, speech, settings):
    settings.HF_ML_API_URL = f"http://127.0.0.1:{settings.ML_PORT}"
    alices_browser.get("/voices/")
    alices_browser.get("/agents/new/")
    assert speech.asked == 1


def test_what_a_space_said_is_not_played_as_ours(alices_browser, speech, settings):
    settings.HF_ML_API_URL = f"http://127.0.0.1:{settings.ML_PORT}"
    hear(alices_browser)
    settings.ML_FALLBACK = ("local",)
    hear(alices_browser)
    assert len(speech.said) == 2


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"tts": "yes"},
        {"tts": {"voices": 7, "id": ["x"], "name": {}}},
        {"tts": {"voices": ["odd", {}]}},
    ],
)
def test_a_space_that_tells_nonsense_has_no_voices(alices_browser, space, told):
    space.told = told
    found = entries(alices_browser.get("/voices/"))
    assert {entry.standing.kind for entry in found.values()} == {"not_on_space"}


def test_licences_and_what_they_forbid_stand_at_each_voice(alices_browser, speech):
    page = alices_browser.get("/voices/", {"q": "MMS Tamil"}).text
    assert "No commercial use</span> · CC-BY-NC-4.0" in page
    page = alices_browser.get("/voices/", {"q": "kumar"}).text
    assert "Commercial use allowed · Apache-2.0" in page and "No commercial use</span>" not in page


def test_a_voice_whose_model_takes_no_description_says_so(alices_browser, speech):
    assert "speaks in its own voice" in alices_browser.get("/voices/", {"q": "dmitry"}).text
    assert "speaks in its own voice" not in alices_browser.get("/voices/", {"q": "aditi"}).text


# ---- hearing --------------------------------------------------------------------------------


def test_a_voice_greets_and_is_not_asked_again_for_the_same_words(alices_browser, speech):
    answer = hear(alices_browser)
    assert (answer.status_code, answer["Content-Type"], answer["X-Model"]) == (200, "audio/wav", "piper-joe")
    pcm, rate = read_wav(answer.content)
    [(voice, text)] = speech.said
    assert voice == "piper-joe" and text.startswith("Hello, thank you for calling")
    assert len(pcm) / 2 / rate == pytest.approx(len(text) / CHARACTERS_PER_SECOND, abs=0.01)
    assert hear(alices_browser).content == answer.content
    assert len(speech.said) == 1
    hear(alices_browser, text="Good evening.")
    assert [text for _, text in speech.said[1:]] == ["Good evening."]


def test_the_model_that_speaks_is_part_of_what_is_kept(alices_browser, speech):
    speech.voices = {"en-us-sarah-f": "loaded"}
    assert hear(alices_browser, "en-us-sarah-f")["X-Model"] == "parler-tts-multilingual"
    speech.voices["en-us-michael-m"] = "loaded"
    hear(alices_browser, "en-us-michael-m")
    assert [voice for voice, _ in speech.said] == ["en-us-sarah-f", "en-us-michael-m"]


async def test_two_who_ask_at_once_have_it_made_once(speech):
    speech.seconds = 0.3
    joe = voices.by_id("piper-joe")
    now = standing.standing_of(joe, await standing.asked(), standing.Machine.seen())
    first, second = await asyncio.gather(*(samples.sample(joe, now, "Good day.") for _ in range(2)))
    assert first == second
    assert len(speech.said) == 1
    await registry.service().close()


def test_what_is_kept_keeps_to_a_size_and_loses_what_was_not_heard_for_longest(
    alices_browser, speech, monkeypatch
):
    for number, text in enumerate(["One.", "Two.", "Three."]):
        hear(alices_browser, text=text)
        newest = max(samples.folder().glob("*.wav"), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (time.time() - 100 + number,) * 2)
    hear(alices_browser, text="One.")  # heard again just now
    monkeypatch.setattr(samples, "LARGEST", 3 * 44 + 24000 * 2 * (4 + 6 + 5) // CHARACTERS_PER_SECOND)
    hear(alices_browser, text="Four.")
    assert len(list(samples.folder().glob("*"))) == 3
    assert len(speech.said) == 4
    hear(alices_browser, text="One.")
    assert len(speech.said) == 4
    hear(alices_browser, text="Two.")
    assert len(speech.said) == 5


def test_no_sound_is_made_up_for_a_voice_that_cannot_be_heard(alices_browser, speech):
    answer = hear(alices_browser, "hindi-aditi-f")
    assert answer.status_code == 409 and answer.json()["error"]
    assert answer.json()["error"] == entries(alices_browser.get("/voices/"))["hindi-aditi-f"].standing.reason
    assert not speech.said


def test_the_services_reason_is_told_and_nothing_of_it_is_kept(alices_browser, speech):
    speech.failure = "tts is loading its models"
    answer = hear(alices_browser)
    assert answer.status_code == 503
    assert "tts is loading its models" in answer.json()["error"]
    speech.failure = ""
    assert hear(alices_browser).status_code == 200


def test_words_of_ones_own_are_as_long_as_the_form_says(alices_browser, speech):
    assert hear(alices_browser, text="x" * 200).status_code == 200
    answer = hear(alices_browser, text="x" * 201)
    assert (answer.status_code, answer.json()["error"]) == (
        422,
        "Write at most 200 characters; these are 201.",
    )
    assert hear(alices_browser, "nobody").status_code == 404


# ---- favourites, and who may what -----------------------------------------------------------


def test_favourites_are_everybodys_own(alices_browser, speech):
    for _ in range(2):
        alices_browser.post("/voices/de-anna-f/favourite/", {"on": "1"})
    assert shown(alices_browser, show="favourites") == ["de-anna-f"]
    User.objects.create_user("dora", role="designer")
    other = Client()
    other.force_login(User.objects.get(username="dora"))
    assert shown(other, show="favourites") == []
    other.post("/voices/de-anna-f/favourite/", {"on": ""})
    assert shown(alices_browser, show="favourites") == ["de-anna-f"]
    button = alices_browser.post("/voices/de-anna-f/favourite/", {"on": ""}, headers={"HX-Request": "true"})
    assert 'aria-pressed="false"' in button.text and 'name="on" value="1"' in button.text
    assert shown(alices_browser, show="favourites") == []


def test_who_does_not_build_agents_looks_and_an_operator_listens(bobs_browser, speech, db):
    page = bobs_browser.get("/voices/").text
    assert "data-play" in page and "Use in an agent" not in page and "/favourite/" not in page
    assert hear(bobs_browser).status_code == 200
    assert bobs_browser.post("/voices/piper-joe/favourite/", {"on": "1"}).status_code == 403
    viewer = Client()
    viewer.force_login(User.objects.create_user("vera", role="viewer"))
    page = viewer.get("/voices/").text
    assert "Aditi" in page and "data-play" not in page
    assert hear(viewer).status_code == 403
