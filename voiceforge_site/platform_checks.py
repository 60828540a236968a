"""VoiceForge's own parts, asked whether they work: registered with `mlservices.checks`."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext_lazy
from django_q.brokers import get_broker
from django_q.status import Stat

from mlservices.checks import (
    COUNTED,
    PLATFORM,
    SOURCES,
    Outcome,
    Probe,
    Service,
    Status,
    alerts,
    failed,
    passed,
    warned,
)
from mlservices.checks.http import send
from mlservices.checks.probing import blocking
from mlservices.models import ServiceAlert, ServiceState
from mlservices.service.devices import machine

from .audit.chain import long_unsealed
from .models import AuditHead

_LEAST_FREE = 0.05  # of the disk; below a fifth of it nothing can be relied on
_MANY_JOBS = 100
_LOCKED_MS = 3000  # SQLite's patience with other writers
_PROBE_ROW = "database-write"

DATABASE_AWAY = gettext_noop(
    "Start the database, or correct DATABASE_URL; a full disk stops writing as well."
)
EVENTS_AWAY = gettext_noop("Start Redis, or correct REDIS_URL: until then live pages stand still.")
WORKER_AWAY = gettext_noop(
    "Start the worker again with “make run”, or as the line “worker” of the Procfile says: until then "
    "exports, scheduled checks and alerts wait."
)
WEB_AWAY = gettext_noop(
    "Start it again with “make run”, or as the line “web” of the Procfile says; see its log. If it runs on "
    "another port than the one asked here, set PORT to that."
)
AUDIT_TAMPERED = gettext_noop(
    "“manage.py verify_audit” names the entry. Somebody has changed the database past VoiceForge: keep a "
    "copy of it, and find out who could."
)
AUDIT_WAITS = gettext_noop("The next change links them, or the worker within the hour; see the log of both.")
DISK_FULL = gettext_noop(
    "Make room on the disk of VAR_DIR: old recordings and exports are in its media folder."
)
MEMORY_FULL = gettext_noop("Give the machine more memory, or choose smaller models or fewer workers.")


def own() -> Iterable[Service]:
    yield Service(
        "database",
        _("Database"),
        PLATFORM,
        "database",
        (Probe("write", _("Writes and reads"), blocking(_write_and_read)),),
        about="SQLite" if settings.ON_SQLITE else "PostgreSQL",
        remedy=DATABASE_AWAY,
    )
    yield Service(
        "live-events",
        _("Live events"),
        PLATFORM,
        "radio",
        (Probe("round_trip", _("Sends and receives"), _send_and_receive),),
        about="Redis" if settings.REDIS_URL else _("In memory, for one web process"),
        remedy=EVENTS_AWAY,
    )
    yield Service(
        "jobs",
        _("Background jobs"),
        PLATFORM,
        "cog",
        (
            Probe("heartbeat", _("Worker alive"), blocking(_heartbeat)),
            Probe("cache", _("Cache"), blocking(_cached)),
        ),
        about=_("Exports, scheduled checks"),
        remedy=WORKER_AWAY,
    )
    yield Service(
        "web",
        _("Web server"),
        PLATFORM,
        "globe",
        (Probe("page", _("Answers"), _answers),),
        about=f"{settings.WEB_SERVER} · {settings.HOST}:{settings.PORT}",
        remedy=WEB_AWAY,
    )
    yield Service(
        "audit",
        _("Audit trail"),
        PLATFORM,
        "scroll-text",
        (Probe("chain", _("As it was written"), blocking(_audit)),),
        about=_("Checked every hour"),
        remedy=AUDIT_TAMPERED,
    )
    yield Service(
        "machine",
        _("Machine"),
        PLATFORM,
        "server",
        (
            Probe("disk", _("Disk"), blocking(_disk)),
            Probe("memory", _("Memory"), blocking(_memory)),
        ),
        about=_("Disk and memory"),
        remedy=DISK_FULL,
    )


def _write_and_read() -> Outcome:
    """A row written, read and taken back, on a connection of this thread's own."""
    try:
        with connection.cursor() as cursor:
            if settings.ON_SQLITE:
                cursor.execute(f"PRAGMA busy_timeout={_LOCKED_MS}")
        with transaction.atomic():
            columns = {"checked_at": "2000-01-01T00:00:00Z", "status": Status.PASS, "latency_ms": 0}
            ServiceState.objects.update_or_create(pk=_PROBE_ROW, defaults=columns)
            found = ServiceState.objects.filter(pk=_PROBE_ROW).delete()[0]
    finally:
        connection.close()
    if not found:
        return failed(gettext_noop("What was written could not be read"))
    return passed(gettext_noop("Wrote a row and read it"))


