from django.urls import path

from . import views

app_name = "knowledge"
urlpatterns = [
    path("", views.base_list, name="list"),
    path("<slug:slug>/", views.base_page, name="base"),
    path("<slug:slug>/add/", views.base_add, name="add"),
    path("<slug:slug>/ask/", views.base_ask, name="ask"),
    path("<slug:slug>/delete/", views.base_delete, name="delete"),
    path("<slug:slug>/sources/<int:pk>/", views.source_change, name="source"),
]
