"""The steps and connections of a flow's draft, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.rest.paging import page_of
from mlservices.rest.serializers import Exact

from ..flow.graph.layout import COLUMN
from ..flow.graph.nodes import TYPES
from ..models import Flow
from .flow_draft import OfDraft, keep_draft
from .flow_format import edge_schema, node_schemas, torn_in, unreadable_in

TAG = "Flows"
Part = dict[str, Any]
_A_STEP = OpenApiExample(
    "A question",
    request_only=True,
    value={
        "type": "gather",
        "position": {"x": 360, "y": 0},
        "data": {"label": "Name", "prompt": "What is your name?", "variable": "name", "kind": "name"},
    },
)
_OTHER_WORDS = OpenApiExample("Other words", request_only=True, value={"data": {"prompt": "And your name?"}})
_A_CONNECTION = OpenApiExample(
    "If it succeeds",
    request_only=True,
    value={"source": "gather-1", "target": "bye", "condition": {"outcome": "done"}},
)
_ANOTHER_END = OpenApiExample("To another step", request_only=True, value={"target": "hello"})


def _data_schema() -> dict[str, Any]:
    """Of the fields of a step, which depend on its type."""
    kinds = [
        {"title": name, **schema["properties"]["data"], "default": {}}
        for name, schema in node_schemas().items()
    ]
    return {"anyOf": kinds}


class PositionFields(Exact):
    x = serializers.FloatField()
    y = serializers.FloatField()


@extend_schema_field(_data_schema())
class _Data(serializers.DictField):
    child = serializers.JSONField(allow_null=True)


@extend_schema_field(edge_schema()["properties"]["condition"])
class _Condition(serializers.DictField):
    child = serializers.JSONField(allow_null=True)


class NodeChange(Exact):
    """A name in `data` that is set to null is taken out."""

    position = PositionFields(required=False, help_text="On the canvas.")
    data = _Data(required=False)


class NodeFields(NodeChange):
    """A step."""

    id = serializers.CharField(max_length=80, required=False, help_text="Without one it gets one.")
    type = serializers.ChoiceField(list(TYPES))
    position = PositionFields(
        required=False, help_text="On the canvas. Without one it stands behind the others."
    )


class NodeTold(serializers.Serializer):
    """As it stands in the draft; a type that is not known here is kept."""

    id = serializers.CharField()
    type = serializers.CharField()
    position = serializers.DictField(required=False)
    data = serializers.DictField(required=False)


class EdgeChange(Exact):
    """A connection: where it leads, and when it is taken."""

    source = serializers.CharField(help_text="The step that it leaves.")
    target = serializers.CharField(help_text="The step that it leads to.")
    label = serializers.CharField(max_length=300, allow_blank=True, required=False)
    condition = _Condition(required=False)


class EdgeFields(EdgeChange):
    id = serializers.CharField(max_length=80, required=False, help_text="Without one it gets one.")


class EdgeTold(serializers.Serializer):
    id = serializers.CharField()
    source = serializers.CharField()
    target = serializers.CharField()
    label = serializers.CharField(required=False)
    condition = serializers.DictField(required=False)


class RemovedEdges(serializers.Serializer):
    removed_edges = serializers.ListField(
        child=serializers.CharField(), help_text="The connections that began or ended there."
    )


class _Parts(OfDraft):
    """Each change is one of the draft, whose next revision it makes. `If-Match` asks for the part as it was
    read, whatever has become of the rest."""

    kind: ClassVar[str]
    changeable: ClassVar[type[serializers.Serializer]]  # the rest stays as it was made

    def list(self, request: Request, id: str) -> Response:
        return Response({"next": None, "previous": None, "results": list(self._parts(self._flow()))})

    def retrieve(self, request: Request, id: str, part: str) -> Response:
        return self.told_unless_known(self._part(self._flow(), part))

    @transaction.atomic
    def create(self, request: Request, id: str) -> Response:
        flow, values = self._locked(), self.checked()
        part = self.completed(flow, {"id": self._free_id(flow, values), **values})
        if any(each["id"] == part["id"] for each in self._parts(flow)):
            raise ValidationError({"id": "This id is there already: take another, or none."})
        self._save(flow, {self.kind: [*flow.draft.get(self.kind, []), part]}, part)
        return self.told(part, status=201)

    @transaction.atomic
    def partial_update(self, request: Request, id: str, part: str) -> Response:
        flow, values = self._locked(), self.sent(self.changeable, partial=True)
        before = self._part(flow, part)
        self.refuse_changed(before)
        after = self.merged(before, values)
        parts = [after if each is before else each for each in flow.draft[self.kind]]
        self._save(flow, {self.kind: parts}, after)
        return self.told(after)

    def completed(self, flow: Flow, part: Part) -> Part:
        return part

    def merged(self, before: Part, values: Mapping[str, Any]) -> Part:
        return {**before, **values}

    def who_changed(self, thing: Part) -> str:
        return self._flow().changed_by

    def _shown(self, thing: Part) -> Part:
        return thing

    def _parts(self, flow: Flow) -> Iterator[Part]:
        """Those that have an id."""
        for each in flow.draft.get(self.kind, []):
            if isinstance(each, dict) and isinstance(each.get("id"), str):
                yield each

    def _part(self, flow: Flow, id: str) -> Part:
        found = next((each for each in self._parts(flow) if each["id"] == id), None)
        if found is None:
            raise Http404
        return found

    def _free_id(self, flow: Flow, values: Mapping[str, Any]) -> str:
        """As the editor makes one."""
        stem = values["type"] if self.kind == "nodes" else f"{values['source']}-{values['target']}"
        taken = {each["id"] for each in self._parts(flow)}
        return next(
            name for number in range(1, len(taken) + 2) if (name := f"{stem[:60]}-{number}") not in taken
        )

    def _save(self, flow: Flow, changed: Mapping[str, Any], part: Part | None = None) -> None:
        """What is wrong with `part` is refused by its fields; what was wrong elsewhere stays the author's."""
        graph = {**flow.draft, **changed}
        if part is not None:
            self._refuse_wrong(part, graph)
        keep_draft(flow, graph, by=self.by)

    def _refuse_wrong(self, part: Part, graph: Mapping[str, Any]) -> None:
        place = next(at for at, each in enumerate(graph[self.kind]) if each is part)
        wrong = _within(f"{self.kind}.0", unreadable_in({self.kind: [part]}))
        if wrong := wrong or _within(f"{self.kind}.{place}", torn_in(graph)):
            raise ValidationError(wrong)


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List a flow's steps", responses=page_of(NodeTold)),
    retrieve=extend_schema(
        summary="Get a step",
        description="Its ETag goes with a change as If-Match, whatever becomes of other steps.",
        responses=NodeTold,
    ),
    create=extend_schema(
        summary="Add a step",
        description="It stands in the draft, connected to nothing yet.",
        request=NodeFields,
        responses={201: NodeTold},
        examples=[_A_STEP],
    ),
    partial_update=extend_schema(
        summary="Change a step",
        description="`data` is changed name by name; null takes a name out. Its type stays.",
        request=NodeChange,
        responses=NodeTold,
        examples=[_OTHER_WORDS],
    ),
)
class Nodes(_Parts):
    """The steps of a flow's draft. What each holds in `data` depends on its `type`, which stays."""

    serializer_class = NodeFields
    kind = "nodes"
    changeable = NodeChange

    def completed(self, flow: Flow, part: Part) -> Part:
        right = max((_x(each) for each in self._parts(flow)), default=-COLUMN)
        return {"position": {"x": right + COLUMN, "y": 0}, "data": {}, **part}

    def merged(self, before: Part, values: Mapping[str, Any]) -> Part:
        data = {**(before.get("data") or {}), **values.get("data", {})}
        kept = {name: value for name, value in data.items() if value is not None}
        return {**before, **values, "data": kept}

    @extend_schema(summary="Remove a step", responses={200: RemovedEdges})
    @transaction.atomic
    def destroy(self, request: Request, id: str, part: str) -> Response:
        """With the connections that began or ended there, which the answer names; a tool's `onSuccess` and
        `onFailure` are such connections."""
        flow = self._locked()
        node = self._part(flow, part)
        self.refuse_changed(node)
        edges = flow.draft.get("edges", [])
        left = [each for each in edges if not (isinstance(each, dict) and part in _ends(each))]
        removed = [str(each.get("id")) for each in edges if each not in left]
        nodes: list[Any] = []
        for each in (each for each in flow.draft["nodes"] if each is not node):
            ways = [way for way in ("onSuccess", "onFailure") if _data(each).get(way) == part]
            removed += [f"{each['id']}:{way.removeprefix('on').lower()}" for way in ways]
            kept = {name: value for name, value in _data(each).items() if name not in ways}
            nodes.append({**each, "data": kept} if ways else each)
        self._save(flow, {"nodes": nodes, "edges": left})
        return Response({"removed_edges": removed})


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List a flow's connections", responses=page_of(EdgeTold)),
    retrieve=extend_schema(
        summary="Get a connection", description="Its ETag goes with a change as If-Match.", responses=EdgeTold
    ),
    create=extend_schema(
        summary="Connect two steps",
        description="Both have to be there. Without a condition it is the way on.",
        request=EdgeFields,
        responses={201: EdgeTold},
        examples=[_A_CONNECTION],
    ),
    partial_update=extend_schema(
        summary="Change a connection",
        description="Its ends, its label or its condition, which is replaced as a whole.",
        request=EdgeChange,
        responses=EdgeTold,
        examples=[_ANOTHER_END],
    ),
)
class Edges(_Parts):
    """The connections of a flow's draft, in the order in which they are tried. Both ends have to be there."""

    serializer_class = EdgeFields
    kind = "edges"
    changeable = EdgeChange

    @extend_schema(summary="Remove a connection")
    @transaction.atomic
    def destroy(self, request: Request, id: str, part: str) -> Response:
        """The steps stay."""
        flow = self._locked()
        edge = self._part(flow, part)
        self.refuse_changed(edge)
        self._save(flow, {"edges": [each for each in flow.draft["edges"] if each is not edge]})
        return Response(status=204)


def _within(place: str, wrong: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with one part, by the path in it."""
    inside = ((path.removeprefix(place), text) for path, text in wrong.items())
    return {path.lstrip("."): text for path, text in inside if path == "" or path.startswith(".")}


def _x(node: Part) -> float:
    position = node.get("position")
    x = position.get("x") if isinstance(position, dict) else 0
    return x if isinstance(x, int | float) else 0


def _ends(edge: Part) -> tuple[Any, Any]:
    return edge.get("source"), edge.get("target")


def _data(node: Any) -> dict[str, Any]:
    data = node.get("data") if isinstance(node, dict) and isinstance(node.get("id"), str) else None
    return data if isinstance(data, dict) else {}
