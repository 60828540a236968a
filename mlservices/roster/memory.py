"""The machine's memory as a picture: for each device what models take, what others use, and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ..catalog import BY_ID
from ..service.placement import CPU
from . import figures
from .told import Told

_COMING = ("starting", "loading")


@dataclass(frozen=True, slots=True)
class Seat:
    """A model on one device. `real_mb` is measured: 0 where it is not, as by many a GPU's driver."""

    id: str
    name: str
    kind: str
    workers: int
    planned_mb: int
    real_mb: int
    is_coming: bool

    @property
    def shown_mb(self) -> int:
        """A model that is being loaded will take what is planned; that is not to be given to another."""
        return max(self.real_mb, self.planned_mb) if self.is_coming else self.real_mb or self.planned_mb

    @property
    def short_name(self) -> str:
        """Without the library in brackets."""
        return self.name.partition(" (")[0]

    @property
    def planned(self) -> str:
        return figures.megabytes(self.planned_mb)

    @property
    def real(self) -> str:
        return figures.megabytes(self.real_mb) if self.real_mb else ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One device. Its parts add up to `total_mb`, but for plans that it could not keep."""

    id: str
    name: str
    total_mb: int
    free_mb: int
    kept_back_mb: int
    seats: list[Seat]

    @property
    def is_machine(self) -> bool:
        return self.id == CPU

    @property
    def title(self) -> str:
        return _("Processor") if self.is_machine else _("GPU %(id)s") % {"id": self.id}

    @property
    def used(self) -> str:
        return figures.megabytes(self.total_mb - self.free_mb)

    @property
    def total(self) -> str:
        return figures.megabytes(self.total_mb)

    @property
    def percent(self) -> int:
        return round(100 * (self.total_mb - self.free_mb) / self.total_mb) if self.total_mb else 100

    @property
    def others_mb(self) -> int:
        loaded = sum(seat.shown_mb for seat in self.seats if not seat.is_coming)
        arriving = sum(seat.real_mb for seat in self.seats if seat.is_coming)
        return max(0, self.total_mb - self.free_mb - loaded - arriving)

    @property
    def others(self) -> str:
        return figures.megabytes(self.others_mb)

    @property
    def open_mb(self) -> int:
        """What the next plan may give away."""
        taken = self.others_mb + sum(seat.shown_mb for seat in self.seats)
        return max(0, self.total_mb - taken - self.kept_back_mb)

    @property
    def open(self) -> str:
        return figures.megabytes(self.open_mb)

    @property
    def kept_mb(self) -> int:
        """Of what is kept back, what is still free."""
        taken = self.others_mb + sum(seat.shown_mb for seat in self.seats)
        return min(self.kept_back_mb, max(0, self.total_mb - taken))

    @property
    def kept_back(self) -> str:
        return figures.megabytes(self.kept_back_mb)


def bars_of(told: Told) -> list[Bar]:
    return [
        Bar(
            each["id"],
            each["name"],
            each["total_mb"],
            each["free_mb"],
            each["kept_back_mb"],
            list(_seats(told, each["id"])),
        )
        for each in told.devices
    ]


def _seats(told: Told, device: str) -> Iterator[Seat]:
    """The largest first."""
    seats = [_seat(model, device) for model in told.models.values()]
    yield from sorted((seat for seat in seats if seat.workers), key=lambda seat: -seat.shown_mb)


def _seat(model: dict[str, Any], device: str) -> Seat:
    here = [worker for worker in model["workers"] if worker["device"] == device]
    return Seat(
        model["id"],
        model["name"],
        model["kind"],
        len(here),
        len(here) * model["memory_mb"],
        sum(map(measured_mb, here)),
        model["state"] in _COMING,
    )


def measured_mb(worker: dict[str, Any]) -> int:
    """What it takes of its device's memory; 0 where nobody tells."""
    return (worker["memory_mb"] if worker["device"] == CPU else worker["gpu_mb"]) or 0


def without_place(told: Told) -> list[tuple[str, str]]:
    """(name, reason) of what should be there from the start and found no room."""
    return [
        (model["name"], model["reason"])
        for model in told.models.values()
        if model["at_start"] and model["state"] == "failed" and not model["workers"] and model["id"] in BY_ID
    ]
