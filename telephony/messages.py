"""Messages that callers left: what is to be seen to, and what is done."""

from __future__ import annotations

from django.contrib import messages as toasts
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices.pages.figures import digits_in
from mlservices.pages.lists import way_back
from mlservices.pages.toasts import undoable
from mlservices.whole_numbers import whole_number

from .annotation_actions import delete_messages, set_messages_done
from .models import CallMessage
from .pages import BoundedPage

STATES = {
    "open": pgettext_lazy("messages", "Open"),
    "done": pgettext_lazy("messages", "Done"),
    "all": gettext_lazy("All"),
}
MOST_CHOSEN = 200  # messages that one request does something to


def newest_messages() -> QuerySet[CallMessage]:
    return CallMessage.objects.select_related("call__agent").defer("call__card").order_by("-at", "-pk")


def open_messages() -> QuerySet[CallMessage]:
    return newest_messages().filter(done_at=None)


@require_safe
@vary_on_headers("HX-Request")
def messages(request: HttpRequest) -> HttpResponse:
    """Messages, newest first; `q` searches name, number and words, `state` shows those done, or all."""
    words = request.GET.get("q", "").replace("\0", "").strip()
    state = request.GET.get("state", "")
    state = state if state in STATES else "open"
    found = newest_messages().filter(_holds(words)) if words else newest_messages()
    shown = found if state == "all" else found.filter(done_at__isnull=state == "open")
    context = {
        "page": BoundedPage.of(shown, request.GET.get("page")),
        "counts": _counts(found),
        "state": state,
        "words": words,
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "calls/_messages_table.html" if partial else "calls/messages.html", context)


def _holds(words: str) -> Q:
    found = Q(name__icontains=words) | Q(words__icontains=words)
    digits = digits_in(words)
    return found | Q(number__icontains=digits) if digits else found


def _counts(found: QuerySet[CallMessage]) -> list[tuple[str, str, int]]:
    """(state, its label, how many of those found are in it)."""
    of = found.order_by().aggregate(all=Count("pk"), open=Count("pk", filter=Q(done_at=None)))
    of["done"] = of["all"] - of["open"]
    return [(state, str(label), of[state]) for state, label in STATES.items()]


@require_POST
def change_messages(request: HttpRequest) -> HttpResponse:
    """What `do` says (done, open, delete) to the messages named by `message`; back to `next`, with a toast
    that can undo it unless it is `undo`."""
    do, chosen = request.POST.get("do", ""), request.POST.getlist("message")
    numbers = [number for text in chosen if (number := whole_number(text)) is not None]
    if do not in ("done", "open", "delete") or len(numbers) != len(chosen) or len(chosen) > MOST_CHOSEN:
        return HttpResponseBadRequest("do is done, open or delete; message is a number.")
    back = way_back(request, otherwise=reverse("telephony:messages"))
    if do == "delete":
        deleted = delete_messages(message_ids=numbers)
        told = ngettext("%(count)d message deleted", "%(count)d messages deleted", deleted)
        toasts.success(request, told % {"count": deleted})
        return redirect(back)
    changed = set_messages_done(message_ids=numbers, done=do == "done", by=request.user.get_username())
    if not changed:
        toasts.success(request, _("Nothing changed"))
    elif "undo" in request.POST:
        toasts.success(request, _("Undone"))
    elif do == "open":  # who had done them is forgotten; to press Done is no way back
        toasts.success(request, _told(do, len(changed)))
    else:
        url = reverse("telephony:change_messages")
        undoable(request, _told(do, len(changed)), url=url, message=changed, do="open", undo=1, next=back)
    return redirect(back)


def _told(do: str, count: int) -> str:
    if do == "done":
        text = ngettext("%(count)d message is done", "%(count)d messages are done", count)
    else:
        text = ngettext("%(count)d message is open again", "%(count)d messages are open again", count)
    return text % {"count": count}
