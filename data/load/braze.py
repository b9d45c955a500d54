"""Braze Currents (Avro as JSON, or the tables of a Snowflake share as CSV) as canonical rows.

`dispatch_id` is shared by everyone in a scheduled send, so a message is (dispatch, user, variation).
"""

from __future__ import annotations

from data.load.canonical import Id, Outbox, Who, email, phone
from data.load.payloads import Payload
from data.load.words import meaning

_CHANNELS = {
    "email": "email", "sms": "sms", "whatsapp": "whatsapp", "rcs": "rcs", "pushnotification": "push",
    "line": "line", "inappmessage": "in_app", "contentcard": "in_app",
}  # fmt: skip
_MESSAGES = {
    "send": "sent", "delivery": "delivered", "open": "opened", "click": "clicked", "read": "read",
    "bounce": "bounced_hard", "softbounce": "bounced_soft", "deferral": "deferred", "markasspam": "complained",
    "unsubscribe": "unsubscribed", "deliveryfailure": "failed", "rejection": "failed", "failure": "failed",
    "abort": "skipped", "impression": "opened", "shortlinkclick": "clicked",
}  # fmt: skip
_TRIGGER = {"unsubscribed": "opt_out", "complained": "complaint", "bounced_hard": "hard_bounce"}
_STATUS = {"unsubscribed": "unsubscribed", "subscribed": "subscribed", "opted_in": "subscribed"}
_NOT_THE_PERSON = ("import", "api", "rest", "csv", "sync", "segment", "dashboard", "manual", "integration")
_NOT_KEPT = {"carriersend": "handed to the carrier", "webhook": "a webhook reaches no person"}


def map_record(p: Payload, out: Outbox) -> str:
    """Add the rows of one event; returns the provider's name of it, empty where it has none of ours."""
    name = name_of(p)
    parts = name.lower().replace("_", ".").removesuffix(".shared").removeprefix("users.").split(".")
    if parts[0] == "messages" and len(parts) == 3:
        return name if _message(p, out, parts[1], parts[2]) else ""
    known = _OTHERS.get(".".join(parts))
    if known is None:
        return ""
    who = _who(p)
    known(p, out, who)
    out.claim(who, p.instant("time"), p.place)
    return name


def name_of(p: Payload) -> str:
    return p.text("_event", "event_type", "event_name") or p.section or "a record without _event"


def _who(p: Payload) -> Who:
    user = p.text("user_id")
    address = email(p.text("email_address")) or phone(
        p.text("to_phone_number", "phone_number", "user_phone_number")
    )
    return Who(p.text("external_user_id"), Id("braze_id", user) if user else None, address)


def _message(p: Payload, out: Outbox, product: str, verb: str) -> bool:
    """An event of a message; false where the verb or the product is none of ours."""
    lost = _NOT_KEPT.get(verb) or _NOT_KEPT.get(product)
    if lost:
        out.not_kept[f"{name_of(p)}: {lost}"] += 1
        return True
    channel = _CHANNELS.get(product)
    if channel and verb == "inboundreceive":
        _inbound(p, out, channel)
        return True
    type_ = _MESSAGES.get(verb)
    if channel is None or type_ is None:
        return False
    if type_ == "bounced_hard" and p.flag("is_drop"):
        type_ = "blocked"
    who, at = _who(p), p.instant("time")
    machine = p.flag("machine_open") or p.flag("is_suspected_bot_click")
    reason = p.text("abort_type") if type_ == "skipped" else p.text("bounce_reason", "error", "reason")
    code = p.text("provider_error_code", "error_code", "status_code")
    activation = _activation(p, out, who, channel, type_)
    out.event(p.place, p.needs("id"), activation, type_, at, reason=reason, code=code, machine=machine)
    if type_ in _TRIGGER:
        out.suppress(p.place, p.needs("id"), who, _TRIGGER[type_], at, channel, programme="*")
    out.claim(who, at, p.place)
    if p.text("timezone"):
        out.zones[who] = p.needs("timezone")
    return True


def _activation(p: Payload, out: Outbox, who: Who, channel: str, type_: str) -> str | tuple[str, str]:
    """The activation of an event. Only a send or an attempt makes one; the others refer to it."""
    own = p.text("message_extras.activation_id", "activation_id")
    user = who.record.value if who.record else (who.own or "")
    variation = p.text("message_variation_id", "canvas_step_message_variation_id")
    dispatch = p.text("dispatch_id") or p.text("send_id") if type_ != "skipped" else p.text("dispatch_id")
    attempt = type_ in ("sent", "skipped", "blocked")
    if not attempt and not own and not (dispatch and variation):
        return (dispatch, user) if dispatch else (p.needs("id"), user)
    key = own or ("|".join((dispatch, user, variation or "")) if dispatch else f"{type_}|{p.needs('id')}")
    if attempt:
        campaign = p.text("campaign_id", "canvas_id")
        purpose = p.text("message_extras.purpose", "purpose")
        out.activation(
            p.place, key, who, channel, dispatch or p.needs("id"), user, purpose=purpose, campaign=campaign
        )  # fmt: skip
        signal = p.text("message_extras.signal_id", "signal_id")
        if signal:
            out.add("activation_signals", p.place, signal_id=signal, activation_id=key, role="primary")
    return key


