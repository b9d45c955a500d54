"""Twilio: status callbacks and inbound webhooks (form posts), Event Streams, REST and CSV exports.

One event a (message, state): a callback sent again, or the same state told by two sources, counts once, and the
provider's own time is preferred to the time a callback came in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from data.load.canonical import Outbox, Quality, Who, phone
from data.load.payloads import BadRecord, Payload
from data.load.words import meaning

_STATES = {
    "accepted": "queued",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "read": "read",
    "canceled": "skipped",
    "scheduled": "",
}
OPTED_OUT = {"21610": "opt_out"}
_CHANNELS = {"whatsapp": "whatsapp", "rcs": "rcs", "messenger": "in_app"}


def map_record(p: Payload, out: Outbox) -> str:
    """Add the rows of one record; returns the provider's name of it, empty where it has none of ours."""
    if p.get("body") is not None and p.get("received_at") is not None and p.get("sid") is None:
        return _form(p, out)
    if (p.text("type") or "").startswith("com.twilio.messaging"):
        return _streamed(p, out)
    if p.get("MessageSid", "messagesid", "SmsSid") is not None:
        return _callback(p, p, out)
    if p.get("sid", "Sid") is not None:
        return _rest(p, out)
    return ""


def name_of(p: Payload) -> str:
    """What to call a record nobody maps."""
    return p.text("MessageStatus", "status", "type", "Status") or (
        p.section or "a record without MessageSid or sid"
    )


def _form(p: Payload, out: Outbox) -> str:
    body = p.needs("body")
    fields: Mapping[str, object] = {k: v[0] for k, v in parse_qs(body, keep_blank_values=True).items()}
    if "MessageSid" not in fields:
        raise BadRecord(p.place, "body", body, "Keep the whole form of the callback; it has a MessageSid.")
    return _callback(p, Payload(p.place, fields, p.now, p.section), out)


def _callback(p: Payload, form: Payload, out: Outbox) -> str:
    """A form post. Its only clock is when it came in; `p` is what was stored with it."""
    received = p.instant("received_at", "Received-At", "timestamp")
    status = (form.text("MessageStatus", "messagestatus") or "").lower()
    if not status or status in ("received", "receiving"):
        _inbound(
            form, out, form.needs("MessageSid"), received, form.text("From"), form.text("Body"), received
        )
        return "inbound"
    query = {k: v[0] for k, v in parse_qs(urlsplit(p.text("url") or "").query).items()}
    to = form.text("ChannelToAddress") or form.needs("To")
    channel = _channel(form.needs("To"))
    sid = form.needs("MessageSid", "messagesid", "SmsSid")
    return _state(
        form.over(**query), out, sid, status, received, (channel, to),
        quality=Quality.RECEIVED, code=form.text("ErrorCode"), received=received,
    )  # fmt: skip


def _streamed(p: Payload, out: Outbox) -> str:
    data = p.inner("data")
    if data is None:
        raise BadRecord(p.place, "data", None, "An Event Streams record has its fields under data.")
    at = data.time("timestamp") or p.instant("time")
    sid = data.needs("messageSid")
    if "inbound" in p.needs("type"):
        _inbound(data, out, sid, at, data.text("from"), data.text("body"), None)
        return "inbound"
    status = (data.text("messageStatus") or p.needs("type").rsplit(".", 1)[-1]).lower()
    to = data.needs("to")
    return _state(data, out, sid, status, at, (_channel(to), to), code=data.text("errorCode"))


def _rest(p: Payload, out: Outbox) -> str:
    """A message as it stands: when it was sent is known, when it reached its last state only roughly."""
    sid, status = p.needs("sid", "Sid"), p.needs("status", "Status").lower()
    sent = p.time("date_sent", "datesent", "dateSent", "sentdate")
    updated = p.time("date_updated", "dateupdated", "dateUpdated") or sent
    created = p.time("date_created", "datecreated", "dateCreated")
    if (p.text("direction", "Direction") or "").lower().startswith("inbound"):
        at = sent or created or p.instant("date_sent")
        _inbound(p, out, sid, at, p.text("from", "From"), p.text("body", "Body"), None)
        return "inbound"
    to = p.needs("to", "To")
    place = (_channel(to, p.number("num_media", "nummedia")), to)
    price, unit = p.number("price", "Price"), p.text("price_unit", "priceunit")
    out.activation(
        p.place, p.text("activation_id") or sid, _who(to), place[0], sid, None, purpose=p.text("purpose"),
        created=created, cost=abs(price) if price is not None else None,
        currency=unit.upper() if unit and price is not None else None,
    )  # fmt: skip
    if sent and status not in ("queued", "accepted", "scheduled", "canceled", "failed"):
        _state(p, out, sid, "sent", sent, place)
    if updated is None:
        raise BadRecord(p.place, "date_updated", None, "The record needs date_sent or date_updated.")
    if status != "sent" or not sent:
        code = p.text("error_code", "errorcode")
        _state(p, out, sid, status, updated, place, quality=Quality.INFERRED, code=code)
    return status


def _state(
    p: Payload,
    out: Outbox,
    sid: str,
    status: str,
    at: dt.datetime,
    place: tuple[str, str],
    *,
    quality: Quality = Quality.PROVIDER,
    code: str | None = None,
    received: dt.datetime | None = None,
) -> str:
    """One state of a message; empty where the state is none of ours."""
    type_ = _STATES.get(status)
    if type_ is None:
        return ""
    channel, to = place
    own = p.text("activation_id") or sid
    out.activation(p.place, own, _who(to), channel, sid, None, purpose=p.text("purpose"))
    if p.text("signal_id"):
        out.add(
            "activation_signals", p.place, signal_id=p.text("signal_id"), activation_id=own, role="primary"
        )
    if not type_:
        out.not_kept[f"{status}: a plan, not an event"] += 1
        return status
    reason = OPTED_OUT.get(code or "") if type_ == "failed" else ("canceled" if type_ == "skipped" else None)
    type_ = "blocked" if reason in OPTED_OUT.values() else type_
    out.event(
        p.place, f"{sid}:{type_}", own, type_, at, received=received, reason=reason, code=code, quality=quality
    )  # fmt: skip
    return status


def _inbound(
    p: Payload,
    out: Outbox,
    sid: str,
    at: dt.datetime,
    sender: str | None,
    text: str | None,
    received: dt.datetime | None,
) -> None:
    """A person's message: a stop, a start, or neither (counted)."""
    trigger = meaning(text, p.text("OptOutType", "optOutType"))
    if trigger is None:
        out.not_kept["inbound message that asks for no stop"] += 1
        return
    if not sender:
        raise BadRecord(p.place, "From", None, "An inbound message needs its sender.")
    channel = _channel(sender)
    channels = channel if trigger == "re_opt_in" else "*"
    out.suppress(
        p.place, sid, _who(sender), trigger, at, channel, channels=channels, programme="*", received=received
    )


def _who(address: str) -> Who:
    return Who(address=phone(address))


def _channel(address: str, media: float | None = None) -> str:
    prefix, colon, _ = address.partition(":")
    if colon and prefix.lower() in _CHANNELS:
        return _CHANNELS[prefix.lower()]
    return "mms" if media else "sms"
