"""Time zones by name."""

from __future__ import annotations

from mlservices.pages.zones import zones


def test_all_zones_stand_in_their_order():
    assert list(zones()) == sorted(zones())
    assert {"America/New_York", "Europe/Berlin", "UTC"} <= zones()
    assert "Europe/Atlantis" not in zones()


def test_they_are_asked_once(monkeypatch):
    first = zones()
    monkeypatch.setattr("mlservices.pages.zones.available_timezones", lambda: 1 / 0)
    assert zones() is first
