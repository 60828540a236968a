from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from . import health, views
from .home import home

urlpatterns = [
    path("", home, name="home"),
    path("services/", views.services, name="services"),
    path("palette/", views.palette, name="palette"),
    path("health/", health.health, name="health"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("", include("telephony.urls")),
    path("agents/", include("agents.urls")),
]
