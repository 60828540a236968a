"""Large databases to measure pages on, under `var/bench`:

    python -m tests.bench.data --sqlite 100000 --postgresql 1000000

Twenty events a call; with `--few` two and no full text, which is enough for lists and takes a tenth of the
time. SQLite's is one file; PostgreSQL's a cluster of its own, which runs on a loopback port only while it is
filled or measured. What is there already is made anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import psycopg

from tests.services import ordinary_user, postgresql_programs, running, wait_until
from tests.site.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "var" / "bench" / "data"
BUILT = FOLDER / "built.json"  # {"sqlite": {"calls": 100000, ...}, ...}
# PostgreSQL does not run as root, and nobody else may enter root's own folders.
CLUSTER = FOLDER / "postgresql" if ordinary_user() is None else Path("/var/tmp/voiceforge-bench/postgresql")
BATCH = 2000  # calls
BYTES_A_CALL = 9_000  # with all indexes, in either database
AGENTS = ("Front desk", "Concierge", "Deliveries", "Night line", "Billing", "Repairs", "Sales", "Museum")
TABLES = ("telephony_callevent", "telephony_measuredturn", "telephony_callmessage", "telephony_call")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--sqlite", type=int, default=0, metavar="CALLS")
    parser.add_argument("--postgresql", type=int, default=0, metavar="CALLS")
    parser.add_argument("--few", action="store_true", help="two events a call instead of twenty")
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a cluster must not outlive us
    if options.fill:
        fill(options.fill, options.few)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, calls in (("sqlite", options.sqlite), ("postgresql", options.postgresql)):
        if calls:
            build(name, calls, options.few)


def build(name: str, calls: int, few: bool) -> None:
    free = shutil.disk_usage(FOLDER).free
    if free < 2 * calls * BYTES_A_CALL:
        sys.exit(
            f"{name}: {calls} calls need {2 * calls * BYTES_A_CALL / 1e9:.0f} GB, {free / 1e9:.0f} are free."
        )
    forget(name)
    with database(name) as address:
        command = [sys.executable, "-m", "tests.bench.data", "--fill", str(calls), *["--few"] * few]
        subprocess.run(command, cwd=REPOSITORY, env=environment(address), check=True)
    BUILT.write_text(json.dumps(built() | {name: {"calls": calls, "few_events": few}}, indent=1))


def built() -> dict[str, Any]:
    return json.loads(BUILT.read_text()) if BUILT.exists() else {}


def forget(name: str) -> None:
    known = built()
    known.pop(name, None)
    BUILT.write_text(json.dumps(known, indent=1))
    if name == "postgresql":
        shutil.rmtree(CLUSTER, ignore_errors=True)
        return
    for path in FOLDER.glob("bench.sqlite3*"):
        path.unlink()


def environment(address: str) -> dict[str, str]:
    """Of a process on one of the databases; secrets must be given off the embedded one."""
    return os.environ | {
        "DATABASE_URL": address,
        "SESSION_SECRET": "bench" * 12,
        "CREDENTIALS_KEY": "YmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2ghISE=",
    }


@contextmanager
def database(name: str) -> Iterator[str]:
    """Its address while it runs."""
    if name == "sqlite":
        yield f"sqlite:///{FOLDER / 'bench.sqlite3'}"
        return
    with ExitStack() as stack:
        yield stack.enter_context(cluster(CLUSTER))


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Kept between runs, unlike that of `tests.services`; quick to fill, and lost in a power cut."""
    programs, user = postgresql_programs(), ordinary_user()
    if not folder.exists():
        folder.mkdir(parents=True)
        if user:
            shutil.chown(folder, user)
        initdb = [programs / "initdb", "-D", folder / "data", "-U", "voiceforge", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--no-sync"], user=user, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "fsync": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "4GB",
        "shared_buffers": "512MB",
        "maintenance_work_mem": "512MB",
    }
    options = [text for key, value in settings.items() for text in ("-c", f"{key}={value}")]
    server = [programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", "/tmp", *options]
    address = f"postgres://voiceforge@127.0.0.1:{port}/postgres"
    with running(server, folder=folder, user=user, stop=signal.SIGINT) as process:
        wait_until(lambda: psycopg.connect(address).close(), psycopg.OperationalError, process)
        yield address


# ---- filling one, in a process of its own -------------------------------------------------------


class Table(Protocol):
    def write(self, rows: Iterable[Sequence[Any]]) -> None: ...


def fill(calls: int, few: bool) -> None:
    """The tables without their indexes first, then the indexes, which takes a fraction of the time."""
    import django

    django.setup()
    from django.core.management import call_command, get_commands
    from django.db import connection

    call_command("migrate", verbosity=0)
    maker = prepare(few)
    begun = time.monotonic()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-400000")
        again = [] if connection.vendor == "sqlite" else drop_indexes(cursor)
        events = write(maker, calls, begun)
        tell(f"{calls} calls, {events} events, {time.monotonic() - begun:.0f} s; now the indexes", end="\n")
        for statement in again:
            cursor.execute(statement)
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    if not few and "index_calls" in get_commands():  # what full text searches read
        call_command("index_calls")
    tell(f"{calls} calls, {events} events, {time.monotonic() - begun:.0f} s in all", end="\n")


def prepare(few: bool) -> Any:
    from django.utils import timezone

    from telephony.credentials import save_credential
    from telephony.models import PhoneNumber
    from tests.bench.made_calls import Maker
    from tests.factories import make_agent
    from voiceforge_site.models import User

    User.objects.create_user("bench", password="bench", role="administrator")
    agents = [make_agent(name, fallback_number="+14155550199") for name in AGENTS]
    credential = save_credential(provider="twilio", account="AC1", secret="secret", label="Main")
    numbers = [
        PhoneNumber.objects.create(number=f"+1415555{number:04}", credential=credential, agent=agent).pk
        for number, agent in enumerate(agents)
    ]
    return Maker(agents=agents, numbers=numbers, now=timezone.now().astimezone(UTC), few=few)


def write(maker: Any, calls: int, begun: float) -> int:
    """In batches, so that memory stays the same however many there are; the number of events."""
    from django.db import connection, transaction

    from telephony.models import Call, CallEvent, CallMessage, MeasuredTurn
    from tests.bench.made_calls import MESSAGE_COLUMNS

    columns = [column for column in Call._meta.concrete_fields if not column.generated]
    names = [column.attname for column in columns]
    usual = {column.attname: column.get_default() for column in columns}
    table = SqliteTables(connection) if connection.vendor == "sqlite" else PostgresTables(connection)
    done = events = 0
    made = maker.calls(calls)
    while batch := [call for _, call in zip(range(BATCH), made, strict=False)]:
        with transaction.atomic():
            rows = ([(usual | call.fields)[name] for name in names] for call in batch)
            table.write(Call._meta.db_table, names, rows)
            happened = (
                (call.fields["id"], seq, kind, at, seconds, payload)
                for call in batch
                for seq, kind, at, seconds, payload in call.events
            )
            event_names = ("call_id", "seq", "kind", "at", "at_seconds", "payload")
            table.write(CallEvent._meta.db_table, event_names, happened)
            turns = (
                (call.fields["id"], call.fields["created_at"], ms) for call in batch for ms in call.turns
            )
            table.write(MeasuredTurn._meta.db_table, ("call_id", "began", "milliseconds"), turns)
            left = (row for call in batch for row in call.messages)
            table.write(CallMessage._meta.db_table, MESSAGE_COLUMNS, left)
        done += len(batch)
        events += sum(len(call.events) for call in batch)
        elapsed = time.monotonic() - begun
        tell(f"{done / calls:4.0%}  {done} calls  {events} events  {events / elapsed:.0f} a second")
    return events


def tell(text: str, end: str = "") -> None:
    sys.stderr.write(f"\r{text:100}{end}")
    sys.stderr.flush()


class SqliteTables:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def write(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        marks = ", ".join("?" for _ in names)
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
        is_id = [name == "id" or name == "call_id" for name in names]
        with self._connection.cursor() as cursor:
            cursor.cursor.connection.executemany(
                statement,
                ([_for_sqlite(value, key) for value, key in zip(row, is_id, strict=True)] for row in rows),
            )


def _for_sqlite(value: Any, is_id: bool) -> Any:
    if is_id:
        return value.replace("-", "")
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


class PostgresTables:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def write(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        statement = f"COPY {table} ({', '.join(names)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write("\t".join(map(_for_copy, row)) + "\n")


def _for_copy(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\")
    return value.isoformat() if isinstance(value, datetime) else str(value)


def drop_indexes(cursor: Any) -> list[str]:
    """And the constraints of the large tables, but for primary keys; the statements that make them again."""
    again = []
    cursor.execute(
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('u', 'f')",
        [list(TABLES)],
    )
    for table, name, definition in cursor.fetchall():
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        again.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes "
        "WHERE tablename = ANY(%s) AND indexname NOT LIKE '%%_pkey'",
        [list(TABLES)],
    )
    for name, definition in cursor.fetchall():
        cursor.execute(f'DROP INDEX "{name}"')
        again.append(definition)
    return again


if __name__ == "__main__":
    main()
