"""The form of a call to be placed, and of numbers that are never called."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumbers import country_code_for_region

from agents.fields import ConstantsField, DressedForm, PhoneField, dress
from agents.models import Agent
from mlservices.pages.countries import country_choices
from mlservices.pages.figures import grouped

from ..models import Credential, PhoneNumber, PlannedCall, SipLine

MOST_AT_ONCE = 1000


class NumberField(forms.ModelChoiceField):
    def label_from_instance(self, obj: PhoneNumber) -> str:
        return " · ".join(filter(None, (grouped(obj.number), obj.label)))


class CallForm(forms.Form):
    once = forms.UUIDField(widget=forms.HiddenInput, required=False)  # of this form: pressed twice, one call
    to = PhoneField(
        label=gettext_lazy("Number"),
        widget=forms.TextInput(
            attrs={"type": "tel", "placeholder": "+1 415 555 0100", "autocomplete": "off", "data-dial": ""}
        ),
    )
    agent = forms.ModelChoiceField(
        Agent.objects.filter(status=Agent.Status.ACTIVE), label=gettext_lazy("Agent"), empty_label=None
    )
    speaks = forms.ChoiceField(
        label=gettext_lazy("Who speaks"),
        choices=(("agent", gettext_lazy("The agent")), ("me", gettext_lazy("I do, in this browser"))),
        required=False,
    )
    caller_id = NumberField(
        PhoneNumber.objects.real().filter(credential__provider=Credential.Provider.TWILIO),
        label=gettext_lazy("Caller ID"),
        required=False,
        empty_label=None,
    )
    line = forms.ModelChoiceField(
        SipLine.objects.filter(enabled=True),
        label=gettext_lazy("By a SIP line"),
        required=False,
        empty_label=gettext_lazy("No"),
        help_text=gettext_lazy(
            "In place of the caller ID. It calls at once; its exchange says what is shown."
        ),
    )
    values = ConstantsField(
        label=gettext_lazy("Variables"),
        required=False,
        help_text=gettext_lazy("For this call: a line for each, as name = Ann."),
        widget=forms.Textarea(attrs={"rows": 2, "class": "vf-mono vf-short", "placeholder": "name = Ann"}),
    )
    machine = forms.ChoiceField(
        label=gettext_lazy("If a machine answers"), choices=PlannedCall.Machine.choices
    )
    message = forms.CharField(
        label=gettext_lazy("Message to a machine"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    send_digits = forms.RegexField(
        r"^[0-9*#wW]*$",
        label=gettext_lazy("Keys to press once it is answered"),
        required=False,
        max_length=32,
        help_text=gettext_lazy("w waits half a second. A machine is not told from a person then."),
    )
    due_at = forms.DateTimeField(
        label=gettext_lazy("When"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["once"].initial = uuid4
        zone = {"zone": timezone.get_current_timezone_name()}
        self.fields["due_at"].help_text = _("Empty: now. In the time zone %(zone)s.") % zone
        if not SipLine.objects.filter(enabled=True).exists():
            del self.fields["line"]
        dress(self)

    @property
    def countries(self) -> list[tuple[str, str, int]]:
        """(ISO, name with its calling code, calling code): chosen, one begins the number."""
        return [(code, text, country_code_for_region(code)) for code, text in country_choices()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned.setdefault("line", None)
        if not cleaned["line"] and not cleaned.get("caller_id") and "caller_id" not in self.errors:
            self.add_error("caller_id", _("Choose the number that is shown."))
        if cleaned["line"]:
            for name in ("due_at", "values", "send_digits"):
                if cleaned.get(name):
                    self.add_error(
                        name, _("A SIP line calls at once, as the agent is set up. Leave this empty.")
                    )
        return cleaned


class ListForm(DressedForm):
    """Numbers for the do-not-call list."""

    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        max_length=40_000,
        help_text=gettext_lazy("A line each, with the country code."),
        widget=forms.Textarea(
            attrs={"rows": 4, "class": "vf-mono vf-short", "placeholder": "+1 415 555 0100"}
        ),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), required=False, max_length=200)

    def clean_numbers(self) -> list[str]:
        """All of them or none. The first that is wrong is named."""
        lines = [line.strip() for line in str(self.cleaned_data["numbers"]).splitlines() if line.strip()]
        if len(lines) > MOST_AT_ONCE:
            raise ValidationError(_("At most %(most)d numbers at once.") % {"most": MOST_AT_ONCE})
        read, field = [], PhoneField()
        for place, line in enumerate(lines, 1):
            try:
                read.append(field.clean(line))
            except ValidationError as error:
                told = {"place": place, "line": line[:40], "reason": error.messages[0]}
                raise ValidationError(_("Line %(place)d, %(line)s: %(reason)s") % told) from None
        return sorted(set(read))
