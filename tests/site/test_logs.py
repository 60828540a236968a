from __future__ import annotations

import asyncio
import json
import logging
import sys
from uuid import uuid4

import pytest

from mlservices.about import about
from tests.program import Program
from voiceforge_site.logs import JsonFormatter, SafeFormatter, config, is_no_health_answer


def line(message: str, *args: object, secrets: tuple[str, ...] = (), error: bool = False) -> str:
    record = logging.LogRecord(
        "telephony", logging.INFO, __file__, 1, message, args, sys.exc_info() if error else None
    )
    return SafeFormatter(secrets).format(record)


def test_a_line_says_its_level_and_source() -> None:
    assert line("answered").endswith("INFO    telephony: answered")


def test_a_refusal_is_told_with_its_request_and_key_though_django_tells_it_afterwards(
    alices: Program, caplog: pytest.LogCaptureFixture
) -> None:
    refused = alices.get("/api/agents/nobody")
    (record,) = [each for each in caplog.records if each.name == "django.request"]
    assert f"(request {refused['X-Request-ID']}, key vf_sk_" in SafeFormatter().format(record)
    assert json.loads(JsonFormatter().format(record))["request"] == refused["X-Request-ID"]


def test_what_a_caller_says_cannot_start_a_line_of_its_own_or_colour_ours() -> None:
    shown = line("heard %s", "hello\n12:00:00 ERROR forged\x1b[31m\r\x00")
    assert shown.endswith(r"heard hello\n12:00:00 ERROR forged\x1b[31m\r\x00")


def test_what_a_caller_says_is_never_a_format() -> None:
    assert line("heard %s", "100% %s %d {levelname}").endswith("heard 100% %s %d {levelname}")


def test_secrets_are_masked_in_messages_and_tracebacks() -> None:
    try:
        raise ValueError("token topsecret refused")
    except ValueError:
        shown = line("failed with %s", "topsecret", secrets=("topsecret", ""), error=True)
    assert "topsecret" not in shown
    assert shown.count("***") >= 2


def test_of_an_api_key_its_name_alone_is_shown() -> None:
    shown = line("said %s", "Bearer vf_sk_0123456789abcdef0123456789abcdef.")
    assert shown.endswith("said Bearer vf_sk_01234567***.")


def test_a_secret_so_short_that_it_is_an_ordinary_word_is_left() -> None:
    assert line("a test", secrets=("test",)).endswith("a test")


def test_clients_that_log_whole_addresses_are_kept_quiet() -> None:
    loggers = config(level="DEBUG", secrets=())["loggers"]
    assert {loggers[name]["level"] for name in ("httpx", "httpx2", "twilio")} == {"WARNING"}


def test_a_strangers_words_in_a_traceback_cannot_look_like_lines_of_the_log() -> None:
    try:
        raise ValueError("first\n12:00:00 INFO forged\x1b[31m\x9b")
    except ValueError:
        text = line("It failed.", error=True)
    first, *others = text.split("\n")
    assert first.endswith("It failed.")
    assert all(each.startswith("    ") for each in others)
    assert "\x1b" not in text and "\x9b" not in text


def test_an_answer_of_the_health_page_is_no_line_of_the_log() -> None:
    def told(*args: object) -> bool:
        return is_no_health_answer(
            logging.LogRecord("django.request", logging.ERROR, "", 0, "%s: %s", args, None)
        )

    assert not told("Service Unavailable", "/health/")
    assert told("Service Unavailable", "/calls/")


def json_line(message: str, *args: object, error: bool = False) -> dict[str, str]:
    exception = sys.exc_info() if error else None
    record = logging.LogRecord("telephony", logging.ERROR, __file__, 1, message, args, exception)
    shown = JsonFormatter(["topsecret", 'quoted"secret']).format(record)
    assert "\n" not in shown
    return dict(json.loads(shown))


def test_a_line_names_its_call_and_key_once() -> None:
    call = uuid4()
    with about(call=call):
        with about(key="vf_sk_01234567"):
            assert line("failed").endswith(f"failed (call {call}, key vf_sk_01234567)")
        assert line("call %s failed", call).endswith(f"call {call} failed")
    assert line("failed").endswith("failed")


def test_what_is_started_in_a_call_is_about_it_too() -> None:
    async def later() -> str:
        return line("failed")

    async def run() -> str:
        with about(call="a-call"):
            task = asyncio.create_task(later())
        return await task

    assert asyncio.run(run()).endswith("failed (call a-call)")


def test_json_has_a_line_for_each_record_with_its_ids_and_without_secrets() -> None:
    with about(call="a-call", key="vf_sk_01234567"):
        told = json_line('said %s\nand quoted"secret', "topsecret")
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "ERROR",
        "logger": "telephony",
        "message": "said ***\nand ***",
        "call": "a-call",
        "key": "vf_sk_01234567",
    }


def test_json_keeps_a_traceback_in_its_line() -> None:
    try:
        raise ValueError("token topsecret refused")
    except ValueError:
        told = json_line("It failed.", error=True)
    assert "ValueError: token *** refused" in told["exception"] and "Traceback" in told["exception"]
