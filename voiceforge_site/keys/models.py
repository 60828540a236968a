"""The model of what keys were used for; `voiceforge_site.models` has it with the others."""

from __future__ import annotations

from django.db import models


class KeyUse(models.Model):
    """How many requests a key sent on a day (UTC) to one part of the API, and how they were answered. Written
    by `access.key_use` alone."""

    key = models.CharField(max_length=20)  # its prefix
    day = models.DateField()
    resource = models.CharField(max_length=40, blank=True)  # "calls"; "": no address that there is
    status = models.PositiveSmallIntegerField()  # of HTTP; 101 is a socket that was opened
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # its index also finds what one key did in a period
            models.UniqueConstraint(fields=["key", "day", "resource", "status"], name="key_use_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.day} {self.resource} {self.status}: {self.requests}"
