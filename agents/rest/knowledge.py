from __future__ import annotations

from dataclasses import asdict
from time import monotonic
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices import registry
from mlservices.rest.later import later
from mlservices.rest.paging import listed, page_of
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel

from ..knowledge.actions import (
    add_file,
    add_page,
    add_pairs,
    create_base,
    delete_base,
    read_again,
    remove_source,
)
from ..knowledge.forms import PageForm
from ..knowledge.reading import LARGEST_BYTES
from ..knowledge.shelf import lookup_in
from ..models import KnowledgeBase, Source

TAG = "Knowledge"
LONGEST_QUESTION = 500
_A_BASE = OpenApiExample("A base", request_only=True, value={"name": "Clinic"})


class BaseFields(ExactModel):
    """What a talk of a flow may look up."""

    id = serializers.SlugField(source="slug", read_only=True)
    sources = serializers.IntegerField(read_only=True, source="source_count")
    passages = serializers.IntegerField(
        read_only=True, source="passage_count", help_text="What can be found."
    )

    class Meta:
        model = KnowledgeBase
        fields = ["id", "name", "sources", "passages", "created_at"]
        read_only_fields = ["created_at"]


class SourceFields(serializers.ModelSerializer):
    """A document, a page of the web, or answered questions. The worker reads it: `done` of the passages that
    were `found` can be looked up already."""

    class Meta:
        model = Source
        fields = ["id", "kind", "name", "address", "state", "reason", "done", "found", "by", "at"]


class PairFields(Exact):
    question = serializers.CharField(max_length=2000)
    answer = serializers.CharField(max_length=10_000)


class NewSource(Exact):
    """A page by its `address`, or `pairs` of questions and answers; a file is sent as a form."""

    address = serializers.CharField(required=False, help_text="Of a web page.")
    name = serializers.CharField(max_length=200, required=False, help_text="Of the questions and answers.")
    pairs = PairFields(many=True, required=False, help_text="What is answered word for word.")


class Question(Exact):
    question = serializers.CharField(max_length=LONGEST_QUESTION)


class FoundFields(serializers.Serializer):
    text = serializers.CharField()
    answer = serializers.CharField(help_text="Of a question that was answered beforehand; empty: none.")
    source = serializers.CharField()
    heading = serializers.CharField()
    page = serializers.IntegerField(allow_null=True)
    score = serializers.FloatField(help_text="How near it is to the question: 1 is the same.")


class FoundAll(serializers.Serializer):
    results = FoundFields(many=True, help_text="The nearest first.")
    seconds = serializers.FloatField()


_SOURCE_EXAMPLES = [
    OpenApiExample("A page", request_only=True, value={"address": "https://example.com/prices"}),
    OpenApiExample(
        "Questions and answers",
        request_only=True,
        value={
            "name": "Questions",
            "pairs": [{"question": "Is there parking?", "answer": "Yes, behind the building."}],
        },
    ),
]
_FILE_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": f"PDF, DOCX, HTML, Markdown, CSV, JSON or text, at most {LARGEST_BYTES:,} bytes.",
        }
    },
}


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List knowledge bases"),
    retrieve=extend_schema(summary="Get a knowledge base"),
    create=extend_schema(summary="Make a knowledge base", examples=[_A_BASE]),
    destroy=extend_schema(summary="Delete a knowledge base"),
)
class Bases(Resource):
    """A base has sources, which are read into passages that calls find by their meaning. One that a flow
    names cannot be deleted."""

    queryset = KnowledgeBase.objects.annotate(
        source_count=Count("sources", distinct=True), passage_count=Count("sources__passages", distinct=True)
    )
    serializer_class = BaseFields
    lookup_field = "slug"
    lookup_url_kwarg = "id"
    search_fields = ("name",)
    ordering_fields = ("name", "created_at")
    ordering = "name"

    def make(self, values: dict[str, Any]) -> KnowledgeBase:
        return self.queryset.get(pk=create_base(name=values["name"]).pk)

    def remove(self, thing: KnowledgeBase) -> None:
        with in_conflict():
            delete_base(base=thing)

    def state_of(self, thing: KnowledgeBase, shown: Any) -> Any:
        return [thing.name, thing.stamp]

    def as_expected(self) -> Any:
        base = self.get_object()
        self.refuse_changed(base)
        return base

    @extend_schema(
        summary="Ask a knowledge base",
        request=Question,
        responses=FoundAll,
        examples=[OpenApiExample("A question", request_only=True, value={"question": "Where can I park?"})],
    )
    def ask(self, request: Request, id: str) -> HttpResponseBase:
        """What a call would find."""
        slug, question = self.get_object().slug, self.sent(Question)["question"]

        async def make() -> dict[str, Any]:
            begun = monotonic()
            found = await lookup_in(slug, registry.embedder())(question)
            return {"results": [asdict(each) for each in found], "seconds": round(monotonic() - begun, 3)}

        return later(make)


