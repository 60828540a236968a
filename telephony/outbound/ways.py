"""By what a call can go out, and what each of these ways cannot do."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..models import Credential, PlannedCall

_NO_TELEPHONE: Promise = _("A telephone is rung first by a call-back of Zadarma's alone.")
_NOT_BY_SIP: Promise = _("Only Twilio tells a machine from a person.")
_NOT_BY_CALL_BACK: Promise = _("In a call-back somebody speaks by a telephone: no agent takes part in it.")


class Way(models.TextChoices):
    TWILIO = "twilio", _("Twilio")
    SIP = "sip", _("By a SIP line")
    CALL_BACK = "back", _("Call-back by Zadarma")


# The fields of a call that a way has no use for.
CANNOT: dict[Way, dict[str, Promise]] = {
    Way.TWILIO: {"telephone": _NO_TELEPHONE},
    Way.SIP: {"telephone": _NO_TELEPHONE, "machine": _NOT_BY_SIP, "message": _NOT_BY_SIP},
    Way.CALL_BACK: dict.fromkeys(
        ("machine", "message", "values", "send_digits", "operator"), _NOT_BY_CALL_BACK
    ),
}


def way_of(carrier: models.Model) -> Way:
    """`carrier` is an account or a SIP line."""
    if not isinstance(carrier, Credential):
        return Way.SIP
    return Way.CALL_BACK if carrier.provider == Credential.Provider.ZADARMA else Way.TWILIO


def refuse_what_it_cannot(planned: PlannedCall) -> None:
    """Raises ValidationError by field."""
    assert planned.carrier
    way = way_of(planned.carrier)
    given = {name: getattr(planned, name) for name in CANNOT[way]}
    if given.get("machine") == PlannedCall.Machine.IGNORE:
        del given["machine"]
    if told := {name: CANNOT[way][name] for name, value in given.items() if value}:
        raise ValidationError(told)
    if way == Way.CALL_BACK and not planned.telephone:
        raise ValidationError(
            {"telephone": _("Zadarma rings a telephone of yours first: write its extension or its number.")}
        )
    if planned.machine == PlannedCall.Machine.MESSAGE and not planned.message:
        raise ValidationError({"message": _("Write what is said to a machine.")})
