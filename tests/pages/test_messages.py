"""Messages that callers left: on the call's page, in a list of all, on the overview."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.test import Client

from agents.models import Agent
from telephony.annotation_actions import set_messages_done
from telephony.eventlog import record_now
from telephony.models import Call, CallMessage
from telephony.session.events import MessageTaken
from tests.factories import ended, make_agent, make_call, spoken
from voiceforge_site.models import User

CHANGE = "/calls/messages/change/"
LIST_QUERIES = 6  # session, user, live calls in the menu; how many there are, those of the page, each state


def mark(*messages: CallMessage, done: bool = True) -> None:
    set_messages_done(message_ids=[message.pk for message in messages], done=done, by="alice")


@pytest.fixture
def viewers_browser(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_user("vera", password="vera", role="viewer"))
    return client


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


def leave(agent: Agent, name: str = "David Brown", **changed: object) -> Call:
    fields = {
        "number": "+14155550132",
        "number_confirmed": True,
        "words": "Please call me.",
        "complete": True,
    }
    taken = MessageTaken(at_seconds=9.0, name=name, **(fields | changed))  # type: ignore[arg-type]
    return make_call(agent, ended([*spoken([("Hello.", "Hello.")]), taken]))


def test_all_are_listed_with_whom_to_call_back_and_where_it_was_said(
    alices_browser: Client, agent: Agent
) -> None:
    call = leave(agent)
    page = alices_browser.get("/calls/messages/").text
    assert "David Brown" in page and "Please call me." in page
    assert 'href="tel:+14155550132"' in page and "+1 415-555-0132" in page
    assert f'href="{call.get_absolute_url()}"' in page
    assert "unfinished" not in page and "not confirmed" not in page


def test_beside_a_number_that_was_not_confirmed_stands_the_one_that_called(
    alices_browser: Client, agent: Agent
) -> None:
    leave(agent, number="410177", number_confirmed=False)
    page = alices_browser.get("/calls/messages/").text
    assert 'href="tel:410177"' in page and "not confirmed" in page
    assert "called from" in page and 'href="tel:+14155550112"' in page


def test_what_was_not_told_is_said_to_be_missing(alices_browser: Client, agent: Agent) -> None:
    leave(agent, name="", number="", number_confirmed=False, complete=False)
    page = alices_browser.get("/calls/messages/").text
    assert "No name given" in page and "unfinished" in page
    assert "called from" in page and 'href="tel:+14155550112"' in page, (
        "the number of the line, as a way back"
    )


def test_a_caller_from_a_browser_has_no_number_to_call_back(alices_browser: Client, agent: Agent) -> None:
    taken = MessageTaken(name="Ann", number="", number_confirmed=False, words="Hi.", complete=True)
    make_call(agent, ended([*spoken([]), taken]), caller="ann")
    page = alices_browser.get("/calls/messages/").text
    assert "no number" in page and "tel:" not in page


def test_words_that_the_caller_did_not_confirm_are_marked(alices_browser: Client, agent: Agent) -> None:
    call = leave(agent, confirmed=False)
    assert "The caller did not confirm the message." in alices_browser.get("/calls/messages/").text
    assert "The caller did not confirm the message." in alices_browser.get(call.get_absolute_url()).text


@pytest.mark.parametrize("words", ["david", "call me", "415 555", "+1 (415) 555-0132"])
def test_they_are_found_by_name_number_or_words(alices_browser: Client, agent: Agent, words: str) -> None:
    leave(agent)
    leave(agent, name="Ann", number="2025550100", words="My prescription.")
    page = alices_browser.get("/calls/messages/", {"q": words}).text
    assert "David Brown" in page
    assert "Ann" not in page


def test_a_search_without_a_find_differs_from_having_none(alices_browser: Client, agent: Agent) -> None:
    assert "No messages yet" in alices_browser.get("/calls/messages/").text
    leave(agent)
    assert "No messages match" in alices_browser.get("/calls/messages/", {"q": "nobody"}).text


@pytest.mark.parametrize("query", ["", "?state=done", "?state=all&q=brown"])
def test_the_list_asks_the_same_of_the_database_however_long_it_is(
    alices_browser: Client, agent: Agent, query: str, django_assert_num_queries: Any
) -> None:
    for number in range(6):
        leave(agent)
        if number % 2:
            mark(CallMessage.objects.latest("pk"))
    with django_assert_num_queries(LIST_QUERIES):
        alices_browser.get(f"/calls/messages/{query}")


def test_a_calls_page_shows_its_message(alices_browser: Client, agent: Agent) -> None:
    page = alices_browser.get(leave(agent, number_confirmed=False).get_absolute_url())
    assert [message.name for message in page.context["messages_left"]] == ["David Brown"]
    assert "The caller did not confirm the number." in page.text
    assert "Message taken" in page.text


def test_the_overview_shows_the_latest(alices_browser: Client, agent: Agent) -> None:
    leave(agent)
    assert "David Brown" in alices_browser.get("/").text


def test_what_callers_say_is_never_markup(alices_browser: Client, agent: Agent) -> None:
    call = leave(agent, name="<script>alert(1)</script>", words="<img src=x>")
    for address in ("/", "/calls/messages/", call.get_absolute_url()):
        page = alices_browser.get(address).text
        assert "<script>alert(1)" not in page and "<img src=x>" not in page


def test_strangers_are_asked_to_sign_in(client: Client, agent: Agent) -> None:
    assert client.get("/calls/messages/").status_code == 302


def test_one_that_went_on_after_it_was_taken_is_shown_once_and_whole(
    alices_browser: Client, agent: Agent
) -> None:
    taken = MessageTaken(name="Ann", number="", number_confirmed=False, words="The wheel", complete=True)
    whole = replace(taken, words="The wheel and the bell")
    second = replace(taken, words="Also my lamp", ordinal=2)
    call = make_call(agent, ended([*spoken([]), taken, whole, second]))
    page = alices_browser.get("/calls/messages/").text
    assert page.count("The wheel") == page.count("The wheel and the bell") > 0
    assert "Also my lamp" in page
    context = alices_browser.get(call.get_absolute_url()).context
    transcript = context["transcript"]
    assert [each.words for each in context["messages_left"]] == ["The wheel and the bell", "Also my lamp"]
    assert sum(line.kind == "message_taken" for line in transcript.lines) == 2


def names(page: Any) -> list[str]:
    return [left.name for left in page.context["page"]]


@pytest.fixture
def three(agent: Agent) -> list[CallMessage]:
    """Ann's and Bert's are open, Carl's is done."""
    for name in ("Carl", "Bert", "Ann"):
        leave(agent, name=name)
    messages = [CallMessage.objects.get(name=name) for name in ("Ann", "Bert", "Carl")]
    mark(messages[2])
    return messages


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Ann", "Bert"]),
        ("?state=open", ["Ann", "Bert"]),
        ("?state=done", ["Carl"]),
        ("?state=all", ["Ann", "Bert", "Carl"]),
        ("?state=nonsense", ["Ann", "Bert"]),
        ("?state=all&q=ber", ["Bert"]),
    ],
)
def test_the_address_says_whether_those_open_or_done_are_shown(
    alices_browser: Client, three: list[CallMessage], query: str, shown: list[str]
) -> None:
    page = alices_browser.get(f"/calls/messages/{query}")
    assert names(page) == shown


