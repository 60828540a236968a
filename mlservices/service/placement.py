"""Which model is held where: memory is planned before it is taken.

Pure: devices and wishes in, a plan out. A model that wants a GPU goes to the one with the most room, and to
the machine's own memory only where there is no GPU at all; all others live in the machine's memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..catalog import Model

CPU = "cpu"
KEPT_BACK = 1 / 16  # of a device: 5 GB of 80
FULL = 0.9  # of a device; above it, models of low priority make room


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, or the machine itself (`CPU`)."""

    id: str
    name: str
    total_mb: int
    free_mb: int
    processes: Mapping[int, int] = field(default_factory=dict)  # MB by pid, as far as a GPU's driver tells

    @property
    def used(self) -> float:
        """The share in use, 0..1."""
        return 1 - self.free_mb / self.total_mb if self.total_mb else 1.0


def kept_back_mb(device: Device) -> int:
    """What no plan gives away: memory of drivers and of peaks."""
    return int(device.total_mb * KEPT_BACK)


def needs_mb(model: Model, device: str) -> int:
    """What a worker of it takes there."""
    return model.memory_mb if device != CPU else model.memory_mb_on_processors


@dataclass(frozen=True, slots=True)
class Holding:
    """A model that is held, or being loaded: how it may be asked to make room."""

    model: Model
    devices: tuple[str, ...]  # one for each worker
    coming: tuple[str, ...] = ()  # of these, where its memory is not in use yet
    pinned: bool = False  # configured to be there, so it makes no room
    busy: bool = False
    last_used: float = 0.0


@dataclass(frozen=True, slots=True)
class Wish:
    model: Model
    workers: int


@dataclass(frozen=True, slots=True)
class Seats:
    """Where the workers of a model go; fewer than wished where there is little room."""

    devices: tuple[str, ...] = ()
    unload: tuple[str, ...] = ()  # ids of models that have to go first
    refusal: str = ""  # why there is no seat at all


@dataclass
class _Rooms:
    """What is left on each device while a plan grows, in MB."""

    devices: dict[str, Device]
    left: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, devices: Iterable[Device], holdings: Iterable[Holding]) -> _Rooms:
        rooms = cls({device.id: device for device in devices})
        rooms.left = {id: each.free_mb - kept_back_mb(each) for id, each in rooms.devices.items()}
        for holding in holdings:
            for device in holding.coming:
                rooms.give_back(device, -needs_mb(holding.model, device))
        return rooms

    def give_back(self, device: str, megabytes: int) -> None:
        """Nothing to a device that has gone."""
        if device in self.left:
            self.left[device] += megabytes

    def candidates(self, model: Model) -> list[str]:
        """The devices that may hold it, the one with the most room first."""
        gpus = [id for id in self.devices if id != CPU]
        wanted = gpus if model.gpu and gpus else [CPU]
        return sorted(wanted, key=lambda id: -self.left[id])

    def take(self, model: Model) -> str:
        """The device that gets one more worker of it; "" if it fits nowhere."""
        for id in self.candidates(model):
            if self.left[id] >= needs_mb(model, id):
                self.left[id] -= needs_mb(model, id)
                return id
        return ""


def at_start(devices: Sequence[Device], wishes: Sequence[Wish]) -> dict[str, Seats]:
    """Seats for all models of a service that starts, by their ids.

    The highest priority first, and one worker for everybody before anybody gets a second.
    """
    rooms = _Rooms.of(devices, ())
    seats: dict[str, list[str]] = {wish.model.id: [] for wish in wishes}
    for place in range(max((wish.workers for wish in wishes), default=0)):
        for wish in sorted(wishes, key=lambda wish: -wish.model.priority):
            if place < wish.workers and len(seats[wish.model.id]) == place and (id := rooms.take(wish.model)):
                seats[wish.model.id].append(id)
    return {
        wish.model.id: Seats(tuple(seats[wish.model.id]))
        if seats[wish.model.id]
        else Seats(refusal=_too_large(wish.model, rooms))
        for wish in wishes
    }


def on_demand(devices: Sequence[Device], holdings: Sequence[Holding], wish: Wish) -> Seats:
    """Seats for one more model beside those that are held; idle ones of lower priority make room for it."""
    rooms = _Rooms.of(devices, holdings)
    helpful = set(rooms.candidates(wish.model))
    unload: list[Holding] = []
    for victim in (None, *_who_makes_room(holdings, wish.model.priority)):
        if victim is not None:
            if helpful.isdisjoint(victim.devices):
                continue
            unload.append(victim)
            for device in victim.devices:
                rooms.give_back(device, needs_mb(victim.model, device))
        taken = [id for _ in range(wish.workers) if (id := rooms.take(wish.model))]
        if taken:
            gone = [each.model.id for each in unload if not set(taken).isdisjoint(each.devices)]
            return Seats(tuple(taken), tuple(gone))
    return Seats(refusal=_too_large(wish.model, _Rooms.of(devices, holdings)))


def too_full(devices: Sequence[Device], holdings: Sequence[Holding]) -> list[str]:
    """Ids of models to unload, since a device is more than `FULL`: the least important idle one of each."""
    full = {device.id for device in devices if device.used > FULL}
    leaving = []
    for id in sorted(full):
        victim = next((each for each in _who_makes_room(holdings, 10) if id in each.devices), None)
        if victim is not None and victim.model.id not in leaving:
            leaving.append(victim.model.id)
    return leaving


def _who_makes_room(holdings: Iterable[Holding], priority: int) -> list[Holding]:
    """Idle models of a lower priority, the least important first, among equals the longest unused."""
    may_go = [
        each
        for each in holdings
        if not (each.pinned or each.busy or len(each.coming) == len(each.devices))
        and each.model.priority < priority
    ]
    return sorted(may_go, key=lambda each: (each.model.priority, each.last_used))


def _too_large(model: Model, rooms: _Rooms) -> str:
    best = rooms.candidates(model)[0]
    where = "the machine's memory" if best == CPU else rooms.devices[best].name
    spare = max(0, rooms.left[best])
    return (
        f"{model.name} needs {needs_mb(model, best)} MB and {where} has {spare} MB to spare: "
        "unload another model, or choose a smaller one."
    )
