"""The form of an agent, with its facts as rows that can be added and removed."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mlservices import catalog

from .models import Agent


class AgentForm(forms.ModelForm):
    """`facts` are edited by `FactFormSet` beside this form."""

    class Meta:
        model = Agent
        fields = [
            "name",
            "description",
            "status",
            "greeting",
            "instructions",
            "voice",
            "speaking_rate",
            "chat_model",
            "temperature",
            "eagerness",
            "interruptible",
            "silence_seconds",
            "max_call_seconds",
            "record",
            "transfer_number",
            "fallback_number",
        ]
        widgets = {
            "greeting": forms.Textarea(attrs={"rows": 2}),
            "instructions": forms.Textarea(attrs={"rows": 10, "class": "vf-mono", "spellcheck": "true"}),
            "eagerness": forms.NumberInput(attrs={"type": "range", "min": 0, "max": 1, "step": 0.05}),
            "speaking_rate": forms.NumberInput(attrs={"min": 0.5, "max": 2, "step": 0.05}),
            "temperature": forms.NumberInput(attrs={"min": 0, "max": 2, "step": 0.1}),
            "transfer_number": forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
            "fallback_number": forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        }
        labels = {
            "interruptible": _("Caller may interrupt"),
            "silence_seconds": _("Ask “are you still there?” after (seconds)"),
            "max_call_seconds": _("Longest call (seconds)"),
            "transfer_number": _("Transfer callers to"),
        }
        help_texts = {
            "description": _("For you and your colleagues. Callers never hear it."),
            "greeting": _("What the agent says when the call connects."),
            "instructions": _(
                "Who the agent is, what it may do and how it should sound. A language model follows them."
            ),
            "speaking_rate": _("1 is the pace of the voice itself."),
            "chat_model": _(
                "Without one the agent answers from its facts, takes messages and transfers calls."
            ),
            "temperature": _("How freely the model words its answers: 0 is the most predictable."),
            "eagerness": _(
                "How soon the agent answers when the caller pauses. Left for callers who think or dictate, "
                "right for quick exchanges."
            ),
            "interruptible": _("The agent stops speaking when the caller starts."),
            "silence_seconds": _("After three such questions without a word the agent says goodbye."),
            "max_call_seconds": _("Then the agent says goodbye and ends the call."),
            "record": _("Keeps the sound of both sides. Tell callers where the law asks for it."),
            "transfer_number": _("Where the agent hands over callers who ask for a person."),
            "fallback_number": _(
                "Where callers go when an engine fails twice. Empty: the agent says goodbye."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chat_model"] = _kept_choice(self, "chat_model", _chat_models())
        self.fields["voice"] = _kept_choice(self, "voice", _voices())
        for name, field in self.fields.items():
            _dress(field.widget)
            if self.is_bound and name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"

    def clean_transfer_number(self) -> str:
        return _e164(self.cleaned_data["transfer_number"])

    def clean_fallback_number(self) -> str:
        return _e164(self.cleaned_data["fallback_number"])

    def save(self, commit: bool = True) -> Agent:
        if not self.instance.slug:
            self.instance.slug = _free_slug(self.cleaned_data["name"])
        return super().save(commit)


class FactForm(forms.Form):
    topic = forms.CharField(
        label=_("Topic"), max_length=80, widget=forms.TextInput(attrs={"placeholder": _("Opening hours")})
    )
    answer = forms.CharField(
        label=_("Answer, as it is spoken"), max_length=600, widget=forms.Textarea(attrs={"rows": 2})
    )
    questions = forms.CharField(
        label=_("Example questions, one a line"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(
            attrs={"rows": 2, "placeholder": _("When are you open?\nAre you open on Saturday?")}
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            _dress(field.widget)
            if self.is_bound and name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"


FactFormSet = forms.formset_factory(FactForm, extra=0, can_delete=True, max_num=200, validate_max=True)


def fact_rows(facts: list[dict[str, Any]]) -> list[dict[str, str]]:
    """An agent's facts as the initial rows of `FactFormSet`."""
    return [
        {"topic": fact["topic"], "answer": fact["answer"], "questions": "\n".join(fact.get("questions", []))}
        for fact in facts
    ]


def facts_of(formset: Any) -> list[dict[str, Any]]:
    """The reverse of `fact_rows`, of a valid formset; removed rows are gone."""
    return [
        {
            "topic": row["topic"],
            "answer": row["answer"],
            "questions": [line.strip() for line in row["questions"].splitlines() if line.strip()],
        }
        for row in formset.cleaned_data
        if row and not row.get("DELETE")
    ]


def _voices() -> list[tuple[str, str]]:
    return [("default", gettext("The voice of the speech engine"))]


def _chat_models() -> list[tuple[str, str]]:
    none = ("", gettext("None: answers from facts and intents"))
    return [none, *((id, catalog.BY_ID[id].name) for id in catalog.ids(catalog.Kind.LLM))]


def _dress(widget: forms.Widget) -> None:
    """Give a widget the class of its kind."""
    match widget:
        case forms.CheckboxInput():
            kind = "vf-switch"
        case forms.NumberInput() if widget.attrs.get("type") == "range":
            kind = "vf-range"
        case _:
            kind = "vf-input"
    widget.attrs["class"] = f"{kind} {widget.attrs.get('class', '')}".strip()


def _kept_choice(form: AgentForm, name: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    """A choice that still offers what is stored when the service no longer does."""
    field = form.fields[name]
    stored = getattr(form.instance, name)
    if stored not in dict(choices):
        choices = [*choices, (stored, gettext("%(name)s (not available now)") % {"name": stored})]
    return forms.ChoiceField(
        choices=choices, required=name == "voice", label=field.label, help_text=field.help_text
    )


def _e164(number: str) -> str:
    """A telephone number as people write it -> E.164; "" stays. Raises ValidationError."""
    if not number:
        return ""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise ValidationError(_("Write the number with its country code, like +1 415 555 0100.")) from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValidationError(_("No telephone has this number: check how many digits it has."))
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _free_slug(name: str) -> str:
    """An address made of the name that no other agent has."""
    base = slugify(name)[:70] or "agent"
    taken = {"new", *Agent.objects.filter(slug__startswith=base).values_list("slug", flat=True)}
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)
