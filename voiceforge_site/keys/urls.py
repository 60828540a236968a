from django.urls import path

from . import views

app_name = "keys"
urlpatterns = [
    path("", views.key_list, name="list"),
    path("new/", views.key_new, name="new"),
    path("<slug:prefix>/", views.key_page, name="key"),
    path("<slug:prefix>/rotate/", views.key_rotate, name="rotate"),
    path("<slug:prefix>/revoke/", views.key_revoke, name="revoke"),
]
