"""The model of SIP lines; `telephony.models` has it with the others."""

from __future__ import annotations

import ipaddress
import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mlservices.secret_box import UnreadableSecret, opened, sealed

from .lines.limits import NOT_BELOW_0, Carrier

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_SERVER = re.compile(rf"({_HOST.pattern})(:\d{{1,5}})?")
_NAME = re.compile(r"[^\s@:;<>\"?\\]+")
SILENT_SECONDS = 15.0  # a gateway that has not been heard of for so long is not there


class SipLine(Carrier):
    """An account at a SIP registrar, or a trunk that asks for no registration: a provider's or a PBX's.

    `password` is ciphertext. The gateway writes `state` and what follows it; a page shows `shown_state`.
    Where it names no `countries`, only extensions of its own exchange may be called.
    """

    class Transport(models.TextChoices):
        UDP = "udp", "UDP"
        TCP = "tcp", "TCP"
        TLS = "tls", "TLS, SRTP"

    class Nat(models.TextChoices):
        """How the address is found at which our sound is reached, where a router translates it."""

        NONE = "", _("None: the provider sees to it")
        STUN = "stun", _("STUN: ask a server")
        ICE = "ice", _("ICE: try all ways with the other side")

    class State(models.TextChoices):
        OFF = "off", _("Off")
        REGISTERING = "registering", _("Registering")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    label = models.CharField(max_length=80)
    host = models.CharField(max_length=255)  # the registrar's name; also the domain of our address
    port = models.PositiveIntegerField(default=5060)
    transport = models.CharField(max_length=8, choices=Transport, default=Transport.UDP)
    user = models.CharField(max_length=64)
    auth_user = models.CharField(max_length=64, blank=True)  # where digest asks for another name than `user`
    password = models.TextField(blank=True)
    registers = models.BooleanField(default=True)
    domain = models.CharField(max_length=255, blank=True)  # of our address, where it is not `host`
    max_calls = models.PositiveIntegerField(default=3)  # at once, both ways; one more hears that it is busy
    # Addresses and networks that may ring it, separated by spaces; where it registers, the registrar may too.
    allowed_peers = models.TextField(blank=True)
    takes_transfers = models.BooleanField(default=False)  # whoever we talk to may have us talk to another
    nat = models.CharField(max_length=8, choices=Nat, default=Nat.NONE, blank=True)
    stun_server = models.CharField(max_length=255, blank=True)  # host or host:port
    # At Zadarma, whose notices and bills tell of this line's calls too.
    account = models.ForeignKey(
        "telephony.Credential", models.SET_NULL, null=True, blank=True, related_name="sip_lines"
    )
    # What a minute to any number costs, at most; None: what the account's price list says.
    price_per_minute = models.DecimalField(
        max_digits=10, decimal_places=5, null=True, blank=True, validators=[NOT_BELOW_0]
    )
    currency = models.CharField(max_length=3, blank=True)  # of both; "" is the CURRENCY of the settings
    agent = models.ForeignKey("agents.Agent", models.SET_NULL, null=True, blank=True, related_name="+")
    enabled = models.BooleanField(default=True)

    state = models.CharField(max_length=16, choices=State, default=State.OFF)
    state_at = models.DateTimeField(null=True)  # since when
    reason = models.CharField(max_length=200, blank=True)  # of a failure, in the registrar's words
    held_at = models.DateTimeField(null=True)  # renewed by the gateway that has the line

    class Meta:
        ordering = ["label", "pk"]
        constraints = [models.UniqueConstraint(fields=["host", "port", "user"], name="sip_line_once")]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Raises ValidationError, by field, for what no line can be."""
        problems = {}
        if not _HOST.fullmatch(self.host):
            problems["host"] = _("Write a name or an address, like sip.example.org.")
        if self.domain and not _HOST.fullmatch(self.domain):
            problems["domain"] = _("Write a name, like example.org, or leave it empty.")
        for field in ("user", "auth_user"):
            name = getattr(self, field)
            if name and not _NAME.fullmatch(name):
                problems[field] = _("Write the name alone, without @ and what follows it.")
        if not 1 <= self.port <= 65535:
            problems["port"] = _("Give a port from 1 to 65535.")
        if self.stun_server and not _SERVER.fullmatch(self.stun_server):
            problems["stun_server"] = _(
                "Write a name or an address, like stun.example.org or 192.0.2.7:3478."
            )
        if self.nat and not self.stun_server:
            problems["stun_server"] = _("Name the server that is asked for our address.")
        try:
            self.peers()
        except ValueError:
            problems["allowed_peers"] = _("Write addresses and networks, like 192.0.2.7 198.51.100.0/24.")
        if self.daily_cap is not None and self.price_per_minute is None and self.account is None:
            problems["price_per_minute"] = _(
                "A cap needs the price of a minute, or an account that tells it."
            )
        if problems:
            raise ValidationError(problems)

    def peers(self) -> list[Network]:
        """Raises ValueError for an allowed peer that is no address or network."""
        words = self.allowed_peers.replace(",", " ").split()
        return [ipaddress.ip_network(word, strict=False) for word in words]

    @property
    def address_domain(self) -> str:
        return self.domain or self.host

    @property
    def extension(self) -> str:
        """Of the provider's exchange, where the user is one: "100" of "123456-100"."""
        return self.user.rpartition("-")[2]

    def set_password(self, password: str) -> None:
        """Raises ValidationError for one that the gateway cannot use."""
        if re.search(r"[\x00-\x1f\"\\]", password):
            told = _(
                "A quotation mark or backslash cannot be used in it: choose another one at the provider."
            )
            raise ValidationError({"password": told})
        self.password = sealed(password) if password else ""

    def clear_password(self) -> str:
        """In the clear. Raises UnreadableSecret."""
        try:
            return opened(self.password) if self.password else ""
        except UnreadableSecret:
            raise UnreadableSecret(
                f"The password of SIP line {self.label} was encrypted with another key. Put that key into "
                "CREDENTIALS_KEY (after the new one), or enter the password again."
            ) from None

    @property
    def shown_state(self) -> str:
        """Off where no gateway has been heard of lately, whatever the last one wrote."""
        if self.held_at and (timezone.now() - self.held_at).total_seconds() < SILENT_SECONDS:
            return self.state
        return self.State.OFF
