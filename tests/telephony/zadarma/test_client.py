"""Zadarma's REST interface, asked over real HTTP."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from telephony.providers.sounds import sound_kind
from telephony.providers.zadarma import wire
from telephony.providers.zadarma.client import ZadarmaClient
from telephony.providers.zadarma.errors import ZadarmaBusy, ZadarmaError
from telephony.providers.zadarma.limits import Limit, Limits
from tests.fakes.zadarma import MP3
from tests.telephony.conftest import free_port

NOVEMBER = datetime(2026, 11, 1), datetime(2026, 11, 30)


def billed(number: int, **fields: object) -> dict[str, object]:
    return {
        "id": str(number),
        "sip": "00001",
        "callstart": "2026-11-02 12:20:25",
        "from": 442037691880,
        "to": 442037691881,
        "billseconds": 60,
        "disposition": "answered",
        "cost": 0.195,
        "billcost": 0.195,
        "currency": "USD",
    } | fields


async def test_what_an_account_holds_is_told_in_types(zadarma, client) -> None:
    zadarma.numbers = [
        {
            "number": "442030000000",
            "status": "on",
            "country": "United Kingdom",
            "number_name": None,
            "sip": "00001",
            "channels": "2",
            "monthly_fee": 2,
            "currency": "USD",
            "autorenew": "true",
            "stop_date": "2027-02-11 18:14:40",
            "type": "common",
        }
    ]
    zadarma.sips = [{"id": "00001", "display_name": "Desk", "lines": 3}]

    assert (await client.balance()).amount == Decimal("10.34")
    price = await client.price("+442037691880")
    assert (price.per_minute, price.currency) == (Decimal("0.009"), "USD")
    zadarma.dearer = {"442030000000": "0.04"}
    shown = [await client.price("+442037691880", caller_id) for caller_id in ("+442030000000", "+1")]
    assert [each.per_minute for each in shown] == [Decimal("0.04"), Decimal("0.009")]
    assert (await client.tariff()).name == "Standard"
    [number] = await client.numbers()
    assert (number.number, number.sip, number.lines, number.renews) == ("442030000000", "00001", 2, True)
    [sip] = await client.sip_accounts()
    assert (sip.id, sip.name, await client.sip_is_online(sip.id)) == ("00001", "Desk", True)
    assert (await client.extensions()).numbers == ["100", "101"]


@pytest.mark.parametrize("seconds", [-3 * 3600, 0, 19800, 20700])
async def test_the_accounts_zone_is_known_from_its_clock(zadarma, client, seconds) -> None:
    zadarma.zone_seconds = seconds
    assert (await client.clock()).offset == timedelta(seconds=seconds)


async def test_a_call_back_says_whom_it_rings_and_bears_no_name(zadarma, client) -> None:
    taken = await client.call_back("100", "+442037691881", sip="100", predicted=True)
    assert (taken.caller, taken.callee) == ("100", "442037691881")
    assert zadarma.called_back == [
        {"from": "100", "to": "442037691881", "sip": "100", "predicted": "predicted"}
    ]


async def test_what_is_sent_with_any_sign_is_signed_as_it_is_sent(zadarma, client) -> None:
    """By the server's own reading of the query, and of a form."""
    with pytest.raises(ZadarmaError, match="Check phone's number"):
        await client.price("~ ü+&=%7E")
    await client.set_notifications({"notify_start": True, "~tilde & ~": False})
    assert zadarma.notifications["notify_start"] == "true"


async def test_statistics_come_by_pages_and_exact(zadarma, client) -> None:
    zadarma.billed = [billed(number, billcost=0.1950 + number) for number in range(5)]
    zadarma.billed.append(billed(9, callstart="2026-12-01 00:00:00"))
    lines = [line async for line in client.billed_calls(*NOVEMBER, page=2)]
    assert [line.id for line in lines] == ["0", "1", "2", "3", "4"]
    assert (lines[1].cost, lines[1].caller) == (Decimal("1.195"), "442037691880")
    assert zadarma.asked["GET /v1/statistics/"] == 3


async def test_the_name_of_a_leg_keeps_all_its_digits(zadarma, client) -> None:
    zadarma.pbx = [{
        "call_id": 1439981389.2702773,
        "sip": 100,
        "callstart": "2026-11-02 15:04:00",
        "clid": 100,
        "destination": 5,
        "disposition": "answered",
        "seconds": 5,
        "is_recorded": "true",
        "pbx_call_id": "in_ae6b03b3b0765d127ec0b739209346bbc4f0d52d",
    }]  # fmt: skip
    [line] = [line async for line in client.pbx_calls(*NOVEMBER)]
    assert (line.call_id, line.extension, line.recorded) == ("1439981389.2702773", "100", True)
    assert line.started == datetime(2026, 11, 2, 15, 4)


# ---- what goes wrong ------------------------------------------------------------------------


async def test_a_wrong_secret_is_told_with_its_remedy_and_never_shown(zadarma) -> None:
    client = ZadarmaClient(zadarma.key, "not the secret", url=zadarma.url)
    with pytest.raises(ZadarmaError, match="Enter the key and the secret again") as refused:
        await client.balance()
    assert refused.value.permanent
    assert "not the secret" not in f"{refused.value!r} {client!r} {vars(client)!r}"


async def test_zadarmas_own_words_are_passed_on_without_what_is_secret(zadarma, client) -> None:
    words = f'{{"status":"error","message":"No line for {zadarma.key} {zadarma.secret}"}}'
    zadarma.instead = [(200, words.encode(), {})]
    with pytest.raises(ZadarmaError) as refused:
        await client.balance()
    assert str(refused.value) == "Zadarma refuses it (HTTP 200): No line for *** ***."


