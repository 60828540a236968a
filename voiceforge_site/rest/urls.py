from django.urls import path

from .keys import Keys
from .people import Users
from .trail import Trail

app_name = "site_rest"
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
urlpatterns = [
    path("keys", Keys.as_view({"get": "list", "post": "create"}), name="keys"),
    path("keys/<slug:id>", Keys.as_view(_ONE), name="key"),
    path("keys/<slug:id>/rotate", Keys.as_view({"post": "rotate"}), name="rotate_key"),
    path("audit", Trail.as_view({"get": "list"}), name="audit"),
    path("users", Users.as_view({"get": "list"}), name="users"),
    path("users/me", Users.as_view({"get": "me"}), name="me"),
    path("users/invite", Users.as_view({"post": "invite"}), name="invite"),
    path("users/<int:id>", Users.as_view({"get": "retrieve", "patch": "partial_update"}), name="user"),
    path("users/<int:id>/sign-out", Users.as_view({"post": "sign_out"}), name="sign_out"),
]
