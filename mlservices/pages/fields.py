"""Forms that are checked while they are typed into; static/js/forms.js asks, with what stands in the form.

<form method="post" data-guard data-validate="{% url 'agents:edit' agent.slug %}">

if "validate" in request.GET:
    return field_errors(request, form, facts)
"""

from __future__ import annotations

from collections.abc import Iterator

from django.forms import BaseForm, BaseFormSet
from django.http import HttpRequest, JsonResponse


def field_errors(request: HttpRequest, *forms: BaseForm | BaseFormSet) -> JsonResponse:
    """{"errors": {name: [words, ...]}} for each field that `?validate=` names, by its name in the page.

    `forms` are bound to what was posted; nothing is saved. A field without a fault has an empty list.
    """
    asked = request.GET.getlist("validate")
    found = {
        form.add_prefix(name): [str(error) for error in form.errors.get(name, [])]
        for form in _each(forms)
        for name in form.fields
        if form.add_prefix(name) in asked
    }
    return JsonResponse({"errors": found})


def _each(forms: tuple[BaseForm | BaseFormSet, ...]) -> Iterator[BaseForm]:
    for form in forms:
        if isinstance(form, BaseFormSet):
            form.is_valid()  # runs what compares the rows with each other
            yield from form.forms
        else:
            yield form
