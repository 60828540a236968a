"""The pages on which agents are listed, changed and tried."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from agents.actions import create_demo_agent
from agents.facts import read_facts, write_facts
from agents.forms import AgentForm, add_errors
from agents.models import Agent
from tests.factories import make_agent, make_call


def form_of(browser: Client, address: str) -> dict[str, str]:
    """What the page's form would send, untouched."""
    form = browser.get(address).context["form"]
    facts = browser.get(address).context["facts"]
    fields = [field for one in (form, facts.management_form, *facts.forms) for field in one]
    values = {field.html_name: field.value() for field in fields}
    return {
        name: "on" if value is True else str(value)
        for name, value in values.items()
        if value is not None and value is not False
    }


def test_searching_finds_names_and_descriptions_and_counts_what_it_found(alices_browser):
    make_agent("Front desk")
    make_agent("Hotel concierge", description="Late check-out", status="paused")
    page = alices_browser.get("/agents/", {"q": "CHECK"})
    assert "Hotel concierge" in page.text and "Front desk" not in page.text
    assert page.context["counts"][:3] == [("", "All", 1), ("active", "Active", 0), ("paused", "Paused", 1)]


def test_filtering_by_status_keeps_the_counts_of_the_others(alices_browser):
    make_agent("Front desk")
    make_agent("Hotel concierge", status="paused")
    page = alices_browser.get("/agents/", {"status": "paused"})
    assert [agent.name for agent in page.context["page"]] == ["Hotel concierge"]
    assert ("active", "Active", 1) in page.context["counts"]


