"""A verb that does not tell the trail is found here, by reading the code. Who adds one adds its words too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from agents.models import AgentVersion
from mlservices.roster import deeds, told
from telephony import orders
from voiceforge_site.audit.words import KINDS, VERBS

APPS = ("mlservices", "agents", "telephony", "voiceforge_site")
# Modules of verbs; all functions in them without an underscore are some.
MODULES = sorted(
    path.relative_to(settings.BASE_DIR).as_posix()
    for app in APPS
    for path in (settings.BASE_DIR / app).rglob("*.py")
    if re.fullmatch(r"(\w+_)?actions|orders|deleting", path.stem)
)
TELLS = {"audit.record", "record_of_call", "record_fetched"}

# What changes nothing that somebody did, and why it is no verb for the trail.
_HAPPENS = "what happens in a call is told by its events"
_ASKS = "it only looks"
_PART = "a verb calls it, and tells"
NO_VERBS = {
    "agents/actions.py": {"refuse_too_long_for_local": _ASKS},
    "agents/flows/actions.py": {"problems_in": _ASKS},
    "agents/knowledge/actions.py": {"flows_with": _ASKS, "changed": _PART},
    "agents/tools/actions.py": {"flows_with": _ASKS},
    "agents/tools/mcp/actions.py": {"flows_using": _ASKS},
    "telephony/actions.py": {
        **dict.fromkeys(
            (
                "answer_call",
                "connect_call",
                "end_call",
                "fail_call",
                "apply_provider_status",
                "tell_holder",
                "hold_calls",
                "let_go",
                "end_orphans",
                "keep_recording",
                "transfer_ended",
            ),
            _HAPPENS,
        ),
        "control_group": _ASKS,
        **dict.fromkeys(("ringing", "stop_ringing"), _PART),
        "may_follow": _ASKS,
        "forget_old_tokens": "nobody asked for it",
    },
    "telephony/lines/actions.py": {"asked": _ASKS},
    "telephony/lines/number_actions.py": {"wanted_hooks": _ASKS},
    "telephony/recordings/actions.py": {
        **dict.fromkeys(("is_wanted", "may_be_there", "awaited", "later"), _ASKS),
        **dict.fromkeys(("expect", "is_told", "none_is_left"), _HAPPENS),
    },
    "telephony/outbound/actions.py": {
        **dict.fromkeys(
            (
                *(
                    "begin_call",
                    "is_placed",
                    "knows_id",
                    "is_unsure",
                    "is_refused",
                    "are_too_late",
                    "are_gone",
                ),
                "is_with_people",
            ),
            _HAPPENS,
        ),
        "plan_of": _ASKS,
    },
    "voiceforge_site/people/actions.py": {"invitation_of": _ASKS},
}


@cache
def functions(path: Path) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


def named_in(node: ast.AST) -> set[str]:
    """Names of what is called in it, or handed on to be called."""
    attributes = [each for each in ast.walk(node) if isinstance(each, ast.Attribute)]
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return names | {each.attr for each in attributes} | {ast.unparse(each) for each in attributes}


def tells(name: str, known: dict[str, ast.FunctionDef | ast.AsyncFunctionDef], seen: set[str]) -> bool:
    if name in TELLS:
        return True
    if name in seen or name not in known:
        return False
    seen.add(name)
    return any(tells(each, known, seen) for each in named_in(known[name]))


def verbs() -> Iterator[tuple[str, str]]:
    for module in MODULES:
        for name in functions(settings.BASE_DIR / module):
            if not name.startswith("_"):
                yield module, name


@cache
def everything() -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions that verbs may leave the telling to: those of the modules of verbs."""
    return {name: node for module in MODULES for name, node in functions(settings.BASE_DIR / module).items()}


def test_there_are_verbs() -> None:
    assert len(MODULES) > 10
    assert len(list(verbs())) > 80


@pytest.mark.parametrize(("module", "name"), [pytest.param(*each, id="-".join(each)) for each in verbs()])
def test_a_verb_tells_the_trail(module: str, name: str) -> None:
    told = tells(name, {**everything(), **functions(settings.BASE_DIR / module)}, set())
    is_none = name in NO_VERBS.get(module, {})
    assert told or is_none, f"{module}: {name} does not call audit.record, nor does NO_VERBS say why not."


def test_what_is_said_to_be_no_verb_is_there() -> None:
    for module, names in NO_VERBS.items():
        assert set(names) <= set(functions(settings.BASE_DIR / module)), module


_RECORDED = re.compile(
    r"(?:record|record_of_call|_record|_order|_fetched|_told)\(\s*(?:\w+, )?\"([a-z_]+\.[a-z_]+)\""
)
_EITHER = re.compile(r"\"([a-z_]+\.[a-z_]+)\" if \w+ else \"([a-z_]+\.[a-z_]+)\"")
_OF_ACCOUNT = re.compile(r"(?:note_use|noted|asked_often)\([\w.]+, \"(\w+)\"")


@cache
def recorded() -> frozenset[str]:
    """Every verb that the code writes."""
    found = {f"agent.{kind}" for kind in AgentVersion.Kind.values if kind != AgentVersion.Kind.FOUND}
    found |= {f"model.{told.DONE[verb]}" for verb in deeds.VERBS} | set(orders.TOLD.values())
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if any(
                each in text for each in ("audit", "record_of_call", "note_use", "noted(", "asked_often(")
            ):
                found |= set(_RECORDED.findall(text)) | {
                    f"account.{what}" for what in _OF_ACCOUNT.findall(text)
                }
                found |= {verb for pair in _EITHER.findall(text) for verb in pair}
    return frozenset(found)


def test_every_verb_has_words() -> None:
    assert recorded() - set(VERBS) == set()


def test_no_words_are_left_of_verbs_that_are_gone() -> None:
    assert set(VERBS) - recorded() == set()


def test_every_kind_is_named_once() -> None:
    assert len({str(words) for words in KINDS.values()}) == len(KINDS)
