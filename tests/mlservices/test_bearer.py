"""A service that asks for its token, and what of it anybody may open."""

from __future__ import annotations

import httpx

from mlservices.service.app import create_app
from tests.mlservices.conftest import serving, stand_in_plans


def test_a_stranger_reads_how_it_is_used_and_how_it_is_and_nothing_of_the_machine(tmp_path):
    folder = tmp_path / "a-file"
    folder.touch()  # where the models' folder would be: a problem, which names it
    with serving(create_app(stand_in_plans(), folder, token="secret")) as url:
        opened = {path: httpx.get(url + path) for path in ("/docs", "/openapi.json", "/api/health")}
        refused = httpx.get(f"{url}/api/models")
        told = httpx.get(f"{url}/api/health", headers={"Authorization": "Bearer secret"}).json()
    assert {answer.status_code for answer in opened.values()} == {200}
    assert refused.status_code == 401
    assert set(opened["/api/health"].json()) == {"status", "timestamp", "models"}
    assert any(str(folder) in problem for problem in told["problems"])
    assert {"pools", "devices"} <= set(told)
