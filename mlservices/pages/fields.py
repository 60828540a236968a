"""Forms that are checked while they are typed into; static/js/forms.js asks, with what stands in the form.

<form method="post" data-guard data-validate="{% url 'agents:edit' agent.slug %}">

if "validate" in request.GET:
    return field_errors(request, form, facts)
"""

from __future__ import annotations

from collections.abc import Iterator

from django.forms import BaseForm, BaseFormSet
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest, JsonResponse


def field_errors(request: HttpRequest, *forms: BaseForm | BaseFormSet) -> JsonResponse:
    """{"errors": {name: [words, ...]}} for each field that `?validate=` names, by its name in the page.

    `forms` are bound to what was posted; nothing is saved. A field without a fault has an empty list, as
    has each of a row that is to be removed.
    """
    asked = request.GET.getlist("validate")
    found = {
        form.add_prefix(name): [] if is_removed(form) else [str(error) for error in form.errors.get(name, [])]
        for form in each_form(*forms)
        for name in form.fields
        if form.add_prefix(name) in asked
    }
    return JsonResponse({"errors": found})


def each_form(*forms: BaseForm | BaseFormSet) -> Iterator[BaseForm]:
    """With the rows of formsets; all are judged."""
    for form in forms:
        form.is_valid()  # in a formset it runs what compares the rows with each other
        if isinstance(form, BaseFormSet):
            yield from form.forms
        else:
            yield form


def is_removed(form: BaseForm) -> bool:
    """Whether it is a row of a formset that is to be removed: its faults count for nothing."""
    return bool(form.is_bound and form.cleaned_data.get(DELETION_FIELD_NAME))
