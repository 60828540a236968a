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

from ..models import PhoneNumber, PlannedCall, SipLine
from .guard import EXTENSION
from .ways import CANNOT, Way, way_of

MOST_AT_ONCE = 1000


class DialField(PhoneField):
    """A telephone number; or an extension, which the way that it goes by takes or refuses."""

    def clean(self, value: Any) -> str:
        text = str(value or "").strip()
        return text if EXTENSION.fullmatch(text) else super().clean(value)


class CallerIdField(forms.ChoiceField):
    """The numbers and the SIP lines that a call can go out by, under what carries them; cleaned to a way, and
    a `PhoneNumber` or a `SipLine`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=_caller_ids, **kwargs)

    def clean(self, value: Any) -> tuple[Way, PhoneNumber | SipLine] | None:  # type: ignore[override]
        chosen = super().clean(value)
        if not chosen:
            return None
        way, _, key = chosen.partition("-")
        rows = SipLine.objects if way == Way.SIP else PhoneNumber.objects.real().select_related("credential")
        return Way(way), rows.get(pk=key)


def _caller_ids() -> list[tuple[str, list[tuple[str, str]]]]:
    """What begins a value is its `Way`, by which the page knows what that cannot do."""
    numbers = PhoneNumber.objects.real().select_related("credential").order_by("credential", "number")
    groups: dict[str, list[tuple[str, str]]] = {}
    for number in numbers:
        way = way_of(number.credential)
        group = number.credential.label if way == Way.TWILIO else f"{way.label} · {number.credential.label}"
        name = " · ".join(filter(None, (grouped(number.number), number.label)))
        groups.setdefault(group, []).append((f"{way}-{number.pk}", name))
    lines = SipLine.objects.filter(enabled=True)
    if lines:
        groups[_("SIP lines")] = [(f"{Way.SIP}-{line.pk}", line.label) for line in lines]
    return list(groups.items())


class CallForm(forms.Form):
    once = forms.UUIDField(widget=forms.HiddenInput, required=False)  # of this form: pressed twice, one call
    to = DialField(
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
    caller_id = CallerIdField(label=gettext_lazy("Caller ID"))
    telephone = DialField(
        label=gettext_lazy("Telephone that rings first"),
        required=False,
        help_text=gettext_lazy("Yours: an extension at Zadarma, as 100, or a number."),
    )
    values = ConstantsField(
        label=gettext_lazy("Variables"),
        required=False,
        help_text=gettext_lazy("For this call: a line for each, as name = Ann."),
        widget=forms.Textarea(attrs={"rows": 2, "class": "vf-mono vf-short", "placeholder": "name = Ann"}),
    )
    machine = forms.ChoiceField(
        label=gettext_lazy("If a machine answers"), choices=PlannedCall.Machine.choices, required=False
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
        help_text=gettext_lazy("w waits half a second. At Twilio a machine is not told from a person then."),
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
        dress(self)

    @property
    def countries(self) -> list[tuple[str, str, int]]:
        """(ISO, name with its calling code, calling code): chosen, one begins the number."""
        return [(code, text, country_code_for_region(code)) for code, text in country_choices()]

    def clean(self) -> dict[str, Any]:
        """What the chosen way cannot do is not shown, and whatever stands there not meant."""
        cleaned = super().clean() or {}
        way, chosen = cleaned.pop("caller_id", None) or (None, None)
        if way != Way.SIP and EXTENSION.fullmatch(cleaned.get("to", "")):
            self.add_error("to", _("Write the number with its country code, like +1 415 555 0100."))
        if way:
            cleaned |= {"line": chosen} if way == Way.SIP else {"caller_id": chosen}
            for name in CANNOT[way]:
                cleaned.pop(name, None)
                self.errors.pop(name, None)
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
