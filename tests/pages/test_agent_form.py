"""The form of an agent: what it offers, what it checks, and who may change it."""

from __future__ import annotations

import re

import pytest

from agents.models import Agent, AgentVersion, Recorded
from mlservices.errors import EngineError
from mlservices.types import SpeechChunk, TokenCount
from tests.factories import make_agent
from tests.pages.test_agents import form_of


class Voice:
    """Meets `TextToSpeech`: remembers what it said, or fails."""

    def __init__(self):
        self.said = []
        self.failure = None

    async def speak(self, text, *, rate, voice="default", speed=1.0, model="", priority="live"):
        if self.failure:
            raise self.failure
        self.said.append((text, voice, speed))
        yield SpeechChunk(bytes(rate // 5), rate)


@pytest.fixture
def voice(monkeypatch):
    voice = Voice()
    monkeypatch.setattr("mlservices.registry.first_voice", lambda: voice)
    return voice


@pytest.fixture
def agent(db):
    return make_agent("Front desk")


def send(browser, agent, **changes):
    address = agent.get_absolute_url()
    return browser.post(address, form_of(browser, address) | changes)


# ---- what it offers -------------------------------------------------------------------------


def test_the_voices_of_the_engine_can_be_heard_and_its_one_language_is_no_choice(alices_browser, agent):
    page = alices_browser.get(agent.get_absolute_url()).text
    assert re.findall(r'type="radio" name="voice" value="([^"]+)"', page) == ["default", "piper-joe"]
    assert 'data-voice="piper-joe"' in page
    assert '<input type="hidden" name="language" value="en"' in page


def test_a_voice_that_is_gone_can_be_changed_for_the_ones_there_are(alices_browser, db):
    page = alices_browser.get(make_agent(voice="joe").get_absolute_url()).text
    assert "joe (not available now)" in page and 'value="piper-joe"' in page


def test_whatever_is_configured_is_told_with_the_setting_that_says_so(alices_browser, agent, settings):
    def page():
        return alices_browser.get(agent.get_absolute_url()).text

    settings.AI_INTEGRATIONS_OPENAI_API_KEY = settings.NVIDIA_API_KEY = ""
    assert "None is configured: AI_INTEGRATIONS_OPENAI_API_KEY or NVIDIA_API_KEY" in page()
    settings.NVIDIA_API_KEY, settings.NVIDIA_MODEL = "key", "big-llama"
    assert "Whatever is configured is now big-llama (NVIDIA); NVIDIA_MODEL in the settings" in page()
    assert "TTS_ENGINE in the settings of the installation says which engine speaks." in page()


def test_who_may_not_change_agents_sees_the_form_and_no_way_to_save(bobs_browser, agent):
    page = bobs_browser.get(agent.get_absolute_url()).text
    assert re.search(r'<fieldset class="vf-contents"\s+disabled', page)
    for offered in ("Save</button>", "Duplicate", 'value="archived">'):
        assert offered not in page
    assert bobs_browser.post(agent.get_absolute_url(), {"name": "Mine"}).status_code == 403


# ---- what it checks -------------------------------------------------------------------------


def test_a_placeholder_that_nobody_knows_is_refused_with_those_that_there_are(alices_browser, agent):
    answer = send(
        alices_browser, agent, greeting="Hello {{caller_name}}.", constants="clinic = Harbour Street"
    )
    assert answer.status_code == 422
    [error] = answer.context["form"].errors["greeting"]
    assert "{{caller_name}}" in error and "{{caller_number}}" in error and "{{clinic}}" in error


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("clinic", "“clinic” cannot be read. Write it like name = value."),
        ("Clinic = x", "“Clinic” cannot be a name"),
        ("caller_number = x", "“caller_number” is a built-in variable"),
        ("Date = today", "“Date” is a built-in variable"),
        ("a = 1\na = 2", "“a” is there twice."),
        ("a = {{date}}", "The value of “a” is said as it stands and cannot hold {{date}}."),
        ("a =", "Give “a” a value"),
    ],
)
def test_own_variables_that_are_none_are_refused_by_line(alices_browser, agent, lines, told):
    answer = send(alices_browser, agent, constants=lines)
    assert answer.status_code == 422
    assert told in answer.context["form"].errors["constants"][0]