def test_each_state_tells_how_many_are_in_it(alices_browser: Client, three: list[CallMessage]) -> None:
    counts = alices_browser.get("/calls/messages/").context["counts"]
    assert [(state, count) for state, _label, count in counts] == [("open", 2), ("done", 1), ("all", 3)]


def test_a_message_is_marked_as_done_and_that_is_undone(
    bobs_browser: Client, three: list[CallMessage]
) -> None:
    ann = three[0]
    answer = bobs_browser.post(CHANGE, {"message": ann.pk, "do": "done", "next": "/calls/messages/?q=a"})
    assert answer.url == "/calls/messages/?q=a"
    ann.refresh_from_db()
    assert (ann.done_by, ann.done_at is not None) == ("bob", True)
    page = bobs_browser.get("/calls/messages/")
    [toast] = list(page.context["messages"])
    undo = dict(parse_qsl(toast.extra_tags.partition("?")[2]))
    assert str(toast) == "1 message is done"
    bobs_browser.post(CHANGE, undo)
    ann.refresh_from_db()
    assert (ann.done_by, ann.done_at) == ("", None)
    assert "Undone" in bobs_browser.get("/calls/messages/").text


def test_several_are_marked_at_once_and_only_those_that_change_are_told_of(
    bobs_browser: Client, three: list[CallMessage]
) -> None:
    answer = bobs_browser.post(CHANGE, {"message": [each.pk for each in three], "do": "done"}, follow=True)
    assert "2 messages are done" in answer.text
    assert "Every message is done" in answer.text
    answer = bobs_browser.post(CHANGE, {"message": three[0].pk, "do": "done"}, follow=True)
    assert "Nothing changed" in answer.text


