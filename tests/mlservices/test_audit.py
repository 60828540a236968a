from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlservices import audit
from mlservices.audit import Actor, Entry, Thing, acting, differences, record
from mlservices.audit_masks import is_secret, masked, masked_text

DOOR = Thing("house.door", "1", "Front door")


@pytest.fixture
def kept() -> Iterator[list[Entry]]:
    """What a keeper is handed."""
    before, entries = list(audit._keepers), []
    audit.keep_with(entries.append, lambda thing: "")
    yield entries
    audit._keepers[:] = before


def test_who_acts_is_known_from_what_is_around_the_verb(kept: list[Entry]) -> None:
    alice = Actor("alice", key="vf_sk_01234567", address="192.0.2.7", request="f00")
    with acting(alice):
        record("door.opened", DOOR, by="somebody else")
    assert kept[0].actor == alice


def test_where_nothing_is_around_it_the_verb_says_by_whom(kept: list[Entry]) -> None:
    record("door.opened", DOOR, by="bob")
    record("door.opened", DOOR)
    assert [entry.actor.name for entry in kept] == ["bob", "VoiceForge itself"]


def test_who_signs_in_is_asked_only_when_something_is_recorded(kept: list[Entry]) -> None:
    somebody = [Actor("")]
    with acting(lambda: somebody[0]):
        somebody[0] = Actor("alice")
        record("door.opened", DOOR)
    assert kept[0].actor.name == "alice"


def test_of_a_stranger_nobody_is_named(kept: list[Entry]) -> None:
    with acting(Actor("", address="192.0.2.7")):
        record("door.opened", DOOR)
    assert kept[0].actor == Actor("", address="192.0.2.7")


def test_only_what_changed_is_kept() -> None:
    before = {"name": "Front desk", "voice": {"id": "joe", "rate": 1.0}, "facts": []}
    after = {"name": "Front desk", "voice": {"id": "joe", "rate": 1.2}, "facts": ["a"]}
    assert differences(before, after) == {"voice.rate": (1.0, 1.2), "facts": ([], ["a"])}


def test_the_parts_of_a_list_are_told_apart_by_their_names() -> None:
    before = {"nodes": [{"id": "a", "text": "Hello"}, {"id": "b", "text": "Bye"}]}
    after = {"nodes": [{"id": "b", "text": "Goodbye"}, {"id": "a", "text": "Hello"}, {"id": "c"}]}
    assert differences(before, after) == {"nodes.b.text": ("Bye", "Goodbye"), "nodes.c": (None, {"id": "c"})}


def test_that_a_secret_changed_is_told_and_neither_of_both(kept: list[Entry]) -> None:
    record("door.opened", DOOR, before={"auth_token": "old"}, after={"auth_token": "new"})
    assert kept[0].changes == {"auth_token": ("***", "***")}


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "password",
        "auth_token",
        "apiKey",
        "X-Api-Key",
        "headers.Authorization",
        "key",
        "sip password",
    ],
)
def test_names_that_say_that_something_is_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["keyboard", "monkey", "max_tokens", "name", "author", "pinned", "digits"])
def test_names_that_say_nothing_of_the_kind(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2hunter2",
        "postgres://voice:hunter2hunter2@db/voice",
        "https://example.org/hook?token=hunter2hunter2&x=1",
        "https://example.org/?api_key=hunter2hunter2",
    ],
)
def test_what_looks_like_a_secret_does_not_get_in(text: str) -> None:
    assert "hunter2" not in masked_text(text)


def test_of_an_api_key_its_beginning_alone_gets_in() -> None:
    assert masked_text("vf_sk_0123456789abcdef0123456789abcdef") == "vf_sk_01234567***"


def test_a_header_by_its_name_is_masked_in_its_value() -> None:
    headers = [{"name": "X-Api-Key", "value": "hunter2"}, {"name": "Accept", "value": "text/html"}]
    old, new = masked({"list": (None, headers)})["list"]
    assert (old, [each["value"] for each in new]) == (None, ["***", "text/html"])


def test_what_is_longer_than_is_kept_is_cut(kept: list[Entry]) -> None:
    record("door.opened", DOOR, after={f"text {n}": "long " * 5000 for n in range(40)})
    assert len(json.dumps(kept[0].changes)) < 120_000
    assert "further changes" in kept[0].changes["…"][1]


SECRET = "s3cr3t-v4lue"
_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(),
        st.text().map(lambda text: f"{text}{SECRET}{text}"),
    ),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(SECRET), inner),
    max_leaves=20,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    before=st.dictionaries(st.text(), _values),
    after=st.dictionaries(st.text(), _values),
    label=st.text().map(lambda text: text + SECRET),
)
def test_a_known_secret_gets_in_nowhere(
    kept: list[Entry], settings: Any, before: dict[str, Any], after: dict[str, Any], label: str
) -> None:
    settings.SECRETS = [SECRET]
    hidden = {"password": "hunter2hunter2", "deep": {"x-api-key": ["hunter2hunter2"]}}
    with acting(Actor(SECRET)):
        record("door.opened", Thing("a.b", "1", label), before=before, after=after | hidden, detail=label)
    told = json.dumps(kept[-1].changes) + repr(kept[-1])
    assert SECRET not in told
    assert "hunter2" not in told


def test_no_value_is_of_a_kind_that_json_does_not_know(kept: list[Entry], settings: Any) -> None:
    record("door.opened", DOOR, after={"who": Actor("x"), "bytes": b"abc", "tuple": (1, 2), "set": {3}})
    json.dumps(kept[0].changes)