@extend_schema(tags=[TAG])
@extend_schema_view(
    retrieve=extend_schema(summary="Get a source"), destroy=extend_schema(summary="Remove a source")
)
class Sources(Resource):
    """What a knowledge base is made of. Passages of a source that is read again stay until the newer ones are
    there; what is removed is found no longer."""

    queryset = Source.objects.defer("content")
    serializer_class = SourceFields
    filter_backends = ()
    lookup_field = "pk"
    ordering = "id"

    def get_queryset(self) -> QuerySet[Source]:
        return self.queryset.filter(base__slug=self.kwargs.get("id"))

    @extend_schema(summary="List the sources of a knowledge base", responses=page_of(SourceFields))
    def list(self, request: Request, id: str) -> Response:
        """In the order in which they were added, each with how far it is read."""
        self._base()
        return listed(self, self.get_queryset(), SourceFields, ordering="id")

    @extend_schema(
        summary="Add a source",
        request={"application/json": NewSource, "multipart/form-data": _FILE_FORM},
        responses={201: SourceFields},
        examples=_SOURCE_EXAMPLES,
    )
    def create(self, request: Request, id: str) -> Response:
        """A page of the web or questions with their answers as JSON, or a file as a form. It is read soon
        afterwards: look at its `state`."""
        base = self._base()
        if (request.content_type or "").startswith("multipart/form-data"):
            return self.told(self._of_file(base, request.FILES.get("file")), status=201)
        values = self.sent(NewSource)
        if ("address" in values) == ("pairs" in values):
            raise ValidationError({"address": "Send the `address` of a page, or `pairs`, one of them."})
        if "address" in values:
            form = PageForm({"address": values["address"]})
            if not form.is_valid():
                raise ValidationError(form.errors.as_data())
            return self.told(
                add_page(base=base, address=form.cleaned_data["address"], by=self.by), status=201
            )
        pairs = [(each["question"], each["answer"]) for each in values["pairs"]]
        try:
            made = add_pairs(base=base, name=values.get("name", "Questions"), pairs=pairs, by=self.by)
        except ValidationError as error:
            raise ValidationError({"pairs": error.messages}) from None
        return self.told(made, status=201)

    def _of_file(self, base: KnowledgeBase, file: Any) -> Source:
        if file is None:
            raise ValidationError({"file": "Send a file."})
        try:
            content = file.read(LARGEST_BYTES + 1)
            return add_file(base=base, name=file.name or "Unnamed", content=content, by=self.by)
        except ValidationError as error:
            raise ValidationError({"file": error.messages}) from None

    def remove(self, thing: Source) -> None:
        remove_source(source=thing)

    @extend_schema(summary="Read a source again", request=None, responses=SourceFields)
    def read(self, request: Request, id: str, pk: int) -> Response:
        """As after a change of the page, or after a fault that was mended."""
        return self.told(read_again(source=self.get_object(), by=self.by))

    def _base(self) -> KnowledgeBase:
        return get_object_or_404(KnowledgeBase, slug=self.kwargs["id"])
