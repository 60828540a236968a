"""The form of one test of a flow: turns with what is expected after each, and what tools answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from mlservices.json_text import json_of

from ..fields import PhoneField
from ..flow.deciding import By
from ..flow.graph import Expected, ScriptedTest
from ..flow.graph.node_checks import DIGITS
from ..flow.graph.scripted import LONGEST_WORDS, MOST_TURNS
from .kinds import DECIDERS
from .results import LONGEST_NAME

MOST_TOOLS = 20
_DOES = [
    ("say", _("says")),
    ("keys", _("presses the keys")),
    ("silence", _("stays silent")),
    ("greeting", _("hears the greeting")),
]
_BY = [("", _("Not looked at")), *((each, DECIDERS.get(each, each)) for each in get_args(By))]
_CALL = [("", _("Not looked at")), ("ended", _("The agent has hung up")), ("goes_on", _("It goes on"))]


class ValuesField(forms.CharField):
    """Variables with their values, a line for each: `age = 20`. Numbers, true, false and null are such, and
    what stands in quotes is a text."""

    widget = forms.Textarea(attrs={"rows": 2, "class": "vf-input", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return "\n".join(f"{name} = {_written(each)}" for name, each in value.items())

    def clean(self, value: Any) -> dict[str, Any]:  # type: ignore[override]
        values: dict[str, Any] = {}
        for line in filter(None, map(str.strip, super().clean(value).splitlines())):
            name, equals, text = (part.strip() for part in line.partition("="))
            if not equals or not name.isidentifier():
                told = _("“%(line)s” cannot be read. Write a line for each, like age = 20.")
                raise ValidationError(told, params={"line": line})
            values[name] = _read(text)
        return values


def _written(value: Any) -> str:
    return (
        value if isinstance(value, str) and _read(value) == value else json.dumps(value, ensure_ascii=False)
    )


def _read(text: str) -> Any:
    try:
        return json_of(text)
    except ValueError:
        return text


def _text(label: Any, max_length: int, **attributes: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": "vf-input", "autocomplete": "off", **attributes})
    return forms.CharField(label=label, required=False, max_length=max_length, widget=widget)


def _choice(label: Any, choices: list[tuple[str, Any]]) -> forms.ChoiceField:
    widget = forms.Select(attrs={"class": "vf-input"})
    return forms.ChoiceField(label=label, choices=choices, required=False, widget=widget)


def _phone(label: Any) -> PhoneField:
    widget = forms.TextInput(attrs={"class": "vf-input", "inputmode": "tel", "autocomplete": "off"})
    return PhoneField(label=label, required=False, widget=widget)


class AboutForm(forms.Form):
    """`taken` are the names of the flow's other tests."""

    name = forms.CharField(
        label=_("Name"),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"class": "vf-input", "autocomplete": "off"}),
        help_text=_("What it shows, like “Sales by keypad”."),
    )
    caller = _phone(_("Number of the caller"))
    variables = ValuesField(
        label=_("Variables at the beginning"), required=False, help_text=_("A line for each, like age = 20.")
    )

    def __init__(self, *args: Any, taken: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taken = set(taken)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name in self._taken:
            raise ValidationError(_("Another test of this flow has this name; give each its own."))
        return name


class TurnForm(forms.Form):
    does = forms.ChoiceField(
        label=_("Caller"), choices=_DOES, initial="say", widget=forms.Select(attrs={"class": "vf-input"})
    )
    words = _text(_("Words or keys"), LONGEST_WORDS)
    node = _text(_("Then the call is at"), 80, list="flow-steps")
    said = _text(_("And the agent says"), 500)
    edge = _text(_("Connection that is taken"), 300, list="flow-connections")
    intent = _text(_("Meaning of the words"), 80, list="flow-meanings")
    by = _choice(_("What decides"), _BY)
    tool = _text(_("Tool that is called"), 80, list="flow-tools")
    call = _choice(_("The call"), _CALL)
    transferred_to = _phone(_("Transferred to"))
    variables = ValuesField(label=_("Variables"), required=False)

    FURTHER = ("edge", "intent", "by", "tool", "call", "transferred_to", "variables")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        does, words = cleaned.get("does"), cleaned.get("words", "")
        if does == "say" and not words:
            self.add_error("words", _("Write what the caller says."))
        if does == "keys" and (not words or set(words) - (DIGITS - set(",wW"))):
            self.add_error("words", _("Write the keys: 0-9, * and #."))
        return cleaned

    @property
    def further(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FURTHER]

    @property
    def has_further(self) -> bool:
        """Whether something is expected, or wrong, beside the step and the words."""
        return any(self[name].value() or self[name].errors for name in self.FURTHER)


class ToolForm(forms.Form):
    name = _text(_("Tool"), 80, list="flow-tools")
    outcome = _choice(_("It"), [("ok", _("succeeds")), ("failed", _("fails"))])
    values = ValuesField(label=_("Variables that it sets"), required=False)
    text = _text(_("What it answers, or why it fails"), 1_000)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not name:
            raise ValidationError(_("Name the tool, or remove this row."))
        return name


class _Turns(forms.BaseFormSet):  # type: ignore[type-arg]
    default_error_messages = forms.BaseFormSet.default_error_messages | {
        "too_many_forms": _("A test takes at most %(num)d turns: remove some."),
        "too_few_forms": _("A test needs a turn at least: add one."),
    }

    def clean(self) -> None:
        if not self.is_valid():  # each row by itself
            return
        for place, form in enumerate(self.ordered_forms):
            if place and form.cleaned_data.get("does") == "greeting":
                form.add_error("does", _("The greeting is heard in the first turn alone."))


_TurnRows = forms.formset_factory(
    TurnForm,
    formset=_Turns,
    extra=0,
    can_delete=True,
    can_order=True,
    min_num=1,
    validate_min=True,
    max_num=MOST_TURNS,
    validate_max=True,
)
_ToolRows = forms.formset_factory(ToolForm, extra=0, can_delete=True, max_num=MOST_TOOLS, validate_max=True)


class ScriptedTestForms:
    """The form of a test with its rows; `data` is what was posted."""

    def __init__(
        self, test: ScriptedTest | None = None, data: QueryDict | None = None, *, taken: Iterable[str] = ()
    ) -> None:
        initial = test or ScriptedTest()
        about = {"name": initial.name, "caller": initial.caller, "variables": initial.variables}
        self.form = AboutForm(data, initial=about, taken=taken)
        turns = [_row_of(turn) for turn in initial.turns] or [{"does": "greeting"}]
        self.turns = _TurnRows(data, prefix="turns", initial=turns)
        rows = [_tool_row(name, each) for name, answers in initial.tools.items() for each in answers]
        self.tools = _ToolRows(data, prefix="tools", initial=rows)

    @property
    def all(self) -> list[Any]:
        return [self.form, self.turns, self.tools]

    def is_valid(self) -> bool:
        judged = [each.is_valid() for each in self.all]  # all of them, so that each tells its errors
        return all(judged)

    def as_json(self) -> dict[str, Any]:
        """The test in the exchange format; of valid forms."""
        about = {name: value for name, value in self.form.cleaned_data.items() if value}
        answers: dict[str, list[dict[str, Any]]] = {}
        for row in self.tools.cleaned_data:
            if row and not row["DELETE"]:
                answers.setdefault(row["name"], []).append(_answer_of(row))
        tools = {name: each if len(each) > 1 else each[0] for name, each in answers.items()}
        turns = [_turn_of(form.cleaned_data) for form in self.turns.ordered_forms]
        return {**about, **({"tools": tools} if tools else {}), "turns": turns}


def _row_of(turn: Any) -> dict[str, Any]:
    expect: Expected = turn.expect
    does = "say" if turn.say else "keys" if turn.keys else "silence" if turn.silence else "greeting"
    call = (
        "ended" if expect.ended else "goes_on" if expect.ended is False or expect.transferred_to == "" else ""
    )
    told = expect.model_dump(exclude={"ended"}, exclude_none=True)
    return {**told, "does": does, "words": turn.say or turn.keys or "", "call": call}


def _turn_of(row: Mapping[str, Any]) -> dict[str, Any]:
    acts = {"say": row["words"], "keys": row["words"], "silence": True}
    turn = {row["does"]: acts[row["does"]]} if row["does"] in acts else {}
    names = ("node", "edge", "intent", "by", "tool", "said", "variables")
    expect = {name: row[name] for name in names if row[name]}
    if row["call"] == "ended":
        expect["ended"] = True
    elif row["call"] == "goes_on":
        expect |= {"ended": False, "transferredTo": ""}
    if row["transferred_to"]:
        expect["transferredTo"] = row["transferred_to"]
    return {**turn, **({"expect": expect} if expect else {})}


def _tool_row(name: str, answer: Any) -> dict[str, Any]:
    return {
        "name": name,
        "outcome": "ok" if answer.ok else "failed",
        "values": answer.values,
        "text": answer.text if answer.ok else answer.reason,
    }


def _answer_of(row: Mapping[str, Any]) -> dict[str, Any]:
    ok = row["outcome"] != "failed"
    answer = {"ok": ok, "values": row["values"], "text" if ok else "reason": row["text"]}
    return {name: value for name, value in answer.items() if value not in ("", {})}
