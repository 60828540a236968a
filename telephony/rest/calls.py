"""/api/telephony/calls: calls that were and are, and what can be done while one goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices import audit
from mlservices.api.answers import Refused, asker_of, invalid
from mlservices.rest.paging import PAGED, Pages, listed, page_of
from mlservices.rest.problems import Conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import told_by

from .. import orders
from ..actions import hang_up
from ..annotation_actions import LONGEST_NOTE, delete_note, tag_call, untag_call, write_note
from ..annotations import tag_names, tag_problem
from ..audited import call_named, record_fetched
from ..deleting import CannotDelete, delete_calls
from ..eventlog import event_json
from ..filters import OUTCOMES, SORTS
from ..history import selected
from ..models import Call, CallEvent, CallNote
from ..views import recording
from .call_fields import (
    OF_A_LIST,
    CallFields,
    EventsFields,
    MessageFields,
    NoteFields,
    NoteText,
    OneCallFields,
    TagFields,
    TranscriptFields,
    TransferFields,
    WordsFields,
    transcript_of,
)
from .call_lists import told, values_of
from .filtering import ORDERINGS, as_the_page, filters_of
from .usage import CallUsageFields, usage_of

TAG = "Calls"
MOST_EVENTS = 1000  # of an answer


def _asked(name: str, what: str, type: Any = OpenApiTypes.STR, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, type, description=what, **more)


_FILTERS = [
    _asked("q", "Words that were said, or a part of a number."),
    _asked("number", "A part of the number of who called or was called."),
    _asked("agent", "The id of the agent."),
    _asked("outcome", "How it ended; `handled`: without a person.", enum=list(OUTCOMES)),
    _asked("direction", "Whence it came.", enum=Call.Direction.values),
    _asked("tag", "The name of a tag."),
    _asked("longer", "Seconds that it lasted at least.", OpenApiTypes.INT),
    _asked("shorter", "Seconds that it lasted at most.", OpenApiTypes.INT),
    _asked("slow", "`1`: with answers that came late.", enum=["0", "1"]),
    _asked(
        "from",
        "The first day, as 2026-03-05, in the time zone of your profile; UTC if it has none.",
        OpenApiTypes.DATE,
    ),
    _asked("to", "The last day.", OpenApiTypes.DATE),
    _asked("sort", "In which order.", enum=list(SORTS)),
    _asked("search", "As `q`, by the name that other lists have for it."),
    _asked("ordering", "As `sort`, by the field, as other lists have it.", enum=list(ORDERINGS)),
]
_OVER = OpenApiResponse(description="Taken. What comes of it is told by the call's events.")


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List calls", parameters=_FILTERS),
    retrieve=extend_schema(summary="Get a call", responses=OneCallFields),
    destroy=extend_schema(summary="Delete a call"),
)
class Calls(Resource):
    """Calls in all directions, over all lines, those that go on too."""

    queryset = Call.objects.all()
    serializer_class = CallFields
    filter_backends = ()

    def get_object(self) -> Call:
        return get_object_or_404(_with_all(Call.objects.all()), pk=self.kwargs["id"])

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest first, by pages; filtered as the history's page filters them."""
        filters = filters_of(as_the_page(request._request.GET))
        pages = Pages([*SORTS[filters.sort][0], "-pk"])
        page = pages.paginate_queryset(values_of(selected(filters)), request, self)
        return pages.get_paginated_response(told(page))

    def who_changed(self, thing: Call) -> str:
        return ""  # it goes on by itself

    def _shown(self, thing: Call) -> Any:
        return told_by(OneCallFields, thing)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With its events, its words and its recording, for good. A call that goes on is not deleted."""
        with transaction.atomic():
            try:
                deleted = delete_calls(call_ids=[self.as_expected().pk])
            except CannotDelete as error:
                raise Conflict(str(error)) from None
            if not deleted:
                raise Conflict(_("A call that goes on cannot be deleted."))
        return Response(status=204)

    # ---- what was said ----------------------------------------------------------------------

    @extend_schema(
        summary="Get a call's events",
        responses=EventsFields,
        parameters=[_asked("after", "The number of the event that you have already.", OpenApiTypes.INT)],
    )
    def events(self, request: Request, id: UUID) -> Response:
        """In their order, 1,000 at most: all that happened, from which all else is told. While the call goes
        on, `/ws/calls/ID/` tells them as they happen."""
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdecimal() and len(after) < 10):
            raise invalid(after=_("Send the number of an event."))
        call = self._row()
        rows = CallEvent.objects.filter(call=call, seq__gt=int(after)).order_by("seq")[:MOST_EVENTS]
        events = [event_json(row) for row in rows]
        last = events[-1]["seq"] if events else int(after)
        if events:  # who asks again and again whether there are more is told of once
            record_fetched("events.downloaded", call.pk, asker=asker_of(request._request))
        ended = call.ended_at is not None and last >= call.last_seq
        return Response({"events": events, "last_seq": last, "ended": ended})

    @extend_schema(summary="Get a call's transcript", responses=TranscriptFields)
    def transcript(self, request: Request, id: UUID) -> Response:
        """Who said what when. Of the agent's words those that were heard."""
        call = self._row()
        audit.record("transcript.downloaded", call_named(call))
        lines = [line for line in transcript_of(call).lines if line.who != "note"]
        return Response(told_by(TranscriptFields, {"lines": lines}))

    @extend_schema(
        summary="Get a call's recording",
        responses={(200, "audio/wav"): OpenApiTypes.BINARY, (206, "audio/wav"): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER)],
    )
    def recording(self, request: Request, id: UUID) -> Any:
        """A WAV in stereo: the caller left, the agent right."""
        try:
            return recording(request._request, id)
        except Http404:
            raise Refused(404, _no_recording(self._row())) from None

    @extend_schema(summary="List a call's messages", responses=page_of(MessageFields), parameters=PAGED)
    def messages(self, request: Request, id: UUID) -> Response:
        """What the caller wants to be passed on."""
        return listed(self, self._row().messages.all(), MessageFields, ordering="ordinal")

    @extend_schema(summary="Get a call's usage", responses=CallUsageFields)
    def usage(self, request: Request, id: UUID) -> Response:
        """Its turns, its seconds, what its carrier asks for it, and what it asked models for. Sums over days
        are at `/api/usage`."""
        with_models = request.user.has_perm("mlservices.view_usage")
        return Response(usage_of(self._row(), with_models=with_models))

    # ---- while it goes on -------------------------------------------------------------------

    @extend_schema(summary="Have the agent say something", request=WordsFields, responses={202: _OVER})
    def say(self, request: Request, id: UUID) -> Response:
        """These words are spoken next, by the agent's voice."""
        text = self.sent(WordsFields)["text"]
        return self._ordered(lambda call: orders.say(call, text=text, by=self.by))

    @extend_schema(summary="Whisper to the agent", request=WordsFields, responses={202: _OVER})
    def whisper(self, request: Request, id: UUID) -> Response:
        """The agent follows this from its next sentence on; the caller does not hear it. 409 where it cannot
        follow it, as one without a language model."""
        text = self.sent(WordsFields)["text"]
        return self._ordered(lambda call: orders.whisper_and_see(call, text=text, by=self.by))

    @extend_schema(summary="Transfer a call", request=TransferFields, responses={202: _OVER})
    def transfer(self, request: Request, id: UUID) -> Response:
        """The caller is put through to a telephone number; the agent leaves."""
        number = self.sent(TransferFields)["number"]
        return self._ordered(lambda call: orders.transfer(call, number=number, by=self.by))

    @extend_schema(summary="Hang up", request=None, responses={202: _OVER})
    def hang_up(self, request: Request, id: UUID) -> Response:
        if not hang_up(self._row().pk, by=self.by):
            raise Conflict(_("This call is over."))
        return Response(status=202)

    # ---- tags and notes ---------------------------------------------------------------------

    @extend_schema(summary="Tag a call", request=TagFields, responses=OneCallFields)
    def tag(self, request: Request, id: UUID) -> Response:
        names = tag_names(self.sent(TagFields)["name"])
        if problem := tag_problem(names):
            raise invalid(name=problem)
        call = self._row()
        for name in names:
            tag_call(call=call, name=name)
        return self.told(self.get_object())

    @extend_schema(summary="Take a tag off a call")
    def untag(self, request: Request, id: UUID, name: str) -> Response:
        untag_call(call=self._row(), name=name.replace("\0", ""))
        return Response(status=204)

    @extend_schema(summary="List a call's notes", responses=page_of(NoteFields), parameters=PAGED)
    def notes(self, request: Request, id: UUID) -> Response:
        return listed(self, CallNote.objects.filter(call=self._row()), NoteFields, ordering="created_at")

    @extend_schema(summary="Write a note", request=NoteText, responses={201: NoteFields})
    def note(self, request: Request, id: UUID) -> Response:
        text = self.sent(NoteText)["text"]
        if len(text) > LONGEST_NOTE:
            raise invalid(text=_("At most %(most)d characters.") % {"most": LONGEST_NOTE})
        written = write_note(call=self._row(), author=self.by, text=text)
        return Response(told_by(NoteFields, written), status=201)

    @extend_schema(summary="Delete a note")
    def unnote(self, request: Request, id: UUID, number: int) -> Response:
        """One's own; who may delete calls deletes any."""
        call = self._row()
        author = None if request.user.has_perm("telephony.delete_calls") else self.by
        if delete_note(call=call, note_id=number, author=author):
            return Response(status=204)
        if CallNote.objects.filter(call=call, pk=number).exists():
            raise PermissionDenied(_("Only who wrote a note may delete it."))
        raise Http404

    # ---- for the above ----------------------------------------------------------------------

    def _row(self) -> Call:
        return get_object_or_404(Call.objects.defer("card"), pk=self.kwargs["id"])

    def _ordered(self, order: Callable[[UUID], None]) -> Response:
        try:
            order(self._row().pk)
        except orders.NotPossible as error:
            raise Conflict(str(error)) from None
        return Response(status=202)


def _with_all(calls: QuerySet[Call]) -> QuerySet[Call]:
    """What `OneCallFields` tells, and no more: four tables stand behind it, some of them wide."""
    calls = calls.select_related("agent", "phone_number", "flow_version__flow", "recording")
    elsewhere = ("agent__slug", "phone_number__number", "flow_version__number", "flow_version__flow__slug")
    costs = ("price", "price_currency", "rate")
    own = [name for name in OF_A_LIST if name not in ("agent", "number", "tags")]
    return calls.only(*own, "provider_call_id", *costs, *elsewhere, "recording__id")


def _no_recording(call: Call) -> str:
    """As the call's page says it."""
    if not call.agent.record:
        return _("This agent does not record its calls.")
    return _("There is no recording: the call never had sound, or it is still being written.")
