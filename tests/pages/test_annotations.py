"""Tags and notes, on one call and on many."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from telephony.models import Call, CallNote, Tag
from tests.factories import make_agent, make_past_call


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


class TestTagsAndNotes:
    def test_a_tag_is_put_on_and_taken_off(self, bobs_browser: Client, agent: Agent) -> None:
        call = make_past_call(agent)
        address = reverse("telephony:call_tags", args=[call.pk])
        assert (
            "Call back"
            in bobs_browser.post(address, {"add": " Call  back "}, headers={"HX-Request": "true"}).text
        )
        assert "Call back" in bobs_browser.get("/calls/").text
        assert bobs_browser.post(address, {"add": "Call back"}).status_code == 302  # without JavaScript
        assert call.tags.count() == 1
        bobs_browser.post(address, {"remove": "Call back"}, headers={"HX-Request": "true"})
        assert not Tag.objects.exists(), "a tag that no call bears is gone"
        assert bobs_browser.post(address, {"add": " "}).status_code == 422

    def test_words_with_commas_between_are_several_tags(self, bobs_browser: Client, agent: Agent) -> None:
        call = make_past_call(agent)
        address = reverse("telephony:call_tags", args=[call.pk])
        bobs_browser.post(address, {"add": " Lead, Call  back,,Lead ,"}, headers={"HX-Request": "true"})
        assert [tag.name for tag in call.tags.all()] == ["Call back", "Lead"]
        bobs_browser.post("/calls/tag/", {"call": str(call.pk), "name": "urgent, paid"})
        assert call.tags.count() == 4
        answer = bobs_browser.post(address, {"add": f"ok, {'x' * 41}"}, headers={"HX-Request": "true"})
        assert (
            answer.status_code == 422
            and "at most 40 letters" in answer.text
            and 'value="ok, xxx' in answer.text
        )
        assert call.tags.count() == 4, "all of them or none"

    def test_a_tag_in_other_capitals_is_the_same(self, bobs_browser: Client, agent: Agent) -> None:
        calls = [make_past_call(agent), make_past_call(agent)]
        for call, typed in zip(calls, ("vip, VIP", "Vip"), strict=True):
            bobs_browser.post(reverse("telephony:call_tags", args=[call.pk]), {"add": typed})
        assert list(Tag.objects.values_list("name", flat=True)) == ["vip"]
        page = bobs_browser.get("/calls/", {"tag": "VIP"})
        assert set(page.context["page"]) == set(calls) and "not understood" not in page.text

    def test_a_note_says_who_wrote_it_and_is_no_markup(self, bobs_browser: Client, agent: Agent) -> None:
        address = reverse("telephony:call_notes", args=[make_past_call(agent).pk])
        page = bobs_browser.post(
            address, {"text": "<b>Rang back</b>\nat six"}, headers={"HX-Request": "true"}
        ).text
        assert "&lt;b&gt;Rang back&lt;/b&gt;<br>at six" in page and "bob, " in page

    def test_a_note_being_typed_outlives_the_deletion_of_another(
        self, bobs_browser: Client, bob: Any, agent: Agent
    ) -> None:
        call = make_past_call(agent)
        note = CallNote.objects.create(call=call, author="bob", text="His")
        address = reverse("telephony:call_notes", args=[call.pk])
        form = {"remove": note.pk, "text": "Half a sen"}
        page = bobs_browser.post(address, form, headers={"HX-Request": "true"}).text
        assert ">Half a sen</textarea>" in page and "data-guard data-dirty" in page
        assert not CallNote.objects.exists()

    def test_only_its_author_or_an_administrator_deletes_a_note(
        self, bobs_browser: Client, alices_browser: Client, agent: Agent
    ) -> None:
        call = make_past_call(agent)
        address = reverse("telephony:call_notes", args=[call.pk])
        alices = CallNote.objects.create(call=call, author="alice", text="Hers")
        bobs = CallNote.objects.create(call=call, author="bob", text="His")
        assert bobs_browser.post(address, {"remove": alices.pk}).status_code == 403
        bobs_browser.post(address, {"remove": bobs.pk})
        assert list(CallNote.objects.all()) == [alices]
        assert bobs_browser.post(address, {"remove": bobs.pk}).status_code == 422
        alices_browser.post(address, {"remove": alices.pk})
        assert not CallNote.objects.exists()

    def test_a_note_that_is_empty_or_too_long_is_refused_and_kept_in_the_form(
        self, bobs_browser: Client, agent: Agent
    ) -> None:
        address = reverse("telephony:call_notes", args=[make_past_call(agent).pk])
        assert bobs_browser.post(address, {"text": "  "}).status_code == 422
        answer = bobs_browser.post(address, {"text": "long " * 1000})
        assert answer.status_code == 422 and "long long" in answer.text

    def test_many_calls_are_tagged_at_once(self, bobs_browser: Client, agent: Agent) -> None:
        calls = [make_past_call(agent) for _ in range(3)]
        chosen = {
            "call": [str(call.pk) for call in calls[:2]],
            "name": "Lead",
            "back": "agent=front-desk&page=1",
        }
        answer = bobs_browser.post("/calls/tag/", chosen)
        assert answer["Location"] == "/calls/?agent=front-desk&page=1"
        assert set(Call.objects.filter(tags__name="Lead")) == set(calls[:2])

    def test_going_back_leads_nowhere_else(self, bobs_browser: Client, agent: Agent) -> None:
        answer = bobs_browser.post("/calls/tag/", {"name": "x", "back": "https://evil.example/?q=1"})
        assert answer["Location"].startswith("/calls/")
