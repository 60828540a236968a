from django.urls import include, path
from django.views.generic import RedirectView

from . import health, palette, status, views
from .home import home
from .metrics import views as metrics
from .people import signin
from .people import urls as people
from .rest import asyncapi, document
from .rest.docs import docs

urlpatterns = [
    path("", home, name="home"),
    path("services/", views.services, name="services"),
    path("palette/", palette.palette, name="palette"),
    path("session/", views.session, name="session"),
    path("status/", status.status, name="status"),
    path("status/<slug:key>/", status.service, name="service_status"),
    path("health/", health.health, name="health"),
    path("login/", signin.SignIn.as_view(), name="login"),
    path("login/code/", signin.sign_in_code, name="login_code"),
    path("logout/", signin.SignOut.as_view(), name="logout"),
    path("invitation/<str:token>/", signin.invitation, name="invitation"),
    path("password-rules/", signin.password_rules, name="password_rules"),
    path("profile/", include((people.own, "profile"))),
    path("people/", include((people.people, "people"))),
    path("keys/", include("voiceforge_site.keys.urls")),
    path("audit/", include("voiceforge_site.audit.urls")),
    path("models/", include("mlservices.urls")),
    path("api/telephony/", include("telephony.rest.urls")),  # asked most often: each tried before costs time
    path("api/", include("voiceforge_site.rest.urls")),
    path("api/", include("agents.rest.urls")),
    path("api/", include("mlservices.api.urls")),
    path("api/metrics", metrics.metrics, name="metrics"),
    path("api/docs", docs, name="docs"),
    path("api/docs/realtime", asyncapi.sockets, name="sockets"),
    path("docs", RedirectView.as_view(pattern_name="docs"), name="docs_of_a_space"),
    path("asyncapi.json", asyncapi.asyncapi, name="asyncapi"),
    path("openapi.json", document.openapi, name="openapi"),
    path("", include("telephony.urls")),
    path("", include("telephony.lines.urls")),
    path("calls/dial/", include("telephony.outbound.urls")),
    path("agents/", include("agents.urls")),
    path("flows/", include("agents.flows.urls")),
    path("knowledge/", include("agents.knowledge.urls")),
    path("tools/", include("agents.tools.urls")),
    path("voices/", include("mlservices.library.urls")),
    path("usage/", include("mlservices.usage.urls")),
    path("webhooks/", include("voiceforge_site.hooks.urls")),
]

handler400 = "voiceforge_site.errors.bad_request"
handler403 = "voiceforge_site.errors.forbidden"
handler404 = "voiceforge_site.errors.not_found"
handler500 = "voiceforge_site.errors.failed"
