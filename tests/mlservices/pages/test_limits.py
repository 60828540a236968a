"""Errors that name the field, how far it goes, and what suits."""

from __future__ import annotations

from django import forms
from django.utils import translation

from mlservices.pages.limits import explain_limits, range_error


class Oven(forms.Form):
    name = forms.CharField(max_length=5, label="100% name")
    heat = forms.FloatField(min_value=0.5, max_value=2500)
    minutes = forms.IntegerField(min_value=1, max_value=90)
    shelf = forms.IntegerField()

    def __init__(self, data: dict[str, str]) -> None:
        super().__init__(data)
        explain_limits(self, usual="%(value)s suits most.")


def errors_of(**data: str) -> dict[str, str]:
    return {name: errors[0] for name, errors in Oven(data).errors.items()}


def test_a_number_beyond_its_ends_is_told_both_whichever_it_passed() -> None:
    told = errors_of(name="Ada", heat="3000", minutes="0", shelf="1")
    assert told == {"heat": "Heat goes from 0.5 to 2,500.", "minutes": "Minutes goes from 1 to 90."}


def test_what_is_no_number_is_told_which_numbers_are() -> None:
    told = errors_of(name="Ada", heat="hot", minutes="", shelf="1")
    assert told == {
        "heat": "Heat is a number from 0.5 to 2,500.",
        "minutes": "Minutes is a whole number from 1 to 90.",
    }


def test_a_length_is_told_with_what_was_typed_and_an_empty_text_is_missing() -> None:
    ovens = {"heat": "1", "minutes": "1", "shelf": "1"}
    told = errors_of(name="Adelaide", **ovens)
    assert told == {"name": "100% name takes at most 5 characters and has 8: shorten it."}
    assert errors_of(**ovens) == {"name": "100% name is missing."}


def test_the_ends_are_those_of_the_input_and_nothing_that_is_pasted_is_cut() -> None:
    oven = Oven({})
    assert oven.fields["heat"].widget.attrs == {"step": "any", "min": 0.5, "max": 2500}
    assert "maxlength" not in str(oven["name"])


def test_numbers_are_written_as_the_language_writes_them() -> None:
    with translation.override("de"):
        assert range_error("X", 0.5, 7200).count("0,5") == 1
        assert "7.200" in range_error("X", 0.5, 7200)
