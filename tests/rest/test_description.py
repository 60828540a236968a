"""The description of the whole API: valid, complete, and readable."""

from __future__ import annotations

import pytest
from django.test import Client
from openapi_spec_validator import validate

from voiceforge_site.rest.document import document


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
