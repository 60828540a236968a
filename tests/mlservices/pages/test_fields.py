from __future__ import annotations

import json

from django import forms
from django.test import RequestFactory

from mlservices.pages.fields import field_errors


class Person(forms.Form):
    name = forms.CharField()
    age = forms.IntegerField()


class People(forms.BaseFormSet):
    def clean(self) -> None:
        for form in self.forms[1:]:
            form.add_error("name", "Again?")


def test_only_the_fields_asked_about_are_answered_with_all_their_errors() -> None:
    request = RequestFactory().post("/?validate=age&validate=nonsense", {"age": "old"})
    answer = json.loads(field_errors(request, Person(request.POST)).content)
    assert answer == {"errors": {"age": ["Enter a whole number."]}}


def test_a_field_without_a_fault_is_answered_with_none() -> None:
    request = RequestFactory().post("/?validate=age", {"age": "7"})
    assert json.loads(field_errors(request, Person(request.POST)).content) == {"errors": {"age": []}}


def test_rows_are_told_apart_and_compared_with_each_other() -> None:
    posted = {"p-TOTAL_FORMS": "2", "p-INITIAL_FORMS": "0"}
    for row in "01":
        posted |= {f"p-{row}-name": "Ada", f"p-{row}-age": "7"}
    request = RequestFactory().post("/?validate=p-1-name&validate=p-0-name", posted)
    formset = forms.formset_factory(Person, formset=People)(request.POST, prefix="p")
    answer = json.loads(field_errors(request, formset).content)
    assert answer == {"errors": {"p-0-name": [], "p-1-name": ["Again?"]}}


def test_a_row_that_is_to_be_removed_has_no_faults() -> None:
    posted = {
        "p-TOTAL_FORMS": "1",
        "p-INITIAL_FORMS": "0",
        "p-0-name": "",
        "p-0-age": "x",
        "p-0-DELETE": "on",
    }
    request = RequestFactory().post("/?validate=p-0-name&validate=p-0-age", posted)
    formset = forms.formset_factory(Person, can_delete=True)(request.POST, prefix="p")
    answer = json.loads(field_errors(request, formset).content)
    assert answer == {"errors": {"p-0-name": [], "p-0-age": []}}
