"""Forms of knowledge bases."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mlservices.clients.addresses import url_of

from ..fields import DressedForm

LONGEST_ADDRESS = 2000  # as it is stored


class BaseForm(DressedForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)


class PageForm(DressedForm):
    address = forms.CharField(
        label=gettext_lazy("Address of a web page"),
        max_length=LONGEST_ADDRESS,
        widget=forms.TextInput(attrs={"placeholder": "https://example.com/prices", "inputmode": "url"}),
    )

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"]).strip()
        try:
            parsed = url_of(address if "://" in address else f"https://{address}")
        except ValueError:
            raise ValidationError(
                _("This is no address: write it like https://example.com/prices.")
            ) from None
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
            raise ValidationError(_("Write it like https://example.com/prices."))
        if len(str(parsed)) > LONGEST_ADDRESS:
            told = {"most": LONGEST_ADDRESS}
            raise ValidationError(_("As it is sent, the address has more than %(most)d signs.") % told)
        return str(parsed)


class PairsForm(DressedForm):
    title = forms.CharField(label=gettext_lazy("Name"), max_length=200, initial=gettext_lazy("Questions"))
    pairs = forms.CharField(
        label=gettext_lazy("Questions and answers"),
        max_length=200_000,
        help_text=gettext_lazy("A line each: the question, a semicolon, and the answer word for word."),
        widget=forms.Textarea(
            attrs={"rows": 4, "placeholder": "Is there parking?;Yes, behind the building."}
        ),
    )

    def clean_pairs(self) -> list[tuple[str, str]]:
        lines = [line.partition(";") for line in str(self.cleaned_data["pairs"]).splitlines() if line.strip()]
        for number, (question, sign, answer) in enumerate(lines, 1):
            if not (sign and question.strip() and answer.strip()):
                told = {"number": number}
                raise ValidationError(
                    _("Line %(number)d: write a question, a semicolon, and its answer.") % told
                )
        return [(question.strip(), answer.strip()) for question, _sign, answer in lines]


class QuestionForm(DressedForm):
    question = forms.CharField(label=gettext_lazy("Ask it"), max_length=500)
