"""The client at a Space that streams, and at one that changes."""

import pytest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mlservices.clients.service import ServiceClient
from mlservices.clients.waking import Waking
from mlservices.errors import EngineBusy, EngineError
from mlservices.wire import MEDIA_TYPE, pack
from tests.mlservices.conftest import serving
from tests.mlservices.plain_space import ASLEEP, SECOND, Clock, PlainSpace, asked_of, spoken


class StreamingSpace(PlainSpace):
    """Another VoiceForge: hears by stream too, and says so."""

    def __init__(self, naps=0, asleep=None, streaming=True):
        super().__init__(naps, asleep)
        self.streaming, self.streamed = streaming, 0

    def app(self):
        app = super().app()
        app.routes.append(Route("/stream/stt", self.hear, methods=["POST"]))
        app.routes.append(Route("/api/models", self.abilities, methods=["GET"]))
        return app

    def abilities(self, request):
        return JSONResponse({"streaming": ["/stream/stt"] if self.streaming else ["/api/tts"]})

    async def hear(self, request):
        await request.body()
        self.streamed += 1
        if not self.streaming:
            return JSONResponse({"detail": "Not Found"}, status_code=404)
        if self.naps:
            self.naps -= 1
            return self.asleep()
        timing = {"queue_seconds": 0.0, "compute_seconds": 0.1}
        head = {"text": "by stream", "language": "en", "confidence": 1.0, "duration_seconds": 1.0}
        frames = pack({**head, "segments": [], "engine": "x", "timing": timing}) + pack({"end": True})
        return Response(frames, media_type=MEDIA_TYPE)


def hear(client):
    return client.transcribe(SECOND, rate=16000)


@ASLEEP
async def test_a_space_that_streams_is_asked_until_it_is_awake_too(asleep):
    space, clock = StreamingSpace(naps=3, asleep=asleep), Clock()
    with serving(space.app()) as url:
        client = ServiceClient(url, sleepy=True, waking=Waking(clock.now, clock.sleep))
        assert (await hear(client)).text == "by stream"
        await client.close()
    assert clock.seconds == 1 + 2 + 4
    assert space.streamed == 4


async def test_a_space_that_streams_and_never_wakes_up_is_given_up_after_two_minutes():
    space, clock = StreamingSpace(naps=10_000), Clock()
    with serving(space.app()) as url:
        client = ServiceClient(url, sleepy=True, waking=Waking(clock.now, clock.sleep))
        with pytest.raises(EngineBusy, match="waking") as caught:
            await hear(client)
        await client.close()
    assert caught.value.service == "stt"
    assert 60 < clock.seconds <= 120


async def test_the_service_beside_us_says_at_once_that_it_is_not_ready():
    space = StreamingSpace(naps=1)
    with pytest.raises(EngineBusy, match="waking"):
        await asked_of(space, hear)
    assert space.streamed == 1


async def test_a_service_that_was_replaced_by_one_that_streams_is_found_out():
    space, clock = StreamingSpace(streaming=False), Clock()
    with serving(space.app()) as url:
        client = ServiceClient(url, waking=Waking(clock.now, clock.sleep))
        assert [(await hear(client)).text for _ in range(3)] == ["hello"] * 3
        assert space.streamed == 1  # one 404 is enough for now
        space.streaming = True
        assert (await hear(client)).text == "hello"
        clock.seconds += 600
        assert (await hear(client)).text == "by stream"
        await client.close()


async def test_a_space_that_tells_what_it_streams_is_not_asked_in_vain():
    space, clock = StreamingSpace(streaming=False), Clock()
    with serving(space.app()) as url:
        client = ServiceClient(url, address_setting="HF_ML_API_URL", waking=Waking(clock.now, clock.sleep))
        assert [(await hear(client)).text for _ in range(2)] == ["hello"] * 2
        assert space.streamed == 0
        space.streaming = True
        clock.seconds += 600
        assert (await hear(client)).text == "by stream"
        await client.close()


async def test_a_service_that_streams_but_lacks_one_model_is_not_taken_for_a_plain_one():
    space = StreamingSpace()

    async def ask(client):
        with pytest.raises(EngineError, match="does not offer /stream/tts") as caught:
            await spoken(client, "hello")
        assert caught.value.service == "tts"
        return (await hear(client)).text

    assert await asked_of(space, ask) == "by stream"
