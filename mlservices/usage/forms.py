"""The form of a price."""

from __future__ import annotations

from django import forms
from django.utils import timezone

from ..models.usage import Price


class PriceForm(forms.ModelForm):
    class Meta:
        model = Price
        fields = ["engine", "amount", "answer_amount", "per", "since"]
        widgets = {
            "engine": forms.TextInput(attrs={"list": "engines", "autocomplete": "off"}),
            "since": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["since"].initial = timezone.localdate
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "vf-input")