async def _send_and_receive() -> Outcome:
    layer, word = get_channel_layer(), get_random_string(8)
    channel = await layer.new_channel("check")
    await layer.send(channel, {"type": "check", "word": word})
    message = await layer.receive(channel)
    if message.get("word") != word:
        return failed(gettext_noop("Another message came back than was sent"))
    return passed(gettext_noop("A message came back"))


def _heartbeat() -> Outcome:
    try:
        clusters = Stat.get_all()
        waiting = get_broker().queue_size()
    finally:
        connection.close()
    workers = sum(len(cluster.workers) for cluster in clusters)
    if not workers:
        return failed(gettext_noop("No worker has shown its heart beating in the last 3 seconds"))
    words, values = (
        gettext_noop("%(worker_count)s, %(jobs_waiting)s"),
        {"worker_count": workers, "jobs_waiting": waiting},
    )
    return warned(words, WORKER_AWAY, **values) if waiting > _MANY_JOBS else passed(words, **values)


def _cached() -> Outcome:
    """The worker's heart beats through it."""
    key, word = f"check-{get_random_string(8)}", get_random_string(8)
    cache.set(key, word, timeout=10)
    found = cache.get(key)
    cache.delete(key)
    if found != word:
        return failed(gettext_noop("What was kept could not be read"), EVENTS_AWAY)
    return passed(gettext_noop("Kept a word and read it"))


def own_address() -> str:
    """Of the web server, as it is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)
    return f"http://[{host}]:{settings.PORT}" if ":" in host else f"http://{host}:{settings.PORT}"


async def _answers() -> Outcome:
    """Whatever /health/ says of the other parts: they are asked themselves."""
    answer = await send("GET", f"{own_address()}/health/")
    if "status" not in answer.fields():
        return failed(gettext_noop("HTTP %(status)s from /health/"), status=answer.status)
    return passed(gettext_noop("%(address)s answers"), address=own_address())


def _audit() -> Outcome:
    """What was found when the chain was last looked through, and whether anything waits to be linked."""
    try:
        head = AuditHead.objects.filter(pk=AuditHead.ONLY).first() or AuditHead()
        waiting = long_unsealed(timezone.now())
    finally:
        connection.close()
    if head.problem:
        return failed(gettext_noop("An entry is not as it was written, or is missing"))
    if waiting:
        return warned(gettext_noop("Entries wait to be linked"), AUDIT_WAITS)
    return passed(
        gettext_noop("Every entry up to no. %(number)s is as it was written"), number=head.verified_number
    )


def _disk() -> Outcome:
    usage = shutil.disk_usage(settings.VAR_DIR)
    free, status = usage.free / usage.total, Status.PASS
    if free < _LEAST_FREE:
        status = Status.FAIL if free < _LEAST_FREE / 5 else Status.WARN
    values = {"free": f"{usage.free / 1e9:.1f}", "all": f"{usage.total / 1e9:.0f}"}
    return Outcome(status, gettext_noop("%(free)s of %(all)s GB free in VAR_DIR"), DISK_FULL, values)


def _memory() -> Outcome:
    """Within the limit of a container, as models are placed."""
    memory = machine()
    values = {"free": f"{memory.free_mb / 1024:.1f}", "all": f"{memory.total_mb / 1024:.0f}"}
    words = gettext_noop("%(free)s of %(all)s GB free")
    status = Status.WARN if memory.used > alerts.LIMITS[ServiceAlert.Kind.MEMORY] else Status.PASS
    return Outcome(status, words, MEMORY_FULL, values, {"memory": memory.used})


COUNTED["jobs_waiting"] = ngettext_lazy("%(n)s job waits", "%(n)s jobs wait", "n")
SOURCES.append(own)
