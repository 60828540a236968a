"""What was said is found by its words, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import call_command
from django.utils import timezone

from agents.models import Agent
from telephony import search
from telephony.actions import end_call
from telephony.models import Call, CallText
from telephony.session.events import AgentHeard, AgentSaid, MessageTaken
from tests.factories import ended, make_agent, make_call, spoken


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk")


def said(agent: Agent, words: str, answer: str = "Certainly.", /, **fields: object) -> Call:
    call = make_call(agent, ended(spoken([(words, answer)])), **fields)  # type: ignore[arg-type]
    search.index(call.pk)
    return call


def found(words: str = "", limit: int = 100, before: int | None = None, **asked: object) -> list[UUID]:
    wanted = search.Search(words=words, **asked)  # type: ignore[arg-type]
    hits = search.find(wanted, limit=limit, before=before)
    return [hit.call_id for hit in hits]


def test_the_words_of_both_sides_are_found(agent: Agent) -> None:
    call = said(agent, "Where can I park my bicycle?", "Behind the bakery.")
    said(agent, "Good morning.")
    assert found("bicycle") == found("bakery") == found("park bakery") == [call.pk]
    assert found("bicycle morning") == []


def test_the_words_of_a_message_are_found_and_the_number_it_names(agent: Agent) -> None:
    message = MessageTaken(
        name="Ann", number="2025550100", number_confirmed=True, words="My lamp is broken.", complete=True
    )
    call = make_call(agent, ended([*spoken([]), message]))
    search.index(call.pk)
    assert found("lamp") == found("ann") == found("2025550100") == [call.pk]


def test_words_that_the_caller_never_heard_were_not_said(agent: Agent) -> None:
    events = [
        *spoken([]),
        AgentSaid(at_seconds=4, turn=1, text="Park behind the bakery.", sentence=0),
        AgentHeard(at_seconds=5, turn=1, text="Park behind", interrupted=True),
    ]
    search.index(make_call(agent, ended(events)).pk)
    assert found("behind") and not found("bakery")


@pytest.mark.parametrize("words", ["Zoë's café", "zoes cafe", "ZOES CAF", "zoe\u2019s café"])
def test_case_accents_and_apostrophes_make_no_difference(agent: Agent, words: str) -> None:
    call = said(agent, "Is this Zoë's café?")
    assert found(words) == [call.pk]


def test_the_last_word_may_be_only_begun(agent: Agent) -> None:
    call = said(agent, "An appointment on Saturday, please.")
    assert found("appointment satur") == [call.pk]
    assert found("appoint saturday") == []
    assert found("s") == []  # a single letter stands for itself


@pytest.mark.parametrize(
    "words",
    [
        '"',
        "''",
        "a OR b",
        "NOT",
        "AND",
        "(",
        "*",
        "x:*",
        "NEAR(a b)",
        "words:x",
        "\\",
        "%",
        "🙂",
        "-",
        "&|!",
        "\x00",
    ],
)
def test_nothing_that_is_typed_is_syntax(agent: Agent, words: str) -> None:
    said(agent, "Good morning.")
    assert found(words) == []
    assert found(f"morning {words}") in ([], found("morning"))


def test_without_words_nothing_is_asked(agent: Agent) -> None:
    said(agent, "Good morning.")
    assert found("") == found("   ") == []


@pytest.mark.parametrize("number", ["+1 415-555-0112", "(415) 555-0112", "5550112", "0112"])
def test_a_number_is_found_by_any_part_of_it(agent: Agent, number: str) -> None:
    call = said(agent, "Hello.", caller="+14155550112")
    said(agent, "Hello.", caller="+12025559999")
    assert found(number) == found(number=number) == [call.pk]
    assert found("hello", number="5550112") == [call.pk]


def test_a_caller_with_a_name_is_found_by_it(agent: Agent) -> None:
    call = said(agent, "Hello.", caller="alice", direction="web")
    assert found("alice") == found(number="ali") == [call.pk]


def test_the_newest_come_first_and_within_the_days_that_are_asked_for(agent: Agent) -> None:
    now = timezone.now()
    calls = [said(agent, "Hello.", started=now - timedelta(days=days)) for days in (2, 0, 1)]
    assert found("hello") == [calls[1].pk, calls[2].pk, calls[0].pk]
    assert found("hello", since=now - timedelta(days=1, hours=1)) == [calls[1].pk, calls[2].pk]
    assert found("hello", until=now - timedelta(hours=1)) == [calls[2].pk, calls[0].pk]
    assert found("hello", limit=1) == [calls[1].pk]
    first = search.find(search.Search(words="hello"), limit=1)[0]
    assert found("hello", before=first.key) == [calls[2].pk, calls[0].pk]


def test_calls_that_began_in_the_same_moment_are_all_found(agent: Agent) -> None:
    moment = timezone.now()
    calls = {said(agent, "Hello.", started=moment).pk for _ in range(3)}
    more = [make_call(agent, ended(spoken([("Hello.", "Yes.")])), started=moment) for _ in range(2)]
    assert search.index_many(call.pk for call in more) == 2
    assert set(found("hello")) == calls | {call.pk for call in more}


def test_indexing_again_replaces_what_was_kept(agent: Agent) -> None:
    call = said(agent, "Good morning.")
    event = call.events.get(kind="caller_said")
    event.payload["text"] = "Good evening."
    event.save()
    search.index(call.pk)
    assert found("evening") == [call.pk]
    assert found("morning") == []


def test_a_deleted_calls_words_are_gone(agent: Agent) -> None:
    said(agent, "Good morning.").delete()
    assert found("morning") == []
    assert not CallText.objects.exists()


def test_a_call_is_found_as_soon_as_it_is_over(agent: Agent) -> None:
    call = make_call(agent, spoken([("Good morning.", "Hello.")]))
    assert found("morning") == []
    end_call(call.pk, reason="caller_hung_up")
    assert found("morning") == [call.pk]


def test_all_calls_that_are_over_can_be_indexed_anew(
    agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    call = make_call(agent, ended(spoken([("Good morning.", "Hello.")])))
    make_call(agent, spoken([("Good morning.", "Hello.")]))
    call_command("index_calls")
    assert "1 calls are indexed" in capsys.readouterr().out
    assert found("morning") == [call.pk]


def test_the_line_that_holds_most_of_the_words_is_shown_with_them_marked(agent: Agent) -> None:
    call = make_call(
        agent, ended(spoken([("Hello.", "Hi."), ("Can I park, or park a car?", "Park behind.")]))
    )
    search.index(call.pk)
    passage = search.passages("par car", [call.pk])[call.pk]
    assert (passage.who, passage.at_seconds) == ("caller", 9.0)
    assert passage.parts == [("Can I park, or park a ", False), ("car", True), ("?", False)]
    marked = [part for part, is_word in search.passages("park", [call.pk])[call.pk].parts if is_word]
    assert marked == ["park", "park"]


def test_of_a_long_line_the_part_with_the_words_is_shown(agent: Agent) -> None:
    call = said(agent, "well " * 60 + "the bicycle" + " and so on" * 60)
    text = "".join(part for part, _ in search.passages("bicycle", [call.pk])[call.pk].parts)
    assert len(text) < 200 and "bicycle" in text
    assert text.startswith("… ") and text.endswith(" …")
