"""A client that is generated from the API's description lives an agent's and a call's life with it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agents.models import Agent
from tests.factories import make_past_call
from voiceforge_site.access import key_actions
from voiceforge_site.models import User
from voiceforge_site.rest.document import document

pytestmark = pytest.mark.django_db(transaction=True)

PACKAGE = "voiceforge_api"
Named = Callable[[str], Any]


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Named]:
    """Its parts by their names: `generated("api.agents.agents_create")`."""
    told, settings = tmp_path / "openapi.json", tmp_path / "settings.yaml"
    told.write_text(json.dumps(document()))
    settings.write_text("post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    said = subprocess.run(
        [*command, "--path", told, "--output-path", tmp_path / PACKAGE, "--config", settings],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Unable to process schema" not in said, said
    monkeypatch.syspath_prepend(str(tmp_path))

    def part(name: str) -> ModuleType:
        return importlib.import_module(f"{PACKAGE}.{name}")

    yield part
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def client(generated: Named, live_server: Any, alice: User) -> Any:
    _row, key = key_actions.create("a client", alice)
    return generated("client").AuthenticatedClient(base_url=live_server.url, token=key)


def test_it_makes_and_changes_an_agent_and_reads_its_calls(
    generated: Named, client: Any, live_server: Any
) -> None:
    models, agents, calls = generated("models"), "api.agents.agents_", "api.calls.telephony_calls_"
    wanted = models.AgentFieldsRequest(name="Front desk", greeting="Good day.")
    made = generated(f"{agents}create").sync_detailed(client=client, body=wanted)
    assert (made.status_code, made.parsed.id, made.parsed.version) == (201, "front-desk", 1)

    change = generated(f"{agents}partial_update")
    tag = made.headers["ETag"]
    better = models.PatchedAgentFieldsRequest(greeting="Hello.")
    changed = change.sync("front-desk", client=client, body=better, if_match=tag)
    assert (changed.greeting, changed.version) == ("Hello.", 2)
    late = change.sync("front-desk", client=client, body=better, if_match=tag)
    assert isinstance(late, models.Problem) and late.status == 412
    listed = generated(f"{agents}list").sync(client=client)
    assert [agent.id for agent in listed.results] == ["front-desk"]

    call = make_past_call(Agent.objects.get(), "When are you open?")
    told = generated(f"{calls}retrieve").sync(str(call.pk), client=client)
    assert (told.agent, told.number, told.status.value) == ("front-desk", None, call.status)
    said = generated(f"{calls}transcript_retrieve").sync(str(call.pk), client=client)
    assert "When are you open?" in str(said.to_dict())
    assert generated(f"{calls}list").sync(client=client, q="open").results[0].id == call.pk

    nobody = generated("client").AuthenticatedClient(base_url=live_server.url, token="vf_sk_none")
    refused = generated(f"{agents}list").sync(client=nobody)
    assert isinstance(refused, models.Problem) and refused.status == 401
