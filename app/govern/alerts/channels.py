"""Ways to people: mail over SMTP, and a signed webhook. Both take a finished message and either deliver it or say why not."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, parseaddr
from urllib.parse import unquote, urlsplit

from app.govern.alerts.outbox import WEBHOOK, Channel, DeliveryError, Message
from app.govern.model import Clock
from app.govern.views import Room
from app.settings import LOOPBACK, Settings, SettingsError, is_safe

SECONDS = 20.0  # a server that says nothing for so long is down
SHORTEST_SECRET = 16
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Mail:
    """Mail through one server. `smtp` is upgraded to TLS, but on this machine; `smtps` speaks TLS from the first byte.

    `addresses`: identity -> e-mail address, as the register of users has them now.
    """

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str
    addresses: Mapping[str, str]
    clock: Clock
    name: str = "mail"

    def reaches(self, recipient: str) -> bool:
        return recipient in self.addresses

    def send(self, message: Message) -> None:
        try:
            letter = self.letter(message)
            with self._connected() as server:
                refused = server.send_message(letter)
        except (OSError, smtplib.SMTPException, MessageError, ValueError) as error:
            raise DeliveryError(f"mail to {message.recipient} was not taken: {_said(error)}") from error
        if refused:
            raise DeliveryError(f"mail to {message.recipient} was refused")

    def letter(self, message: Message) -> EmailMessage:
        """The mail. Its Message-ID is made of the alert's identifier, so that a second copy is known as one."""
        letter = EmailMessage()
        letter["Subject"] = f"Throughline, {message.subject}"
        letter["From"], letter["To"] = self.sender, self.addresses[message.recipient]
        letter["Date"] = format_datetime(self.clock())
        letter["Message-ID"] = (
            f"<{message.id}@{parseaddr(self.sender)[1].rpartition('@')[2] or 'throughline'}>"
        )
        letter["Auto-Submitted"], letter["X-Throughline-Alert"] = "auto-generated", message.id
        letter.set_content(f"{message.text}\n\n{message.register} {message.record_id}, alert {message.id}\n")
        return letter

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
            if self.host not in LOOPBACK:
                server.starttls(context=context)
        if self.user:
            server.login(self.user, self.password)
        return server


@dataclass(frozen=True)
class Webhook:
    """A POST of JSON. `X-Throughline-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 of `t.body` under the shared secret."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    clock: Clock
    name: str = WEBHOOK

    def reaches(self, recipient: str) -> bool:
        return recipient == WEBHOOK

    def send(self, message: Message) -> None:
        body = body_of(message)
        request = urllib.request.Request(self.url, body, self.headers(message, body), method="POST")  # noqa: S310 (https, or this machine)
        try:
            with urllib.request.build_opener(_Straight).open(request, timeout=SECONDS) as answer:
                status = answer.status
        except (OSError, ValueError) as error:
            raise DeliveryError(f"the webhook did not take it: {_said(error)}") from error
        if not 200 <= status < 300:
            raise DeliveryError(f"the webhook answered {status}")

    def headers(self, message: Message, body: bytes) -> dict[str, str]:
        at = int(self.clock().timestamp())
        return {
            "Content-Type": "application/json", "User-Agent": "throughline", "Idempotency-Key": message.id,
            "X-Throughline-Signature": f"t={at},v1={signature(self.secret, at, body)}",
        }  # fmt: skip


class _Straight(urllib.request.HTTPRedirectHandler):
    """A redirect would take the message to somebody nobody configured."""

    def redirect_request(self, *_: object) -> None:
        return None


def body_of(message: Message) -> bytes:
    content = {
        "id": message.id, "kind": message.kind, "register": message.register, "record": message.record_id,
        "subject": message.subject, "text": message.text, "due": message.due.isoformat() if message.due else None,
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")


def signature(secret: str, at: int, body: bytes) -> str:
    """HMAC-SHA256 of the time and the body: what a receiver recomputes and compares in constant time."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def channels_of(settings: Settings, room: Room, clock: Clock) -> tuple[Channel, ...]:
    """The channels that the settings name. Raises SettingsError for half of one, or for one that anybody could read."""
    found: list[Channel] = []
    if settings.smtp_url:
        found.append(_mail(settings, room, clock))
    if settings.webhook_url:
        if not is_safe(settings.webhook_url):
            raise SettingsError("webhook_url is not https (http only on this machine); messages name people")
        secret = settings.webhook_secret or ""
        if len(secret) < SHORTEST_SECRET:
            raise SettingsError(
                f"webhook_secret has {len(secret)} characters; use {SHORTEST_SECRET} random ones or more"
            )
        found.append(Webhook(settings.webhook_url, secret, clock))
    return tuple(found)


def _mail(settings: Settings, room: Room, clock: Clock) -> Mail:
    parts = urlsplit(settings.smtp_url or "")
    if parts.scheme not in PORTS or not parts.hostname:
        raise SettingsError("smtp_url is not like smtps://USER:PASSWORD@HOST:465 or smtp://HOST:587")
    if "@" not in parseaddr(settings.alert_from or "")[1]:
        raise SettingsError("alert_from is missing; write the address that alerts come from")
    addresses = {u.record_id: u.text("email") for u in room.live("users") if _one_address(u.text("email"))}
    return Mail(
        parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme], unquote(parts.username or ""),
        unquote(parts.password or ""), settings.alert_from or "", addresses, clock,
    )  # fmt: skip


def _one_address(text: str) -> bool:
    found = getaddresses([text])
    return len(found) == 1 and "@" in found[0][1]


def _said(error: Exception) -> str:
    """What a server said, without what was sent to it."""
    if isinstance(error, urllib.error.HTTPError):
        return f"it answered {error.code}"
    return " ".join(f"{type(error).__name__} {error}".split())[:200]


@dataclass(frozen=True)
class Everybody:
    """Stands for channels that are not set up yet, so that a rehearsal can say who would be told. It delivers nothing."""

    name: str = "none"

    def reaches(self, recipient: str) -> bool:
        return recipient != WEBHOOK

    def send(self, message: Message) -> None:
        raise DeliveryError(f"no channel is set for {message.recipient}")
