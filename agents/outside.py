"""Asking servers of the outside world, at addresses that people write: never one of this network by accident.

Each name is looked up once and the connection goes to the address that was looked at, so that no second
look-up can lead elsewhere. Redirects are followed by hand and looked at again; an answer is read to a limit.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from email.message import Message
from time import monotonic
from typing import Literal

import httpx
from django.conf import settings
from django.utils.translation import gettext

from mlservices.clients.addresses import url_of
from mlservices.clients.http import certificates

MOST_REDIRECTS = 5
LARGEST_ANSWER = 1_000_000  # bytes
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # a host of a cloud that serves its machines
            "64:ff9b:1::/48",
            "::/96",
            "fec0::/10",
        ),
    )
)
_LINGERING_SECONDS = 0.02  # for the end of what is enough: the connection can then be used again
_OF_ANY = ("accept", "user-agent")  # headers that another server may be sent
_KEEPS_METHOD = (307, 308)
_REDIRECTS = (301, 302, 303, *_KEEPS_METHOD)
_NO_ADDRESS = "%s redirected to what is no address."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(Exception):
    """It was not asked: the address may not be."""


class Unanswered(Exception):
    """It was asked, or looked for, and gave no answer that could be read. `sent`: it may have acted on it."""

    def __init__(self, reason: str, *, sent: bool = True, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True)
class Request:
    """`secrets` are headers that are never shown. A redirect sends another server none of the headers."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """`url` is where it came from at last."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    seconds: float

    @property
    def text(self) -> str:
        try:
            text = self.body.decode(self.charset, errors="replace")
        except (LookupError, ValueError):  # some, as idna, replace nothing
            text = self.body.decode(errors="replace")
        return text.encode(errors="replace").decode()  # some, as utf-7, let half a sign through

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """That of its text; UTF-8 where it names none that there is."""
        told = Message()
        told["content-type"] = self.headers.get("content-type", "")
        charset = told.get_content_charset("utf-8")
        try:
            b"".decode(charset)
            "".encode(charset)
        except (LookupError, ValueError):
            return "utf-8"
        return charset


@dataclass(frozen=True, slots=True)
class _Manner:
    begun: float
    largest: int
    enough: Callable[[bytes], bool]
    through: httpx.AsyncClient | None
    once: bool


async def ask(
    request: Request,
    *,
    seconds: float,
    largest: int = LARGEST_ANSWER,
    enough: Callable[[bytes], bool] = lambda piece: False,
    through: httpx.AsyncClient | None = None,
    once: bool = False,
) -> Answer:
    """The answer to `request`, redirects followed, all of it within `seconds`.

    `enough` is shown the body piece by piece: once it says so, the rest is not waited for. `through` are
    `connections` to the same server. `once`: that it answered counts, not what: a redirect is an answer too,
    and the body is cut where it is too large. Raises Refused where the address may not be asked, Unanswered
    otherwise.
    """
    manner = _Manner(monotonic(), largest, enough, through, once)
    try:
        async with asyncio.timeout(seconds):
            return await _followed(request, manner)
    except TimeoutError:
        reason = f"{_host(request.url)} did not answer within {seconds:g} seconds."
        raise Unanswered(reason, timed_out=True) from None


def connections() -> httpx.AsyncClient:
    """Are kept from one request to the next, for several to one server. To be closed."""
    return httpx.AsyncClient(verify=certificates(), timeout=None, trust_env=False)  # noqa: S113 - the whole has a time


async def _followed(request: Request, manner: _Manner) -> Answer:
    url, method, body = _asked(request.url), request.method, request.body
    headers = {**request.headers, **request.secrets}
    for _ in range(MOST_REDIRECTS + 1):
        answer = await _once(method, url, headers, body, manner)
        target = answer.headers.get("location")
        if manner.once or answer.status not in _REDIRECTS or not target:
            return answer
        before, url = _origin(url), _joined(url, target)
        if _origin(url) != before:
            manner = replace(manner, through=None)
            headers = {name: value for name, value in headers.items() if name.lower() in _OF_ANY}
            if body and answer.status in _KEEPS_METHOD:
                raise Unanswered(f"{_host(request.url)} wanted what it was sent to go to {url.host}.")
        if answer.status not in _KEEPS_METHOD and method != "HEAD":
            method, body = "GET", b""
    raise Unanswered(f"{_host(request.url)} redirected more than {MOST_REDIRECTS} times.")


