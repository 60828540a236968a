from django.urls import path

from . import views

app_name = "agents"
urlpatterns = [
    path("", views.agent_list, name="list"),
    path("new/", views.agent_new, name="new"),
    path("<slug:slug>/", views.agent_edit, name="edit"),
    path("<slug:slug>/duplicate/", views.agent_duplicate, name="duplicate"),
    path("<slug:slug>/try/", views.agent_try, name="try"),
]
