"""Trying flows, their tests, and having them written."""

from __future__ import annotations

import pytest

from agents.flows.actions import create_flow
from agents.models import Flow, Tool
from tests.agents.fakes import WordEmbedder
from tests.agents.flow.samples import MENU, edge, flow, node
from tests.agents.flows.test_generation import GOOD, Writer
from tests.factories import make_agent
from voiceforge_site.audit.models import AuditEntry

SHOP = "/api/agent-flows/shop"
GREETS = {"name": "Greets", "turns": [{"expect": {"said": "Sales or support?"}}]}
SELLS = {"name": "Sells", "turns": [{"keys": "1", "expect": {"node": "old"}}]}


@pytest.fixture
def shop(transactional_db, monkeypatch):
    monkeypatch.setattr("mlservices.registry.embedder", WordEmbedder)
    return create_flow(graph=MENU, name="Shop", by="alice")


class TestTrying:
    def test_a_conversation_is_played_and_nothing_kept(self, bobs, shop):
        greeting = bobs.send("POST", f"{SHOP}/try", {"turns": []}).json()
        assert greeting["turns"][0]["said"] == ["Hello from . Sales or support?"]
        played = bobs.send("POST", f"{SHOP}/try", {"turns": [*greeting["turns"], {"say": "sales please"}]})
        assert (played.status_code, played.json()["turns"][1]["node"]) == (200, "age")
        assert Flow.objects.get().revision == 1

    def test_it_speaks_as_an_agent_and_plays_another_graph(self, bobs, shop):
        make_agent("Desk", slug="desk", constants={"clinic": "Harbour Street"})
        told = bobs.send("POST", f"{SHOP}/try", {"turns": [], "agent": "desk"}).json()
        assert told["turns"][0]["said"][0].startswith("Hello from Harbour Street.")
        other = flow(node("a", "say", text="Ahoy."), node("b", "end_call"), edge("a", "b"))
        told = bobs.send("POST", f"{SHOP}/try", {"turns": [], "graph": other}).json()
        assert (told["turns"][0]["said"][0], told["turns"][0]["ended"]) == ("Ahoy.", True)

    @pytest.mark.parametrize(
        ("sent", "status", "words"),
        [
            ({"turns": [{"say": 5}]}, 400, "Words of at most"),
            ({"turns": "x"}, 400, "Send a list"),
            ({"turns": [], "agent": "nobody"}, 400, "nobody"),
            ({"turns": [], "agent": ""}, 400, "Send an id, or null."),
            ({"turns": [], "graph": {"nodes": 5}}, 422, "has to be a list"),
            ({"turns": [], "graph": {"nodes": []}}, 422, "no step yet"),
            ({"turns": [{}, {}]}, 400, "words, keys or silence"),
            ({}, 400, "It is missing."),
        ],
        ids=str,
    )
    def test_what_cannot_be_played_is_told(self, bobs, shop, sent, status, words):
        refused = bobs.send("POST", f"{SHOP}/try", sent)
        assert (refused.status_code, words in refused.text) == (status, True), refused.text

    def test_tools_are_called_in_earnest_by_who_may_change_agents(self, alices, bobs, shop, other):
        other.answer("/order", {"guest": "Anna"})
        Tool.objects.create(name="order", url=f"{other.url}/order", results={"guest": "guest"})
        graph = flow(node("t", "tool", toolName="order"), node("b", "end_call", message="{{guest}}!"))
        sent = {"turns": [], "graph": {**graph, "edges": [edge("t", "b")]}, "tools": True}
        assert bobs.send("POST", f"{SHOP}/try", sent).status_code == 403
        told = alices.send("POST", f"{SHOP}/try", sent).json()
        assert (told["turns"][0]["said"], len(told["called"])) == (["Anna!"], 1)


