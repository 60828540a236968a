from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from voiceforge_site import checks


def ids(check: Any, **changed: Any) -> list[str]:
    with override_settings(**changed):
        found = check()
    assert all(message.hint for message in found)
    return [message.id for message in found]


@pytest.mark.parametrize(
    ("url", "host", "expected"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1", []),
        ("http://localhost:8000", "localhost", []),
        ("http://[::1]:8000", "::1", []),
        ("https://voice.example.org", "voice.example.org", []),
        ("http://voice.example.org", "voice.example.org", ["voiceforge.E001"]),
        ("http://192.168.1.5:8000", "192.168.1.5", ["voiceforge.E001"]),
    ],
)
def test_an_address_in_the_clear_is_for_this_machine_only(url: str, host: str, expected: list[str]) -> None:
    assert ids(checks.public_url, PUBLIC_URL=url, PUBLIC_HOST=host) == expected


@pytest.mark.parametrize(
    ("production", "secret", "expected"),
    [
        (True, "", ["voiceforge.E002"]),
        (True, "short", ["voiceforge.E002"]),
        (True, "x" * 32, []),
        (False, "short", []),
    ],
)
def test_production_needs_a_session_secret_worth_the_name(
    production: bool, secret: str, expected: list[str]
) -> None:
    assert ids(checks.session_secret, PRODUCTION=production, SESSION_SECRET=secret) == expected


def test_the_secret_used_until_now_is_pointed_at(tmp_path: Path) -> None:
    kept = tmp_path / "session-secret"
    kept.touch()
    with override_settings(PRODUCTION=True, SESSION_SECRET="", SESSION_SECRET_FILE=kept):
        (message,) = checks.session_secret()
    assert str(kept) in message.hint


def test_production_needs_a_key_for_stored_credentials() -> None:
    assert ids(checks.credentials_key, CREDENTIALS_KEYS=[]) == ["voiceforge.E003"]
    assert ids(checks.credentials_key, CREDENTIALS_KEYS=[Fernet.generate_key().decode()]) == []


def test_a_malformed_key_is_named_by_its_place_and_never_shown() -> None:
    with override_settings(CREDENTIALS_KEYS=[Fernet.generate_key().decode(), "malformed"]):
        (message,) = checks.credentials_key()
    assert message.id == "voiceforge.E004"
    assert "key 2" in message.msg
    assert "malformed" not in f"{message.msg} {message.hint}"


@pytest.mark.parametrize(
    ("server", "on_sqlite", "redis", "expected"),
    [
        ("uvicorn", False, "redis://h", []),
        ("daphne", False, "redis://h", ["voiceforge.E005"]),
        ("granian", True, "redis://h", ["voiceforge.E006"]),
        ("granian", False, "", ["voiceforge.E007"]),
    ],
)
def test_several_web_processes_need_what_they_can_share(
    server: str, on_sqlite: bool, redis: str, expected: list[str]
) -> None:
    changed = {"WEB_SERVER": server, "ON_SQLITE": on_sqlite, "REDIS_URL": redis}
    assert ids(checks.several_processes, WEB_CONCURRENCY=2, **changed) == expected
    assert ids(checks.several_processes, WEB_CONCURRENCY=1, **changed) == []


def test_folders_must_be_ours_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    good, bad = tmp_path / "not" / "yet", tmp_path / "file" / "below"
    assert ids(checks.folders, VAR_DIR=good, MODELS_DIR=good) == []
    assert ids(checks.folders, VAR_DIR=bad, MODELS_DIR=bad) == ["voiceforge.E008", "voiceforge.E009"]


def test_a_folder_below_one_that_may_not_be_searched_cannot_be_written() -> None:
    class Closed(type(Path())):
        def exists(self, **options: object) -> bool:
            raise PermissionError

    assert ids(checks.folders, VAR_DIR=Closed("/closed/x"), MODELS_DIR=Path("/tmp")) == ["voiceforge.E008"]


@pytest.mark.parametrize(
    ("sid", "token", "number", "expected"),
    [
        ("", "", "", []),
        ("AC1", "t", "", []),
        ("AC1", "t", "+14155550100", []),
        ("AC1", "", "", ["voiceforge.E011"]),
        ("", "t", "", ["voiceforge.E011"]),
        ("", "", "+14155550100", ["voiceforge.E011"]),
    ],
)
def test_half_a_twilio_account_is_none(sid: str, token: str, number: str, expected: list[str]) -> None:
    given = {"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "TWILIO_PHONE_NUMBER": number}
    assert ids(checks.twilio_account, **given) == expected


def test_a_job_must_not_be_started_again_while_it_runs() -> None:
    assert ids(checks.job_times, Q_CLUSTER={"timeout": 60, "retry": 61}) == []
    assert ids(checks.job_times, Q_CLUSTER={"timeout": 60, "retry": 60}) == ["voiceforge.E010"]


def test_a_redis_that_does_not_answer_is_a_warning_without_its_password() -> None:
    with override_settings(REDIS_URL="redis://:geheim@127.0.0.1:1/0"):
        (message,) = checks.redis_answers()
    assert message.id == "voiceforge.W001"
    assert "geheim" not in message.msg
    assert ids(checks.redis_answers, REDIS_URL="") == []


@pytest.mark.parametrize(
    ("debug", "listens", "public", "expected"),
    [
        (True, "127.0.0.1", "127.0.0.1", []),
        (True, "0.0.0.0", "127.0.0.1", ["voiceforge.W002"]),
        (True, "127.0.0.1", "voice.example.org", ["voiceforge.W002"]),
        (False, "0.0.0.0", "voice.example.org", []),
    ],
)
def test_debug_in_public_is_warned_of(debug: bool, listens: str, public: str, expected: list[str]) -> None:
    assert ids(checks.debug_in_public, DEBUG=debug, HOST=listens, PUBLIC_HOST=public) == expected


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ({}, ["voiceforge.E012", "voiceforge.E012"]),
        ({"OPENAI_STT_MODEL": "whisper-1"}, ["voiceforge.E012"]),
        ({"OPENAI_STT_MODEL": "whisper-1", "OPENAI_TTS_MODEL": "tts-1"}, []),
    ],
)
def test_somebody_must_hear_and_speak(models: dict[str, str], expected: list[str]) -> None:
    names = {"ML_FALLBACK": ("openai",), "AI_INTEGRATIONS_OPENAI_API_KEY": "sk-test", **models}
    assert ids(checks.engines, **names) == expected
    assert ids(checks.engines) == []
