"""A flow's draft as the API changes it: whole, or in its parts."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from mlservices.rest.problems import Changed
from mlservices.rest.resources import Tagged

from ..flows.actions import ChangedMeanwhile, save_draft
from ..models import Flow


def keep_draft(flow: Flow, graph: Any, *, by: str) -> Flow:
    """The draft's next revision; `Changed` if there is a newer one than `flow` was read with."""
    try:
        return save_draft(flow=flow, graph=graph, by=by, expected=flow.revision)
    except ChangedMeanwhile as error:
        raise Changed(error.flow.changed_by) from None


class OfDraft(Tagged):
    """What a flow keeps in its draft. `id` in the address is the flow's."""

    queryset = Flow.objects.all()
    pagination_class = None
    filter_backends = ()

    def _flow(self) -> Flow:
        return self._found(self.get_queryset())

    def _locked(self) -> Flow:
        return self._found(Flow.objects.select_for_update())

    def _found(self, rows: Any) -> Flow:
        flow: Flow | None = rows.filter(slug=self.kwargs["id"]).first()
        if flow is None:
            raise Http404
        return flow
