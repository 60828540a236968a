"""The models of the audit trail; `voiceforge_site.models` has them with the others."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class NeverChanged(Exception):
    """What the trail holds stays as it was written."""


class _Kept(models.QuerySet["AuditEntry"]):
    def update(self, **fields: Any) -> NoReturn:
        raise NeverChanged

    def delete(self) -> NoReturn:
        raise NeverChanged

    def bulk_update(self, *args: Any, **more: Any) -> NoReturn:
        raise NeverChanged


class _Unsealed(models.Manager["AuditEntry"]):
    """Those that the chain does not hold yet: its links can be written onto them, and nothing else (the
    database sees to that, `migrations.0002_audit`)."""

    def get_queryset(self) -> models.QuerySet[AuditEntry]:
        return super().get_queryset().filter(number=None).order_by("pk")


class AuditEntry(models.Model):
    """That somebody did something to a thing. No foreign keys: it outlives who and what it is about.

    `changes` is canonical JSON, {field: [before, after]}, kept as text: its digest is of these very letters.
    `number`, `previous` and `digest` make it a link of the chain, a moment after it was written.
    """

    at = models.DateTimeField()
    name = models.CharField(max_length=150, blank=True)  # username; "": nobody was signed in
    key = models.CharField(max_length=20, blank=True)  # the beginning of the API key
    address = models.CharField(max_length=45, blank=True)
    request = models.CharField(max_length=20, blank=True)
    verb = models.CharField(max_length=60)
    kind = models.CharField(max_length=60)  # of the thing, "app.model"
    thing = models.CharField(max_length=200)
    label = models.CharField(max_length=200, blank=True)
    changes = models.TextField()
    detail = models.CharField(max_length=500, blank=True)
    words = models.TextField(blank=True)  # by which it is found; the index of each database is in 0002_audit

    number = models.BigIntegerField(null=True)
    previous = models.CharField(max_length=64, blank=True)  # digest of the entry before; "" of the first
    digest = models.CharField(max_length=64, blank=True)  # SHA-256

    objects = _Kept.as_manager()
    unsealed = _Unsealed()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="audit_entry_numbered_once"),
            # or the walk along the chain would pass it by
            models.CheckConstraint(
                condition=models.Q(number=None) | models.Q(number__gte=1), name="audit_entry_numbered_from_1"
            ),
        ]
        indexes = [
            # the newest of one person
            models.Index(fields=["name", "-id"], name="audit_of_person"),
            # the newest of one verb
            models.Index(fields=["verb", "-id"], name="audit_of_verb"),
            # the newest of one kind of thing, and of one thing
            models.Index(fields=["kind", "-id"], name="audit_of_kind"),
            models.Index(fields=["kind", "thing", "-id"], name="audit_of_thing"),
            # where a day begins
            models.Index(fields=["at"], name="audit_by_time"),
            # what is to be sealed
            models.Index(fields=["id"], name="audit_unsealed", condition=models.Q(number=None)),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.label} {self.name}"

    def save(self, *args: Any, **more: Any) -> None:
        if not self._state.adding:
            raise NeverChanged
        super().save(*args, **more)

    def delete(self, *args: Any, **more: Any) -> NoReturn:
        raise NeverChanged


class AuditHead(models.Model):
    """The one row that says where the chain ends, and how far it was looked through."""

    ONLY = 1

    number = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    verified_number = models.BigIntegerField(default=0)
    verified_digest = models.CharField(max_length=64, blank=True)
    verified_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=40, blank=True)  # that was found then: chain.DoesNotFit.code

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"
