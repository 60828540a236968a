from django.urls import include, path

from .health import health

urlpatterns = [
    path("health/", health, name="health"),
    path("agents/", include("agents.urls")),
    path("", include("telephony.urls")),
]
