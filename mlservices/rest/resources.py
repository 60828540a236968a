"""Base of the REST API's resources: lists by pages, edits by If-Match."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.http import parse_etags
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from .. import audit
from ..api.answers import Refused, invalid, refuse_unknown
from .parameters import taken
from .problems import Changed
from .serializers import told_by


class Verbs(viewsets.GenericViewSet):
    """What every address has: who asks, and what was sent."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if any("\0" in str(value) for value in kwargs.values()):  # PostgreSQL takes none
            raise Http404
        asked = request.query_params
        if wrong := [name for name, values in asked.lists() if "\0" in "".join((name, *values))]:
            raise invalid(**{wrong[0].replace("\0", ""): "It holds a sign that no text has."})
        if asked and self.action:
            refuse_unknown(asked, taken(self))

    @property
    def by(self) -> str:
        """Who asks, as verbs want it."""
        return self.request.user.get_username()

    def sent(self, fields: type[serializers.BaseSerializer], *, partial: bool = False) -> dict[str, Any]:
        """What was sent, or the refusal of it by field."""
        serializer = fields(data=self.request.data, partial=partial, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def checked(self, *, partial: bool = False) -> dict[str, Any]:
        """The same of the thing itself."""
        return self.sent(self.get_serializer_class(), partial=partial)


class Tagged(Verbs):
    """What is told has an ETag, and what is changed is as If-Match has it. Subclasses say,
    where not all that is told is of the thing itself, what its ETag is made of."""

    def who_changed(self, thing: Any) -> str:
        """The name of who changed it last, where that is known."""
        return audit.who_changed(thing) if isinstance(thing, Model) else ""

    def state_of(self, thing: Any, shown: Any) -> Any:
        return shown

    def refuse_changed(self, thing: Any) -> None:
        """`Changed` if it is not as If-Match has it."""
        sent = self.request.headers.get("If-Match", "")
        expected = parse_etags(sent)
        if sent and not expected:
            raise Refused(400, "If-Match: send the ETag as it was told, with its quotes.")
        if expected and "*" not in expected and self._etag(thing, self._shown(thing)) not in expected:
            raise Changed(self.who_changed(thing))

    def told(self, thing: Any, *, status: int = 200) -> Response:
        shown = self._shown(thing)
        return Response(shown, status=status, headers={"ETag": self._etag(thing, shown)})

    def told_unless_known(self, thing: Any) -> Response:
        """304 where If-None-Match has it as it is."""
        answer = self.told(thing)
        if answer["ETag"] in parse_etags(self.request.headers.get("If-None-Match", "")):
            return Response(status=304, headers={"ETag": answer["ETag"]})
        return answer

    def _shown(self, thing: Any) -> Any:
        return told_by(self.get_serializer_class(), thing)

    def _etag(self, thing: Any, shown: Any) -> str:
        state = json.dumps(self.state_of(thing, shown), default=str)
        return f'"{hashlib.sha256(state.encode()).hexdigest()[:16]}"'


class Resource(mixins.ListModelMixin, mixins.RetrieveModelMixin, Tagged):
    """Subclasses say what `make`, `change` and `remove` do by calling a verb, or leave one out, with the
    HTTP method that would ask for it. `PATCH` changes what it names and leaves the rest."""

    columns: tuple[str, ...] = ()  # that GET tells: it loads no other, which takes long of wide tables

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        return rows.only(*self.columns) if self.columns and self.action in ("list", "retrieve") else rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Of a list: what has an address of its own is found by that alone."""
        is_one = (self.lookup_url_kwarg or self.lookup_field) in self.kwargs
        return queryset if is_one else super().filter_queryset(queryset)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        fields = self.get_serializer_class()
        return self.get_paginated_response([told_by(fields, thing) for thing in page or ()])

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.told(self.make(self.checked()), status=201)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            thing = self.as_expected()
            return self.told(self.change(thing, self.checked(partial=True)))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            self.remove(self.as_expected())
        return Response(status=204)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.told_unless_known(self.get_object())

    def make(self, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def change(self, thing: Any, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def remove(self, thing: Any) -> None:
        raise NotImplementedError

    def as_expected(self) -> Any:
        """The thing, locked until the transaction ends; `Changed` if it is not as If-Match has it."""
        thing = self.get_object()
        locked = type(thing)._default_manager.select_for_update(of=("self",)).filter(pk=thing.pk).first()
        if locked is None:
            raise Http404
        self.refuse_changed(locked)
        return locked
