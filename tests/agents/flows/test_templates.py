"""The flows to begin with: each can be published as it is, and does what its tests say, by the true model of
meaning."""

from __future__ import annotations

import pytest
from django.conf import settings

from agents.flow.graph import problems_of, read
from agents.flows.actions import create_flow, publish
from agents.flows.failure_texts import sentence_of
from agents.flows.templates import Template, templates
from agents.flows.testing import Stage, planned, run_all
from agents.models import Flow, FlowVersion
from mlservices.near import NearEmbedder
from mlservices.prepare import prepare
from mlservices.service.layout import NEAR

each_template = pytest.mark.parametrize("template", templates(), ids=lambda template: template.id)


@pytest.fixture(scope="module")
def embedder() -> NearEmbedder:
    prepare(NEAR, settings.MODELS_DIR, tell=lambda line: None)
    return NearEmbedder()


@each_template
def test_nothing_is_wrong_with_it(template: Template):
    flow, unreadable = read(template.graph)
    assert [*unreadable, *problems_of(flow)] == []
    assert flow.name and flow.description and len(flow.tests) >= 5
    assert len({(node.position.x, node.position.y) for node in flow.nodes}) == len(flow.nodes)


@pytest.mark.django_db
@each_template
def test_it_becomes_a_draft_that_can_be_published(template: Template):
    flow = create_flow(graph=template.graph, by="alice")
    publish(flow=flow, by="alice")
    again = create_flow(graph=template.graph, by="alice")
    assert flow.slug != again.slug and Flow.objects.get(pk=flow.pk).live.number == 1


@pytest.mark.models
@each_template
async def test_callers_are_served_as_its_tests_say(template: Template, embedder: NearEmbedder):
    tests = tuple(planned(template.graph))
    stage = Stage(FlowVersion(graph=template.graph, subflows={}), None, {}, None, tests)
    results = [each async for each in run_all(stage, embedder=embedder)]
    assert [sentence_of(failure) for each in results for failure in each.failures] == []
