"""The dialler without its clock."""

from __future__ import annotations

from telephony.outbound import dialler


def dialled() -> int:
    """Place everything that is due and can be placed now, without the pauses; how many were."""
    count = 0
    for lease in dialler.taken():
        while dialler.place_next(lease):
            count += 1
        dialler.let_go(lease)
    return count
