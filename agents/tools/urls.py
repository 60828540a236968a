from django.urls import path

from . import views

app_name = "tools"
urlpatterns = [
    path("", views.tool_list, name="list"),
    path("new/", views.tool_new, name="new"),
    path("try/", views.tool_try, name="try_new"),
    path("<slug:name>/", views.tool_edit, name="edit"),
    path("<slug:name>/try/", views.tool_try, name="try"),
    path("<slug:name>/delete/", views.tool_delete, name="delete"),
]
