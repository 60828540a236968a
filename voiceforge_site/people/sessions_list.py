"""The browsers somebody is signed in with, as pages show them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from ..access.devices import in_words
from ..models import User


@dataclass(frozen=True, slots=True)
class Browser:
    key: str  # of the session: whoever knows it is signed in, so pages name it by `handle`
    handle: str
    name: str
    address: str
    seen_at: datetime
    is_this: bool


def browsers_of(user: User, own_key: str | None = None) -> list[Browser]:
    """The one with `own_key` first, then those used last; none of somebody deactivated."""
    if not user.is_active:
        return []
    rows = user.sessions.filter(expire_date__gt=timezone.now()).order_by("-seen_at")
    found = [
        Browser(
            key=row.session_key,
            handle=hashlib.sha256(row.session_key.encode()).hexdigest()[:16],
            name=in_words(row.user_agent),
            address=row.address,
            seen_at=row.seen_at,
            is_this=row.session_key == own_key,
        )
        for row in rows
    ]
    return sorted(found, key=lambda browser: not browser.is_this)
