"""Voices: what one sounds like, and which of them a person wants to find again."""

from __future__ import annotations

import asyncio

from django.http import Http404, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices import voices
from mlservices.library import samples
from mlservices.library.actions import forget, remember
from mlservices.library.standing import Machine, asked, standing_of
from mlservices.library.views import LONGEST_TEXT
from mlservices.models import FavouriteVoice
from mlservices.rest.later import later
from mlservices.rest.problems import Conflict
from mlservices.rest.resources import Verbs
from mlservices.rest.serializers import Exact


class FavouriteVoices(serializers.Serializer):
    voices = serializers.ListField(child=serializers.CharField(), help_text="Their ids.")


class VoiceText(Exact):
    text = serializers.CharField(
        max_length=LONGEST_TEXT, required=False, allow_blank=True, help_text="Empty: its greeting."
    )


@extend_schema(tags=["Voices"])
class Voices(Verbs):
    """`/api/voice-library` describes all voices, `/api/voices` tells those that can be spoken now."""

    serializer_class = VoiceText
    queryset = None
    pagination_class = None
    filter_backends = ()

    @extend_schema(summary="List favourite voices", responses=FavouriteVoices)
    def favourites(self, request: Request) -> Response:
        """Those of the person whose key it is."""
        assert request.user.pk  # the gate lets nobody else in
        rows = FavouriteVoice.objects.filter(user_id=request.user.pk).order_by("voice")
        return Response({"voices": list(rows.values_list("voice", flat=True))})

    @extend_schema(summary="Make a voice a favourite", request=None, responses={204: None})
    def remember(self, request: Request, voice: str) -> Response:
        """Of the person whose key it is."""
        assert request.user.pk
        remember(voice=_known(voice), user_id=request.user.pk)
        return Response(status=204)

    @extend_schema(summary="Forget a favourite voice", responses={204: None})
    def forget(self, request: Request, voice: str) -> Response:
        """The voice itself stays in the library."""
        assert request.user.pk
        forget(voice=_known(voice), user_id=request.user.pk)
        return Response(status=204)

    @extend_schema(
        summary="Hear a voice",
        request=VoiceText,
        responses={(200, "audio/wav"): OpenApiResponse(OpenApiTypes.BINARY, description="A WAV")},
        examples=[OpenApiExample("Words of your own", request_only=True, value={"text": "How can I help?"})],
    )
    def preview(self, request: Request, voice: str) -> HttpResponseBase:
        """Its greeting, or a short text, by the model that speaks it now. 409 says why it cannot be heard."""
        known, text = _known(voice), self.sent(VoiceText).get("text", "").strip()
        return later(lambda: _heard(known, text or voices.greeting(known.language, known.gender)))


async def _heard(voice: voices.Voice, text: str) -> HttpResponse:
    machine = await asyncio.to_thread(Machine.seen)  # it reads the disk
    standing = standing_of(voice, await asked(), machine)
    if not standing.heard:
        raise Conflict(standing.reason)
    answer = HttpResponse(await samples.sample(voice, standing, text), content_type="audio/wav")
    answer["X-Model"] = standing.model.id
    return answer


def _known(voice: str) -> voices.Voice:
    known = voices.by_id(voice)
    if known is None:
        raise Http404
    return known
