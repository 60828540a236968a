"""Vectors made by Zadarma's own published clients, in Python and in PHP, which agree on all of them."""

from __future__ import annotations

import pytest

from telephony.providers.zadarma.signature import (
    encoded,
    notice_is_signed,
    notice_signature,
    request_signature,
)

SECRET = "SECRET0123456789abcd"
NOTICE = {
    "caller_id": "442037691880",
    "called_did": "442037691881",
    "destination": "442037691880",
    "internal": "100",
    "call_start": "2026-11-22 10:00:00",
    "call_id_with_rec": "1700000000.123456",
    "pbx_call_id": "in_0f1c2d3e4f",
}


@pytest.mark.parametrize(
    ("path", "parameters", "secret", "expected"),
    [
        (
            "/v1/request/callback/",
            {"to": "442037691881", "from": "442037691880", "format": "json"},
            "testsecret",
            "ZDRhNjFkYmVlMDIzOTQyOTAyYzdlMWU1ZTY1YWRhYjRmOGUwMGQxNg==",
        ),
        (
            "/v1/info/balance/",
            {"format": "json"},
            "testsecret",
            "ODEyZGUyNzU3Y2YyYTkwYWJjNjdhNmE4ZGY0NTM3YzZkZDZmYTdlYw==",
        ),
        (
            "/v1/info/balance/",
            {},
            "sk000000000000000000",
            "NjlkOTQzYjZhNzRhMmZjZjQ1YTY5MjYxYzE1YTM1YTEwMWE3ZWMxOA==",
        ),
        (
            "/v1/info/balance/",
            {"format": "json"},
            SECRET,
            "ZDI1MDc4ZTI3ZWMwYTZjM2Y0MGIxNmE5YWYzODMyZmM4MzYzMmU5Mw==",
        ),
        (
            "/v1/request/callback/",
            {"from": "100", "to": "442037691880", "predicted": "predicted", "format": "json"},
            SECRET,
            "NGZmODc0Nzg1NzFkZTU4OTAwYzQ1OWM2YjMzMTEwMmFhMmIyMmMyNw==",
        ),
        (
            "/v1/sip/callerid/",
            {"id": "00001", "number": "442037691880", "format": "json"},
            SECRET,
            "OWJjNGU1OWVmODdlOTQ3Nzk2ODI4MWYwMmM3YmQ2OGRiYmZjMjczMA==",
        ),
        (
            "/v1/statistics/pbx/",
            {"start": "2026-11-01 00:00:00", "end": "2026-11-02 00:00:00", "version": 2, "format": "json"},
            SECRET,
            "YWUwNTA5YjFiNjY0NDJjYzZjODhiZDJiMjU1MGM0NTIwNmM3NzY3Nw==",
        ),
        (
            "/v1/pbx/callinfo/url/",
            {"url": "https://agent.example.com/hooks/zadarma?t=1", "format": "json"},
            SECRET,
            "NGI2MjBlMmI3YTI4ZjU1ZWFlZTY4ZTI0YzQ0NTAwOTA2MGE2YzY2MQ==",
        ),
    ],
)
def test_requests_are_signed_as_zadarmas_own_clients_sign_them(path, parameters, secret, expected) -> None:
    assert request_signature(path, encoded(parameters), secret) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"b": "1", "a": "2", "A": "3"}, "A=3&a=2&b=1"),
        ({"name": "J. O'Neil & ~Söhne"}, "name=J.+O%27Neil+%26+%7ES%C3%B6hne"),
        ({"on": True, "off": False, "nothing": None, "empty": ""}, "empty=&off=0&on=1"),
        ({"numbers": ["1", "2"], "none": []}, "numbers%5B0%5D=1&numbers%5B1%5D=2"),
        ({"a": {"z": {"b": [7]}, "c": "~"}}, "a%5Bz%5D%5Bb%5D%5B0%5D=7&a%5Bc%5D=%7E"),
        ({"text": "*-._ /+%"}, "text=%2A-._+%2F%2B%25"),
    ],
)
def test_parameters_are_written_as_php_writes_them(parameters, expected) -> None:
    assert encoded(parameters) == expected


@pytest.mark.parametrize(
    ("event", "fields", "secret", "expected"),
    [
        (
            "NOTIFY_START",
            {"caller_id": "15555551234", "called_did": "15555555678", "call_start": "2024-01-01 12:00:00"},
            "testsecret",
            "ZDY3NTJjYzg1NDZhYTlkOTZjOWI1ZGM2N2RlMmY3NjA5OWJjNjA1MQ==",
        ),
        *[
            (event, {}, SECRET, "OGI3NzI4NTFlYjE0YTBkYmIxNGY3NjUzYmY4ZGI3NzkwYWM5MDFlNg==")
            for event in ("NOTIFY_START", "NOTIFY_INTERNAL", "NOTIFY_END", "NOTIFY_IVR")
        ],
        (
            "NOTIFY_ANSWER",
            {"destination": "100"},
            SECRET,
            "NjA0NDVkYjE3OTA5NzA5MzhjMmViMDBkYjkzN2NkN2JhZGIyYzg3Yg==",
        ),
        *[
            (event, {}, SECRET, "YWFmMTI4MTBlOWYzOGMxMDM5OGEzZDg4OWQ1NzAzOTBmMGFmMDVkMQ==")
            for event in ("NOTIFY_OUT_START", "NOTIFY_OUT_END")
        ],
        (
            "NOTIFY_RECORD",
            {},
            SECRET,
            "ZGQwZTk2NmU2YzU4MGZiYzViM2I2NjVjZjc0MjYxZGE2ZWYxZjNhMg==",
        ),
    ],
)
def test_each_notice_is_signed_over_fields_of_its_own(event, fields, secret, expected) -> None:
    form = NOTICE | fields | {"event": event}
    assert notice_signature(form, secret) == expected
    assert notice_is_signed(form, expected, secret)
    assert not notice_is_signed(form, expected, secret + "x")
    assert not notice_is_signed(form | {"call_start": "x", "pbx_call_id": "x"}, expected, secret)


@pytest.mark.parametrize(
    "event", ["NUMBER_LOOKUP", "SPEECH_RECOGNITION", "NOTIFY_INTERNAL_END", "", "\ud800"]
)
def test_what_is_not_signed_is_never_taken_for_signed(event) -> None:
    for signature in ("", "x", "\u00e9"):
        assert not notice_is_signed(NOTICE | {"event": event}, signature, SECRET)
