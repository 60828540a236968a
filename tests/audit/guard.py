"""The triggers by which the database itself refuses to take an entry of the trail away."""

from __future__ import annotations

from importlib import import_module

_NAMES = ("audit_stays", "audit_stays_whole")


def without(vendor: str) -> list[str]:
    if vendor == "sqlite":
        return ["DROP TRIGGER audit_stays"]
    return [f"DROP TRIGGER {name} ON voiceforge_site_auditentry" for name in _NAMES]


def again(vendor: str) -> list[str]:
    """As the migration makes them."""
    migration = import_module("voiceforge_site.migrations.0002_audit")
    statements: list[str] = migration.SQLITE if vendor == "sqlite" else migration.POSTGRESQL
    return [each for each in statements if each.startswith("CREATE TRIGGER audit_stays")]
