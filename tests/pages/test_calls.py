"""The pages of calls, drawn from rows before any socket opens."""

from __future__ import annotations

import re

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse

from telephony.models import Call
from telephony.session.events import (
    AgentHeard,
    AgentSaid,
    CallerWordsGuessed,
    DigitsPressed,
    EngineFailed,
    OperatorSaid,
    OperatorTookOver,
)
from tests.factories import (
    ended,
    make_agent,
    make_call,
    make_recording,
    measured,
    served_by_a_fallback,
    spoken,
)

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]


@pytest.fixture
def agent(db):
    return make_agent("Front desk")


class TestCallPage:
    def test_it_shows_who_said_what_and_how_long_it_took(self, alices_browser, agent):
        call = make_call(agent, ended(spoken(TURNS, milliseconds=[780, 1240])))
        page = alices_browser.get(call.get_absolute_url())
        lines = [(line.who, line.text) for line in page.context["transcript"].lines if line.who != "note"]
        assert lines[1:3] == [("caller", "When are you open?"), ("agent", "From eight to six.")]
        assert "780 ms" in page.text and "1.24 s" in page.text
        assert "The caller hung up" in page.text

    def test_a_call_of_ours_is_told_by_who_was_called(self, alices_browser, agent):
        ours, theirs = "+14155550100", "+493012345678"
        told = {"direction": "outbound", "caller": ours, "callee": theirs}
        live = make_call(agent, spoken([]), **told)
        over = make_call(agent, ended(spoken(TURNS)), **told)
        page = alices_browser.get(live.get_absolute_url()).text
        assert "<title>Call to +49 30 12345678" in page
        assert '<h1 class="vf-num">+49 30 12345678</h1>' in page
        assert "Hang up on +49 30 12345678, who speaks with Front desk?" in page
        assert page.count("+1 415-555-0100") == 1  # as the number that was shown to them
        for address in ("/calls/", "/"):
            text = alices_browser.get(address).text
            assert "+49 30 12345678" in text and "+1 415-555-0100" not in text, address
        assert "Replay of the call to +49 30" in alices_browser.get(f"/calls/{over.pk}/?replay").text
        found = alices_browser.get("/palette/", {"q": str(over.pk)[:8]}).context["groups"]
        assert "Call to +49 30 12345678" in str(found)
        name = alices_browser.get(f"/calls/{over.pk}/transcript.txt")["Content-Disposition"]
        assert "call-493012345678-" in name

    def test_operators_are_called_by_their_names(self, alices_browser, bob, agent):
        type(bob).objects.filter(pk=bob.pk).update(name="Robert Olsson")
        taken = OperatorTookOver(at_seconds=12, by="bob", window="w")
        said = OperatorSaid(at_seconds=14, start_seconds=13, end_seconds=14, text="Hello.", by="bob")
        call = make_call(agent, [*spoken(TURNS), taken, said])
        page = alices_browser.get(call.get_absolute_url()).text
        assert "Robert Olsson has the call" in page and "Robert Olsson took the call over" in page
        assert "Robert Olsson, operator" in page
        assert "Robert Olsson has the call" in alices_browser.get("/calls/live/").text
        assert '"bob": "Robert Olsson"' in page  # for what comes later

    def test_a_time_is_the_same_beside_the_words_and_beside_the_bar(self, alices_browser, agent):
        call = make_call(agent, ended(spoken(TURNS[:1], milliseconds=[2324.6])))
        page = alices_browser.get(call.get_absolute_url()).text
        assert re.findall(r">(\d\.\d\d s)<", page) == ["2.33 s", "2.33 s"]

    def test_a_guess_is_marked_as_one(self, alices_browser, agent):
        call = make_call(agent, [*spoken(TURNS), CallerWordsGuessed(at_seconds=20, turn=3, text="could you")])
        page = alices_browser.get(call.get_absolute_url()).text
        assert page.count("data-guess") == 1
        assert "could you" in page

    def test_words_that_the_caller_did_not_hear_are_struck_out(self, alices_browser, agent):
        events = [
            *spoken(TURNS),
            AgentSaid(at_seconds=20, turn=3, text="Park behind the building.", sentence=0),
            AgentHeard(at_seconds=21, turn=3, text="Park behind", interrupted=True),
        ]
        page = alices_browser.get(make_call(agent, events).get_absolute_url()).text
        assert "<span data-said>Park behind</span>" in page
        assert ">the building.</del>" in page

    def test_what_callers_say_is_never_markup(self, alices_browser, agent):
        call = make_call(agent, spoken([("<script>alert(1)</script>", "Pardon?")]), caller="<b>")
        assert "<script>alert(1)" not in alices_browser.get(call.get_absolute_url()).text

    def test_the_bar_of_a_turn_names_its_stages_and_the_time_in_queues(self, alices_browser, agent):
        call = make_call(agent, [measured(1, 5.0, 1000)])
        page = alices_browser.get(call.get_absolute_url()).text
        assert "Voice: 300 ms, making its first sound (100 ms of it waiting for a free worker)" in page
        assert "--ms: 300; --queue: 0.333" in page

    def test_a_turn_that_a_fallback_served_says_so(self, alices_browser, agent):
        events = [
            *spoken(TURNS[:1]),
            *served_by_a_fallback(turn=2, at=20.0),
        ]
        page = alices_browser.get(make_call(agent, events).get_absolute_url()).text
        shown = re.findall(r'data-stood-in="(\w+)" title="([^"]+)">([^<]+)<', page)
        assert shown == [
            ("stt", "Tiny Whisper", "heard by a fallback"),
            ("llm", "NVIDIA llama", "worded by a fallback"),
            ("tts", "Piper", "spoken by a fallback"),
        ]

    def test_keys_and_failures_stand_between_the_turns(self, alices_browser, agent):
        events = [
            *spoken(TURNS),
            DigitsPressed(digits="42"),
            EngineFailed(engine="tts", error="timed out", remedy="apologised"),
        ]
        page = alices_browser.get(make_call(agent, events).get_absolute_url()).text
        assert "Pressed 42" in page
        assert "Voice failed, apologised: timed out" in page

    def test_every_event_is_listed_with_its_number(self, alices_browser, agent):
        call = make_call(agent, spoken(TURNS))
        page = alices_browser.get(call.get_absolute_url())
        # one more is the template of the lines to come
        assert page.context["last_seq"] == call.last_seq == page.text.count('<li class="vf-event">') - 1
        assert f'data-seq="{call.last_seq}"' in page.text

    def test_a_call_before_its_first_event_has_a_page(self, alices_browser, agent):
        call = Call.objects.create(agent=agent, line="twilio", direction="inbound")
        page = alices_browser.get(call.get_absolute_url())
        assert page.status_code == 200
        assert "Nothing has been said yet" in page.text

    def test_it_asks_little_of_the_database_however_long_the_call(
        self, alices_browser, agent, django_assert_max_num_queries
    ):
        call = make_call(agent, ended(spoken(TURNS * 20)))
        make_recording(call, seconds=1)
        with django_assert_max_num_queries(9):
            alices_browser.get(call.get_absolute_url())


