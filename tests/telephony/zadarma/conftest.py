"""An account with Zadarma, on a server that answers as Zadarma does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from telephony.providers.zadarma.client import ZadarmaClient
from telephony.providers.zadarma.limits import Limits
from tests.fakes.zadarma import Zadarma, zadarma_server

_servers = count(1)


@pytest.fixture(scope="session")
def zadarma_process() -> Iterator[Zadarma]:
    with zadarma_server() as fake:
        yield fake


@pytest.fixture
def zadarma(zadarma_process: Zadarma) -> Zadarma:
    """With nothing in the account; its key is new, so that what others asked does not count."""
    fresh = Zadarma(key=f"KEY{next(_servers):017}", url=zadarma_process.url)
    vars(zadarma_process).update(vars(fresh))
    return zadarma_process


@pytest.fixture
def client(zadarma: Zadarma) -> ZadarmaClient:
    return ZadarmaClient(zadarma.key, zadarma.secret, url=zadarma.url, limits=Limits(statistics=100))
