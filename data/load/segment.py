"""Segment: HTTP calls (single, batch, replay) and warehouse tables (CSV) as canonical rows.

Segment's e-mail spec has no "Email Sent": a delivery says only that the message was sent before it. No send is
made up; the delivery is marked `inferred` and counted.
"""

from __future__ import annotations

import datetime as dt

from data.load.canonical import Id, Outbox, Quality, Who, content_id, email, phone
from data.load.clocks import skew_corrected
from data.load.payloads import Payload

# event -> (canonical type, channel). The lower ones come from Braze by way of Segment.
_EVENTS = {
    "email delivered": ("delivered", "email"),
    "email opened": ("opened", "email"),
    "email link clicked": ("clicked", "email"),
    "email bounced": ("bounced_hard", "email"),
    "email marked as spam": ("complained", "email"),
    "unsubscribed": ("unsubscribed", "email"),
    "email sent": ("sent", "email"),
    "sms sent": ("sent", "sms"),
    "sms delivered": ("delivered", "sms"),
    "sms rejected": ("failed", "sms"),
    "push notification sent": ("sent", "push"),
    "push notification tapped": ("clicked", "push"),
    "push notification bounced": ("bounced_hard", "push"),
    "email aborted": ("skipped", "email"),
    "sms aborted": ("skipped", "sms"),
    "push notification aborted": ("skipped", "push"),
}
_TRIGGER = {"unsubscribed": "opt_out", "complained": "complaint", "bounced_hard": "hard_bounce"}
_CALLS = {
    "identifies": "identify",
    "tracks": "track",
    "aliases": "alias",
    "pages": "page",
    "screens": "screen",
}
_CALLS |= {"groups": "group"}
_NOT_KEPT = ("page", "screen", "group", "users", "accounts")


def map_record(p: Payload, out: Outbox) -> str:
    """Add the rows of one call; returns the provider's name of it, empty where it has none of ours."""
    call = _call(p)
    if call in _NOT_KEPT:
        out.not_kept[f"{call}: no table takes it"] += 1
        return call
    if call in _TABLES:
        _TABLES[call](p, out)
        return call
    name = name_of(p)
    return name if _track(p, out, name.lower()) else ""


def name_of(p: Payload) -> str:
    return p.text("event_text", "event") or p.section.replace("_", " ") or "a record without type or event"


def _call(p: Payload) -> str:
    return (p.text("type") or "").lower() or _CALLS.get(p.section, p.section)


def _event_id(p: Payload) -> str:
    found = p.text("messageId", "message_id", "id")
    return found or content_id(
        name_of(p), p.text("userId", "user_id"), p.text("timestamp", "originalTimestamp")
    )


def _when(p: Payload) -> tuple[dt.datetime, Quality]:
    """Segment's timestamp; where it is missing, its own formula; where that lacks a clock, the arrival."""
    said = p.time("timestamp")
    if said:
        return said, Quality.PROVIDER
    received = p.instant("receivedAt", "received_at")
    sent = p.device_time("sentAt", "sent_at")
    created = p.device_time("originalTimestamp", "original_timestamp")
    if sent and created:
        return skew_corrected(received, sent, created), Quality.SKEW_CORRECTED
    return received, Quality.RECEIVED


def _received(p: Payload) -> dt.datetime | None:
    return p.time("receivedAt", "received_at")


def _who(p: Payload) -> Who:
    anonymous = p.text("anonymousId", "anonymous_id")
    address = email(
        p.text("context.traits.email", "traits.email", "properties.email", "context_traits_email", "email")
    )
    return Who(p.text("userId", "user_id"), Id("anonymous_id", anonymous) if anonymous else None, address)


def _claim(p: Payload, out: Outbox, who: Who, at: dt.datetime) -> None:
    own = Who(who.own, Id("user_id", who.own) if who.own else None, who.address)
    out.claim(own, at, p.place)
    out.claim(
        Who(who.own, who.record, phone(p.text("traits.phone", "context.traits.phone", "phone"))), at, p.place
    )
    zone = p.text("context.timezone", "context_timezone")
    if zone:
        out.zones[who] = zone


def _track(p: Payload, out: Outbox, name: str) -> bool:
    """A track call; false where the event is none of ours."""
    who, (at, quality) = _who(p), _when(p)
    if name == "order completed":
        _order(p, out, who, at)
    elif name == "campaign control group entered":
        _control(p, out, who, at)
    elif name in _EVENTS:
        type_, channel = _EVENTS[name]
        _message(p, out, who, at, quality, type_, channel)
    else:
        return False
    _claim(p, out, who, at)
    return True


def _prop(p: Payload, name: str) -> str | None:
    return p.text(f"properties.{name}", name)


