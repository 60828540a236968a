from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request

from mlservices.rest.filters import IdOf, YesOrNo
from mlservices.rest.forms import filled
from mlservices.rest.later import later
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel, Lines
from mlservices.secret_box import UnreadableSecret

from ..flows.programs import UNREAD
from ..models import Tool, ToolServer
from ..tools.actions import delete_tool, save_tool
from ..tools.answers import content_of
from ..tools.calling import Exchange, exchange, masked, secrets_of
from ..tools.forms import OfServerForm, ToolForm

TAG = "Tools"
LONGEST_SHOWN = 20_000  # characters of an answer
_A_TOOL = OpenApiExample(
    "Finding a booking",
    request_only=True,
    value={
        "name": "find_booking",
        "description": "Finds a booking by its number.",
        "method": "GET",
        "url": "https://api.example.com/bookings/{{number}}",
        "headers": {"Accept-Language": "en"},
        "secrets": {"Authorization": "Bearer a-secret-of-yours"},
        "results": {"guest": "booking.name"},
        "seconds": 5,
        "filler": "Let me look that up.",
    },
)
_ANOTHER_SECRET = OpenApiExample(
    "Another secret", request_only=True, value={"secrets": {"Authorization": "Bearer the-next-one"}}
)


class Secrets(Lines):
    """Written and never told."""

    def __init__(self) -> None:
        super().__init__(
            sign=":",
            write_only=True,
            required=False,
            allow_null=True,
            help_text="Headers that are encrypted and never told, with their values; they take the place of "
            "those that there were. null forgets them.",
        )


def secret_names(owner: Tool | ToolServer) -> list[str]:
    try:
        return list(secrets_of(owner))
    except UnreadableSecret:
        return ["?"]


def as_form_takes(values: dict[str, Any]) -> dict[str, Any]:
    """Secrets that are forgotten have a box of their own on the page."""
    if "secrets" in values and not values["secrets"]:
        return {**values, "secrets": {}, "forget": True}
    return values


class ToolFields(ExactModel):
    """Another system that flows may ask: an HTTP request whose {{placeholders}} are its arguments, or one of
    the tools of an MCP server, which then tells most of it."""

    parameters = serializers.DictField(
        child=serializers.JSONField(),
        required=False,
        help_text="The arguments as a JSON schema. Empty: each {{name}} is a text that is needed.",
    )
    headers = Lines(sign=":", required=False, help_text="{name: value}. A value may hold {{placeholders}}.")
    results = Lines(
        sign="=", required=False, help_text="{variable: place in the answer}: which variables it sets."
    )
    secrets = Secrets()
    secret_headers = serializers.SerializerMethodField(help_text="The names of the secret headers.")
    server = serializers.SlugRelatedField[ToolServer](
        slug_field="slug", read_only=True, allow_null=True, help_text="The MCP server; null: none."
    )

    class Meta:
        model = Tool
        fields = [
            "name",
            "description",
            "method",
            "url",
            "parameters",
            "headers",
            "body",
            "results",
            "seconds",
            "repeatable",
            "filler",
            "secrets",
            "secret_headers",
            "server",
            "server_tool",
            "gone",
            "changed_by",
            "changed_at",
        ]
        read_only_fields = ["server_tool", "gone", "changed_by", "changed_at"]
        extra_kwargs = {
            "name": {"validators": []},
            "body": {
                "help_text": "JSON with {{placeholders}}. Empty: the arguments that `url` does not name."
            },
            "url": {"required": True, "allow_blank": False},
        }

    def get_secret_headers(self, tool: Tool) -> list[str]:
        return secret_names(tool)


class ToolArguments(Exact):
    arguments = serializers.DictField(
        child=serializers.JSONField(allow_null=True), required=False, default=dict
    )


class ToolRequest(serializers.Serializer):
    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField(), help_text="Secrets are covered.")
    body = serializers.CharField()


class ToolAnswer(serializers.Serializer):
    status = serializers.IntegerField()
    content = serializers.JSONField(allow_null=True, help_text="JSON where it is some, else a text.")


class ToolTried(serializers.Serializer):
    ok = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why it failed.")
    values = serializers.DictField(help_text="The variables that it sets.")
    seconds = serializers.FloatField()
    attempts = serializers.IntegerField()
    request = ToolRequest(allow_null=True, help_text="null: it came to none.")
    answer = ToolAnswer(allow_null=True, help_text="null: there was none.")


class ToolFilter(filters.FilterSet):
    gone = YesOrNo(help_text="Whether its server offers it no longer.")
    server = IdOf(ToolServer.objects.all(), help_text="Of the MCP server of this id.")

    class Meta:
        model = Tool
        fields = ["method"]


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List tools"),
    retrieve=extend_schema(
        summary="Get a tool", description="Of its secret headers only the names are told."
    ),
    create=extend_schema(
        summary="Make a tool",
        description="An HTTP request. Tools of an MCP server are chosen at the server instead.",
        examples=[_A_TOOL],
    ),
    partial_update=extend_schema(
        summary="Change a tool",
        description="Changes what is named and leaves the rest; `secrets` that are not sent are kept.",
        examples=[_ANOTHER_SECRET],
    ),
    destroy=extend_schema(
        summary="Delete a tool", description="409 names the flows that it has to be taken from first."
    ),
)
class Tools(Resource):
    """A tool's name is its address: flows name it, and the language model sees it. One that a flow names
    cannot be deleted. Secrets that were written for one server are not handed to another: with another host
    in `url` they are to be sent anew, or forgotten."""

    queryset = Tool.objects.select_related("server").defer(*UNREAD)
    serializer_class = ToolFields
    lookup_field = "name"
    filterset_class = ToolFilter
    search_fields = ("name", "description", "url", "server__name")
    ordering_fields = ("name", "changed_at")
    ordering = "name"

    def make(self, values: dict[str, Any]) -> Tool:
        return self.change(Tool(), values)

    def change(self, thing: Tool, values: dict[str, Any]) -> Tool:
        form = OfServerForm if thing.server_id else ToolForm
        if thing.server_id and (strange := set(values) - set(OfServerForm.Meta.fields)):
            raise ValidationError(dict.fromkeys(strange, "Its server tells this: it cannot be set here."))
        return save_tool(tool=filled(form, thing, as_form_takes(values)).save(commit=False), by=self.by)

    def remove(self, thing: Tool) -> None:
        with in_conflict():
            delete_tool(tool=thing)

    @extend_schema(
        summary="Try a tool",
        request=ToolArguments,
        responses=ToolTried,
        examples=[OpenApiExample("A number", request_only=True, value={"arguments": {"number": "1234"}})],
    )
    def attempt(self, request: Request, name: str) -> HttpResponseBase:
        """Asks the other system in earnest, and tells what was sent and answered."""
        tool, arguments = self.get_object(), self.sent(ToolArguments)["arguments"]

        async def make() -> dict[str, Any]:
            return _told(await exchange(tool, arguments))

        return later(make)


def _told(done: Exchange) -> dict[str, Any]:
    sent = masked(done.request) if done.request else None
    content = content_of(done.answer) if done.answer else None
    if isinstance(content, str):
        content = content[:LONGEST_SHOWN]
    return {
        "ok": done.result.ok,
        "reason": done.result.reason,
        "values": dict(done.result.values),
        "seconds": round(done.seconds, 3),
        "attempts": done.attempts,
        "request": {
            "method": sent.method,
            "url": sent.url,
            "headers": dict(sent.headers),
            "body": sent.body.decode(errors="replace"),
        }
        if sent
        else None,
        "answer": {"status": done.answer.status, "content": content} if done.answer else None,
    }
