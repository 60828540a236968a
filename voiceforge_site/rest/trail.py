"""/api/audit: who did what, when and from where."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.api.answers import invalid
from mlservices.rest.paging import Pages
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import told_by

from ..audit.listing import Filters
from ..models import AuditEntry


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
        filters = Filters.read(request._request.GET)
        read = {"from": filters.since, "to": filters.until}
        if unclear := [name for name, day in read.items() if day is None and request.query_params.get(name)]:
            raise invalid(**dict.fromkeys(unclear, "not a day: write it like 2026-03-05"))
        entries = filters.entries().defer("words")
        page = pages.paginate_queryset(entries, request, self)
        return pages.get_paginated_response([told_by(EntryFields, each) for each in page])
