"""SendGrid event webhook (JSON batches) and Email Activity export (CSV) as canonical rows."""

from __future__ import annotations

import datetime as dt

from data.load.canonical import Outbox, Who, content_id, email
from data.load.payloads import Payload

_EVENTS = {
    "processed": "sent",
    "deferred": "deferred",
    "delivered": "delivered",
    "open": "opened",
    "click": "clicked",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
# Why SendGrid dropped a message: its own suppression list (a near miss), or a message it would not take.
_DROPPED = {
    "unsubscribed address": ("blocked", "opt_out"),
    "spam reporting address": ("blocked", "complaint"),
    "bounced address": ("blocked", "hard_bounce"),
    "invalid": ("rejected", "invalid_address"),
}
_TRIGGER = {"unsubscribed": "opt_out", "complained": "complaint", "bounced_hard": "hard_bounce"}


def map_record(p: Payload, out: Outbox) -> str:
    """Add the rows of one event; returns the provider's name of it, empty where it has none of ours."""
    name = p.needs("event").lower()
    if name == "group_resubscribe":
        _suppress(p, out, "re_opt_in", _id(p, "re_opt_in"), p.instant("timestamp", "processed"))
        return name
    type_, reason = _type(p, name)
    if not type_:
        return ""
    at, event_id = p.instant("timestamp", "processed"), _id(p, type_)
    out.event(
        p.place, event_id, _activation(p, out), type_, at, reason=reason,
        code=p.text("status"), machine=p.flag("sg_machine_open"),
    )  # fmt: skip
    if type_ in _TRIGGER:
        _suppress(p, out, _TRIGGER[type_], event_id, at)
    return name


def _type(p: Payload, name: str) -> tuple[str, str | None]:
    if name == "dropped":
        reason = p.text("reason")
        return _DROPPED.get((reason or "").lower(), ("rejected", reason))
    if name in ("bounce", "blocked"):
        soft = name == "blocked" or (p.text("type") or "").lower() == "blocked"
        return "bounced_soft" if soft else "bounced_hard", p.text("reason")
    return _EVENTS.get(name, ""), p.text("reason")


def _address(p: Payload) -> str:
    return p.needs("email").lower()


def _message(p: Payload) -> str | None:
    return p.text("sg_message_id", "message_id", "recv_message_id", "smtp-id")


def _id(p: Payload, type_: str) -> str:
    """SendGrid's id; a hash of the content where a (dropped) event has none."""
    return p.text("sg_event_id") or content_id(
        _message(p), type_, _address(p), p.instant("timestamp", "processed")
    )


def _activation(p: Payload, out: Outbox) -> str | tuple[str, str]:
    """The activation: our own custom argument; otherwise the message and its recipient."""
    address = _address(p)
    message = _message(p) or content_id(address, p.instant("timestamp", "processed"))
    own = p.text("activation_id")
    who = Who(own=p.text("person_id"), address=email(address))
    out.activation(
        p.place, own or f"{message}|{address}", who, "email", message, address,
        purpose=p.text("purpose"), campaign=p.text("campaign_id", "marketing_campaign_id", "singlesend_id"),
    )  # fmt: skip
    signal = p.text("signal_id")
    if signal and own:
        out.add("activation_signals", p.place, signal_id=signal, activation_id=own, role="primary")
    out.claim(who, p.instant("timestamp", "processed"), p.place)
    return own or (message, address)


def _suppress(p: Payload, out: Outbox, trigger: str, event_id: str, at: dt.datetime) -> None:
    group = p.text("asm_group_id")
    in_group = p.needs("event").lower().startswith("group_") and group
    who = Who(own=p.text("person_id"), address=email(_address(p)))
    channels = "email" if trigger == "re_opt_in" else "*"
    programme = f"group {group}" if in_group else "*"
    out.suppress(p.place, event_id, who, trigger, at, "email", channels=channels, programme=programme)