def _asked(text: str) -> httpx.URL:
    try:
        return url_of(text)
    except ValueError:
        raise Refused("This is no address.") from None


def _joined(url: httpx.URL, target: str) -> httpx.URL:
    try:
        return url_of(str(url.join(target)))
    except (httpx.InvalidURL, ValueError):
        raise Unanswered(_NO_ADDRESS % url.host) from None


async def _once(
    method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes, manner: _Manner
) -> Answer:
    address = await allowed_address(url)
    host = f"[{address}]" if address.version == 6 else str(address)
    named = url.netloc.decode("ascii")
    async with nullcontext(manner.through) if manner.through else connections() as client:
        sent = {"User-Agent": "VoiceForge", **headers, "Host": named, "Accept-Encoding": "identity"}
        request = client.build_request(
            method,
            url.copy_with(host=host),
            headers={name.encode(): value.encode() for name, value in sent.items()},
            content=body or None,
            extensions={"sni_hostname": url.host},
        )
        try:
            response = await client.send(request, stream=True)
            try:
                read = await _read(response, manner)
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unanswered(f"{url.host} cannot be reached: {error}", sent=False) from None
        except UnicodeError:  # of httpx, which looks where a redirect leads though it does not follow
            raise Unanswered(_NO_ADDRESS % url.host) from None
        except httpx.HTTPError as error:
            raise Unanswered(f"{url.host} broke off: {error or type(error).__name__}") from None
    told = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, told, read, str(url), monotonic() - manner.begun)


async def _read(response: httpx.Response, manner: _Manner) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        if manner.once:
            return b""
        raise Unanswered("The answer is packed, though it was not to be.")  # and could be any size
    read, is_enough = bytearray(), False
    with suppress(TimeoutError):
        async with asyncio.timeout(None) as left:
            async for chunk in response.aiter_raw():
                read += chunk
                if len(read) > manner.largest:
                    if manner.once:
                        return bytes(read[: manner.largest])
                    raise Unanswered(f"The answer is larger than {manner.largest:,} bytes.")
                if not is_enough and manner.enough(chunk):
                    is_enough = True
                    left.reschedule(asyncio.get_running_loop().time() + _LINGERING_SECONDS)
    return bytes(read)


async def allowed_address(url: httpx.URL) -> Address:
    """The address to connect to for `url`. Raises Refused, and Unanswered where the name leads nowhere."""
    if url.scheme not in ("http", "https") or not url.host:
        raise Refused("The address has to begin with https:// or http://.")
    if url.userinfo:
        raise Refused("The address must not hold a name or password: put it into a secret header.")
    port = port_of(url)
    addresses = await _addresses(url.host, port)
    if is_allowed(url.host, port):
        return addresses[0]
    if private := next((each for each in addresses if not is_public(each)), None):
        leads = "is" if str(private) == url.host else f"leads to {private},"
        raise Refused(
            f"{url.host} {leads} an address of a private network. If it is meant to be asked, add "
            f"{with_port(url.host, port)} to TOOL_PRIVATE_HOSTS."
        )
    return addresses[0]


def port_of(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def is_allowed(host: str, port: int) -> bool:
    """Although it may be of a private network. An IPv6 address stands there with brackets, or without."""
    return not {host, f"{host}:{port}", with_port(host, port)}.isdisjoint(settings.TOOL_PRIVATE_HOSTS)


def with_port(host: str, port: int) -> str:
    """ "example.org:443" or "[::1]:443" """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _addresses(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unanswered(f"There is no server by the name of {host}.", sent=False) from None
    return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]


def private_problem(url: httpx.URL) -> str:
    """Why it is refused, and what to do, if it says itself that it is of a private network; else nothing:
    where another name leads is looked at each time it is asked."""
    port = port_of(url)
    if not _is_private(url.host) or is_allowed(url.host, port):
        return ""
    text = gettext(
        "This is an address of a private network. If it is meant, add %(host)s to TOOL_PRIVATE_HOSTS."
    )
    return text % {"host": with_port(url.host, port)}


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(ipaddress.ip_address(host))
    except ValueError:
        return False


def is_public(address: Address) -> bool:
    """Whether it is one of the internet, also where an IPv4 address is written into an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner and not is_public(inner):
            return False
    private = any(address.version == each.version and address in each for each in _PRIVATE)
    return address.is_global and not address.is_multicast and not private


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _host(url: str) -> str:
    return httpx.URL(url).host


Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