def test_htmx_gets_the_table_alone_and_a_restored_page_the_whole(alices_browser):
    make_agent("Front desk")
    part = alices_browser.get("/agents/", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="results"')
    assert part["Vary"].startswith("HX-Request")
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<!doctype html>" in alices_browser.get("/agents/", headers=headers).text


def test_nothing_yet_differs_from_nothing_found(alices_browser):
    assert "No agents yet" in alices_browser.get("/agents/").text
    assert "No agents match" in alices_browser.get("/agents/", {"q": "nobody"}).text


def test_the_list_asks_the_same_of_the_database_for_two_agents_and_for_forty(
    alices_browser, django_assert_num_queries
):
    for _ in range(2):
        make_agent()
    with django_assert_num_queries(6):  # session, user, counts, count, agents, live calls
        alices_browser.get("/agents/")
    for _ in range(38):
        make_agent()
    with django_assert_num_queries(6):
        alices_browser.get("/agents/")


def test_a_new_agent_gets_an_address_of_its_name(alices_browser):
    sent = form_of(alices_browser, "/agents/new/") | {"name": "Hotel Concierge", "greeting": "Good evening."}
    answer = alices_browser.post("/agents/new/", sent)
    assert answer["Location"] == "/agents/hotel-concierge/"
    assert Agent.objects.get().greeting == "Good evening."
    assert "Hotel Concierge saved" in alices_browser.get(answer["Location"]).text


def test_saving_an_untouched_form_changes_nothing(alices_browser):
    agent = make_agent(transfer_number="+14155550199", silence_seconds=12, eagerness=0.35)
    before = Agent.objects.values().get()
    assert (
        alices_browser.post(
            agent.get_absolute_url(), form_of(alices_browser, agent.get_absolute_url())
        ).status_code
        == 302
    )
    after = Agent.objects.values().get()
    assert after | {"updated_at": None} == before | {"updated_at": None}


def test_a_telephone_number_is_stored_as_providers_dial_it(alices_browser):
    agent = make_agent()
    sent = form_of(alices_browser, agent.get_absolute_url()) | {"transfer_number": "+1 (415) 555-0199"}
    alices_browser.post(agent.get_absolute_url(), sent)
    assert Agent.objects.get().transfer_number == "+14155550199"


@pytest.mark.parametrize(
    "number, remedy",
    [("555-0199", "country code"), ("reception", "country code"), ("+1 415", "how many digits")],
)
def test_a_number_that_cannot_be_dialled_is_refused_with_what_to_do(alices_browser, number, remedy):
    agent = make_agent()
    sent = form_of(alices_browser, agent.get_absolute_url()) | {"fallback_number": number}
    answer = alices_browser.post(agent.get_absolute_url(), sent)
    assert answer.status_code == 422
    assert remedy in answer.context["form"].errors["fallback_number"][0]
    assert Agent.objects.get().fallback_number == ""


def test_a_refused_form_keeps_all_that_was_typed_and_marks_the_field(alices_browser):
    agent = make_agent("Front desk")
    sent = form_of(alices_browser, agent.get_absolute_url()) | {
        "name": "Reception",
        "greeting": "",
        "facts-0-answer": "We never close.",
    }
    answer = alices_browser.post(agent.get_absolute_url(), sent)
    assert answer.status_code == 422
    assert 'value="Reception"' in answer.text
    assert "We never close." in answer.text
    field = re.search(r"<textarea[^>]*name=\"greeting\"[^>]*>", answer.text)
    assert field and 'aria-invalid="true"' in field[0] and "id_greeting_error" in field[0]
    assert 'id="id_greeting_error"' in answer.text
    assert "<title>Front desk" in " ".join(answer.text.split()), "the head names the agent as it is stored"


def test_facts_are_added_changed_and_removed(alices_browser):
    agent = make_agent()
    sent = form_of(alices_browser, agent.get_absolute_url()) | {
        "facts-TOTAL_FORMS": "3",
        "facts-0-answer": "From nine to five.",
        "facts-1-DELETE": "on",
        "facts-2-topic": "Prices",
        "facts-2-answer": "A first visit is fifty dollars.",
        "facts-2-questions": "what does it cost\n\nhow much is a visit\n",
    }
    assert alices_browser.post(agent.get_absolute_url(), sent).status_code == 302
    facts = {fact["topic"]: fact for fact in Agent.objects.get().facts}
    assert set(facts) == {"Opening hours", "Prices"}
    assert facts["Opening hours"]["answer"] == "From nine to five."
    assert facts["Prices"]["questions"] == ["what does it cost", "how much is a visit"]


HOURS = {"timezone": "Europe/Berlin", "week": {"monday": [["08:00", "18:00"]]}}


def test_a_form_that_is_sent_untouched_changes_nothing(alices_browser):
    agent = create_demo_agent()
    before = agent.facts
    sent = form_of(alices_browser, agent.get_absolute_url())
    assert alices_browser.post(agent.get_absolute_url(), sent).status_code == 302
    assert write_facts(read_facts(Agent.objects.get().facts)) == write_facts(read_facts(before))


def test_opening_hours_are_written_in_lines(alices_browser):
    agent = make_agent(facts=[{"topic": "Opening hours", "answer": "", "questions": [], "hours": HOURS}])
    sent = form_of(alices_browser, agent.get_absolute_url())
    assert (sent["facts-0-hours"], sent["facts-0-timezone"]) == ("Monday: 08:00-18:00", "Europe/Berlin")
    sent |= {
        "facts-0-hours": "Mon to Fri 9 am - 5 pm\nclosed: 2026-12-25",
        "facts-0-urgent": "on",
        "facts-0-offers_message": "on",
    }
    assert alices_browser.post(agent.get_absolute_url(), sent).status_code == 302
    (stored,) = Agent.objects.get().facts
    assert stored["hours"]["week"]["friday"] == [["09:00", "17:00"]]
    assert stored["hours"]["closed_on"] == ["2026-12-25"]
    assert (stored["urgent"], stored["follow_up"]) == (True, "message")
    assert alices_browser.post(
        agent.get_absolute_url(), sent | {"facts-0-hours": "", "facts-0-answer": "Always."}
    )
    assert "hours" not in Agent.objects.get().facts[0]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"facts-0-hours": "Monday: nine to five"}, "“Monday: nine to five” cannot be read"),
        ({"facts-0-hours": "Monday: 9-9"}, "week.monday[0]: it opens and closes at once"),
        ({"facts-0-hours": "Monday: 9-25"}, "use a time of day like 08:30"),
        ({"facts-0-timezone": ""}, "Name the time zone"),
        ({"facts-0-timezone": "Mars"}, "timezone: use a time zone like Europe/London"),
    ],
)
def test_hours_that_are_none_are_refused_where_they_stand(alices_browser, changed, told):
    agent = make_agent(facts=[{"topic": "Opening hours", "answer": "", "questions": [], "hours": HOURS}])
    answer = alices_browser.post(
        agent.get_absolute_url(), form_of(alices_browser, agent.get_absolute_url()) | changed
    )
    assert answer.status_code == 422
    assert told in unescape(answer.text)


def test_topics_that_differ_only_by_white_space_are_the_same(alices_browser):
    agent = make_agent()
    twice = form_of(alices_browser, agent.get_absolute_url()) | {"facts-1-topic": " opening \u00a0 hours"}
    answer = alices_browser.post(agent.get_absolute_url(), twice)
    assert answer.status_code == 422
    assert "Another fact has this topic" in answer.text


def test_what_the_form_does_not_show_and_is_wrong_is_told_above_it(alices_browser):
    form = AgentForm(form_of(alices_browser, "/agents/new/"))
    add_errors(form, ValidationError({"slug": "Another agent has it."}))
    assert form.non_field_errors() == ["slug: Another agent has it."]


