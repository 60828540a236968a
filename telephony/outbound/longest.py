"""How long a call may last that people speak in, whatever was set aside for it when an agent was to."""

from __future__ import annotations

import logging
from threading import Thread

from ..lines.limiting import limit_at_carrier
from ..models import Call
from .actions import is_with_people
from .guard import LONGEST_OF_PEOPLE, NotAllowed

logger = logging.getLogger(__name__)


def lasts_as_people_speak(call: Call) -> Thread | None:
    """An operator has taken it over. The thread tells the carrier; None where no carrier is told."""
    try:
        is_with_people(call.pk)
    except NotAllowed as error:
        logger.warning("Call %s lasts no longer than its agent may speak: %s", call.pk, error)
        return None
    return limit_at_carrier(call, LONGEST_OF_PEOPLE)
