from django.urls import path

from . import views
from .mcp import views as servers

app_name = "tools"
urlpatterns = [
    path("", views.tool_list, name="list"),
    path("new/", views.tool_new, name="new"),
    path("try/", views.tool_try, name="try_new"),
    path("servers/", servers.server_list, name="servers"),
    path("servers/new/", servers.server_new, name="new_server"),
    path("servers/<slug:slug>/", servers.server_page, name="server"),
    path("servers/<slug:slug>/read/", servers.server_read, name="read_server"),
    path("servers/<slug:slug>/tools/", servers.server_choose, name="choose_tools"),
    path("servers/<slug:slug>/delete/", servers.server_delete, name="delete_server"),
    path("<slug:name>/", views.tool_edit, name="edit"),
    path("<slug:name>/try/", views.tool_try, name="try"),
    path("<slug:name>/delete/", views.tool_delete, name="delete"),
]
