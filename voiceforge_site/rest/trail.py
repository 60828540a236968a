"""/api/audit: who did what, when and from where."""

from __future__ import annotations

import json
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.api.answers import invalid
from mlservices.days import NO_DAY, day_of
from mlservices.rest.paging import Pages
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import told_by
from mlservices.rest.words import one_of

from ..audit.listing import Filters
from ..audit.words import KINDS, VERBS
from ..models import AuditEntry, User


class EntryFields(serializers.ModelSerializer):
    changes = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "at",
            "name",
            "key",
            "address",
            "request",
            "verb",
            "kind",
            "thing",
            "label",
            "changes",
            "detail",
            "number",
            "digest",
        )

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "array", "items": {}}})
    def get_changes(self, entry: AuditEntry) -> Any:
        """[before, after] of each field that changed; without secrets."""
        return json.loads(entry.changes)


def _asked(name: str, what: str, type: Any = OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, type, description=what)


@extend_schema(tags=["Audit"])
@extend_schema_view(
    list=extend_schema(
        summary="Search the audit trail",
        parameters=[
            _asked("q", "Words; the last may be a beginning."),
            _asked("search", "As `q`, by the name that other lists have for it."),
            _asked("person", "A username."),
            _asked("verb", "What was done, as `agent.saved`."),
            _asked("kind", "Of the thing, as `agents.agent`."),
            _asked("thing", "The id of the thing; with `kind`."),
            _asked("from", "The first day.", OpenApiTypes.DATE),
            _asked("to", "The last day.", OpenApiTypes.DATE),
        ],
    )
)
class Trail(Resource):
    """The newest first. Entries are never changed; `number` and `digest` are their links of the chain, which
    `manage.py verify_audit` looks through."""

    queryset = AuditEntry.objects.all()
    serializer_class = EntryFields
    filter_backends = ()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        pages = Pages(["-id"])
        asked = request._request.GET.copy()
        if "search" in asked:
            asked["q"] = asked.pop("search")[-1]
        _refuse_unclear(asked)
        entries = Filters.read(asked).entries().defer("words")
        page = pages.paginate_queryset(entries, request, self)
        return pages.get_paginated_response([told_by(EntryFields, each) for each in page])


def _refuse_unclear(asked: QueryDict) -> None:
    """What the trail's page leaves out, and what nothing is called by."""
    days = {name: asked.get(name, "") for name in ("from", "to")}
    unclear = {name: str(NO_DAY) for name, day in days.items() if day and not day_of(day)}
    person = asked.get("person", "")
    if person and not (
        User.objects.filter(username=person).exists() or AuditEntry.objects.filter(name=person).exists()
    ):
        unclear["person"] = _("There is nobody of this username.")
    if asked.get("verb") and asked["verb"] not in VERBS:
        unclear["verb"] = _("Nothing is called so: see `verb` of the entries, as agent.saved.")
    if asked.get("kind") and asked["kind"] not in KINDS:
        unclear["kind"] = one_of([*KINDS])
    if asked.get("thing") and not asked.get("kind"):
        unclear["thing"] = _("Send its kind too.")
    if unclear:
        raise invalid(**unclear)