class TestRecording:
    @pytest.fixture
    def whole(self, agent):
        """(address, all its bytes)"""
        recording = make_recording(make_call(agent, ended(spoken(TURNS))), seconds=1)
        with recording.file.open("rb") as file:
            return reverse("telephony:recording", args=[recording.call_id]), file.read()

    def read(self, browser, address, asked=""):
        """(status, Content-Range, bytes) as an ASGI server would send them."""
        answer = browser.get(address, headers={"Range": asked} if asked else {})
        content = async_to_sync(collect)(answer) if answer.streaming else answer.content
        return answer.status_code, answer.get("Content-Range"), content

    def test_it_is_a_wav_file_that_can_be_sought_in(self, alices_browser, whole):
        address, sound = whole
        assert self.read(alices_browser, address) == (200, None, sound)
        answer = alices_browser.get(address)
        assert (answer["Content-Type"], answer["Accept-Ranges"]) == ("audio/wav", "bytes")

    @pytest.mark.parametrize(
        "asked, first, last", [("100-199", 100, 199), ("100-", 100, None), ("-44", -44, None)]
    )
    def test_a_player_gets_the_part_that_it_asks_for(self, alices_browser, whole, asked, first, last):
        address, sound = whole
        start = first % len(sound)
        end = len(sound) - 1 if last is None else last
        part = self.read(alices_browser, address, f"bytes={asked}")
        assert part == (206, f"bytes {start}-{end}/{len(sound)}", sound[start : end + 1])

    def test_a_part_beyond_the_end_is_refused_with_the_size(self, alices_browser, whole):
        address, sound = whole
        assert self.read(alices_browser, address, "bytes=999999-") == (416, f"bytes */{len(sound)}", b"")

    @pytest.mark.parametrize("asked", ["bytes=-", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"])
    def test_what_is_no_single_range_gets_the_whole(self, alices_browser, whole, asked):
        address, sound = whole
        assert self.read(alices_browser, address, asked) == (200, None, sound)

    def test_downloading_names_the_file_after_the_call(self, alices_browser, whole):
        assert "call-" in alices_browser.get(whole[0] + "?download")["Content-Disposition"]

    def test_a_call_without_one_says_why(self, alices_browser, agent):
        call = make_call(agent, ended(spoken(TURNS)))
        assert "There is no recording" in alices_browser.get(call.get_absolute_url()).text
        agent.record = False
        agent.save()
        assert "does not record its calls" in alices_browser.get(call.get_absolute_url()).text


async def collect(answer) -> bytes:
    return b"".join([part async for part in answer])


class TestHangingUp:
    def test_a_call_that_nobody_holds_is_ended(self, alices_browser, agent):
        call = make_call(agent, spoken(TURNS))
        address = reverse("telephony:hang_up", args=[call.pk])
        assert alices_browser.get(address).status_code == 405
        assert alices_browser.post(address)["Location"] == call.get_absolute_url()
        call.refresh_from_db()
        assert call.end_reason == "operator_hung_up"

    def test_the_page_that_watches_stays_where_it_is(self, alices_browser, agent):
        address = reverse("telephony:hang_up", args=[make_call(agent, spoken(TURNS)).pk])
        assert alices_browser.post(address, headers={"X-Requested-With": "fetch"}).status_code == 204
