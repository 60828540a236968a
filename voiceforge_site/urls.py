from django.contrib.auth.views import LogoutView
from django.urls import include, path

from . import health, views
from .people import signin
from .people import urls as people

urlpatterns = [
    path("", views.home, name="home"),
    path("services/", views.services, name="services"),
    path("palette/", views.palette, name="palette"),
    path("health/", health.health, name="health"),
    path("login/", signin.SignIn.as_view(), name="login"),
    path("login/code/", signin.sign_in_code, name="login_code"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("invitation/<str:token>/", signin.invitation, name="invitation"),
    path("password-rules/", signin.password_rules, name="password_rules"),
    path("profile/", include((people.own, "profile"))),
    path("people/", include((people.people, "people"))),
    path("", include("telephony.urls")),
    path("agents/", include("agents.urls")),
]
