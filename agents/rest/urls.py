from django.urls import path

from .agents import Agents

app_name = "agents_rest"
urlpatterns = [
    path("agents", Agents.as_view({"get": "list", "post": "create"}), name="agents"),
    path("agents/<slug:id>", Agents.as_view({"get": "retrieve", "patch": "partial_update"}), name="agent"),
    path("agents/<slug:id>/duplicate", Agents.as_view({"post": "duplicate"}), name="duplicate_agent"),
    path("agents/<slug:id>/versions", Agents.as_view({"get": "versions"}), name="agent_versions"),
    path(
        "agents/<slug:id>/versions/<int:number>/restore",
        Agents.as_view({"post": "restore"}),
        name="restore_agent",
    ),
]
