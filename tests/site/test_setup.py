from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import override_settings

from agents.models import Agent
from mlservices.management.commands import models
from telephony.models import Credential, PhoneNumber
from voiceforge_site.management.commands import setup
from voiceforge_site.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that a set-up would have prepared."""
    ids: list[str] = []
    monkeypatch.setattr(models, "prepare", lambda model_ids, folder, tell, progress: ids.extend(model_ids))
    return ids


def set_up(**changed: Any) -> str:
    out = StringIO()
    with override_settings(**changed):
        call_command("setup", stdout=out)
    return out.getvalue()


def test_the_models_are_prepared_and_beside_a_space_those_that_it_lacks(prepared: list[str]) -> None:
    set_up()
    assert {"whisper-tiny.en", "silero-vad", "minilm-l6"} < set(prepared)
    prepared.clear()
    set_up(HF_ML_API_URL="https://space.example.org")
    assert set(prepared) == {"silero-vad", "minilm-l6", "smart-turn-v3.2"}


def test_the_administrator_can_sign_in_with_the_password_that_is_shown() -> None:
    shown = re.search(r"user +(\S+).*?password +(\S+)", set_up(), re.DOTALL)
    assert shown
    person = authenticate(username=shown[1], password=shown[2])
    assert person is not None
    assert person.role == "administrator"


def test_a_second_set_up_changes_nothing_and_shows_no_password() -> None:
    set_up()
    before = list(User.objects.values()), list(Agent.objects.values()), list(PhoneNumber.objects.values())
    assert "password" not in set_up()
    after = list(User.objects.values()), list(Agent.objects.values()), list(PhoneNumber.objects.values())
    assert after == before


def test_an_administrator_of_another_name_is_enough(alice: User) -> None:
    assert "password" not in set_up()
    assert list(User.objects.all()) == [alice]


TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "a token",
    "TWILIO_PHONE_NUMBER": "+1 415 555 0123",
}


def test_the_providers_variables_make_a_credential_and_a_number_that_the_demo_agent_answers() -> None:
    set_up(**TWILIO)
    credential = Credential.objects.get(account=TWILIO["TWILIO_ACCOUNT_SID"])
    assert "a token" not in credential.secret
    number = PhoneNumber.objects.get()
    assert (number.number, number.credential) == ("+14155550123", credential)
    assert number.agent is not None
    assert number.agent.slug == "front-desk"


def test_a_number_that_is_named_after_its_account_is_taken_up_too() -> None:
    set_up(**TWILIO | {"TWILIO_PHONE_NUMBER": ""})
    set_up(**TWILIO)
    assert PhoneNumber.objects.get(number="+14155550123", agent__slug="front-desk")


def test_setting_up_again_leaves_a_number_to_the_agent_that_was_chosen_for_it() -> None:
    set_up(**TWILIO)
    chosen = Agent.objects.create(name="Night desk", slug="night-desk", greeting="Hello.")
    PhoneNumber.objects.update(agent=chosen)
    set_up(**TWILIO)
    assert PhoneNumber.objects.get().agent == chosen
    PhoneNumber.objects.update(agent=None)
    set_up(**TWILIO)
    assert PhoneNumber.objects.get().agent is None


def test_a_number_that_is_none_stops_the_start_with_its_name() -> None:
    with pytest.raises(CommandError, match=r"^TWILIO_PHONE_NUMBER: 'tomorrow' is no phone number"):
        set_up(**TWILIO | {"TWILIO_PHONE_NUMBER": "tomorrow"})


def test_static_files_are_collected_once_for_each_build(tmp_path: Path) -> None:
    build = {"DEBUG": False, "STATIC_ROOT": tmp_path / "static"}
    set_up(**build, STATIC_URL="/static/one/")
    collected = next(path for path in (tmp_path / "static").rglob("*.css"))
    collected.write_text("untouched")
    set_up(**build, STATIC_URL="/static/one/")
    assert collected.read_text() == "untouched"
    set_up(**build, STATIC_URL="/static/two/")
    assert collected.read_text() != "untouched"


def test_a_database_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(setup, "call_command", refuse)
    with pytest.raises(
        CommandError, match=r"^The database does not work \(DATABASE_URL\): connection refused$"
    ):
        setup.Command().handle()
