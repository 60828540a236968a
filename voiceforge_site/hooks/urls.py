from django.urls import path

from . import message_views, views

app_name = "webhooks"
urlpatterns = [
    path("", views.webhooks, name="list"),
    path("new/", views.new, name="new"),
    path("kinds/", views.kinds, name="kinds"),
    path("<int:pk>/", message_views.webhook, name="webhook"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/secret/", views.new_secret, name="secret"),
    path("<int:pk>/pause/", views.pause, name="pause"),
    path("<int:pk>/resume/", views.resume, name="resume"),
    path("<int:pk>/test/", message_views.test, name="test"),
    path("<int:pk>/replay/", message_views.replay_dead, name="replay_dead"),
    path("<int:pk>/messages/<uuid:uid>/", message_views.message, name="delivery"),
    path("<int:pk>/messages/<uuid:uid>/replay/", message_views.replay, name="replay"),
]
