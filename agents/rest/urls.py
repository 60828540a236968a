from django.urls import path
from rest_framework.parsers import MultiPartParser

from mlservices.rest.parsing import Json

from .agents import Agents
from .flow_parts import Edges, Nodes
from .flow_tests import FlowTests
from .flow_trial import FlowTrial
from .flow_versions import FlowVersions
from .flow_writing import FlowWriting
from .flows import Flows, FlowsFromElsewhere
from .knowledge import Bases, Sources
from .servers import Servers
from .tools import Tools
from .voices import Voices

MANY = {"get": "list", "post": "create"}
ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_FILES = [Json, MultiPartParser]

_agents = [
    path("agents", Agents.as_view(MANY), name="agents"),
    path("agents/bulk", Agents.as_view({"post": "change_statuses"}), name="agent_statuses"),
    path("agents/<slug:id>", Agents.as_view({"get": "retrieve", "patch": "partial_update"}), name="agent"),
    path("agents/<slug:id>/try", Agents.as_view({"post": "attempt"}), name="try_agent"),
    path("agents/<slug:id>/duplicate", Agents.as_view({"post": "duplicate"}), name="duplicate_agent"),
    path("agents/<slug:id>/versions", Agents.as_view({"get": "versions"}), name="agent_versions"),
    path(
        "agents/<slug:id>/versions/<int:number>/restore",
        Agents.as_view({"post": "restore"}),
        name="restore_agent",
    ),
]
_flows = [
    path("agent-flows", Flows.as_view(MANY), name="flows"),
    path("agent-flows/generate", FlowWriting.as_view({"post": "generate"}), name="generate_flow"),
    path(
        "agent-flows/import",
        FlowsFromElsewhere.as_view({"post": "import_file"}, parser_classes=_FILES),
        name="import_flow",
    ),
    path("agent-flows/templates", FlowsFromElsewhere.as_view({"get": "templates"}), name="flow_templates"),
    path(
        "agent-flows/templates/<slug:id>",
        FlowsFromElsewhere.as_view({"post": "from_template"}),
        name="flow_from_template",
    ),
    path("agent-flows/<slug:id>", Flows.as_view(ONE), name="flow"),
    path("agent-flows/<slug:id>/nodes", Nodes.as_view(MANY), name="flow_nodes"),
    path("agent-flows/<slug:id>/nodes/<str:part>", Nodes.as_view(ONE), name="flow_node"),
    path("agent-flows/<slug:id>/edges", Edges.as_view(MANY), name="flow_edges"),
    path("agent-flows/<slug:id>/edges/<str:part>", Edges.as_view(ONE), name="flow_edge"),
    path("agent-flows/<slug:id>/validate", Flows.as_view({"post": "validate"}), name="validate_flow"),
    path("agent-flows/<slug:id>/try", FlowTrial.as_view({"post": "attempt"}), name="try_flow"),
    path("agent-flows/<slug:id>/duplicate", Flows.as_view({"post": "duplicate"}), name="duplicate_flow"),
    path("agent-flows/<slug:id>/export", Flows.as_view({"get": "export"}), name="export_flow"),
    path("agent-flows/<slug:id>/publish", FlowVersions.as_view({"post": "publish"}), name="publish_flow"),
    path("agent-flows/<slug:id>/versions", FlowVersions.as_view({"get": "list"}), name="flow_versions"),
    path(
        "agent-flows/<slug:id>/versions/<int:number>",
        FlowVersions.as_view({"get": "retrieve"}),
        name="flow_version",
    ),
    path(
        "agent-flows/<slug:id>/versions/<int:number>/roll-back",
        FlowVersions.as_view({"post": "roll_back"}),
        name="roll_back_flow",
    ),
    path("agent-flows/<slug:id>/tests", FlowTests.as_view(MANY), name="flow_tests"),
    path("agent-flows/<slug:id>/tests/run", FlowTests.as_view({"post": "run_all"}), name="run_flow_tests"),
    path("agent-flows/<slug:id>/tests/<int:place>", FlowTests.as_view(ONE), name="flow_test"),
    path(
        "agent-flows/<slug:id>/tests/<int:place>/run",
        FlowTests.as_view({"post": "run"}),
        name="run_flow_test",
    ),
]
_tools = [
    path("tools", Tools.as_view(MANY), name="tools"),
    path("tools/servers", Servers.as_view(MANY), name="tool_servers"),
    path("tools/servers/<slug:id>", Servers.as_view(ONE), name="tool_server"),
    path("tools/servers/<slug:id>/read", Servers.as_view({"post": "read"}), name="read_tool_server"),
    path("tools/servers/<slug:id>/tools", Servers.as_view({"put": "choose"}), name="choose_tools"),
    path("tools/<slug:name>", Tools.as_view(ONE), name="tool"),
    path("tools/<slug:name>/try", Tools.as_view({"post": "attempt"}), name="try_tool"),
]
_knowledge = [
    path("knowledge", Bases.as_view(MANY), name="knowledge"),
    path(
        "knowledge/<slug:id>", Bases.as_view({"get": "retrieve", "delete": "destroy"}), name="knowledge_base"
    ),
    path("knowledge/<slug:id>/ask", Bases.as_view({"post": "ask"}), name="ask_knowledge"),
    path("knowledge/<slug:id>/sources", Sources.as_view(MANY, parser_classes=_FILES), name="sources"),
    path(
        "knowledge/<slug:id>/sources/<int:source>",
        Sources.as_view({"get": "retrieve", "delete": "destroy"}),
        name="source",
    ),
    path(
        "knowledge/<slug:id>/sources/<int:source>/read", Sources.as_view({"post": "read"}), name="read_source"
    ),
]
_voices = [
    path("voices/favourites", Voices.as_view({"get": "favourites"}), name="favourite_voices"),
    path(
        "voices/<slug:voice>/favourite",
        Voices.as_view({"put": "remember", "delete": "forget"}),
        name="favourite_voice",
    ),
    path("voices/<slug:voice>/preview", Voices.as_view({"post": "preview"}), name="preview_voice"),
]

app_name = "agents_rest"
urlpatterns = [
    *_agents,
    *_flows,
    *_tools,
    *_knowledge,
    *_voices,
]