def test_what_is_done_is_opened_again(bobs_browser: Client, three: list[CallMessage]) -> None:
    answer = bobs_browser.post(CHANGE, {"message": three[2].pk, "do": "open"}, follow=True)
    assert names(answer) == ["Ann", "Bert", "Carl"] and "1 message is open again" in answer.text
    [toast] = list(answer.context["messages"])
    assert "undo" not in toast.extra_tags, "who had seen to it is forgotten"


def test_a_message_is_deleted_and_its_call_stays(bobs_browser: Client, three: list[CallMessage]) -> None:
    ann = three[0]
    assert "Delete {count} messages?" in bobs_browser.get("/calls/messages/").text, "it is asked first"
    answer = bobs_browser.post(CHANGE, {"message": ann.pk, "do": "delete"}, follow=True)
    assert names(answer) == ["Bert"] and "1 message deleted" in answer.text
    page = bobs_browser.get(ann.call.get_absolute_url())
    assert list(page.context["messages_left"]) == [] and "Message taken" in page.text
    assert "Please call me." not in bobs_browser.get(f"{ann.call.get_absolute_url()}transcript.txt").text


def test_what_no_database_can_hold_is_searched_for_all_the_same(
    bobs_browser: Client, three: list[CallMessage]
) -> None:
    assert names(bobs_browser.get("/calls/messages/", {"q": "An\0n"})) == ["Ann"]


def test_with_a_call_its_messages_go(agent: Agent) -> None:
    leave(agent).delete()
    assert not CallMessage.objects.exists()


@pytest.mark.parametrize(
    "asked", [{"do": "burn"}, {"do": "done", "message": "x"}, {"do": "done", "message": list(range(201))}]
)
def test_what_no_page_of_ours_sends_is_refused(bobs_browser: Client, db: None, asked: dict[str, Any]) -> None:
    assert bobs_browser.post(CHANGE, asked).status_code == 400


def test_nobody_is_led_to_another_site(bobs_browser: Client, three: list[CallMessage]) -> None:
    asked = {"message": three[0].pk, "do": "done", "next": "https://example.com/"}
    assert bobs_browser.post(CHANGE, asked).url == "/calls/messages/"


def test_a_viewer_reads_messages_and_changes_none(viewers_browser: Client, three: list[CallMessage]) -> None:
    page = viewers_browser.get("/calls/messages/").text
    assert "Ann" in page and "Mark as done" not in page and "Select the message of" not in page
    assert "Mark as done" not in viewers_browser.get(three[0].call.get_absolute_url()).text
    assert viewers_browser.post(CHANGE, {"message": three[0].pk, "do": "done"}).status_code == 403
    assert "to see to" not in viewers_browser.get("/").text


def test_a_calls_page_marks_its_message_as_done(bobs_browser: Client, three: list[CallMessage]) -> None:
    url = three[0].call.get_absolute_url()
    page = bobs_browser.get(url).text
    assert "Mark as done" in page and "Delete this message?" in page and f'name="next" value="{url}"' in page
    assert "Done by alice" in bobs_browser.get(three[2].call.get_absolute_url()).text


def test_open_messages_are_a_thing_to_do(bobs_browser: Client, three: list[CallMessage]) -> None:
    page = bobs_browser.get("/").text
    assert "2 messages to see to" in page and "Ann" in page and "Carl" not in page
    mark(*three)
    assert "to see to" not in bobs_browser.get("/").text


def test_a_message_told_anew_while_the_call_goes_on_is_open_again(agent: Agent) -> None:
    call = make_call(agent, spoken([]))
    taken = MessageTaken(name="Ann", number="", number_confirmed=False, words="The wheel", complete=False)
    record_now(call.pk, taken)
    mark(CallMessage.objects.get())
    record_now(call.pk, replace(taken, words="The wheel and"), replace(taken, words="The wheel and the bell"))
    message = CallMessage.objects.get()
    assert (message.words, message.done_at, message.done_by) == ("The wheel and the bell", None, "")
