"""/api/telephony/exports: lists of calls as CSV files, each for who ordered it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.api.answers import invalid
from mlservices.rest.problems import Conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, told_by

from ..export_actions import COLUMNS, cancel_export, delete_export, order_export
from ..exports import Shown, State, download, exports_of, shown_of
from ..filters import LONGEST_SECONDS, LONGEST_WORDS, OUTCOMES, SORTS, Filters
from ..history import MOST_CHOSEN
from ..models import Call, CallExport
from ..sheet import TRANSCRIPT
from .filtering import filters_of

TAG = "Exports"
_USUAL = [column for column in COLUMNS if column != TRANSCRIPT]


def _text(what: str) -> serializers.CharField:
    return serializers.CharField(required=False, max_length=LONGEST_WORDS, help_text=what)


def _seconds(what: str) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=0, max_value=LONGEST_SECONDS, help_text=what)


# Made by its names, since `from` is none that a class may have.
FilterFields = type(
    "CallFilterFields",
    (Exact,),
    {
        "__doc__": "As the parameters of `GET /api/telephony/calls`; none: all calls.",
        "q": _text("Words that were said, or a part of a number."),
        "number": _text("A part of the number of who called or was called."),
        "agent": _text("The id of the agent."),
        "outcome": serializers.ChoiceField(list(OUTCOMES), required=False),
        "direction": serializers.ChoiceField(Call.Direction.choices, required=False),
        "tag": _text("The name of a tag."),
        "longer": _seconds("That it lasted at least."),
        "shorter": _seconds("That it lasted at most."),
        "slow": serializers.BooleanField(required=False, help_text="With answers that came late."),
        "from": serializers.DateField(required=False, help_text="The first day."),
        "to": serializers.DateField(required=False, help_text="The last day."),
        "sort": serializers.ChoiceField(list(SORTS), required=False),
    },
)


class OrderFields(Exact):
    filters = FilterFields(required=False)
    calls = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        default=list,
        max_length=MOST_CHOSEN,
        help_text="Ids of these calls alone, in place of `filters`.",
    )
    columns = serializers.ListField(
        child=serializers.ChoiceField(COLUMNS),
        required=False,
        default=_USUAL,
        allow_empty=False,
        help_text="Left out: all but the transcript, which makes a file many times as large.",
    )


class ExportFields(serializers.Serializer):
    id = serializers.UUIDField(source="export.id")
    title = serializers.CharField(help_text="What is in it, in words.")
    filters = serializers.SerializerMethodField()
    calls = serializers.ListField(
        source="export.calls", child=serializers.UUIDField(), help_text="Those that were chosen."
    )
    columns = serializers.ListField(source="export.columns", child=serializers.ChoiceField(COLUMNS))
    state = serializers.ChoiceField(State.choices, source="export.state")
    died = serializers.BooleanField(help_text="Its worker has, while it was being written.")
    total = serializers.IntegerField(
        source="export.total", allow_null=True, help_text="Calls; null until they are counted."
    )
    written = serializers.IntegerField(source="export.written", help_text="Calls.")
    bytes = serializers.IntegerField(allow_null=True, help_text="Of its file; null until there is one.")
    problem = serializers.CharField(source="export.problem", help_text="Why it failed.")
    created_at = serializers.DateTimeField(source="export.created_at")
    expires_at = serializers.DateTimeField(
        source="export.expires_at", help_text="Then it goes, with its file."
    )

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_filters(self, shown: Shown) -> dict[str, Any]:
        """By which it was ordered."""
        return Filters.read(QueryDict(shown.export.query)).given()


_AN_EXPORT = OpenApiExample(
    "An agent's calls of a month",
    request_only=True,
    value={
        "filters": {"agent": "front-desk", "from": "2026-03-01", "to": "2026-03-31"},
        "columns": ["started", "caller", "outcome", "duration"],
    },
)


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List exports", responses=ExportFields),
    retrieve=extend_schema(summary="Get an export", responses=ExportFields),
    create=extend_schema(summary="Order an export", responses={202: ExportFields}, examples=[_AN_EXPORT]),
    destroy=extend_schema(summary="Delete an export"),
)
class Exports(Resource):
    """One's own alone, the newest first. The worker writes them, and keeps them for three days."""

    queryset = CallExport.objects.all()  # whose, `get_queryset` says
    serializer_class = OrderFields
    lookup_url_kwarg = "id"
    filterset_fields = ("state",)
    ordering_fields = ("created_at",)
    ordering = "-created_at"

    def get_queryset(self) -> QuerySet[CallExport]:
        return exports_of(self._owner)

    @property
    def _owner(self) -> int:
        assert self.request.user.pk is not None  # the gate lets nobody else in
        return self.request.user.pk

    def who_changed(self, thing: CallExport) -> str:
        return ""  # it goes on by itself

    def _shown(self, thing: CallExport) -> Any:
        [shown] = shown_of([thing])
        return told_by(ExportFields, shown)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([told_by(ExportFields, each) for each in shown_of(page)])

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In your language, and in the time zone of your profile. Ask for it again until its `state` is
        `done`, then get its file."""
        sent = self.checked()
        calls, asked = sent["calls"], sent.get("filters", {})
        if calls and asked:
            raise invalid(filters=_("Choose calls or filters, not both."))
        export = order_export(
            owner=self._owner, filters=_filters(asked), calls=_known(calls), columns=sent["columns"]
        )
        return self.told(export, status=202)

    def remove(self, thing: CallExport) -> None:
        """With its file. One that is under way has to be canceled first."""
        if not delete_export(export=thing):
            raise Conflict(_("It is under way: cancel it first."))

    @extend_schema(summary="Cancel an export", request=None, responses=ExportFields)
    def cancel(self, request: Request, id: UUID) -> Response:
        """It leaves no file. 409 once it is over."""
        export = self.get_object()
        if not cancel_export(export=export):
            raise Conflict(_("It is over already."))
        export.refresh_from_db()
        return self.told(export)

    @extend_schema(summary="Get an export's file", responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def file(self, request: Request, id: UUID) -> Any:
        """CSV in UTF-8. 409 while there is none."""
        if self.get_object().state != State.DONE:
            raise Conflict(_("There is no file: look at its state."))
        return download(request._request, id)


def _filters(asked: dict[str, Any]) -> Filters:
    words = {name: ("1" if value else "") if name == "slow" else str(value) for name, value in asked.items()}
    return filters_of(QueryDict(urlencode(words)), within="filters.")


def _known(calls: list[UUID]) -> list[UUID]:
    known = set(Call.objects.filter(pk__in=calls).values_list("pk", flat=True))
    for place, call_id in enumerate(calls):
        if call_id not in known:
            raise invalid(**{f"calls.{place}": _("There is no such call.")})
    return calls
