"""The ML services that this process asks: the one beside us, and a Space.

Each function answers the same client every time, but for `new_space`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar
from weakref import WeakSet

from django.conf import settings

from .awake import teller
from .clients.service import ServiceClient
from .clients.waking import Waking
from .order import SPACE, order

ADDRESS = "HF_ML_API_URL"  # the setting that holds a Space's

T = TypeVar("T")
made: WeakSet[Any] = WeakSet()  # clients, to be closed


def service() -> ServiceClient:
    """The ML service that hears, speaks and replies, ours or a Space; a Space may ask for the hub's token."""
    return space() if SPACE in order() else own_service()


def own_service() -> ServiceClient:
    """The one beside us, which embeds and judges turns even where a Space does the rest.

    A plain Space offers neither, and a call cannot wait for another machine to judge each pause.
    """
    return _own(f"http://127.0.0.1:{settings.ML_PORT}", settings.ML_API_TOKEN)


def space() -> ServiceClient:
    return _a_space(settings.HF_ML_API_URL, *space_token(), True)


def hasty_space() -> ServiceClient:
    """It is not waited for while it sleeps."""
    return _a_space(settings.HF_ML_API_URL, *space_token(), False)


def space_token() -> tuple[str, str]:
    """(token, the setting that holds it): its own, else the hub's, which a private Space asks for."""
    if settings.HF_ML_API_TOKEN:
        return settings.HF_ML_API_TOKEN, "HF_ML_API_TOKEN"
    return settings.HF_TOKEN, "HF_TOKEN"


def new_space(waking: Waking) -> ServiceClient:
    """One more client of the Space, of which `waking` is told; its maker closes it."""
    return _to_space(settings.HF_ML_API_URL, *space_token(), True, waking)


@cache
def _own(url: str, token: str) -> ServiceClient:
    return kept(ServiceClient(url, token=token, token_setting="ML_API_TOKEN"))


@cache
def _a_space(url: str, token: str, token_setting: str, patient: bool) -> ServiceClient:
    return kept(_to_space(url, token, token_setting, patient, _waking(url)))


def _to_space(url: str, token: str, token_setting: str, patient: bool, waking: Waking) -> ServiceClient:
    return ServiceClient(
        url,
        token=token,
        sleepy=patient,
        waking=waking,
        address_setting=ADDRESS,
        token_setting=token_setting,
    )


@cache
def _waking(url: str) -> Waking:
    return Waking(tell=teller(url))


def kept(client: T) -> T:
    made.add(client)
    return client
