"""Publishing flows, and what was published."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices import registry
from mlservices.rest.paging import listed, page_of
from mlservices.rest.problems import Conflict
from mlservices.rest.resources import Tagged
from mlservices.rest.serializers import Exact

from ..flows.actions import Unpublishable, Untested, publish, roll_back
from ..flows.results import not_passed, run_and_keep
from ..models import Flow, FlowVersion
from .flow_fields import FlowVersionFields, FlowVersionRow
from .flow_format import by_field

TAG = "Flows"


class FlowNote(Exact):
    note = serializers.CharField(
        max_length=300, allow_blank=True, required=False, help_text="What is new, for who reads the list."
    )


@extend_schema(tags=[TAG])
class FlowVersions(Tagged):
    """What calls follow. A version never changes; the live one is what new calls begin with."""

    queryset = Flow.objects.all()
    serializer_class = FlowVersionFields
    lookup_field = "slug"
    lookup_url_kwarg = "id"
    filter_backends = ()
    ordering = "-number"

    @extend_schema(
        summary="Publish a flow",
        request=FlowNote,
        responses={201: FlowVersionFields},
        examples=[
            OpenApiExample("With a note", request_only=True, value={"note": "Asks for the name first."})
        ],
    )
    def publish(self, request: Request, id: str) -> Response:
        """Makes the draft what new calls follow; those that go on keep their version. 409 names what has to
        be mended first. Where the flow requires its tests, those that are due are run first."""
        flow, note = self.get_object(), self.sent(FlowNote).get("note", "")
        if flow.tests_required and (due := [row.place for row in not_passed(flow)]):
            async_to_sync(run_and_keep)(flow, due, embedder=registry.embedder())
        try:
            version = publish(flow=flow, by=self.by, note=note.strip())
        except Unpublishable as error:
            raise Conflict(
                "It has errors, which have to be mended first.", by_field(error.problems, flow.draft)
            ) from None
        except Untested as error:
            wrong = {f"tests.{row.place}": " ".join(row.failures) or "It was not run." for row in error.rows}
            raise Conflict("It requires its tests, and some of them fail.", wrong) from None
        return self._version_told(version, status=201)

    @extend_schema(summary="List a flow's versions", responses=page_of(FlowVersionRow))
    def list(self, request: Request, id: str) -> Response:
        """The newest first."""
        return listed(self, self._versions().defer("graph", "subflows"), FlowVersionRow, ordering="-number")

    @extend_schema(summary="Get a version of a flow")
    def retrieve(self, request: Request, id: str, number: int) -> Response:
        """With its steps and connections, as calls follow it."""
        return self.told_unless_known(get_object_or_404(self._versions(), number=number))

    @extend_schema(summary="Roll back to a version", request=None, responses={201: FlowVersionFields})
    def roll_back(self, request: Request, id: str, number: int) -> Response:
        """Publishes an earlier version again, as the next one; the draft stays as it is."""
        version = get_object_or_404(self._versions(), number=number)
        return self._version_told(roll_back(version=version, by=self.by), status=201)

    def _versions(self) -> QuerySet[FlowVersion]:
        return self.get_object().versions.select_related("flow").defer("flow__draft")

    def _version_told(self, version: FlowVersion, *, status: int) -> Any:
        version.flow.refresh_from_db(fields=["live"])
        return self.told(version, status=status)