@pytest.mark.parametrize(
    ("answer", "words", "permanent"),
    [
        ((500, b"", {}), "trouble of its own", False),
        ((502, b"<html>", {}), "trouble of its own", False),
        ((200, b"<html>", {}), "is not Zadarma", True),
        ((302, b"", {"Location": "/elsewhere"}), "is not Zadarma", True),
        ((200, b"[]", {}), "is not Zadarma", True),
        ((200, b'{"status":"success"}', {}), r"not known here \(balance, currency\)", True),
        ((200, b'{"status":"success","balance":"much","currency":"USD"}', {}), r"\(balance\)", True),
    ],
)
async def test_answers_that_are_none_are_errors_in_words(zadarma, client, answer, words, permanent) -> None:
    zadarma.instead = [answer]
    with pytest.raises(ZadarmaError, match=words) as failed:
        await client.balance()
    assert failed.value.permanent is permanent


async def test_who_cannot_be_reached_was_not_asked(zadarma) -> None:
    client = ZadarmaClient("key", "secret", url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ZadarmaError, match="ZADARMA_API_URL") as failed:
        await client.balance()
    assert not failed.value.sent


async def test_whoever_is_too_slow_may_have_acted(zadarma, client, monkeypatch) -> None:
    monkeypatch.setattr(wire, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(type(zadarma), "_answer", lambda *_: time.sleep(0.4) or {})
    with pytest.raises(ZadarmaError, match="did not answer") as failed:
        await client.call_back("100", "442037691881")
    assert failed.value.sent


async def test_an_answer_without_end_is_cut_off(zadarma, client, monkeypatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 1000)
    zadarma.instead = [(200, bytes(5000), {})]
    with pytest.raises(ZadarmaError, match="more than"):
        await client.balance()


# ---- limits ---------------------------------------------------------------------------------


def test_the_fourth_of_three_in_a_minute_waits_for_the_first_to_be_a_minute_old() -> None:
    limit = Limit(3)
    assert [limit.wait_seconds(now, longest=60) for now in (0, 1, 2)] == [0, 0, 0]
    assert limit.wait_seconds(10, longest=49) is None, "who does not wait takes no turn"
    assert [limit.wait_seconds(10, longest=60) for _ in range(4)] == [50, 51, 52, None]
    assert limit.wait_seconds(200, longest=0) == 0


async def test_who_asks_too_often_is_told_before_zadarma_has_to(zadarma) -> None:
    client = ZadarmaClient(zadarma.key, zadarma.secret, url=zadarma.url, limits=Limits(all_of_them=2))
    await client.balance()
    await client.balance()
    with pytest.raises(ZadarmaBusy, match="3 for statistics"):
        await client.balance()
    assert zadarma.asked["GET /v1/info/balance/"] == 2


async def test_a_refusal_for_haste_is_waited_out_as_its_header_says(zadarma, client) -> None:
    soon = {"X-RateLimit-Reset": str(int(time.time()) + 1)}
    zadarma.instead = [(429, b"{}", soon)]
    begun = time.monotonic()
    assert (await client.balance()).amount
    assert 0.9 < time.monotonic() - begun < 3


@pytest.mark.parametrize("headers", [{}, {"X-RateLimit-Reset": "soon"}, {"X-RateLimit-Reset": "9999999999"}])
async def test_nobody_waits_longer_than_they_said(zadarma, client, headers) -> None:
    zadarma.instead = [(429, b"{}", headers)]
    with pytest.raises(ZadarmaBusy) as refused:
        await client.balance()
    assert refused.value.retry_after == wire.LONGEST_PAUSE


# ---- recordings -----------------------------------------------------------------------------


async def test_recordings_are_fetched_by_call_and_by_leg(zadarma, client) -> None:
    zadarma.recordings = {"1458313316.343456": MP3}
    for asked in ({"call_id": "1458313316.343456"}, {"pbx_call_id": "in_1"}):
        [link] = (await client.record_links(**asked)).links
        sound = await client.recording(link)
        assert (sound.kind, sound.content) == ("mp3", MP3)


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://elsewhere.example.org/x.mp3", "not Zadarma"),
        ("https://zadarma.com.example.org/x.mp3", "not Zadarma"),
        ("http://api.zadarma.com/x.mp3", "not Zadarma"),
        ("no address", "not Zadarma"),
        ("{api}/v1/pbx/record/download/x/gone.mp3", "40 seconds"),
        ("{api}/v1/pbx/record/download/x/empty.mp3", "no sound"),
        ("{api}/v1/pbx/record/download/x/page.mp3", "no sound"),
    ],
)
async def test_what_is_no_recording_is_not_kept(zadarma, client, link, words) -> None:
    zadarma.recordings = {"empty": b"", "page": b"<html>" + bytes(400)}
    with pytest.raises(ZadarmaError, match=words):
        await client.recording(link.format(api=zadarma.url))


def test_sound_is_known_by_its_first_bytes() -> None:
    assert sound_kind(b"\xff\xfb\x90\x00" + bytes(400)) == "mp3"
    assert sound_kind(b"RIFF\x00\x00\x00\x00WAVE" + bytes(400)) == "wav"
    assert sound_kind(b"\xff\xf1\x90\x00" + bytes(400)) is None, "AAC in ADTS"


# ---- webhooks -------------------------------------------------------------------------------


async def test_notices_are_switched_one_by_one(zadarma, client) -> None:
    await client.set_notifications({"notify_start": True, "notify_end": True})
    await client.set_notifications({"notify_end": False})
    settings = await client.webhooks()
    assert settings.url == ""
    assert [name for name, on in settings.notifications.items() if on] == ["notify_start"]
