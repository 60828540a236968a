"""`manage.py mlservice` where it cannot start."""

import sys

import pytest
from django.core.management import CommandError, call_command


def test_ray_that_is_not_installed_is_named_with_what_installs_it(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("mlservices.service.ray")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CommandError, match=r"--on ray needs the library ray: .*requirements-ray\.lock"):
        call_command("mlservice", "--on", "ray")