def _inbound(p: Payload, out: Outbox, channel: str) -> None:
    trigger = meaning(p.text("message_body"), p.text("action"))
    if trigger is None:
        out.not_kept["inbound message that asks for no stop"] += 1
        return
    channels = channel if trigger == "re_opt_in" else "*"
    at = p.instant("time")
    out.suppress(p.place, p.needs("id"), _who(p), trigger, at, channel, channels=channels, programme="*")


def _state_change(p: Payload, out: Outbox, who: Who) -> None:
    """A subscription state, of a channel or of one group: the consent, and the stop or its release.

    A re-subscription by import, sync or staff is no release of a stop: its trigger is `manual`.
    """
    status = (p.text("subscription_status") or "").lower().replace(" ", "_")
    state = _STATUS.get(status, "unknown")
    channel, at, group = p.text("channel") or "email", p.instant("time"), p.text("subscription_group_id")
    programme = f"group {group}" if group else "*"
    out.add(
        "consents", p.place, who=[("person_id", who)], consent_id=f"braze:{p.needs('id')}", channel=channel,
        purpose=f"group {group}" if group else "marketing", status=state, captured_at=at,
        proof_ref=f"braze:{p.needs('id')}",
    )  # fmt: skip
    if state == "unknown":
        out.not_kept[f"subscription status {status or 'missing'}: no stop, no release"] += 1
        return
    out.suppress(
        p.place, p.needs("id"), who, "opt_out" if state == "unsubscribed" else "re_opt_in", at, channel,
        channels=channel, programme=programme, by_person=_by_person(p.text("state_change_source")),
    )  # fmt: skip


def _by_person(source: str | None) -> bool:
    said = (source or "").lower()
    return not any(word in said for word in _NOT_THE_PERSON)


def _control(p: Payload, out: Outbox, who: Who) -> None:
    out.inferred["engagement window of a control-group row"] += 1
    campaign = p.text("campaign_id", "canvas_id") or "unknown"
    out.add(
        "signals", p.place, who=[("person_id", who)], signal_id=f"braze:{p.needs('id')}",
        model_id=f"campaign {campaign}", signal_name="control_group", decision="hold_out", arm="holdout",
        scored_at=p.instant("time"), window_seconds=0.0,
    )  # fmt: skip


def _canvas_entry(p: Payload, out: Outbox, who: Who) -> None:
    if p.flag("in_control_group"):
        _control(p, out, who)
    else:
        out.not_kept["canvas entry outside the control group"] += 1


def _outcome(p: Payload, out: Outbox, who: Who) -> None:
    bought = p.get("price") is not None
    out.add(
        "outcomes", p.place, who=[("person_id", who)], outcome_id=f"braze:{p.needs('id')}",
        outcome_type="purchase" if bought else "conversion", occurred_at=p.instant("time"),
        revenue=p.number("price"), currency=p.text("currency"),
    )  # fmt: skip


def _orphan(p: Payload, out: Outbox, _: Who) -> None:
    """Braze's own ids, as it says them; links lead on to the company's ids."""
    at, orphan, keeper = p.instant("time"), p.needs("user_id"), p.needs("orphaned_by_id")
    for user in (orphan, keeper):
        out.literal.setdefault(Id("braze_id", user), (at, p.place))
    out.add(
        "person_merges", p.place, merge_id=f"braze:{p.needs('id')}", from_person_id=orphan, to_person_id=keeper,
        merged_at=at, method="braze UserOrphan",
    )  # fmt: skip


def _erasure(p: Payload, out: Outbox, who: Who) -> None:
    at = p.instant("time")
    out.suppress(p.place, p.needs("id"), who, "erasure_request", at, "email", programme="*", purpose="all")


_OTHERS = {
    "behaviors.subscription.globalstatechange": _state_change,
    "behaviors.subscriptiongroup.statechange": _state_change,
    "campaigns.enrollincontrol": _control,
    "canvas.entry": _canvas_entry,
    "campaigns.conversion": _outcome,
    "canvas.conversion": _outcome,
    "behaviors.purchase": _outcome,
    "userorphan": _orphan,
    "userdeleterequest": _erasure,
}
