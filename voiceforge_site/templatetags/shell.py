"""What pages are put together of: the menu, breadcrumbs, headers that sort, chips of filters, toasts.

{% breadcrumbs _("Agents") list_url agent.name agent_url _("Talk") %}
{% sort_header "name" _("Agent") %}        {% chip "status" _("Status") label %}
"""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm
from django.utils.text import capfirst

from mlservices.pages import toasts
from mlservices.pages.fields import each_form, is_removed
from mlservices.pages.lists import PER_PAGE, per_page
from mlservices.pages.palette import Group
from voiceforge_site.navigation import current_place, menu_of
from voiceforge_site.palette import found

from .vf import query

register = template.Library()


@register.simple_tag(takes_context=True)
def menu(context: template.Context) -> list[dict[str, Any]]:
    """The places that the person may open; the first of each section has its heading.

    A page that stands in another part than its address says names that part's address: `stands_under`.
    """
    request = context["request"]
    current = context.get("stands_under") or current_place(request.user, request.path)
    shown, section = [], None
    for place in menu_of(request.user):
        heading = place.section if place.section != section else ""
        section = place.section
        shown.append({"place": place, "heading": heading, "current": place.url == current})
    return shown


@register.inclusion_tag("partials/_breadcrumbs.html")
def breadcrumbs(*parts: Any) -> dict[str, Any]:
    """Pairs of label and address from the outermost inwards, then the label of this page (its h1).

    On a telephone only the way one up is shown.
    """
    *above, here = parts
    steps = [{"label": above[i], "url": above[i + 1]} for i in range(0, len(above), 2)]
    return {"above": steps, "here": here}


@register.inclusion_tag("partials/_sort_header.html", takes_context=True)
def sort_header(context: template.Context, key: str, label: str, classes: str = "") -> dict[str, Any]:
    """A header cell that sorts by `key` of the page's `sort` (mlservices.pages.lists); twice: backwards."""
    sort = context["sort"]
    current = sort.key == key
    word = f"-{key}" if current and not sort.descending else key
    return {
        "key": key,
        "label": label,
        "classes": classes,
        "current": current,
        "descending": sort.descending,
        "url": query(context, sort="" if word == sort.default else word, page="", after="", before=""),
    }


@register.inclusion_tag("partials/_chip.html", takes_context=True)
def chip(context: template.Context, parameter: str, name: str, value: object) -> dict[str, Any]:
    """A filter that is on, with the way to take it off; nothing where the address has none."""
    on = bool(context["request"].GET.get(parameter))
    off = query(context, **{parameter: "", "page": "", "after": "", "before": ""})
    return {"on": on, "name": name, "value": value, "url": off}


@register.simple_tag(takes_context=True)
def page_sizes(context: template.Context) -> list[dict[str, Any]]:
    current = per_page(context["request"])
    return [
        {
            "size": size,
            "current": size == current,
            "url": query(context, per=size, page="", after="", before=""),
        }
        for size in PER_PAGE
    ]


@register.filter
def toast(message: Message) -> dict[str, Any]:
    return toasts.toast_of(message)


@register.simple_tag(takes_context=True)
def palette_start(context: template.Context) -> list[Group]:
    """What the palette shows before anything is typed."""
    return found(context["request"].user, "")


@register.simple_tag
def refused_fields(forms: Any) -> list[dict[str, Any]]:
    """The fields with faults, of a form or of a list of forms and formsets, in the order of the page.

    Each as {"field", "label", "row", "words", "id"}: the words name the field and the row of a formset that
    it is in; `id` is where it can be typed into.
    """
    flat = each_form(*(forms if isinstance(forms, list | tuple) else [forms]))
    return [
        _refused(form, name)
        for form in flat
        if not is_removed(form)
        for name in form.fields
        if form.errors.get(name)
    ]


def _refused(form: BaseForm, name: str) -> dict[str, Any]:
    field = form[name]
    label, row = str(capfirst(field.label)), getattr(form, "called", "")
    words = str(field.errors[0])
    return {
        "field": field,
        "label": label,
        "row": row,
        # As static/js/forms.js does when an error changes.
        "words": ": ".join(filter(None, (row, "" if words.startswith(label) else label, words))),
        "id": field.id_for_label or f"{field.auto_id}_0",  # the first of several buttons
    }
