from django.urls import path

from . import views

app_name = "outbound"
urlpatterns = [
    path("", views.dial, name="dial"),
    path("number/", views.about_number, name="about_number"),
    path("never/", views.never, name="never"),
    path("never/allow/", views.allow, name="allow"),
    path("<uuid:planned_id>/", views.follow, name="follow"),
    path("<uuid:planned_id>/cancel/", views.cancel, name="cancel"),
]
