"""MCP servers; `agents.models` has them with the others."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ToolServer(models.Model):
    """An MCP server, whose tools flows may use once an administrator has chosen them."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("address"), max_length=120, unique=True)
    url = models.CharField(_("address"), max_length=2000)
    secret_headers = models.TextField(blank=True, editable=False)  # {name: value} as JSON, sealed
    # What it called itself and offered when it was last read; agents.tools.mcp.offers is the typed door.
    told_name = models.CharField(max_length=64, blank=True, editable=False)
    told_version = models.CharField(max_length=64, blank=True, editable=False)
    offered = models.JSONField(default=list, editable=False)
    news = models.JSONField(default=list, editable=False)  # [["added" | "changed" | "gone", its name], ...]
    read_at = models.DateTimeField(null=True, editable=False)  # null: it never answered
    reason = models.CharField(max_length=500, blank=True, editable=False)  # why it did not the last time
    changed_by = models.CharField(max_length=150, blank=True, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("tools:server", args=[self.slug])