def test_each_own_variable_at_fault_is_told(alices_browser, agent):
    answer = send(alices_browser, agent, constants="caller_number = x\nshop = Mill Lane\nMy Town = Hull")
    assert [error[:16] for error in answer.context["form"].errors["constants"]] == [
        "“caller_number” ",
        "“My Town” cannot",
    ]


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("temperature", "7", "Temperature goes from 0 to 2. 0.7 suits most agents."),
        ("temperature", "", "Temperature is a number from 0 to 2. 0.7 suits most agents."),
        ("speaking_rate", "0.1", "Speaking rate goes from 0.5 to 2. 1 suits most agents."),
        ("eagerness", "-1", "How soon the agent answers goes from 0 to 1. 0.5 suits most agents."),
        (
            "silence_seconds",
            "2",
            "Ask “are you still there?” after (seconds) goes from 3 to 60. 8 suits most agents.",
        ),
        (
            "max_call_seconds",
            "9999999",
            "Longest call (seconds) goes from 30 to 7,200. 900 suits most agents.",
        ),
        ("name", "x" * 81, "Name takes at most 80 characters and has 81: shorten it."),
        ("description", "x" * 201, "Description takes at most 200 characters and has 201: shorten it."),
        ("greeting", "x" * 601, "Greeting takes at most 600 characters and has 601: shorten it."),
        (
            "recording_announcement",
            "x" * 301,
            "Announcement takes at most 300 characters and has 301: shorten it.",
        ),
        (
            "failure_sentence",
            "x" * 301,
            "Your sentence takes at most 300 characters and has 301: shorten it.",
        ),
        ("facts-0-topic", "x" * 81, "Topic takes at most 80 characters and has 81: shorten it."),
        (
            "facts-0-questions",
            "x" * 201,
            f"“{'x' * 30}…” takes at most 200 characters and has 201: shorten it.",
        ),
        ("facts-0-questions", "x\n" * 41, "A fact takes at most 40 questions and has 41: remove some."),
    ],
)
def test_what_goes_too_far_is_told_the_field_its_ends_and_what_suits(
    alices_browser, agent, field, typed, told
):
    address = agent.get_absolute_url()
    sent = form_of(alices_browser, address) | {field: typed}
    assert alices_browser.post(f"{address}?validate={field}", sent).json() == {"errors": {field: [told]}}
    refused = alices_browser.post(address, sent)
    assert (refused.status_code, refused.text.count("Ensure this value")) == (422, 0)


def test_a_refused_form_names_each_fault_once_and_that_of_a_fact_with_its_topic(alices_browser, agent):
    faults = {"temperature": "7", "fallback_number": "reception", "facts-1-answer": "x" * 601}
    page = send(alices_browser, agent, **faults).text
    summary = page[page.index("vf-refused") : page.index("</ul>", page.index("vf-refused"))]
    assert re.findall(r'data-refused="([^"]+)".*?<a [^>]*>([^<]+)</a>', summary) == [
        ("temperature", "Temperature goes from 0 to 2. 0.7 suits most agents."),
        ("fallback_number", "Fallback number: Write the number with its country code, like +1 415 555 0100."),
        (
            "facts-1-answer",
            f"{agent.facts[1]['topic']}: Answer, as it is spoken takes at most 600 characters and has 601: "
            "shorten it.",
        ),
    ]


def test_a_fact_that_is_removed_refuses_nothing(alices_browser, agent):
    assert send(alices_browser, agent, **{"facts-0-topic": "", "facts-0-DELETE": "on"}).status_code == 302


def test_instructions_too_long_for_the_small_model_stay_refused_while_one_types(
    alices_browser, agent, settings
):
    address = agent.get_absolute_url()
    sent = form_of(alices_browser, address) | {"chat_model": "local", "instructions": "word " * 2000}
    answer = alices_browser.post(f"{address}?validate=chat_model", sent)
    assert "this small model reads at most 6000" in answer.json()["errors"]["chat_model"][0]
    agent.refresh_from_db()
    assert agent.chat_model == ""