def test_a_fact_without_an_answer_and_one_that_is_there_twice_are_refused(alices_browser):
    agent = make_agent()
    address = agent.get_absolute_url()
    unanswered = form_of(alices_browser, address) | {"facts-0-answer": ""}
    assert "Write what the agent is to say" in alices_browser.post(address, unanswered).text
    twice = form_of(alices_browser, address) | {"facts-1-topic": "opening HOURS"}
    assert "Another fact has this topic" in alices_browser.post(address, twice).text


def test_duplicating_leads_to_the_form_of_the_copy(alices_browser):
    agent = make_agent("Front desk")
    assert reverse("agents:duplicate", args=[agent.slug]) in alices_browser.get(agent.get_absolute_url()).text
    answer = alices_browser.post(reverse("agents:duplicate", args=[agent.slug]), follow=True)
    assert answer.redirect_chain == [("/agents/front-desk-copy/", 302)]
    assert "Front desk (copy) is made, and paused" in answer.text
    assert Agent.objects.get(slug="front-desk-copy").status == "paused"


def test_looking_at_the_address_of_a_copy_makes_none(alices_browser):
    agent = make_agent()
    assert alices_browser.get(reverse("agents:duplicate", args=[agent.slug])).status_code == 405
    assert Agent.objects.count() == 1


def test_an_agent_that_cannot_be_copied_says_why(alices_browser):
    agent = make_agent()
    Agent.objects.update(language="")
    answer = alices_browser.post(reverse("agents:duplicate", args=[agent.slug]), follow=True)
    assert answer.redirect_chain == [(agent.get_absolute_url(), 302)]
    assert "Not copied: This field cannot be blank." in answer.text
    assert Agent.objects.count() == 1


def test_a_language_model_that_is_no_longer_configured_stays_chosen_and_says_so(alices_browser):
    agent = make_agent(chat_model="nvidia")
    page = alices_browser.get(agent.get_absolute_url()).text
    assert '<option value="nvidia" selected>nvidia (not available now)</option>' in page
    assert "None: answers from facts and intents" in page


def test_whatever_is_configured_says_what_that_is(alices_browser, settings):
    agent = make_agent(chat_model="default")
    page = alices_browser.get(agent.get_absolute_url()).text
    assert "Whatever is configured (none yet: answers from facts and intents)" in page
    assert "No language model is configured" in alices_browser.get("/agents/").text
    settings.NVIDIA_API_KEY, settings.NVIDIA_MODEL = "secret", "some/model"
    page = alices_browser.get(agent.get_absolute_url()).text
    assert "selected>Whatever is configured (now some/model (NVIDIA))</option>" in " ".join(page.split())
    shown = "<span>some/model (NVIDIA)</span><small>Whatever is configured</small>"
    assert shown in alices_browser.get("/agents/").text


def test_the_list_says_of_a_model_that_is_gone_what_answers_in_its_place(alices_browser):
    make_agent("Front desk", chat_model="some-model")
    shown = "<span>Facts and intents</span><small>some-model is not configured now</small>"
    assert shown in alices_browser.get("/agents/").text


@pytest.mark.parametrize(
    ("chat_model", "key", "told"), [("", "", True), ("default", "", True), ("default", "secret", False)]
)
def test_an_agent_that_has_nothing_to_answer_with_is_to_be_looked_at(
    alices_browser, settings, chat_model, key, told
):
    settings.NVIDIA_API_KEY = key
    make_call(make_agent("Front desk", facts=[], chat_model=chat_model))
    page = alices_browser.get("/").text
    assert ("Front desk has neither facts nor a language model" in page) == told


class TestTryByText:
    @pytest.fixture
    def address(self, db):
        return reverse("agents:try", args=[make_agent("Front desk").slug])

    @pytest.fixture
    def service_away(self, settings):
        """The ML service's port is one on which nobody listens."""
        settings.ML_PORT = 9

    def test_the_agent_greets(self, alices_browser, address):
        assert "Hello, how can I help you?" in alices_browser.get(address).text

    def test_an_engine_that_is_away_keeps_the_words_and_says_what_to_do(
        self, alices_browser, address, service_away
    ):
        answer = alices_browser.post(address, {"words": "Is there a lift?", "transcript": "[]"})
        assert answer.status_code == 200
        assert "cannot be reached" in answer.text and "send it again" in answer.text
        assert 'data-failed="Is there a lift?"' in answer.text

    @pytest.mark.parametrize("transcript", ["{", '{"a": 1}', "[1]", '["one"]'])
    def test_a_record_that_we_did_not_write_starts_nothing(self, alices_browser, address, transcript):
        answer = alices_browser.post(address, {"words": "Hello", "transcript": transcript})
        assert "Start again" in answer.text and "vf-bad" in answer.text
