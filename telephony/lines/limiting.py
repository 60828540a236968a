"""How long a call may last, told to its carrier, which ends it then even where we no longer can."""

from __future__ import annotations

import logging
import time
from threading import Thread

from ..models import Call, Credential
from .accounts import Account, ProviderError
from .actions import asked_often

logger = logging.getLogger(__name__)

PAUSES_SECONDS = (1.0, 5.0, 20.0)  # before it is told again


def limit_at_carrier(call: Call, seconds: int) -> Thread | None:
    """Of a call with Twilio, counted from its beginning. Neither a call nor a webhook waits for the carrier's
    answer, nor does a server that stops. None where no carrier is told."""
    number = call.phone_number
    if number is None or not call.provider_call_id:
        return None
    credential = number.credential
    if credential.provider != Credential.Provider.TWILIO or credential.is_simulated:
        return None
    try:
        account = asked_often(credential, "limited")
    except ProviderError as error:
        logger.error("The carrier was not told how long call %s may last: %s", call.pk, error)
        return None
    thread = Thread(target=_tell, args=(account, call, seconds), name="carrier", daemon=True)
    thread.start()
    return thread


def _tell(account: Account, call: Call, seconds: int) -> None:
    """Where the carrier does not take it, our own watch over the call goes on all the same."""
    for pause in (*PAUSES_SECONDS, None):
        try:
            account.limit(call.provider_call_id, seconds)
            return
        except ProviderError as error:
            if pause is None or not error.may_help:
                logger.warning("The carrier was not told how long call %s may last: %s", call.pk, error)
                return
            time.sleep(pause)
