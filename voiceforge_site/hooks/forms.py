"""The form of a webhook, and of a new secret for one. `actions` says what is right."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents.fields import DressedForm
from agents.models import Agent
from mlservices.happenings import KINDS
from mlservices.pages.figures import grouped
from telephony.models import Call, PhoneNumber

from .actions import FIELDS
from .models import Webhook
from .outbox import PING

# What stands before the dot of a kind, in the order of the page.
GROUPS: dict[str, Any] = {
    "call": _("Calls"),
    "planned_call": _("Calls that are placed"),
    "flow": _("Flows"),
    "agent": _("Agents"),
    "service": _("Services"),
    "job": _("Jobs"),
}


def kinds_by_group() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """(group, [(kind, what it is in words)]), but for the test's."""
    order = list(GROUPS)
    names = sorted((name for name in KINDS if name != PING), key=lambda name: order.index(_group(name)))
    return [
        (GROUPS[group], [(name, KINDS[name].what) for name in own]) for group, own in groupby(names, _group)
    ]


def _group(kind: str) -> str:
    return kind.partition(".")[0]


class WebhookForm(DressedForm):
    description = forms.CharField(
        label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"placeholder": _("Our CRM")})
    )
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.TextInput(
            attrs={
                "class": "vf-mono",
                "placeholder": "https://crm.example.com/voiceforge",
                "inputmode": "url",
            }
        ),
        help_text=_("It is sent a POST with JSON. Redirects are not followed."),
    )
    kinds = forms.MultipleChoiceField(label=_("Tell it of"), widget=forms.CheckboxSelectMultiple)
    agents = forms.MultipleChoiceField(
        label=_("Agents"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all."),
    )
    directions = forms.MultipleChoiceField(
        label=_("Direction"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=Call.Direction.choices,
        help_text=_("None ticked: all."),
    )
    numbers = forms.MultipleChoiceField(
        label=_("Our numbers"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all."),
    )

    def __init__(self, data: Any = None, *, webhook: Webhook | None = None) -> None:
        super().__init__(data, initial={name: getattr(webhook, name) for name in FIELDS} if webhook else None)
        agents = (
            Agent.objects.exclude(status=Agent.Status.ARCHIVED).order_by("name").values_list("slug", "name")
        )
        numbers = PhoneNumber.objects.values_list("number", flat=True)
        self._offer("kinds", [(str(group), own) for group, own in kinds_by_group()], webhook)
        self._offer("agents", list(agents), webhook)
        self._offer("numbers", [(number, grouped(number)) for number in numbers], webhook)
        for name in ("kinds", "agents", "directions", "numbers"):
            del self.fields[name].widget.attrs["class"]  # boxes to tick, not switches

    def kind_options(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """(group, its kinds), each with whether it is ticked."""
        bound = self["kinds"]
        chosen = set(bound.value() or [])
        numbered = {str(option.data["value"]): option.id_for_label for option in bound}
        return [
            (
                str(group),
                [
                    {"value": name, "what": what, "id": numbered[name], "chosen": name in chosen}
                    for name, what in own
                ],
            )
            for group, own in kinds_by_group()
        ]

    def _offer(self, name: str, choices: list[Any], webhook: Webhook | None) -> None:
        """What was chosen and is there no more stands at the end, so that it can be taken off."""
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)
        known = {value for choice in choices for value in _values(choice)}
        gone = [value for value in (getattr(webhook, name) if webhook else []) if value not in known]
        field.choices = [*choices, *((value, value) for value in gone)]


def _values(choice: tuple[Any, Any]) -> list[str]:
    value, label = choice
    return [own for own, _words in label] if isinstance(label, list) else [value]


class SecretForm(DressedForm):
    """For how long the old secret signs as well."""

    hours = forms.TypedChoiceField(
        label=_("The old secret"),
        coerce=int,
        choices=[
            (24, _("signs beside the new one for 24 hours")),
            (168, _("signs beside the new one for 7 days")),
            (0, _("signs no more: it has leaked")),
        ],
        initial=24,
    )

    def overlap(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])
