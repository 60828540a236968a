"""What was said in a call, taken out of all that is kept of it where its flow asks for that.

While the call goes on, its words are there for those who watch it. Afterwards its events are all there still,
but without words.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from .models import Call, CallEvent

ASKED_FOR = "words_forgotten"
SPOKEN = (
    "caller_words_guessed",
    "caller_said",
    "caller_said_nothing",
    "agent_said",
    "agent_heard",
    "operator_said",
    "operator_whispered",
    "operator_gave_back",
    "digits_pressed",
)
_WORDS = ("text", "note", "digits")  # fields in which they stand
BATCH = 500


@transaction.atomic
def forget_words(call_id: UUID) -> None:
    """Of a call that is over, if its flow has asked for it; before its text is made findable."""
    events = CallEvent.objects.filter(call=call_id)
    if not events.filter(kind=ASKED_FOR).exists():
        return
    call = Call.objects.select_for_update().only("card").get(pk=call_id)
    call.card = {**call.card, "words": "", "guess": ""}
    call.save(update_fields=["card"])
    spoken = list(events.filter(kind__in=SPOKEN))
    for row in spoken:
        row.payload |= dict.fromkeys(set(_WORDS) & set(row.payload), "")
    CallEvent.objects.bulk_update(spoken, ["payload"], batch_size=BATCH)
