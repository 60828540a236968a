"""A flow from a description, from the shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.flows.actions import create_flow
from agents.models import Flow
from tests.agents.flow.samples import MENU

from .test_generation import GOOD, WRONG, Writer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings: Any) -> Iterator[Writer]:
    server = Writer(
        {**GOOD, "nodes": [each for each in GOOD["nodes"] if each["type"] != "tool"], "edges": []}
    )
    with server.served() as url:
        settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-swordfish"
        settings.AI_INTEGRATIONS_OPENAI_BASE_URL = url
        yield server


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("generate_flow", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_flow_is_written_to_a_file_and_kept(server, tmp_path):
    server.answers = [(WRONG, "stop"), (GOOD, "stop")]
    with pytest.raises(CommandError, match="errors that have to be mended"):  # there is no tool "book" here
        run("Book tables", "--json", str(tmp_path / "flow.json"), "--keep")
    assert json.loads((tmp_path / "flow.json").read_text())["name"] == "Tables"
    assert Flow.objects.get().draft["nodes"][0]["id"] == "hello"


def test_progress_is_told_beside_what_is_written(server):
    from agents.models import Tool

    Tool.objects.create(name="book", url="https://booking.test/")
    server.answers = [(WRONG, "stop"), (GOOD, "stop")]
    out, err = run("Book tables")
    assert json.loads(out)["name"] == "Tables"
    assert "asking the model" in err and "mending, 1 of 2" in err and "swordfish" not in err + out


def test_a_flow_is_changed(server):
    create_flow(graph=MENU, name="Shop", by="alice")
    with pytest.raises(CommandError):
        run("Be formal", "--change", "shop")
    assert "Hello from {{clinic}}" in server.asked[0]["messages"][1]["content"]
    with pytest.raises(CommandError, match="There are: shop"):
        run("Be formal", "--change", "other")


@pytest.mark.parametrize(
    "arguments, reason", [((" ",), "1 to 4,000"), (("x", "--json", "/no/such/a"), "folder")]
)
def test_what_is_given_wrongly_is_named(server, arguments, reason):
    with pytest.raises(CommandError, match=reason):
        run(*arguments)
    assert not server.asked


def test_without_a_key_it_says_what_to_set(settings):
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = ""
    with pytest.raises(CommandError, match="AI_INTEGRATIONS_OPENAI_API_KEY"):
        run("Book tables")


def test_what_the_model_refuses_is_told(server):
    server.answers = [("I'd rather not.", "stop")]
    with pytest.raises(CommandError, match="wrote no flow"):
        run("Book tables")
