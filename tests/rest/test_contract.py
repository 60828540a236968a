"""Requests that schemathesis makes up from the API's own description, some as it asks and some not: whatever
comes back is described there, and nothing is an error of ours. A longer run: EXAMPLES=100."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
import requests
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from agents.flows.actions import create_flow
from tests.agents.flow.samples import MENU
from tests.factories import make_agent, make_past_call
from tests.program import Program
from voiceforge_site.models import User
from voiceforge_site.rest.document import document

EXAMPLES = int(os.environ.get("EXAMPLES", "2"))  # of each operation, right ones and wrong ones alike
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SERVER = "http://testserver"


@pytest.fixture
def api(alice: User, program: Callable[..., Program]) -> Program:
    """Of an administrator."""
    api = program(alice, requests_a_minute=1_000_000)
    api.raise_request_exception = False
    return api


@pytest.fixture
def there(db: None) -> dict[str, str]:
    """What the site has, by the beginning of its address."""
    agent = make_agent()
    flow = create_flow(graph=MENU, name="Shop", by="alice")
    return {
        "/api/agents/": agent.slug,
        "/api/agent-flows/": flow.slug,
        "/api/telephony/calls/": str(make_past_call(agent).pk),
    }


def answer(api: Program, case: Case) -> Response:
    asked = requests.Request(**case.as_transport_kwargs(base_url=SERVER)).prepare()
    headers = {name: str(value) for name, value in asked.headers.items()}
    kind = headers.pop("Content-Type", "application/octet-stream")
    for ours in ("Authorization", "Cookie", "Content-Length"):
        headers.pop(ours, None)
    told = api.generic(asked.method, asked.path_url, asked.body or b"", content_type=kind, headers=headers)
    content = b"".join(told.streaming_content) if told.streaming else told.content
    assert told.status_code != 500, (case.as_curl_command(), content[:400])
    names = {name.lower(): [value] for name, value in told.headers.items()}
    return Response(told.status_code, names, content, asked, elapsed=0.0, verify=False)


@pytest.mark.parametrize("is_right", [True, False], ids=["as described", "not as described"])
def test_every_answer_is_as_the_description_says(api: Program, there: dict[str, str], is_right: bool) -> None:
    mode = GenerationMode.POSITIVE if is_right else GenerationMode.NEGATIVE
    breaches = []
    for result in schemathesis.openapi.from_dict(document()).get_all_operations():
        operation = result.ok()
        known = next((id for start, id in there.items() if operation.path.startswith(start)), "")
        try:
            tried(api, operation.as_strategy(generation_mode=mode), known if is_right else "")
        except FailureGroup as group:
            breaches += [f"{operation.label}: {each}" for each in group.exceptions]
        except AssertionError as error:
            breaches.append(f"{operation.label}: {error}")
        except Unsatisfiable:
            pass  # nothing that it takes is wrong
    assert not breaches, "\n".join(breaches)


def tried(api: Program, cases: SearchStrategy[Case], known: str) -> None:
    """Nothing that is done lasts; `known` is the id of what they are about, where there is one."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def one(case: Case) -> None:
        if known:
            case.path_parameters["id"] = known
        with transaction.atomic():
            case.validate_response(answer(api, case), checks=CHECKS)
            transaction.set_rollback(True)

    one()
