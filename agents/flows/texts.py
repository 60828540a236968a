"""What is wrong with a flow, in sentences that say what to do."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from pydantic.alias_generators import to_camel, to_snake

from ..flow.graph import Problem
from .differences import Change, Difference, Part
from .editing import WORDS
from .kinds import BY_TYPE, KINDS, LABEL, MANNER, field_labels

_SENTENCES: dict[str, Promise] = {
    # A file
    "too_large": _("The file has %(size)s bytes; a flow may have %(limit)s."),
    "no_json": _("Line %(line)s, column %(column)s: this is no JSON (%(reason)s)."),
    "no_json_answer": _("The answer is no JSON, or breaks off."),
    "no_object": _("This has to be an object, in braces."),
    "no_list": _("“%(path)s” has to be a list."),
    "too_many": _("“%(path)s” has %(count)s entries; a flow may have %(limit)s."),
    "unknown_type": _("There is no step of the type “%(type)s”. There are: %(known)s."),
    "unknown_field": _("“%(path)s” is not known here. It is kept, but does nothing."),
    "wrong_kind": _("“%(path)s” is of the wrong kind."),
    "too_long": _("“%(path)s” may have %(max_length)s characters."),
    "too_small": _("“%(path)s” has to be %(ge)s or more."),
    "too_big": _("“%(path)s” may be %(le)s at most."),
    "not_among": _("“%(path)s” has to be one of %(expected)s."),
    # The flow
    "empty": _("There is no step yet. Add the first one."),
    "no_start": _("It is not clear where calls begin. Choose a step to start with."),
    "two_starts": _("Calls could begin here or elsewhere: connect it, or choose a step to start with."),
    "no_end": _("No step ends the call or hands it over; it would end only when the caller hangs up."),
    "double_id": _("This id is there twice. Give one of them another."),
    "double_variable": _("The variable “%(name)s” is there twice. Give one of them another name."),
    "bad_variable": _(
        "“%(name)s” cannot be the name of a variable: use letters, digits and _, a letter first, and none of "
        "the built-in names."
    ),
    "dangling": _("It leads from or to “%(node)s”, which is not there. Connect it to a step, or delete it."),
    "note_edge": _("A note cannot be connected. Delete this connection."),
    "after_end": _("Nothing can follow here, since the flow is done with the call. Delete this connection."),
    "unknown_outcome": _("This step cannot come to “%(outcome)s”, only to: %(known)s."),
    "bad_keys": _("“%(keys)s” are no keys of a telephone: use 0-9, * and #."),
    "bad_digits": _("“%(digits)s” cannot be dialled: use 0-9, *, #, and a comma for half a second."),
    "otherwise_and_more": _("It is taken if nothing else holds, so its other conditions do nothing."),
    "same_condition": _("Two connections ask for the same, “%(value)s”. Only the first is ever taken."),
    "two_otherwise": _("Two connections are taken if nothing else holds. Only the first ever is."),
    "says_not_when": _("This connection does not say when it is taken. Give it examples or a description."),
    "dead_end": _("Nothing follows here: the caller would be told that the flow cannot go on."),
    "no_otherwise": _("If none of the conditions holds, the call cannot go on. Add a connection for “else”."),
    "unreachable": _("No call comes here. Connect it, or delete it."),
    "loop_without_exit": _("This circle never listens and has no way out: a call would be stopped in it."),
    "silent_loop": _("This circle does not listen to the caller; after 60 steps the call is stopped."),
    "intent_without_examples": _("“%(name)s” can be said anywhere, but has no examples and no key."),
    "intent_nowhere": _("“%(name)s” leads to a step that is not there. Choose one."),
    # Its tests
    "test_without_name": _("Test number %(number)s has no name. Give it one."),
    "double_test": _("There are two tests “%(test)s”. Give one of them another name."),
    "test_without_turns": _("The test “%(test)s” has no turns. Add what the caller says first."),
    "test_too_long": _("The test “%(test)s” has %(count)s turns; it may have %(limit)s."),
    "test_empty_turn": _("Turn %(turn)s of the test “%(test)s”: say what the caller says, or which keys."),
    "test_crowded_turn": _(
        "Turn %(turn)s of the test “%(test)s”: words, keys or silence, one of them. Make a turn of each."
    ),
    "test_unknown_node": _("The test “%(test)s” expects the step “%(name)s”, which is not there."),
    "test_unknown_edge": _("The test “%(test)s” expects the connection “%(name)s”, which is not there."),
    "test_unknown_intent": _("The test “%(test)s” expects the meaning “%(name)s”, which is not there."),
    "never_set": _("Nothing gives “%(name)s” a value. Declare it as a variable, gather it or set it."),
    # One step
    "missing": _("“%(path)s” has to be filled in."),
    "few_options": _("A choice needs two options at least."),
    "turned_limits": _("The upper limit is below the lower one."),
    "unknown_tool": _("There is no tool “%(name)s”."),
    "unknown_agent": _("There is no agent “%(name)s”, or it is archived."),
    "unknown_knowledge": _("There is no knowledge base “%(name)s”."),
    "unknown_flow": _("There is no published flow “%(name)s”."),
    "cyclic_subflow": _("“%(name)s” comes back to this flow: a call would go round for ever."),
    "bad_expression": _("“%(expression)s” cannot be worked out: %(reason)s"),
    "branch_without_conditions": _("No connection has a condition, so there is nothing to decide here."),
    "no_e164": _("“%(number)s” is no telephone number with its country code, like +14155550100."),
}


def sentence(problem: Problem) -> str:
    """With its place, where no step or connection shows it. Fields are called as the editor calls them."""
    text = str(_SENTENCES[problem.code])
    place = "" if problem.code in _NAMED_AS_IN_THE_FILE else _place(problem.path)
    told = text % {"path": place or problem.path, **problem.values}
    is_shown = problem.node or problem.edge or problem.code not in ("no_object", "unknown_type")
    return told if is_shown or not place else f"{place}: {told}"


_NAMED_AS_IN_THE_FILE = ("unknown_field", "no_list", "too_many")
_PARTS: dict[str, Promise] = {
    "nodes": _("Step"),
    "edges": _("Connection"),
    "variables": _("Variable"),
    "intents": _("What callers can say anywhere"),
    "tests": _("Test"),
    "type": _("Kind"),
    "id": _("Id"),
    "position": _("Place on the canvas"),
}


def _place(path: str) -> str:
    """ "variables.0.initial" as "Variable 1: At the beginning"."""
    words: list[str] = []
    for step in path.split(".") if path else ():
        if step.isdecimal() and words:
            words[-1] = f"{words[-1]} {int(step) + 1}"
        elif step and step != "condition":
            label = _PARTS.get(step) or _LABELS.get(to_camel(step))
            words.append(str(label or _field_of_editor(to_snake(step))))
    return ": ".join(words)


_LABELS: dict[str, Promise] = {
    field.name: field.label for kind in KINDS for field in (*kind.fields, *MANNER, LABEL)
}


_DIFFERENCES: dict[tuple[Change, Part], Promise] = {
    ("changed", "flow"): _("Changed: the settings of the flow (%(fields)s)"),
    ("added", "step"): _("Added: the step “%(name)s” (%(kind)s)"),
    ("removed", "step"): _("Removed: the step “%(name)s” (%(kind)s)"),
    ("changed", "step"): _("Changed: the step “%(name)s” (%(fields)s)"),
    ("added", "connection"): _("Added: the connection %(name)s"),
    ("removed", "connection"): _("Removed: the connection %(name)s"),
    ("changed", "connection"): _("Changed: the connection %(name)s (%(fields)s)"),
    ("added", "variable"): _("Added: the variable “%(name)s”"),
    ("removed", "variable"): _("Removed: the variable “%(name)s”"),
    ("changed", "variable"): _("Changed: the variable “%(name)s” (%(fields)s)"),
    ("added", "test"): _("Added: the test “%(name)s”"),
    ("removed", "test"): _("Removed: the test “%(name)s”"),
    ("changed", "test"): _("Changed: the test “%(name)s”"),
    ("added", "intent"): _("Added: what callers can say anywhere, “%(name)s”"),
    ("removed", "intent"): _("Removed: what callers can say anywhere, “%(name)s”"),
    ("changed", "intent"): _("Changed: what callers can say anywhere, “%(name)s” (%(fields)s)"),
}


def told(problem: Problem) -> dict[str, str]:
    """As pages are told of it: {node, edge, path, severity, text}."""
    return {
        "node": problem.node,
        "edge": problem.edge,
        "path": problem.path,
        "severity": problem.severity,
        "text": sentence(problem),
    }


def difference_sentence(difference: Difference) -> str:
    kind = BY_TYPE.get(difference.type)
    labels = field_labels(difference.type) if difference.part == "step" else {}
    fields = ", ".join(
        f"{labels.get(name) or _field_of_editor(name)}{_change_of(difference.values.get(name))}"
        for name in difference.fields
    )
    values = {
        "name": difference.name,
        "kind": kind.label if kind else difference.type,
        "fields": fields,
    }
    return str(_DIFFERENCES[difference.change, difference.part]) % values


def _change_of(values: tuple[Any, Any] | None) -> str:
    """As ": “Hello” → “Good evening”"; nothing of what is no text or number."""
    if values is None:
        return ""
    before, after = (Truncator("–" if value in (None, "") else value).chars(60) for value in values)
    return f": “{before}” → “{after}”"


def _field_of_editor(name: str) -> str:
    words = {"source": "from", "target": "to", "start": "begin"}
    return str(WORDS.get(words.get(name, name), name))
