"""Voices that somebody wants to find again."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class FavouriteVoice(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourite_voices")
    voice = models.CharField(max_length=80)  # an id of mlservices.voices

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "voice"], name="favourite_once")]

    def __str__(self) -> str:
        return self.voice
