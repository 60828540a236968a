from django.urls import include, path

urlpatterns = [
    path("agents/", include("agents.urls")),
    path("", include("telephony.urls")),
]
