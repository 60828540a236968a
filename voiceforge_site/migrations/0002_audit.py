"""The audit trail as each database guards it: no row goes, and none changes but for its link in the chain."""

from django.db import migrations

TABLE = "voiceforge_site_auditentry"
WRITTEN = "id at name key address request verb kind thing label changes detail words".split()
OLD, NEW = (", ".join(f"{row}.{name}" for name in WRITTEN) for row in ("old", "new"))
CHANGED = f"old.number IS NOT NULL OR new.number IS NULL OR ({OLD}) IS %s ({NEW})"

POSTGRESQL = [
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'The audit trail is never changed.'; END $$",
    f"CREATE TRIGGER audit_stays BEFORE DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    f"CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON {TABLE} EXECUTE FUNCTION audit_refuse()",
    f"CREATE TRIGGER audit_unchanged BEFORE UPDATE ON {TABLE} FOR EACH ROW"
    f" WHEN ({CHANGED % 'DISTINCT FROM'}) EXECUTE FUNCTION audit_refuse()",
    f"CREATE INDEX audit_words ON {TABLE} USING gin (to_tsvector('simple', words))",
]
SQLITE = [
    f"CREATE TRIGGER audit_stays BEFORE DELETE ON {TABLE}"
    " BEGIN SELECT RAISE(ABORT, 'The audit trail is never changed.'); END",
    f"CREATE TRIGGER audit_unchanged BEFORE UPDATE ON {TABLE} WHEN {CHANGED % 'NOT'}"
    " BEGIN SELECT RAISE(ABORT, 'The audit trail is never changed.'); END",
    "CREATE VIRTUAL TABLE voiceforge_site_auditwords USING fts5("
    f"words, content = '{TABLE}', content_rowid = 'id', detail = none,"
    " tokenize = 'unicode61 remove_diacritics 0')",
    f"CREATE TRIGGER audit_found AFTER INSERT ON {TABLE}"
    " BEGIN INSERT INTO voiceforge_site_auditwords (rowid, words) VALUES (new.id, new.words); END",
]
POSTGRESQL_BACK = [
    "DROP INDEX audit_words",
    *(f"DROP TRIGGER {name} ON {TABLE}" for name in ("audit_stays", "audit_stays_whole", "audit_unchanged")),
    "DROP FUNCTION audit_refuse",
]
SQLITE_BACK = [
    *(f"DROP TRIGGER {name}" for name in ("audit_stays", "audit_unchanged", "audit_found")),
    "DROP TABLE voiceforge_site_auditwords",
]


def make(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def unmake(apps, schema_editor):
    for statement in POSTGRESQL_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("voiceforge_site", "0001_initial")]
    operations = [migrations.RunPython(make, unmake)]
