"""Lines as people give them, and what service checks say of them."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from agents.models import Agent
from mlservices.checks.probing import ask
from telephony import checks
from telephony.models import Call, SipLine
from telephony.sip import records
from telephony.sip.accounts import save_line, seed_from_environment

pytestmark = pytest.mark.django_db


def given(agent: Agent, **fields: Any) -> SipLine:
    return save_line(**{"label": "Desk", "host": "sip.example.org", "user": "100", "agent": agent, **fields})


def test_a_line_is_made_and_changed_from_the_shell(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hush hush\n"))
    quiet = {"stdout": io.StringIO()}
    call_command("sip_line", "Desk", host="sip.example.org", user="100", agent="front-desk", **quiet)
    line = SipLine.objects.get()
    assert (line.clear_password(), line.agent, line.port, line.registers) == ("hush hush", agent, 5060, True)
    assert "hush" not in line.password

    call_command("sip_line", "Desk", max_calls=7, off=True, **quiet)
    line.refresh_from_db()
    assert (line.max_calls, line.enabled, line.clear_password()) == (7, False, "hush hush")
    with pytest.raises(CommandError, match="allowed_peers: Write addresses"):
        call_command("sip_line", "Desk", allowed_peers="example.org")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "sip.example.org;transport=tcp"),
        ("domain", "a b"),
        ("user", "100@sip.example.org"),
        ("auth_user", "a>b"),
        ("port", 0),
        ("password", 'say "please"'),
        ("user", ""),
    ],
)
def test_what_no_line_can_be_is_told_by_field(agent: Agent, field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        given(agent, **{field: value})
    assert list(refused.value.message_dict) == [field]


def test_the_environment_gives_a_first_line_and_then_the_database_rules(agent: Agent, settings: Any) -> None:
    assert seed_from_environment(agent) is None
    settings.ZADARMA_SIP_USERNAME, settings.ZADARMA_SIP_PASSWORD = "123456-100", "first"
    line = seed_from_environment(agent)
    assert line is not None
    assert (line.host, line.user, line.agent) == ("sip.zadarma.com", "123456-100", agent)
    settings.ZADARMA_SIP_PASSWORD = "second"
    assert seed_from_environment(agent) == line
    assert line.clear_password() == "first"


def test_the_service_check_tells_how_a_line_stands(agent: Agent) -> None:
    line = given(agent)

    def told() -> tuple[str, str]:
        [service] = checks.sip_lines()
        [outcome] = async_to_sync(ask)(service).outcomes
        return str(outcome.status), outcome.words

    assert told() == ("fail", "No gateway carries it")
    records.set_state(line.pk, SipLine.State.REGISTERING)
    assert told() == ("warn", "Is being registered")
    records.set_state(line.pk, SipLine.State.FAILED, "401 Unauthorized")
    assert told() == ("fail", "Not registered: 401 Unauthorized")
    records.set_state(line.pk, SipLine.State.READY)
    assert told() == ("pass", "Takes calls")
    SipLine.objects.update(held_at=timezone.now() - timedelta(seconds=60))
    assert told() == ("fail", "No gateway carries it")


def test_calls_wait_for_a_free_line_and_are_claimed_once(agent: Agent) -> None:
    line = given(agent)
    first, second = (records.place(line=line, agent=agent, number=number) for number in ("1", "2"))
    assert [outgoing.call_id for outgoing in records.claim({line.pk: 1})] == [first.pk]
    assert [outgoing.call_id for outgoing in records.claim({line.pk: 5})] == [second.pk]
    assert records.claim({line.pk: 5}) == []

    assert records.told(first.pk, Call.Status.RINGING)
    assert not records.told(first.pk, Call.Status.INITIATED)
    waiting = records.place(line=line, agent=agent, number="3")
    records.end_left_over()
    assert set(Call.objects.values_list("pk", "status")) == {
        (first.pk, "failed"),
        (second.pk, "failed"),
        (waiting.pk, "queued"),
    }