def _message(
    p: Payload, out: Outbox, who: Who, at: dt.datetime, quality: Quality, type_: str, channel: str
) -> None:
    event_id, received = _event_id(p), _received(p)
    message = _prop(p, "email_id") or _prop(p, "dispatch_id") or _prop(p, "message_id")
    user = (
        who.own or (who.address.value if who.address else None) or (who.record.value if who.record else None)
    )
    if type_ in _TRIGGER:
        listed = _prop(p, "list_id")
        programme = f"list {listed}" if listed else "*"
        if type_ == "bounced_hard":
            out.inferred["kind of bounce, taken as hard"] += 1
        out.suppress(
            p.place, event_id, who, _TRIGGER[type_], at, channel, programme=programme, received=received,
        )  # fmt: skip
    if not message or not user:
        out.not_kept[f"{type_} without a message id or a person"] += 1
        return
    own = _prop(p, "activation_id") or f"{message}|{user}"
    out.activation(
        p.place, own, who, channel, message, user, purpose=_prop(p, "purpose"), campaign=_prop(p, "campaign_id")
    )  # fmt: skip
    if _prop(p, "signal_id"):
        out.add(
            "activation_signals", p.place, signal_id=_prop(p, "signal_id"), activation_id=own, role="primary"
        )
    reason = _prop(p, "abort_type") or ("inferred" if type_ == "delivered" and channel == "email" else None)
    machine = p.flag("properties.machine_open") or p.flag("properties.is_suspected_bot_click")
    out.event(
        p.place, event_id, own, type_, at, received=received, reason=reason, machine=machine, quality=quality
    )  # fmt: skip


def _order(p: Payload, out: Outbox, who: Who, at: dt.datetime) -> None:
    """Revenue is without shipping and tax; `total` is another measure and never stands in for it."""
    revenue = p.number("properties.revenue", "revenue")
    if revenue is None:
        out.inferred["revenue missing (total is not taken for it)"] += 1
    out.add(
        "outcomes", p.place, who=[("person_id", who)], outcome_id=_prop(p, "order_id") or _event_id(p),
        outcome_type="purchase", occurred_at=at, revenue=revenue, currency=_prop(p, "currency"),
        received_at=_received(p),
    )  # fmt: skip


def _control(p: Payload, out: Outbox, who: Who, at: dt.datetime) -> None:
    out.inferred["engagement window of a control-group row"] += 1
    campaign = _prop(p, "campaign_id") or _prop(p, "canvas_id") or "unknown"
    out.add(
        "signals", p.place, who=[("person_id", who)], signal_id=f"segment:{_event_id(p)}",
        model_id=f"campaign {campaign}", signal_name="control_group", decision="hold_out", arm="holdout",
        scored_at=at, window_seconds=0.0, received_at=_received(p),
    )  # fmt: skip


def _identify(p: Payload, out: Outbox) -> None:
    who, (at, _) = _who(p), _when(p)
    _claim(p, out, who, at)
    if who.own and who.record:
        out.claim(Who(who.own, who.record), at, p.place)
    preferences = p.flags("context.consent.categoryPreferences")
    prefix = "context_consent_category_preferences_"
    preferences += tuple((c[len(prefix) :], p.flag(c)) for c in p.values if c.startswith(prefix))
    for category, agreed in preferences:
        out.add(
            "consents", p.place, who=[("person_id", who)], consent_id=f"segment:{_event_id(p)}:{category}",
            channel="*", purpose=category, status="subscribed" if agreed else "unsubscribed", captured_at=at,
            proof_ref=f"segment:{_event_id(p)}", received_at=_received(p),
        )  # fmt: skip


def _alias(p: Payload, out: Outbox) -> None:
    at, _ = _when(p)
    _merge(p, out, p.needs("previousId", "previous_id"), p.needs("userId", "user_id"), at, "segment alias")


def _graph(p: Payload, out: Outbox) -> None:
    at = p.instant("timestamp", "received_at")
    _merge(p, out, p.needs("segment_id"), p.needs("canonical_segment_id"), at, "segment id_graph_updates")


def _merge(p: Payload, out: Outbox, gone: str, kept: str, at: dt.datetime, method: str) -> None:
    out.add(
        "person_merges", p.place, merge_id=f"segment:{_event_id(p)}", from_person_id=gone, to_person_id=kept,
        merged_at=at, method=method,
    )  # fmt: skip


def _mapping(p: Payload, out: Outbox) -> None:
    """A profile's identifier: its own user id names the person, any other belongs to the profile."""
    at, profile = p.instant("timestamp", "received_at"), Id("segment_id", p.needs("segment_id"))
    kind, value = p.needs("external_id_type"), p.needs("external_id_value")
    out.literal.setdefault(profile, (at, p.place))
    if kind == "user_id":
        out.claim(Who(value, profile, Id("user_id", value)), at, p.place)
        return
    found = email(value) if kind == "email" else phone(value) if kind == "phone" else Id(kind, value)
    out.add(
        "identity_links", p.place, who=[("person_id", Who(record=profile))],
        link_id=f"segment:{kind}:{value}:{profile.value}", record_id=profile.value, id_type=kind,
        id_value=found.value if found else value, link_method="deterministic", source="segment", valid_from=at,
    )  # fmt: skip


_TABLES = {
    "identify": _identify,
    "alias": _alias,
    "id_graph_updates": _graph,
    "external_id_mapping_updates": _mapping,
}
