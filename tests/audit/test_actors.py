"""Who is told of: people at pages, keys at the API, commands; and what of sign-ins and downloads."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from telephony import orders
from tests import trail
from tests.factories import ended, make_agent, make_call, make_recording, spoken
from tests.program import Program
from voiceforge_site.access import key_actions
from voiceforge_site.audit.chain import seal, stored_head
from voiceforge_site.models import AuditEntry, User

pytestmark = pytest.mark.django_db


def test_a_person_at_a_page_is_told_of_with_address_and_request(alices_browser: Client) -> None:
    agent = make_agent()
    answer = alices_browser.post(reverse("agents:duplicate", args=[agent.slug]), REMOTE_ADDR="192.0.2.7")
    entry = trail.last()
    assert (entry.verb, entry.name, entry.address) == ("agent.duplicated", "alice", "192.0.2.7")
    assert entry.request == answer["X-Request-ID"] and not entry.key


def test_an_api_key_is_told_of_with_its_beginning_and_its_person(alice: User) -> None:
    key, shown = key_actions.create("Switchboard", alice)
    agent = make_agent()
    address = reverse("agents_rest:duplicate_agent", args=[agent.slug])
    answer = Client().post(address, headers={"Authorization": f"Bearer {shown}"})
    assert answer.status_code == 201
    entry = trail.last()
    assert (entry.verb, entry.name, entry.key) == ("agent.duplicated", "alice", key.prefix)
    assert shown not in str(AuditEntry.objects.values_list())


def test_a_command_is_told_of_as_the_command_line(alice: User) -> None:
    call_command("codes_off", "alice")
    call_command(
        "api_key", "create", "Backup", "--person", "alice", stdout=io.StringIO(), stderr=io.StringIO()
    )
    assert trail.verbs() == ["person.codes_off", "api_key.made"]
    assert {entry.name for entry in AuditEntry.objects.all()} == {"command line"}


def test_signing_in_and_out_is_told(alice: User) -> None:
    browser = Client(REMOTE_ADDR="192.0.2.7")
    browser.post(reverse("login"), {"username": "alice", "password": "wrong"})
    browser.post(reverse("login"), {"username": "hunter2 my password", "password": "x"})
    browser.post(reverse("login"), {"username": "ALICE", "password": "password"})
    browser.post(reverse("logout"))
    told = list(AuditEntry.objects.order_by("pk").values_list("verb", "name", "label", "address"))
    assert told == [
        ("person.refused", "", "alice", "192.0.2.7"),
        ("person.refused", "", "an unknown account", "192.0.2.7"),
        ("person.signed_in", "alice", "alice", "192.0.2.7"),
        ("person.signed_out", "alice", "alice", "192.0.2.7"),
    ]
    assert "hunter2" not in str(AuditEntry.objects.values_list())


@pytest.fixture
def call(db: None) -> Any:
    call = make_call(make_agent(), ended(spoken([("When?", "At six.")])))
    make_recording(call)
    return call


@pytest.mark.parametrize(
    ("address", "verb"),
    [
        ("recording", "recording.heard"),
        ("recording?download", "recording.downloaded"),
        ("transcript_file", "transcript.downloaded"),
        ("events_file", "events.downloaded"),
        ("csv_file", "csv.downloaded"),
    ],
)
def test_whatever_is_fetched_of_a_call_is_told(
    bobs_browser: Client, call: Any, address: str, verb: str
) -> None:
    name, _sign, query = address.partition("?")
    url = reverse(f"telephony:{name}", args=[call.pk])
    bobs_browser.head(url, query_string=query)
    assert trail.verbs() == []
    assert bobs_browser.get(f"{url}?{query}").status_code == 200
    entry = trail.last()
    assert (entry.verb, entry.name, entry.thing) == (verb, "bob", str(call.pk))


def test_a_player_that_asks_for_piece_after_piece_is_told_of_once(bobs_browser: Client, call: Any) -> None:
    for begin in (0, 100, 200):
        url = reverse("telephony:recording", args=[call.pk])
        bobs_browser.get(url, headers={"Range": f"bytes={begin}-{begin + 50}"})
    assert trail.verbs() == ["recording.heard"]


def test_each_key_that_fetches_a_recording_is_told_of(alice: User, call: Any) -> None:
    for name in ("one", "another", "a third"):
        program = Program(key_actions.create(name, alice)[1])
        for _ in range(2):
            program.get(f"/api/telephony/calls/{call.pk}/recording")
    keys = AuditEntry.objects.filter(verb="recording.heard").values_list("key", flat=True)
    assert len(set(keys)) == len(keys) == 3


@pytest.mark.parametrize("after", [0, 1])
def test_each_key_that_fetches_events_is_told_of_from_whichever_it_begins(
    alice: User, call: Any, after: int
) -> None:
    for name in ("one", "another"):
        program = Program(key_actions.create(name, alice)[1])
        address = f"/api/telephony/calls/{call.pk}/events"
        program.get(f"{address}?after={call.last_seq + 1000}")  # there are none
        assert trail.last().verb == "api_key.made"
        last = program.get(f"{address}?after={after}").json()["last_seq"]
        program.get(f"{address}?after={last - 1}")  # goes on with those that came meanwhile
    keys = AuditEntry.objects.filter(verb="events.downloaded").values_list("key", flat=True)
    assert len(set(keys)) == len(keys) == 2


def test_neither_number_nor_words_of_a_caller_get_in(alices_browser: Client, call: Any) -> None:
    going = make_call(call.agent, spoken([("When?", "At six.")]), caller="+14155550177")
    orders.whisper(going.pk, text="Offer her the earlier one", by="alice")
    alices_browser.post(reverse("telephony:call_notes", args=[call.pk]), {"text": "She is Mrs Brown"})
    alices_browser.post(reverse("telephony:delete_chosen"), {"call": str(call.pk), "sure": "1"})
    assert trail.verbs() == ["call.whispered", "call.note_written", "call.deleted"]
    told = str(list(AuditEntry.objects.values_list()))
    assert not any(words in told for words in ("4155550177", "4155550112", "earlier one", "Brown"))


# ---- the command ------------------------------------------------------------------------------


def verified(*arguments: str) -> str:
    out = io.StringIO()
    call_command("verify_audit", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_tells_the_head_and_takes_it_back(alices_browser: Client) -> None:
    alices_browser.post(reverse("agents:duplicate", args=[make_agent().slug]))
    seal()
    out = verified()
    head = f"{stored_head().number}:{stored_head().digest}"
    assert "1 entries, each as it was written." in out and head in out
    assert verified("--head", head)
    with pytest.raises(CommandError, match="Entry 1 is another") as refused:
        verified("--head", f"1:{'0' * 64}")
    assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="cut off") as refused:
        verified("--head", f"7:{'0' * 64}")
    assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="NUMBER:HASH") as refused:
        verified("--head", "7")
    assert refused.value.returncode == 2
