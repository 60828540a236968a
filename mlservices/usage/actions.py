"""What can be done with prices, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from django.db import transaction

from .. import audit
from ..models.usage import Price


@transaction.atomic
def add_price(*, price: Price) -> Price:
    """One that a form has judged."""
    price.save()
    audit.record("price.added", price, after=audit.fields_of(price))
    return price


@transaction.atomic
def delete_price(*, price: Price) -> None:
    """What was used so far keeps its cost."""
    audit.record("price.deleted", price, before=audit.fields_of(price))
    price.delete()
