"""The words of calls, as each database searches them; `telephony.search` reads and writes them."""

from django.db import migrations

POSTGRESQL = [
    "ALTER TABLE telephony_calltext ADD COLUMN document tsvector",
    # Rows are written one a call and read all the time: no list of pending entries to read through first.
    "CREATE INDEX call_words ON telephony_calltext USING gin (document) WITH (fastupdate = off)",
]
SQLITE = [
    # Without the words' places, which nobody asks for; with the beginnings of words, which everybody types.
    "CREATE VIRTUAL TABLE telephony_callwords USING fts5("
    "words, detail = none, prefix = '2 3', tokenize = \"unicode61 remove_diacritics 0 tokenchars '_'\")",
    # However a text goes (its call is deleted), its words go with it.
    "CREATE TRIGGER telephony_calltext_gone AFTER DELETE ON telephony_calltext"
    " BEGIN DELETE FROM telephony_callwords WHERE rowid = old.id; END",
]


def make(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def unmake(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE telephony_calltext DROP COLUMN document")
    else:
        schema_editor.execute("DROP TRIGGER telephony_calltext_gone")
        schema_editor.execute("DROP TABLE telephony_callwords")


class Migration(migrations.Migration):
    dependencies = [("telephony", "0001_initial")]
    operations = [migrations.RunPython(make, unmake)]
