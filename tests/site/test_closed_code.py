"""What our code may not do anywhere, read from the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("mlservices", "agents", "telephony", "voiceforge_site")

SECRET_NAME = re.compile(
    r"(^|_)(secret|signature|token|password|passphrase|api_key|bearer|hmac|otp|recovery_code)(_hash|_digest)?$"
)
# Names that are no secret: tokens of a language model or of a spelling.
WORDS_OF_MODELS = ("mlservices/engines/", "agents/flow/slots/spelling.py")

CLIENTS = {"httpx", "httpx2", "requests", "aiohttp", "urllib3", "urllib.request", "http.client", "websockets"}
# Who makes requests, and to whom. Addresses that people write in pages go through agents/outside.py.
MAY_ASK = {
    "agents/outside.py": "the one client for addresses that people write",
    "agents/tools/requests.py": "reads addresses; asks nobody",
    "agents/tools/calling.py": "reads addresses; asks nobody",
    "agents/tools/address_form.py": "reads addresses; asks nobody",
    "agents/tools/mcp/client.py": "reads addresses, holds connections of agents/outside.py",
    "voiceforge_site/hooks/actions.py": "reads addresses; asks nobody",
    "mlservices/checks/http.py": "servers of the settings",
    "mlservices/checks/alerts.py": "ALERT_WEBHOOK_URL of the settings",
    "mlservices/clients/addresses.py": "reads addresses; asks nobody",
    "mlservices/clients/http.py": "servers of the settings",
    "mlservices/clients/service.py": "the ML service",
    "mlservices/clients/openai.py": "servers of the settings",
    "mlservices/clients/openai_audio.py": "servers of the settings",
    "mlservices/clients/space.py": "HF_ML_API_URL of the settings",
    "mlservices/clients/waking.py": "HF_ML_API_URL of the settings",
    "mlservices/space/push.py": "the hub",
    "telephony/lines/twilio.py": "Twilio",
    "telephony/lines/twilio_media.py": "Twilio",
    "telephony/providers/zadarma/recordings.py": "Zadarma",
    "telephony/providers/zadarma/wire.py": "Zadarma",
    "telephony/providers/twilio/simulator.py": "our own server, by a command",
    "telephony/sip/bridge.py": "our own server",
    "voiceforge_site/management/commands/up.py": "our own server",
}
ASKS_NOBODY = [path for path, whom in MAY_ASK.items() if "agents/outside.py" in whom or "nobody" in whom]
ASKING = {"get", "post", "put", "patch", "delete", "request", "stream", "send", "AsyncClient", "Client"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lower()
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name.lower().replace("-", "_")
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name.lower().replace("-", "_")
        case ast.Call(func=func):
            return name_of(func)
    return ""


def compared_secrets(tree: ast.Module) -> Iterator[int]:
    """Lines that compare a secret with another value, in a time that tells how much of it is right."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        equals = any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops)
        with_constant = any(isinstance(side, ast.Constant) for side in sides)
        if equals and not with_constant and any(SECRET_NAME.search(name_of(side)) for side in sides):
            yield node.lineno


@pytest.mark.parametrize(
    "code, is_found",
    [
        ("sent == row.token", True),
        ("if request.headers['X-Twilio-Signature'] != expected: pass", True),
        ("form.get('secret') == mine", True),
        ("signature(form) == sent", True),
        ("token == ''", False),
        ("compare_digest(sent, token)", False),
        ("token is None", False),
        ("max_tokens == other", False),
    ],
)
def test_a_compared_secret_is_found(code: str, is_found: bool) -> None:
    assert bool(list(compared_secrets(ast.parse(code)))) == is_found


def test_no_secret_is_compared_in_a_time_that_tells_of_it() -> None:
    found = [
        f"{path}:{line}"
        for path, tree in sources()
        if not path.startswith(WORDS_OF_MODELS)
        for line in compared_secrets(tree)
    ]
    assert not found


RUNS = {"eval", "exec", "compile", "__import__"}
MAKES_TEMPLATES = {"Template", "from_string", "format_map"}


def run_or_filled(tree: ast.Module) -> Iterator[int]:
    """Lines that run a text as code, or take a text that somebody may have written for a template."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("django.template", "jinja2")):
            yield from (node.lineno for alias in node.names if alias.name in MAKES_TEMPLATES)
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in RUNS:
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr=name)) if name in MAKES_TEMPLATES - {"Template"}:
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="format")):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="format")) if not name.isupper():
                yield node.lineno


@pytest.mark.parametrize(
    "code, is_found",
    [
        ("eval(words)", True),
        ("from django.template import Template", True),
        ("engines['django'].from_string(agent.greeting)", True),
        ("greeting.format(name=caller)", True),
        ("greeting.format_map(values)", True),
        ("_WORDS.format(name=caller)", False),
        ("'{}'.format(caller)", False),
        ("re.compile('a')", False),
    ],
)
def test_a_text_that_is_run_or_filled_in_is_found(code: str, is_found: bool) -> None:
    assert bool(list(run_or_filled(ast.parse(code)))) == is_found


def test_no_text_of_a_person_is_run_or_is_a_template() -> None:
    found = [f"{path}:{line}" for path, tree in sources() for line in run_or_filled(tree)]
    assert not found


def clients_in(tree: ast.Module) -> set[str]:
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {client for client in CLIENTS for each in imported if f"{each}.".startswith(f"{client}.")}


def test_who_makes_requests_is_known() -> None:
    assert {path for path, tree in sources() if clients_in(tree)} == set(MAY_ASK)


@pytest.mark.parametrize("path", ASKS_NOBODY)
def test_who_only_reads_addresses_makes_no_request(path: str) -> None:
    calls = [
        node.func
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    asked = [
        call.attr
        for call in calls
        if isinstance(call.value, ast.Name) and call.value.id == "httpx" and call.attr in ASKING
    ]
    assert not asked


UPLOADS = {
    "agents/flows/views.py",
    "agents/knowledge/views.py",
    "agents/rest/flows.py",
    "agents/rest/knowledge.py",
    "mlservices/api/bodies.py",
    "voiceforge_site/access/idempotency.py",  # is this the same request?
}


def test_who_takes_files_is_known() -> None:
    """What is sent there is in test_uploads.py, and in tests/mlservices/api for sound."""
    taking = {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "FILES"
    }
    assert taking == UPLOADS
