"""Who operates calls, as people know them: events and cards name operators by their usernames."""

from __future__ import annotations

from django.contrib.auth import get_user_model


def names() -> dict[str, str]:
    """Of those who may be at a call, by username, where they have a name beside it."""
    people = get_user_model().objects.filter(is_active=True).only("username", "name", "role", "is_active")
    return {
        person.get_username(): person.get_full_name()
        for person in people
        if person.get_full_name() != person.get_username() and person.has_perm("telephony.listen")
    }
