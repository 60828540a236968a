"""What people write on calls, and what they have seen to: tags, notes, messages. One verb a function, used
alike by pages, API and commands."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from mlservices import audit

from .audited import record_of_call
from .models import Call, CallMessage, CallNote, Tag

LONGEST_TAG, LONGEST_NOTE = 40, 4000  # characters


@transaction.atomic
def tag_calls(*, call_ids: Sequence[UUID], name: str) -> int:
    """A tag that is new is made; capitals do not make it another. How many calls bear it now."""
    name = name[:LONGEST_TAG]
    tag = Tag.objects.filter(name__iexact=name).first()
    tag = tag or Tag.objects.create(name=name, colour=Tag.colour_of(name))
    calls = list(Call.objects.filter(pk__in=call_ids).values_list("pk", flat=True))
    Call.tags.through.objects.bulk_create(
        [Call.tags.through(call_id=pk, tag=tag) for pk in calls], ignore_conflicts=True
    )
    if calls:
        audit.record("tag.put_on", tag, after={"calls": calls})
    return len(calls)


def tag_call(*, call: Call, name: str) -> None:
    tag_calls(call_ids=[call.pk], name=name)


@transaction.atomic
def untag_call(*, call: Call, name: str) -> None:
    """A tag that no call bears any more goes too."""
    tag = Tag.objects.filter(name=name).first()
    if tag and call.tags.through.objects.filter(call=call, tag=tag).delete()[0]:
        audit.record("tag.taken_off", tag, before={"calls": [call.pk]})
    Tag.objects.filter(name=name, calls=None).delete()


@transaction.atomic
def write_note(*, call: Call, author: str, text: str) -> CallNote:
    record_of_call("call.note_written", call.pk, by=author)
    return CallNote.objects.create(call=call, author=author, text=text.strip()[:LONGEST_NOTE])


@transaction.atomic
def delete_note(*, call: Call, note_id: int, author: str | None) -> bool:
    """`author` may delete only what is their own; None is anybody's master. False where there is none."""
    notes = CallNote.objects.filter(call=call, pk=note_id)
    deleted = (notes if author is None else notes.filter(author=author)).delete()[0]
    if deleted:
        record_of_call("call.note_deleted", call.pk, by=author or "")
    return bool(deleted)


@transaction.atomic
def set_messages_done(*, message_ids: Sequence[int], done: bool, by: str) -> list[int]:
    """Mark messages as done by the user named `by`, or as open; the ids of those that were not so yet."""
    messages = CallMessage.objects.select_for_update().filter(pk__in=message_ids, done_at__isnull=done)
    changed = list(messages.values_list("pk", flat=True))
    CallMessage.objects.filter(pk__in=changed).update(
        done_at=timezone.now() if done else None, done_by=by if done else ""
    )
    for message_id in changed:
        audit.record("message.done" if done else "message.reopened", _message(message_id), by=by)
    return changed


@transaction.atomic
def delete_messages(*, message_ids: Sequence[int]) -> int:
    """What was said stays in the calls; how many messages are gone."""
    messages = CallMessage.objects.filter(pk__in=message_ids)
    for message_id, call_id in messages.values_list("pk", "call_id"):
        audit.record("message.deleted", _message(message_id), before={"call": call_id})
    return messages.delete()[0]


def _message(message_id: int) -> audit.Thing:
    """Without the caller's name and words, which must be able to go."""
    return audit.Thing("telephony.callmessage", str(message_id), f"no. {message_id}")
