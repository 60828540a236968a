from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from mlservices.audit import Thing, record
from tests.audit import guard
from voiceforge_site.audit.chain import (
    DoesNotFit,
    Point,
    digest_of,
    long_unsealed,
    seal,
    stored_head,
    verify,
    verify_news,
)
from voiceforge_site.audit.models import AuditEntry, AuditHead, NeverChanged

pytestmark = pytest.mark.django_db
DOOR = Thing("house.door", "1", "Front door")


def opened(times: int = 1) -> None:
    for _ in range(times):
        record("door.opened", DOOR, by="alice", after={"wide": 1.5, "who": "Zoë"})
    seal()


def tampered(sql: str, *values: object) -> None:
    """By somebody who has the database to themselves, and so needs no permission of its triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS audit_unchanged")
        else:
            cursor.execute("DROP TRIGGER IF EXISTS audit_unchanged ON voiceforge_site_auditentry")
        cursor.execute(sql, values)


def unbounded() -> None:
    """The same somebody, who lets numbers be what they like."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute(
                "ALTER TABLE voiceforge_site_auditentry DROP CONSTRAINT audit_entry_numbered_from_1"
            )


@pytest.fixture
def without_bounds() -> Iterator[None]:
    unbounded()
    yield
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def walked() -> Point:
    return verify(start=Point(), known=[stored_head()])


def test_entries_are_numbered_and_each_bears_the_digest_of_the_one_before() -> None:
    opened(3)
    first, second, third = AuditEntry.objects.order_by("number")
    assert (first.number, first.previous) == (1, "")
    assert (second.previous, third.previous) == (first.digest, second.digest)
    assert stored_head() == Point(3, third.digest) == walked()


def test_an_entry_is_written_with_the_verb_and_linked_when_that_is_committed(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        record("door.opened", DOOR)
        record("door.closed", DOOR)
        assert AuditEntry.unsealed.count() == 2
    assert len(callbacks) == 1
    assert AuditEntry.unsealed.count() == 0


def test_of_a_verb_that_came_to_nothing_nothing_is_told() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("door.opened", DOOR)
        _ = 1 / 0
    opened()
    assert AuditEntry.objects.count() == 1


def test_what_a_crash_left_without_a_link_is_linked_by_the_next() -> None:
    record("door.opened", DOOR)  # and the process dies
    opened()
    assert [entry.number for entry in AuditEntry.objects.order_by("pk")] == [1, 2]


def test_a_changed_entry_shows() -> None:
    opened(5)
    tampered("UPDATE voiceforge_site_auditentry SET name = 'mallory' WHERE number = 3")
    with pytest.raises(DoesNotFit, match=r"^Entry 3 was changed"):
        walked()


def test_an_entry_that_was_changed_with_its_digest_shows_at_the_next() -> None:
    opened(5)
    entry = AuditEntry.objects.get(number=3)
    entry.name = "mallory"
    tampered(
        "UPDATE voiceforge_site_auditentry SET name = 'mallory', digest = %s WHERE number = 3",
        digest_of(entry),
    )
    with pytest.raises(DoesNotFit, match=r"^Entry 4 does not follow"):
        walked()


def test_an_entry_that_was_taken_out_shows() -> None:
    opened(5)
    tampered("DELETE FROM voiceforge_site_auditentry WHERE number = 3")
    with pytest.raises(DoesNotFit, match=r"^Entry 3 is missing"):
        walked()


def test_a_tail_that_was_cut_off_shows() -> None:
    opened(5)
    tampered("DELETE FROM voiceforge_site_auditentry WHERE number > 3")
    with pytest.raises(DoesNotFit, match="entry 4 and all after it are missing"):
        walked()


def test_a_whole_chain_that_was_made_anew_shows_by_a_head_that_was_kept_elsewhere() -> None:
    opened(3)
    kept = stored_head()
    tampered("DELETE FROM voiceforge_site_auditentry")
    AuditHead.objects.all().delete()
    opened(4)
    walked()  # it fits in itself
    with pytest.raises(DoesNotFit, match=r"^Entry 3 is another"):
        verify(start=Point(), known=[kept])


@pytest.mark.parametrize("number", [0, -1, -(2**40)])
def test_the_database_takes_no_number_outside_the_chain(number: int) -> None:
    record("door.opened", DOOR)
    with pytest.raises(IntegrityError), transaction.atomic():
        tampered("UPDATE voiceforge_site_auditentry SET number = %s", number)


@pytest.mark.parametrize("number", [0, -1, -(2**40)])
@pytest.mark.usefixtures("without_bounds")
def test_an_entry_that_was_put_beside_the_chain_shows(number: int) -> None:
    opened(3)
    verify_news()
    record("door.opened", DOOR, by="mallory")
    tampered("UPDATE voiceforge_site_auditentry SET number = %s WHERE number IS NULL", number)
    with pytest.raises(DoesNotFit, match=f"outside the chain, with the number {number}"):
        walked()
    assert verify_news() == f"outside {number}"


@pytest.mark.parametrize("change", ["words = ''", "id = id + 1000"])
def test_an_entry_that_was_hidden_from_the_search_or_moved_shows(change: str) -> None:
    opened(3)
    tampered(f"UPDATE voiceforge_site_auditentry SET {change} WHERE number = 2")
    with pytest.raises(DoesNotFit, match=r"^Entry 2 was changed"):
        walked()


def test_entries_that_stay_without_a_link_are_counted() -> None:
    record("door.opened", DOOR)
    assert long_unsealed(timezone.now()) == 0
    assert long_unsealed(timezone.now() + timedelta(seconds=90)) == 1


def test_what_is_new_alone_is_looked_through_each_time() -> None:
    opened(3)
    assert verify_news() == ""
    head = AuditHead.objects.get()
    assert (head.verified_number, head.verified_digest) == (3, head.digest)
    opened(2)
    tampered("UPDATE voiceforge_site_auditentry SET verb = 'door.shut' WHERE number = 5")
    assert verify_news() == "changed 5"
    head.refresh_from_db()
    assert (head.verified_number, head.problem) == (3, "changed 5")


def test_the_orm_takes_no_change() -> None:
    opened()
    entry = AuditEntry.objects.get()
    for change in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(name="mallory"),
    ):
        with pytest.raises(NeverChanged):
            change()


_CHANGES = (
    "UPDATE voiceforge_site_auditentry SET name = 'mallory'",
    "UPDATE voiceforge_site_auditentry SET words = ''",
    "DELETE FROM voiceforge_site_auditentry",
)
_OF_A_LINK = "UPDATE voiceforge_site_auditentry SET number = 7"


@pytest.mark.parametrize(
    ("sql", "linked"), [*((sql, linked) for sql in _CHANGES for linked in (False, True)), (_OF_A_LINK, True)]
)
def test_the_database_takes_no_change(sql: str, linked: bool) -> None:
    record("door.opened", DOOR)
    if linked:
        seal()
    with connection.cursor() as cursor:
        for statement in guard.again(connection.vendor):
            cursor.execute(statement)
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            cursor.execute(sql)
