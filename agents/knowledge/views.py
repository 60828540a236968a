"""Pages of knowledge bases: the list, one with its sources, and a box to try a question."""

from __future__ import annotations

from time import monotonic

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mlservices import registry
from mlservices.errors import EngineError

from ..models import KnowledgeBase, Passage, Source
from .actions import (
    add_file,
    add_page,
    add_pairs,
    create_base,
    delete_base,
    flows_with,
    read_again,
    remove_source,
)
from .forms import BaseForm, PageForm, PairsForm, QuestionForm
from .reading import LARGEST_BYTES
from .shelf import lookup_in

PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def base_list(request: HttpRequest) -> HttpResponse:
    """A POST makes a new one."""
    form = BaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect(create_base(name=form.cleaned_data["name"]))
    rows = KnowledgeBase.objects.annotate(count=Count("sources")).order_by("name")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    status = 422 if form.errors else 200
    return render(request, "knowledge/list.html", {"page": page, "form": form}, status=status)


@require_safe
def base_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`part` asks for the sources alone, which the page does while one is read."""
    base = get_object_or_404(KnowledgeBase, slug=slug)
    template = "knowledge/_sources.html" if "part" in request.GET else "knowledge/base.html"
    return render(request, template, _told(request, base))


@require_POST
def base_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Files, a page, or questions: whichever form was sent."""
    base, by = get_object_or_404(KnowledgeBase, slug=slug), request.user.get_username()
    page_form = PageForm(request.POST if "address" in request.POST else None)
    pairs_form = PairsForm(request.POST if "pairs" in request.POST else None)
    files = request.FILES.getlist("files")
    for file in files:
        try:
            add_file(base=base, name=file.name or _("Unnamed"), content=file.read(LARGEST_BYTES + 1), by=by)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
    try:
        if page_form.is_valid():
            add_page(base=base, address=page_form.cleaned_data["address"], by=by)
        if pairs_form.is_valid():
            title, pairs = pairs_form.cleaned_data["title"], pairs_form.cleaned_data["pairs"]
            add_pairs(base=base, name=title, pairs=pairs, by=by)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    if page_form.errors or pairs_form.errors:
        forms = {"page_form": page_form, "pairs_form": pairs_form}
        return render(request, "knowledge/base.html", {**_told(request, base), **forms}, status=422)
    if "files_shown" in request.POST and not files:
        messages.error(request, _("Choose a file first."))
    return redirect(base)


@require_POST
def base_delete(request: HttpRequest, slug: str) -> HttpResponse:
    base = get_object_or_404(KnowledgeBase, slug=slug)
    try:
        delete_base(base=base)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(base)
    messages.success(request, _("%(name)s is deleted") % {"name": base.name})
    return redirect("knowledge:list")


@require_POST
def source_change(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`do`: read it again, or remove it."""
    source = get_object_or_404(Source.objects.defer("content"), base__slug=slug, pk=pk)
    if request.POST.get("do") == "remove":
        remove_source(source=source)
        messages.success(request, _("%(name)s is removed") % {"name": source.name})
    else:
        read_again(source=source, by=request.user.get_username())
    return redirect("knowledge:base", slug=slug)


@require_POST
def base_ask(request: HttpRequest, slug: str) -> HttpResponse:
    """What a call would find."""
    get_object_or_404(KnowledgeBase, slug=slug)
    form = QuestionForm(request.POST)
    if not form.is_valid():
        return render(request, "knowledge/_found.html", {"failure": _("Write a question first.")})
    begun = monotonic()
    try:
        found = async_to_sync(_found)(slug, form.cleaned_data["question"])
    except EngineError as error:
        text = _("It cannot be looked up now: %(error)s. Look at the service status.") % {"error": error}
        return render(request, "knowledge/_found.html", {"failure": text})
    milliseconds = round((monotonic() - begun) * 1000)
    return render(request, "knowledge/_found.html", {"found": found, "milliseconds": milliseconds})


async def _found(slug: str, question: str) -> list[object]:
    try:
        return list(await lookup_in(slug, registry.embedder())(question))
    finally:
        await registry.close()  # its connections belong to this loop


def _told(request: HttpRequest, base: KnowledgeBase) -> dict[str, object]:
    sources = list(base.sources.defer("content"))
    count = Passage.objects.filter(source__base=base).count()
    return {
        "base": base,
        "sources": sources,
        "under_way": any(each.is_under_way for each in sources),
        "count": ngettext("%(count)d passage", "%(count)d passages", count) % {"count": count},
        "flows": flows_with(base),
        "page_form": PageForm(),
        "pairs_form": PairsForm(),
        "question_form": QuestionForm(),
        "may_change": request.user.has_perm("agents.change_agents"),
    }
