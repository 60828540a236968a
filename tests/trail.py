"""What the audit trail was told."""

from __future__ import annotations

from voiceforge_site.models import AuditEntry


def verbs(kind: str = "") -> list[str]:
    """In the order in which it was told; of one `kind` of thing, or of all."""
    found = AuditEntry.objects.filter(kind=kind) if kind else AuditEntry.objects.all()
    return list(found.order_by("pk").values_list("verb", flat=True))


def last() -> AuditEntry:
    found = AuditEntry.objects.order_by("-pk").first()
    assert found
    return found