def test_numbers_are_shown_in_groups_and_saved_unchanged_as_they_are_shown(alices_browser, db):
    agent = make_agent(transfer_number="+14155550112", on_failure="transfer", fallback_number="+442079460958")
    page = alices_browser.get(agent.get_absolute_url()).text
    assert 'value="+1 415-555-0112"' in page and 'value="+44 20 7946 0958"' in page
    assert send(alices_browser, agent).status_code == 302
    assert not AgentVersion.objects.exists(), "nothing differs"


def test_own_variables_are_kept_and_shown_as_they_were_typed(alices_browser, agent):
    sent = {"constants": "clinic = Harbour = Street\n\n", "greeting": "This is {{ clinic }}."}
    assert send(alices_browser, agent, **sent).status_code == 302
    agent.refresh_from_db()
    assert agent.constants == {"clinic": "Harbour = Street"}
    assert "clinic = Harbour = Street</textarea>" in alices_browser.get(agent.get_absolute_url()).text


@pytest.mark.parametrize(
    ("choice", "field"), [("transfer", "fallback_number"), ("sentence", "failure_sentence")]
)
def test_what_a_choice_for_failing_engines_needs_is_asked_for(alices_browser, agent, choice, field):
    answer = send(alices_browser, agent, on_failure=choice)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_one_field_is_checked_alone_with_the_words_that_saving_would_use(alices_browser, agent):
    address = agent.get_absolute_url()
    sent = form_of(alices_browser, address) | {"greeting": "", "fallback_number": "reception"}
    answer = alices_browser.post(f"{address}?validate=greeting", sent)
    assert answer.json() == {"errors": {"greeting": ["Greeting is missing."]}}
    assert alices_browser.post(f"{address}?validate=name", sent).json() == {"errors": {"name": []}}
    row = alices_browser.post(f"{address}?validate=facts-0-topic", sent | {"facts-0-topic": ""})
    assert row.json() == {"errors": {"facts-0-topic": ["Topic is missing."]}}
    agent.refresh_from_db()
    assert agent.greeting and not AgentVersion.objects.exists()


# ---- two at once ----------------------------------------------------------------------------


def test_a_save_on_top_of_somebody_elses_is_refused_with_who_it_was_and_keeps_what_was_typed(
    alices_browser, bob, agent
):
    address = agent.get_absolute_url()
    mine = form_of(alices_browser, address) | {"greeting": "Mine.", "version": "0"}
    bob.role = "designer"
    bob.save()
    browser = alices_browser.__class__()
    browser.force_login(bob)
    assert send(browser, agent, version="0", greeting="Theirs.").status_code == 302
    refused = alices_browser.post(address, mine)
    assert refused.status_code == 409
    assert "bob saved version 2 of this agent" in refused.text and "Mine.</textarea>" in refused.text
    assert alices_browser.post(address, mine).status_code == 409, "asking again does not write over it"
    assert alices_browser.post(address, mine | {"overwrite": "2"}).status_code == 302
    agent.refresh_from_db()
    assert (agent.greeting, agent.version) == ("Mine.", 3)


# ---- heard before it is saved ---------------------------------------------------------------


def test_a_voice_is_heard_at_the_rate_and_with_the_variables_of_the_unsaved_form(alices_browser, voice):
    answer = alices_browser.post(
        "/agents/speak/",
        {
            "text": "Hello, {{clinic}} here, {{agent_name}}.",
            "name": "Joe",
            "constants": "clinic = Harbour Street",
            "voice": "piper-joe",
            "speaking_rate": "1.2",
        },
    )
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/wav")
    assert answer.content[:4] == b"RIFF"
    assert voice.said == [("Hello, Harbour Street here, Joe.", "piper-joe", 1.2)]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"text": ""}, "Write something to hear"),
        ({"text": "x" * 301}, "at most 300 characters"),
        ({"text": "Hello.", "voice": "nobody"}, "does not have this voice"),
        ({"text": "Hello.", "speaking_rate": "9"}, "Speaking rate goes from 0.5 to 2."),
        ({"text": "Hello.", "speaking_rate": "nan"}, "Speaking rate goes from 0.5 to 2."),
    ],
)
def test_what_cannot_be_heard_is_refused_in_words(alices_browser, voice, sent, told):
    answer = alices_browser.post("/agents/speak/", sent)
    assert answer.status_code == 422
    assert told in answer.json()["error"]
    assert voice.said == []


