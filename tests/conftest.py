"""The three people every test knows: Alice administers, Bob operates, Charlie has no rights."""

from __future__ import annotations

import pytest
from django.test import Client

from voiceforge_site.models import User


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_superuser("alice", "alice@example.org", "password", role="administrator")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", "bob@example.org", "password", role="operator")


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie", "charlie@example.org", "password")


@pytest.fixture
def alices_browser(alice: User) -> Client:
    return _signed_in(alice)


@pytest.fixture
def bobs_browser(bob: User) -> Client:
    return _signed_in(bob)


@pytest.fixture
def charlies_browser(charlie: User) -> Client:
    return _signed_in(charlie)


def _signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client
