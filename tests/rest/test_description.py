"""The description of the whole API: valid, complete, and readable."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.test import Client
from django.utils import translation
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from mlservices.happenings import KINDS, Happening
from voiceforge_site.hooks.models import Webhook
from voiceforge_site.hooks.outbox import message
from voiceforge_site.rest.document import document
from voiceforge_site.rest.examples import given_in
from voiceforge_site.rest.parameters import unused


@pytest.fixture(scope="module")
def told():
    return document()


def operations(told):
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_valid(told):
    validate(told)


def test_what_may_be_null_is_said_as_3_1_says_it(told):
    assert '"nullable"' not in json.dumps(told)
    assert "api.example.org" not in json.dumps(told)


def test_it_is_made_without_a_warning(capfd):
    document.__wrapped__()
    assert "Warning" not in capfd.readouterr().err


def test_it_is_in_english_whoever_asks_first(told):
    with translation.override("de"):
        assert document.__wrapped__() == told


def test_what_takes_the_same_words_has_one_name(told):
    schemas = told["components"]["schemas"]
    names = [name for name in schemas if re.search("[0-9a-f]{3}Enum$", name)]
    assert not names
    assert schemas["WebhookState"]["enum"] == ["active", "paused", "disabled"]
    assert schemas["ServiceStatus"]["enum"] == ["pass", "warn", "fail", "unknown"]


def test_every_operation_says_what_it_is_for_and_has_a_name_of_its_own(told):
    found = operations(told)
    assert len(found) > 120
    assert not [name for name, operation in found if not operation.get("summary")]
    assert not [name for name, operation in found if len(operation["tags"]) != 1]
    names = [operation["operationId"] for _name, operation in found]
    assert len(set(names)) == len(names)


def test_every_parameter_of_an_address_is_described(told):
    for name, operation in operations(told):
        inside = {part.split("}")[0] for part in name.split("{")[1:]}
        described = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert described == inside, name


def test_every_parameter_says_what_it_is(told):
    missing = [
        (name, each["name"])
        for name, operation in operations(told)
        for each in operation.get("parameters", [])
        if not each.get("description")
    ]
    assert not missing and not list(unused(told["paths"]))


def bodies(told):
    """(operation, its schema, its example) of each body in JSON that is sent or answered."""
    for name, operation in operations(told):
        sent = operation.get("requestBody", {}).get("content", {})
        answers = [each for status, each in operation["responses"].items() if status.startswith("2")]
        for content in [sent, *(each.get("content", {}) for each in answers)]:
            if "application/json" in content:
                body = content["application/json"]
                yield name, body.get("schema", {}), given_in(body)
            elif any("schema" not in body for body in content.values()):
                assert name == "GET /api/metrics"


def test_every_body_has_an_example_that_fits_it(told):
    found = list(bodies(told))
    assert len(found) > 150
    # A file may be sent or JSON, and what the file holds is an example of its schema.
    missing = [name for name, schema, given in found if given is None and "example" not in schema]
    assert not missing
    misfits = [
        (name, error.json_path, error.message)
        for name, schema, given in found
        if given is not None
        for error in Draft202012Validator({**schema, "components": told["components"]}).iter_errors(given)
    ]
    assert not misfits


def test_no_example_is_a_placeholder(told):
    placeholders = [
        (name, path, value)
        for name, _schema, given in bodies(told)
        for path, value in values_of(given)
        if value == "text" or "example.org" in str(value) or (path[-1:] == ("id",) and value == "ID")
    ]
    assert not placeholders


def values_of(given, path=()):
    """(path, value) of each value in it that holds no others."""
    if isinstance(given, dict | list):
        parts = given.items() if isinstance(given, dict) else enumerate(given)
        for name, part in parts:
            yield from values_of(part, (*path, name))
    else:
        yield path, given


def test_what_is_sent_to_webhooks_is_told_of_every_kind(told):
    assert set(told["webhooks"]) == set(KINDS)
    for kind, methods in told["webhooks"].items():
        body = methods["post"]["requestBody"]["content"]["application/json"]
        assert not list(Draft202012Validator(body["schema"]).iter_errors(body["example"]))
        assert body["example"]["data"] == dict(KINDS[kind].example)
        sent = json.loads(message(Webhook(), Happening(kind, KINDS[kind].example)).body)
        assert not list(Draft202012Validator(body["schema"]).iter_errors(sent))


def test_voices_stand_together(told):
    tags = {operation["tags"][0] for name, operation in operations(told) if "/api/voice" in name}
    assert tags == {"Voices"}


def test_no_secret_is_told_by_anything(told):
    for name, schema in told["components"]["schemas"].items():
        for field, part in schema.get("properties", {}).items():
            if field in ("secret", "password"):
                assert part.get("writeOnly"), f"{name}.{field}"


def test_people_read_all_of_it(alices_browser, told):
    page = alices_browser.get("/api/docs")
    assert page.status_code == 200
    for path in told["paths"]:
        assert f"<code>{path}</code>" in page.text, path
    assert Client().get("/api/docs").status_code == 401


def test_who_comes_second_is_told_the_same_in_their_own_language(alice, alices_browser):
    def told(**headers):
        page = alices_browser.get("/api/docs", headers=headers).text
        return unescape(page[page.index("data-api-tag") : page.rindex("</section>")])

    english = told()
    assert "in the address" in english and 'curl "http://testserver/api/agents' in english
    alice.language = "de"
    alice.save()
    german = told()
    assert "in der Adresse" in german and "in the address" not in german
    alice.language = "en"
    alice.save()
    assert told() == english
    assert told(host="localhost") == english.replace("http://testserver", "http://localhost")


def test_people_read_what_webhooks_are_sent(alices_browser, told):
    page = alices_browser.get("/api/docs").text
    section = page[page.index('<section id="what-webhooks-are-sent"') :]
    for kind, methods in told["webhooks"].items():
        assert f"<code>{kind}</code>" in section, kind
        assert f'id="{methods["post"]["operationId"]}"' in section
    assert "webhook-signature: v1," in section and "<code>410</code>" in section


def test_people_read_no_marks_of_a_description(alices_browser):
    page = alices_browser.get("/api/docs").text
    assert "* `" not in page and "* <code>" not in page
    assert "The <code>id</code> of the body" in page
    assert "<code>running</code>: being written" in page  # what the value does not tell itself
    assert "<code>waiting</code>: waiting" not in page
