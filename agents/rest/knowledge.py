from __future__ import annotations

from dataclasses import asdict
from time import monotonic
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)
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
from ..knowledge.forms import LONGEST_ADDRESS, PageForm
from ..knowledge.reading import LARGEST_BYTES
from ..knowledge.shelf import lookup_in
from ..models import KnowledgeBase, Source

TAG = "Knowledge"
LONGEST_QUESTION = 500
_A_BASE = OpenApiExample("A base", request_only=True, value={"name": "Clinic"})


class KnowledgeBaseFields(ExactModel):
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


class QuestionAndAnswer(Exact):
    question = serializers.CharField(max_length=2000)
    answer = serializers.CharField(max_length=10_000)


class NewPage(Exact):
    address = serializers.CharField(max_length=LONGEST_ADDRESS, help_text="Of a page of the web.")


class NewPairs(Exact):
    name = serializers.CharField(max_length=200, required=False, help_text="What lists call them.")
    pairs = QuestionAndAnswer(many=True, allow_empty=False, help_text="What is answered word for word.")


class KnowledgeQuestion(Exact):
    question = serializers.CharField(max_length=LONGEST_QUESTION)


class FoundPassage(serializers.Serializer):
    text = serializers.CharField()
    answer = serializers.CharField(help_text="Of a question that was answered beforehand; empty: none.")
    source = serializers.CharField()
    heading = serializers.CharField()
    page = serializers.IntegerField(allow_null=True)
    score = serializers.FloatField(help_text="How near it is to the question: 1 is the same.")


class FoundPassages(serializers.Serializer):
    results = FoundPassage(many=True, help_text="The nearest first.")
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
    retrieve=extend_schema(summary="Get a knowledge base", description="How much is in it."),
    create=extend_schema(
        summary="Make a knowledge base",
        description="An empty one; add sources to it. Flows name it by its id.",
        examples=[_A_BASE],
    ),
    destroy=extend_schema(
        summary="Delete a knowledge base",
        description="With its sources; 409 names the flows that it has to be taken from first.",
    ),
)
class Bases(Resource):
    """A base has sources, which are read into passages that calls find by their meaning. One that a flow
    names cannot be deleted."""

    queryset = KnowledgeBase.objects.annotate(
        source_count=Count("sources", distinct=True), passage_count=Count("sources__passages", distinct=True)
    )
    serializer_class = KnowledgeBaseFields
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
        request=KnowledgeQuestion,
        responses=FoundPassages,
        examples=[OpenApiExample("A question", request_only=True, value={"question": "Where can I park?"})],
    )
    def ask(self, request: Request, id: str) -> HttpResponseBase:
        """What a call would find."""
        slug, question = self.get_object().slug, self.sent(KnowledgeQuestion)["question"]

        async def make() -> dict[str, Any]:
            begun = monotonic()
            found = await lookup_in(slug, registry.embedder())(question)
            return {"results": [asdict(each) for each in found], "seconds": round(monotonic() - begun, 3)}

        return later(make)


@extend_schema(tags=[TAG])
@extend_schema_view(
    retrieve=extend_schema(summary="Get a source", description="How far it is read, or why it could not be."),
    destroy=extend_schema(summary="Remove a source", description="What it said is found no longer."),
)
class Sources(Resource):
    """What a knowledge base is made of. Passages of a source that is read again stay until the newer ones are
    there; what is removed is found no longer."""

    queryset = Source.objects.defer("content")
    serializer_class = SourceFields
    filter_backends = ()
    lookup_url_kwarg = "source"
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
        request={
            "application/json": PolymorphicProxySerializer("NewSource", [NewPage, NewPairs], None),
            "multipart/form-data": _FILE_FORM,
        },
        responses={201: SourceFields},
        examples=_SOURCE_EXAMPLES,
    )
    def create(self, request: Request, id: str) -> Response:
        """A page of the web or questions with their answers as JSON, or a file as a form. It is read soon
        afterwards: look at its `state`."""
        base = self._base()
        if (request.content_type or "").startswith("multipart/form-data"):
            return self.told(self._of_file(base, request.FILES.get("file")), status=201)
        if not isinstance(request.data, dict) or "pairs" not in request.data:
            form = PageForm(self.sent(NewPage))
            if not form.is_valid():
                raise ValidationError(form.errors.as_data())
            page = add_page(base=base, address=form.cleaned_data["address"], by=self.by)
            return self.told(page, status=201)
        values = self.sent(NewPairs)
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
    def read(self, request: Request, id: str, source: int) -> Response:
        """As after a change of the page, or after a fault that was mended."""
        return self.told(read_again(source=self.get_object(), by=self.by))

    def _base(self) -> KnowledgeBase:
        return get_object_or_404(KnowledgeBase, slug=self.kwargs["id"])
