from django.urls import path

from .deliveries import Deliveries
from .keys import Keys
from .people import Users
from .services import Services
from .trail import Trail
from .webhooks import Webhooks

app_name = "site_rest"
_WEBHOOK = "webhooks/<int:id>"
_DELIVERY = f"{_WEBHOOK}/deliveries/<uuid:delivery>"
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
urlpatterns = [
    path("keys", Keys.as_view({"get": "list", "post": "create"}), name="keys"),
    path("keys/<slug:id>", Keys.as_view(_ONE), name="key"),
    path("keys/<slug:id>/rotate", Keys.as_view({"post": "rotate"}), name="rotate_key"),
    path("keys/<slug:id>/usage", Keys.as_view({"get": "usage"}), name="key_usage"),
    path("audit", Trail.as_view({"get": "list"}), name="audit"),
    path("users", Users.as_view({"get": "list"}), name="users"),
    path("users/me", Users.as_view({"get": "me"}), name="me"),
    path("users/invite", Users.as_view({"post": "invite"}), name="invite"),
    path("users/<int:id>", Users.as_view({"get": "retrieve", "patch": "partial_update"}), name="user"),
    path("users/<int:id>/sign-out", Users.as_view({"post": "sign_out"}), name="sign_out"),
    path("services", Services.as_view({"get": "list"}), name="services"),
    path("services/<slug:id>", Services.as_view({"get": "retrieve"}), name="service"),
    path("services/<slug:id>/check", Services.as_view({"post": "check"}), name="check_service"),
    path("webhooks", Webhooks.as_view({"get": "list", "post": "create"}), name="webhooks"),
    path("webhooks/kinds", Webhooks.as_view({"get": "kinds"}), name="webhook_kinds"),
    path(_WEBHOOK, Webhooks.as_view(_ONE), name="webhook"),
    path(f"{_WEBHOOK}/rotate", Webhooks.as_view({"post": "rotate"}), name="rotate_webhook"),
    path(f"{_WEBHOOK}/pause", Webhooks.as_view({"post": "pause"}), name="pause_webhook"),
    path(f"{_WEBHOOK}/resume", Webhooks.as_view({"post": "resume"}), name="resume_webhook"),
    path(f"{_WEBHOOK}/test", Webhooks.as_view({"post": "test"}), name="test_webhook"),
    path(f"{_WEBHOOK}/replay-dead", Deliveries.as_view({"post": "replay_dead"}), name="replay_dead"),
    path(f"{_WEBHOOK}/deliveries", Deliveries.as_view({"get": "list"}), name="deliveries"),
    path(_DELIVERY, Deliveries.as_view({"get": "retrieve"}), name="delivery"),
    path(f"{_DELIVERY}/replay", Deliveries.as_view({"post": "replay"}), name="replay_delivery"),
]
