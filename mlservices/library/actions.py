"""What can be done with voices, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from django.db import transaction

from .. import audit
from ..models import FavouriteVoice
from ..voices import Voice


@transaction.atomic
def remember(*, voice: Voice, user_id: int) -> None:
    """As one of this person's favourites."""
    _row, is_new = FavouriteVoice.objects.get_or_create(user_id=user_id, voice=voice.id)
    if is_new:
        audit.record("voice.remembered", _named(voice))


@transaction.atomic
def forget(*, voice: Voice, user_id: int) -> None:
    if FavouriteVoice.objects.filter(user_id=user_id, voice=voice.id).delete()[0]:
        audit.record("voice.forgotten", _named(voice))


def _named(voice: Voice) -> audit.Thing:
    return audit.Thing("mlservices.voice", voice.id, voice.name)
