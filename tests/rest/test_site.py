"""Keys and users over the API."""

from __future__ import annotations

from tests.program import Program
from voiceforge_site.models import ApiKey, Invitation, User


def test_a_key_is_made_told_once_changed_rotated_and_revoked(bobs):
    made = bobs.send("POST", "/api/keys", {"name": "Reports", "scopes": ["telephony.view_calls"]})
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    told = made.json()
    own = Program(told["key"])
    assert own.get("/api/telephony/calls").status_code == 200
    assert own.get("/api/agents").status_code == 403
    assert own.get("/api/keys").status_code == 403
    address = f"/api/keys/{told['id']}"
    assert "key" not in bobs.get(address).json() and told["key"] not in bobs.get(address).text
    changed = bobs.send("PATCH", address, {"networks": ["203.0.113.0/24"]})
    assert changed.json()["networks"] == ["203.0.113.0/24"]
    assert own.get("/api/telephony/calls").status_code == 401
    bobs.send("PATCH", address, {"networks": []})
    wrong = bobs.send("PATCH", address, {"networks": ["x"], "requests_a_minute": 0}).json()["fields"]
    assert set(wrong) == {"networks", "requests_a_minute"}
    replaced = bobs.send("POST", f"{address}/rotate", {"overlap_hours": 1}).json()
    assert Program(replaced["key"]).get("/api/telephony/calls").status_code == 200
    assert bobs.send("DELETE", f"/api/keys/{replaced['id']}").status_code == 204
    assert bobs.send("DELETE", f"/api/keys/{replaced['id']}").status_code == 409
    assert Program(replaced["key"]).get("/api/telephony/calls").status_code == 401


def test_a_key_gives_no_more_than_it_has(bob, program):
    small = program(bob, scopes=["voiceforge_site.have_keys", "telephony.view_calls"])
    refused = small.send("POST", "/api/keys", {"name": "More"})
    assert "scopes" in refused.json()["fields"]
    refused = small.send("POST", "/api/keys", {"name": "More", "scopes": ["telephony.direct_calls"]})
    assert "scopes" in refused.json()["fields"]
    assert (
        small.send("POST", "/api/keys", {"name": "Same", "scopes": ["telephony.view_calls"]}).status_code
        == 201
    )


def test_others_keys_are_an_administrators_business(alices, bobs):
    own = [key["person"] for key in bobs.get("/api/keys").json()["results"]]
    assert own == ["bob"]
    assert {key["person"] for key in alices.get("/api/keys").json()["results"]} == {"alice", "bob"}
    alices_key = ApiKey.objects.get(person__username="alice")
    assert bobs.send("DELETE", f"/api/keys/{alices_key.prefix}").status_code == 404


def test_people_are_invited_given_roles_and_deactivated(alices, bobs, bob, alice):
    invited = alices.send("POST", "/api/users/invite", {"role": "viewer", "meant_for": "Ann"})
    assert invited.json()["link"].startswith("http://testserver/invitation/")
    assert Invitation.objects.get().role == "viewer"
    changed = alices.send("PATCH", f"/api/users/{bob.pk}", {"role": "designer"})
    assert changed.json()["role"] == "designer"
    assert alices.send("PATCH", f"/api/users/{bob.pk}", {"is_active": False}).status_code == 200
    assert bobs.get("/api/users/me").status_code == 401
    own = alices.send("PATCH", f"/api/users/{alice.pk}", {"role": "viewer"})
    assert (own.status_code, "your own rights" in own.json()["detail"]) == (409, True)
    assert alices.get("/api/users/me").json()["username"] == "alice"
    names = [user["username"] for user in alices.get("/api/users?is_active=false").json()["results"]]
    assert names == ["bob"]
    assert not User.objects.get(pk=bob.pk).is_active
    assert "password" not in alices.get("/api/users").text


def test_the_trail_refuses_what_it_would_leave_out(alices):
    words = "?search=gate&verb=nope&kind=nothing&from=yesterday"
    told = alices.get(f"/api/audit{words}").json()["fields"]
    assert set(told) == {"verb", "kind", "from"}
    assert told["from"] == "Write the day like 2026-03-05."
    assert set(alices.get("/api/audit?thing=1").json()["fields"]) == {"thing"}


def test_the_trail_is_searched_by_the_name_that_other_lists_have_for_it(alices):
    alices.send("POST", "/api/keys", {"name": "Reports"})
    alices.send("POST", "/api/keys", {"name": "Backups"})
    found = alices.get("/api/audit?search=backups").json()["results"]
    assert [each["label"].split()[0] for each in found] == ["Backups"]
