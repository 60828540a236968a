"""MCP servers, whose tools flows may use."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.rest.forms import filled
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel

from ..models import ToolServer
from ..tools.mcp.actions import choose_tools, delete_server, read_server, save_server
from ..tools.mcp.forms import ServerForm
from ..tools.mcp.offers import MOST_TOOLS, kept
from .tools import TAG, Secrets, as_form_takes, secret_names

_A_SERVER = OpenApiExample(
    "A calendar",
    request_only=True,
    value={
        "name": "Calendar",
        "url": "https://example.com/mcp",
        "secrets": {"Authorization": "Bearer a-secret-of-yours"},
    },
)
_ANOTHER_NAME = OpenApiExample("Another name", request_only=True, value={"name": "The clinic's calendar"})


class ServerOffer(serializers.Serializer):
    name = serializers.CharField(help_text="As the server calls it.")
    description = serializers.CharField()
    parameters = serializers.DictField(help_text="Its arguments as a JSON schema.")
    problem = serializers.CharField(help_text="Why it cannot be used: `name`, `schema` or `large`.")
    tool = serializers.CharField(allow_null=True, help_text="What flows call it; null: they may not use it.")


class ServerNews(serializers.Serializer):
    what = serializers.ChoiceField(["added", "changed", "gone"])
    name = serializers.CharField()


class ToolServerRow(ExactModel):
    """An MCP server in a list."""

    id = serializers.SlugField(source="slug", read_only=True)
    count = serializers.IntegerField(read_only=True, help_text="How many of its tools flows may use.")

    class Meta:
        model = ToolServer
        fields = [
            "id",
            "name",
            "url",
            "told_name",
            "told_version",
            "read_at",
            "reason",
            "count",
            "changed_by",
        ]


class ToolServerFields(ExactModel):
    """An MCP server with what it offered when it was read the last time."""

    id = serializers.SlugField(source="slug", read_only=True)
    secrets = Secrets()
    secret_headers = serializers.SerializerMethodField(help_text="The names of the secret headers.")
    offered = serializers.SerializerMethodField(help_text="Its tools; behind them those that are gone.")
    news = serializers.SerializerMethodField(help_text="What the last reading found to be otherwise.")

    class Meta:
        model = ToolServer
        fields = [
            "id",
            "name",
            "url",
            "secrets",
            "secret_headers",
            "told_name",
            "told_version",
            "read_at",
            "reason",
            "offered",
            "news",
            "changed_by",
            "changed_at",
        ]
        read_only_fields = ["told_name", "told_version", "read_at", "reason", "changed_by", "changed_at"]

    def get_secret_headers(self, server: ToolServer) -> list[str]:
        return secret_names(server)

    @extend_schema_field(ServerOffer(many=True))
    def get_offered(self, server: ToolServer) -> list[dict[str, Any]]:
        tools = {tool.server_tool: tool for tool in server.tools.all()}
        told = []
        for offer in kept(server):
            tool = tools.pop(offer.name, None)
            told.append(
                {**_offer(offer.name, offer.description, offer.parameters, tool), "problem": offer.problem}
            )
        gone = (_offer(name, tool.description, tool.parameters, tool) for name, tool in tools.items())
        return [*told, *({**each, "problem": ""} for each in gone)]

    @extend_schema_field(ServerNews(many=True))
    def get_news(self, server: ToolServer) -> list[dict[str, str]]:
        return [{"what": what, "name": name} for what, name in server.news]


class ChosenTools(Exact):
    tools = serializers.ListField(
        child=serializers.CharField(),
        max_length=MOST_TOOLS,
        help_text="By the names that the server gives them.",
    )


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List MCP servers"),
    retrieve=extend_schema(
        summary="Get an MCP server",
        description="With the tools that it offered when it was read the last time.",
    ),
    create=extend_schema(
        summary="Add an MCP server",
        description="It is asked at once what it offers; `reason` says why it did not answer.",
        examples=[_A_SERVER],
    ),
    partial_update=extend_schema(
        summary="Change an MCP server",
        description="It is read again afterwards. Its id stays.",
        examples=[_ANOTHER_NAME],
    ),
    destroy=extend_schema(
        summary="Remove an MCP server",
        description="With its tools; 409 names the flows that they have to be taken from first.",
    ),
)
class Servers(Resource):
    """A server is read when it is added or changed: `reason` says why it did not answer. Flows may use those
    of its tools that were chosen."""

    queryset = ToolServer.objects.all()
    serializer_class = ToolServerFields
    lookup_field = "slug"
    lookup_url_kwarg = "id"
    search_fields = ("name", "url")
    ordering_fields = ("name", "read_at", "changed_at")
    ordering = "name"

    def get_queryset(self) -> QuerySet[ToolServer]:
        if self.action == "list":
            return ToolServer.objects.annotate(count=Count("tools")).defer("offered", "news")
        return ToolServer.objects.all()

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return ToolServerRow if self.action == "list" else ToolServerFields

    def state_of(self, thing: ToolServer, shown: Any) -> Any:
        return [thing.changed_at, thing.changed_by]  # what it offers is no change of ours

    def make(self, values: dict[str, Any]) -> ToolServer:
        return _read(self._saved(ToolServer(), values))

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """It is read once it is saved."""
        values = self.checked(partial=True)
        with transaction.atomic():
            server = self._saved(self.as_expected(), values)
        return self.told(_read(server))

    def remove(self, thing: ToolServer) -> None:
        with in_conflict():
            delete_server(server=thing)

    def _saved(self, server: ToolServer, values: dict[str, Any]) -> ToolServer:
        form = filled(ServerForm, server, as_form_takes(values))
        return save_server(server=form.save(commit=False), by=self.by)

    @extend_schema(summary="Read an MCP server again", request=None, responses=ToolServerFields)
    def read(self, request: Request, id: str) -> Response:
        """What it offers now. Tools that flows use follow what it says of them."""
        return self.told(_read(self.get_object()))

    @extend_schema(
        summary="Choose tools of an MCP server",
        request=ChosenTools,
        responses=ToolServerFields,
        examples=[
            OpenApiExample("Two of them", request_only=True, value={"tools": ["findBooking", "cancel"]})
        ],
    )
    def choose(self, request: Request, id: str) -> Response:
        """Those that flows may use, and no others; 409 where one is left out that a flow names."""
        server, names = self.get_object(), self.sent(ChosenTools)["tools"]
        offered = {offer.name for offer in kept(server)}
        if unknown := [name for name in names if name not in offered]:
            raise ValidationError({"tools": f"The server offers no “{unknown[0]}”."})
        with in_conflict():
            choose_tools(server=server, names=names, by=self.by)
        server.refresh_from_db()
        return self.told(server)


def _read(server: ToolServer) -> ToolServer:
    async_to_sync(read_server)(server=server)
    server.refresh_from_db()
    return server


def _offer(name: str, description: str, parameters: dict[str, Any], tool: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "parameters": parameters,
        "tool": tool.name if tool else None,
    }