class TestTests:
    def test_they_are_added_listed_changed_run_and_deleted(self, alices, shop):
        made = alices.send("POST", f"{SHOP}/tests", GREETS)
        assert (made.status_code, made.json()["place"], made.json()["standing"]) == (201, 0, "never")
        alices.send("POST", f"{SHOP}/tests", SELLS)
        ran = alices.send("POST", f"{SHOP}/tests/run").json()
        assert (ran["passed"], ran["failed"]) == (1, 1)
        assert "old" in ran["results"][1]["failures"][0]
        mended = {"turns": [{"keys": "1", "expect": {"node": "age"}}]}
        changed = alices.send("PATCH", f"{SHOP}/tests/1", mended).json()
        assert (changed["test"]["name"], changed["standing"]) == ("Sells", "changed")
        assert alices.send("POST", f"{SHOP}/tests/1/run").json()["standing"] == "passed"
        assert alices.send("DELETE", f"{SHOP}/tests/0").status_code == 204
        [left] = alices.get(f"{SHOP}/tests").json()["results"]
        assert (left["place"], left["test"]["name"]) == (0, "Sells")
        assert alices.get(f"{SHOP}/tests/1").status_code == 404

    @pytest.mark.parametrize(
        ("sent", "fields"),
        [
            ({"name": "Greets", "turns": [{}]}, {"name"}),
            ({"name": "", "turns": [{}]}, {"name"}),
            ({"name": "x", "turns": []}, {"turns"}),
            ({"name": "x", "turns": [{}, {}]}, {"turns.1"}),
            ({"name": "x", "turns": [{"say": "a", "keys": "1"}]}, {"turns.0"}),
            ({"name": "x", "turns": [{"say": 5}]}, {"turns.0.say"}),
            ({"name": "x", "turns": [{"silence": "yes"}]}, {"turns.0.silence"}),
            ({"turns": [{}]}, {"name"}),
        ],
        ids=str,
    )
    def test_what_is_no_test_is_refused_by_field(self, alices, shop, sent, fields):
        alices.send("POST", f"{SHOP}/tests", GREETS)
        refused = alices.send("POST", f"{SHOP}/tests", sent)
        assert (refused.status_code, set(refused.json()["fields"])) == (400, fields), refused.text

    def test_what_came_of_one_is_no_change_of_it(self, alices, shop):
        read = alices.send("POST", f"{SHOP}/tests", GREETS)
        alices.send("POST", f"{SHOP}/tests/0/run")
        changed = alices.send("PATCH", f"{SHOP}/tests/0", {"name": "Says hello"}, If_Match=read["ETag"])
        assert changed.status_code == 200
        late = alices.send("DELETE", f"{SHOP}/tests/0", If_Match=read["ETag"])
        assert (late.status_code, "alice" in late.json()["detail"]) == (412, True)

    def test_who_may_try_runs_them(self, bobs, shop):
        assert bobs.send("POST", f"{SHOP}/tests/run").json() == {"passed": 0, "failed": 0, "results": []}
        assert bobs.send("POST", f"{SHOP}/tests", GREETS).status_code == 403


class TestWriting:
    @pytest.fixture
    def writer(self, settings, shop):
        writer = Writer(GOOD)
        with writer.served() as url:
            settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-swordfish"
            settings.AI_INTEGRATIONS_OPENAI_BASE_URL = url
            Tool.objects.create(name="book", url="https://booking.test/")
            yield writer

    def generate(self, alices, **more):
        return alices.send("POST", "/api/agent-flows/generate", {"description": "Book tables.", **more})

    def test_a_flow_is_written_and_kept_where_that_is_asked(self, alices, writer):
        told = self.generate(alices).json()
        assert (told["flow"], told["graph"]["name"], told["problems"]) == (None, "Tables", [])
        assert "swordfish" not in str(told)
        kept = self.generate(alices, keep=True).json()
        assert (kept["flow"], Flow.objects.get(slug="tables").changed_by) == ("tables", "alice")
        entry = AuditEntry.objects.get(verb="flow.created", thing=str(Flow.objects.get(slug="tables").pk))
        assert (entry.name, entry.key[:6], entry.address) == ("alice", "vf_sk_", "127.0.0.1")

    def test_a_draft_is_changed_by_words(self, alices, writer):
        told = self.generate(alices, flow="shop", keep=True)
        assert (told.status_code, told.json()["flow"]) == (200, "shop"), told.text
        assert told.json()["changes"] and Flow.objects.get(slug="shop").revision == 2

    def test_nothing_is_invented_where_no_model_writes(self, alices, shop, settings):
        settings.AI_INTEGRATIONS_OPENAI_API_KEY = ""
        refused = self.generate(alices)
        assert (refused.status_code, "AI_INTEGRATIONS_OPENAI_API_KEY" in refused.text) == (503, True)

    def test_what_is_asked_for_is_checked_first(self, alices, shop):
        assert set(self.generate(alices, description="").json()["fields"]) == {"description"}
        assert set(self.generate(alices, description="x" * 4001).json()["fields"]) == {"description"}
        assert set(self.generate(alices, flow="nothing").json()["fields"]) == {"flow"}
