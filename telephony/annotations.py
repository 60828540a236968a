"""Tags and notes on a call: two parts of its page, each changed by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mlservices.whole_numbers import whole_number

from .annotation_actions import LONGEST_NOTE, LONGEST_TAG, delete_note, tag_call, untag_call, write_note
from .models import Call, CallNote, Tag


@require_http_methods(["GET", "HEAD", "POST"])
def tags(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """The part of the page; `add` names the tags that are put on, `remove` the one that is taken off."""
    call = get_object_or_404(Call.objects.only("pk"), pk=call_id)
    added, problem = "", ""
    if request.method == "POST":
        added = request.POST.get("add", "")
        names = tag_names(added)
        problem = tag_problem(names)
        if "remove" in request.POST:
            untag_call(call=call, name=request.POST["remove"].replace("\0", ""))
            problem = ""
        elif not problem:
            for name in names:
                tag_call(call=call, name=name)
    context = {
        "call": call,
        "own": list(call.tags.all()),
        "others": Tag.objects.exclude(calls=call),
        "problem": problem,
        "typed": added if problem else "",
    }
    return _part(request, call, "calls/_tags.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def notes(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """The part of the page; `text` is written, `remove` is the number of the note that goes."""
    call = get_object_or_404(Call.objects.only("pk"), pk=call_id)
    author = request.user.get_username()
    master = request.user.has_perm("telephony.delete_calls")
    text, problem = request.POST.get("text", "").strip(), ""
    if (note_id := whole_number(request.POST.get("remove", ""))) is not None:
        if not delete_note(call=call, note_id=note_id, author=None if master else author):
            if CallNote.objects.filter(call=call, pk=note_id).exists():
                raise PermissionDenied
            problem = _("That note is gone already.")
    elif len(text) > LONGEST_NOTE:
        problem = _("A note has at most %(count)d letters; this one has %(length)d.") % {
            "count": LONGEST_NOTE,
            "length": len(text),
        }
    elif text:
        write_note(call=call, author=author, text=text)
        text = ""
    elif request.method == "POST":
        problem = _("The note is empty.")
    written = [(note, master or note.author == author) for note in call.notes.all()]
    context = {"call": call, "written": written, "problem": problem, "typed": text}
    return _part(request, call, "calls/_notes.html", context)


def tag_names(typed: str) -> list[str]:
    """ "a, b" are two tags."""
    names = (" ".join(name.split()) for name in typed.replace("\0", "").split(","))
    return list(dict.fromkeys(filter(None, names)))


def tag_problem(names: Sequence[str]) -> str:
    if not names:
        return _("Give the tag a name.")
    long = [name for name in names if len(name) > LONGEST_TAG]
    text = _("A tag has at most %(count)d letters; “%(name)s” has more.")
    return text % {"count": LONGEST_TAG, "name": long[0]} if long else ""


def _part(request: HttpRequest, call: Call, template: str, context: dict[str, Any]) -> HttpResponse:
    status = 422 if context["problem"] else 200
    if request.method == "POST" and not request.htmx and status == 200:  # type: ignore[attr-defined]
        return redirect(call)
    return render(request, template, context, status=status)