def test_an_engine_that_does_not_speak_says_why(alices_browser, voice):
    voice.failure = EngineError("The worker died.", service="tts")
    answer = alices_browser.post("/agents/speak/", {"text": "Hello."})
    assert (answer.status_code, answer.json()) == (
        503,
        {"error": "The speech engine did not speak: The worker died."},
    )


def test_a_sentence_for_failing_engines_is_recorded_while_they_work(alices_browser, voice, agent):
    sent = {"on_failure": "sentence", "failure_sentence": "Call 555.", "speaking_rate": "1.1"}
    assert send(alices_browser, agent, **sent).status_code == 302
    assert voice.said == [("Call 555.", "default", 1.1)]
    assert bytes(Recorded.objects.get().wav)[:4] == b"RIFF"
    assert send(alices_browser, agent, name="Desk").status_code == 302
    assert len(voice.said) == 1, "the same sentence in the same voice is not recorded again"


def test_a_sentence_that_cannot_be_recorded_is_not_saved_as_if_it_were(alices_browser, voice, agent):
    voice.failure = EngineError("The worker died.", service="tts")
    answer = send(alices_browser, agent, on_failure="sentence", failure_sentence="Call 555.")
    assert answer.status_code == 422
    assert (
        "It could not be recorded: The worker died." in answer.context["form"].errors["failure_sentence"][0]
    )
    assert Agent.objects.get().on_failure == "goodbye"


# ---- tokens ---------------------------------------------------------------------------------


@pytest.fixture
def counter(monkeypatch):
    async def count(texts):
        shown.extend(texts)
        return TokenCount(tuple(len(text.split()) for text in texts), 1792, "SmolLM2")

    shown = []
    monkeypatch.setattr("mlservices.registry.count_tokens", count)
    return shown


def test_tokens_are_counted_as_the_local_model_reads_them_with_its_limit(alices_browser, agent, counter):
    sent = form_of(alices_browser, agent.get_absolute_url())
    sent |= {"instructions": "Be {{agent_name}}.", "chat_model": "local"}
    part = alices_browser.post("/agents/tokens/", sent)
    assert part.context["own"] == len(counter[0].split())
    assert counter[0].startswith("Be Front desk.\nOpening hours: We are open from eight to six.")
    assert (
        counter[1].startswith(counter[0].splitlines()[0]) and "You are speaking with a caller" in counter[1]
    )
    assert "SmolLM2 reads at most 1,792." in part.text and "Roughly" not in part.text


def test_what_is_longer_than_the_local_model_reads_is_said_to_be(alices_browser, counter):
    part = alices_browser.post("/agents/tokens/", {"instructions": "word " * 2000, "chat_model": "local"})
    assert "more than SmolLM2 reads, 1,792 at most" in part.text


def test_other_models_and_a_service_that_is_away_are_counted_roughly(alices_browser, counter, monkeypatch):
    other = alices_browser.post("/agents/tokens/", {"instructions": "Be kind.", "chat_model": "openai"})
    assert "Roughly 2 tokens" in other.text and "as SmolLM2 counts" in other.text

    async def away(texts):
        raise EngineError("cannot be reached")

    monkeypatch.setattr("mlservices.registry.count_tokens", away)
    rough = alices_browser.post("/agents/tokens/", {"instructions": "Be kind.", "chat_model": "local"})
    assert "Guessed by the number of letters" in rough.text


def test_a_model_that_is_awaited_is_not_said_to_be_unchosen(alices_browser, counter):
    part = alices_browser.post("/agents/tokens/", {"instructions": "Be kind.", "chat_model": "default"})
    assert "No language model is configured yet" in part.text


def test_a_new_agents_form_begins_at_its_name(alices_browser, agent):
    assert "autofocus" in str(alices_browser.get("/agents/new/").context["form"]["name"])
    assert "autofocus" not in str(alices_browser.get(agent.get_absolute_url()).context["form"]["name"])
