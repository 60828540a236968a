"""What stands after the ? of an address: what the description tells is taken, and all else refused."""

from __future__ import annotations

import re

import pytest
from django.urls import Resolver404, resolve

from voiceforge_site.rest.document import document

OPEN = {"/api/health", "/api/live", "/api/ready", "/api/metrics"}  # asked by what adds its own
_UUID = "7f3c1d9e-6a52-4b8a-9a35-0f6f3f1f2d11"


def test_what_is_not_described_is_refused_by_its_name_with_what_is(alices):
    for path, methods in document()["paths"].items():
        if "get" in methods and path not in OPEN:
            refused = alices.get(f"{address_of(path)}?nonsense=1")
            assert refused.status_code == 400, path
            assert refused["Content-Type"] == "application/problem+json"
            known = sorted(_names(methods["get"]))
            words = f"use {', '.join(known)}." if known else "nothing can be asked for here."
            told = refused.json()["fields"]
            assert set(told) == {"nonsense"} and told["nonsense"].endswith(words), path


def test_what_is_described_is_known(alices):
    for path, methods in document()["paths"].items():
        for name in _names(methods.get("get", {})):
            answer = alices.get(f"{address_of(path)}?{name}=")
            assert answer.status_code < 500
            told = answer.json().get("fields", {}).get(name, "") if answer.status_code == 400 else ""
            assert not told.startswith("It is not known here"), (path, name)


def test_a_list_is_ordered_by_what_it_says_and_by_nothing_else(alices, bobs):
    names = [key["person"] for key in alices.get("/api/keys?ordering=-created_at,name").json()["results"]]
    assert names == ["bob", "alice"]
    refused = alices.get("/api/keys?ordering=secret")
    assert (refused.status_code, refused.json()["fields"]) == (
        400,
        {"ordering": "Use created_at, name, with - before it for the other way round."},
    )


@pytest.mark.parametrize(
    "address",
    [
        "agents?flow=",
        "agents?language=",
        "audit?person=",
        "telephony/calls?agent=",
        "telephony/lines?agent=",
        "telephony/messages?call=",
        "telephony/numbers?agent=",
        "telephony/numbers?provider=",
        "telephony/outbound-calls?agent=",
        "telephony/outbound-calls?call=",
        "tools?server=",
    ],
)
def test_a_list_of_what_there_is_not_is_refused_and_not_empty(alices, address):
    refused = alices.get(f"/api/{address}nothing")
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {address.split("?")[1][:-1]})


def test_a_change_with_a_parameter_is_not_made(alices):
    refused = alices.send("POST", "/api/keys?dry_run=1", {"name": "More"})
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {"dry_run"})


def _names(operation):
    return [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]


def address_of(path: str) -> str:
    """With ids that fit it, of nothing that there is."""
    path = path.replace("{delivery}", _UUID)
    for id in ("1", _UUID):
        filled = re.sub(r"\{\w+\}", id, path)
        try:
            resolve(filled)
        except Resolver404:
            continue
        return filled
    raise AssertionError(path)
