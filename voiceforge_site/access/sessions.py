"""Sessions that know whose they are, and from which browser: the engine that SESSION_ENGINE names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user, login
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from ..models import Session, User
from .address import address_of

SEEN_EVERY = timedelta(minutes=1)
LONGEST_USER_AGENT = 300


class SessionStore(DatabaseStore):
    """`row` is the stored session that this one was read from, if it was."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        self.row = super()._get_session_from_db()  # type: ignore[misc]
        return self.row

    async def _aget_session_from_db(self) -> Session | None:
        self.row = await super()._aget_session_from_db()  # type: ignore[misc]
        return self.row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        return _described(super().create_model_instance(data), data)  # type: ignore[arg-type]

    async def acreate_model_instance(self, data: dict[str, Any]) -> Session:
        return _described(await super().acreate_model_instance(data), data)  # type: ignore[arg-type]


def _described(session: Session, data: dict[str, Any]) -> Session:
    session.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
    session.address = data.get("address", "")
    session.user_agent = data.get("user_agent", "")
    return session


def sign_in(request: HttpRequest, user: User) -> None:
    """Begins a session of this person's; whoever calls has made sure that it is them."""
    login(request, user, settings.AUTHENTICATION_BACKENDS[0])
    request.session["address"] = address_of(request)
    request.session["user_agent"] = request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT]
    now = timezone.now()
    User.objects.filter(pk=user.pk).update(seen_at=now)
    Session.objects.filter(expire_date__lt=now).delete()


def mark_seen(request: HttpRequest, user: User) -> None:
    """Notes, once a minute, that the person is here."""
    row: Session | None = getattr(request.session, "row", None)
    now = timezone.now()
    if row and now - row.seen_at >= SEEN_EVERY:
        Session.objects.filter(pk=row.pk).update(seen_at=now)
        User.objects.filter(pk=user.pk).update(seen_at=now)


def why_nobody(request: HttpRequest) -> str:
    """Of a request that nobody is signed in with: "ended" if the session is of somebody who was deactivated,
    "signed-out" if the browser had one that is over, "" for a stranger."""
    if SESSION_KEY in request.session:
        return "ended"
    had_one = settings.SESSION_COOKIE_NAME in request.COOKIES and request.session.is_empty()
    return "signed-out" if had_one else ""


def user_of(session_key: str | None) -> User | AnonymousUser:
    """Whose session this is now: nobody's once it was ended, or the password changed."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    return get_user(request)
