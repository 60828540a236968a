"""Knowledge bases; `agents.models` has them with the others."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LEFT_AFTER = timedelta(minutes=10)  # without a sign of the worker


class KnowledgeBase(models.Model):
    """What a talk of a flow may look up."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("address"), max_length=120, unique=True)
    stamp = models.PositiveIntegerField(default=0, editable=False)  # one up with each change of its passages
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("knowledge:base", args=[self.slug])


class Source(models.Model):
    """A document, a page of the web, or answered questions. Its passages stay until newer ones are there."""

    class Kind(models.TextChoices):
        FILE = "file", _("File")
        PAGE = "page", _("Web page")
        PAIRS = "pairs", _("Questions and answers")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        READING = "reading", _("Being read")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Not read")

    base = models.ForeignKey(KnowledgeBase, models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(_("name"), max_length=200)
    address = models.CharField(_("address"), max_length=2000, blank=True)  # of a page
    content = models.BinaryField(default=bytes)  # of a file, or of pairs as JSON
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True)  # why it could not be read
    done = models.PositiveIntegerField(default=0)  # passages that are embedded, of `found`
    found = models.PositiveIntegerField(default=0)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(default=timezone.now)  # the last thing that was done to it

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_left(self) -> bool:
        """The worker that read it has gone."""
        return self.state == self.State.READING and timezone.now() - self.at > LEFT_AFTER

    @property
    def is_under_way(self) -> bool:
        return self.state in (self.State.WAITING, self.State.READING) and not self.is_left


class Passage(models.Model):
    """A piece that is found as a whole. `vector` are float32 of unit length."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="passages")
    place = models.PositiveIntegerField()
    heading = models.CharField(max_length=300, blank=True)
    page = models.PositiveIntegerField(null=True)
    text = models.TextField()
    answer = models.TextField(blank=True)  # of a question; "" otherwise
    vector = models.BinaryField()

    class Meta:
        ordering = ["place"]

    def __str__(self) -> str:
        return self.text[:60]
