from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from . import health, palette, views
from .home import home

urlpatterns = [
    path("", home, name="home"),
    path("services/", views.services, name="services"),
    path("palette/", palette.palette, name="palette"),
    path("session/", views.session, name="session"),
    path("health/", health.health, name="health"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("", include("telephony.urls")),
    path("agents/", include("agents.urls")),
]

handler400 = "voiceforge_site.errors.bad_request"
handler403 = "voiceforge_site.errors.forbidden"
handler404 = "voiceforge_site.errors.not_found"
handler500 = "voiceforge_site.errors.failed"
