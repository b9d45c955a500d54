"""Suppression conformance (`definitions.md` section 2), pair by pair of a send and a suppression.

Rules (S)
S1. A send is an activation with a `sent` event: its time is the earliest one. Tests and activations without a
    person count nowhere (the latter are counted apart). Nothing is cut at T1: a violation seen is a violation.
S2. A valid release is action `release` with trigger re_opt_in; every other release row changes nothing and is
    counted as resurrected. A release lifts, for the same person (always today's closure, by effective_at), the
    channels it lists ('*' all) and the programmes it names (none or '*' all), for every purpose, from every
    suppression that began strictly before it, whatever that suppression's own scope. So with R = the latest
    valid release at or before the send that covers its channel and campaign, a suppression is lifted when
    effective_at < R. At the same instant a suppression beats a release.
S3. In force at t: start < t, not expired (t < expires_at), not lifted. Half-open: a send at exactly the start is
    no violation, one at exactly the release or the expiry is none either. The start is effective_at; in the clock
    view `received` it is the later of effective_at and received_at. Releases go by effective_at in both views.
S4. Scope, strict: every trigger covers every channel and programme, whatever the row lists. Industry: a
    hard_bounce covers its origin channel only; a conversion covers the channels it lists, and the programmes it
    names, or those of the policy where it names none (golden: abandoned_cart; '*' is all); every other trigger
    covers the channels and programmes it lists (none or '*' is all). A programme is a campaign_id.
S5. Purposes: a hard_bounce stops every purpose in its origin channel, in both policies, the confirmation too (all
    sends to the person in that channel, since the row names no address). scope_purpose `all`, erasure_request and
    deceased stop every purpose, legal included. Otherwise transactional, service and legal are exempt.
S6. A confirmation (opt_out_confirmation) is exempt when some suppression of that person began strictly before it,
    at most 300 s earlier (inclusive), and no other confirmation send to that person lies after that beginning and
    before it (time, then activation_id). Other confirmations are judged like marketing.
S7. A violation is a send with at least one pair (send, suppression) in force, in scope, not exempt: one violation
    a send. It is charged to the suppression with the earliest effective_at (then the smallest id) of the view's
    pairs: delay = send - start, cross-channel = the send's channel is not its origin_channel, cross-record = the
    record_ids differ (person_id where a row has no record_id).
S8. Tier: past_legal_deadline when any pair of the view is past its deadline (send > deadline), else in_flight
    when delay <= 60 s, else breach.
S9. known_to_sender: some pair's later of effective_at and received_at is strictly before the send.
    identity_known: some pair is linked at the moment of the send (E6). Each flag on its own; the views `received`
    and `known` keep the pairs for which it (or both) holds.
S10. The rate per marketing send counts only violations that are marketing sends (golden 14/21, not 15/21), over
    all marketing sends with a person. The headline count has all violations.
S11. Near miss: an activation that was never sent, with a refusal (blocked, skipped, or failed with code 21610 or
    131050) at a time at which a send would have been a violation; the earliest such refusal, charged likewise.
S12. Exempt: sends that are no violation, but would be one were their purpose marketing.
S13. Clean stop: suppressions (with effective_at + 30 days <= T1) without any pair of a violating send at most
    30 days after effective_at (inclusive). Every pair counts here, not only the charged one.
S14. Propagation, per (suppression, channel): where propagation rows exist, lo = the greatest of (acknowledged_at,
    else ack_lo, else 0 when only ack_hi is there), hi = the greatest of (acknowledged_at, else ack_hi), open when
    any row has none; a row without any time is open from T1. Else from pairs: lo = the last violating send, else
    0; hi = the first refusal pair strictly after it, else open. All minus effective_at, at least 0. No row and no
    pair: uninformative. Coverage = informative pairs / (suppression, channel) pairs in scope whose channel the
    person is reachable in, or which are informative.
S15. Reachable channels: of the person's activations (not tests), and of consents that are `subscribed`.
S16. At risk at T1. Soft: a person with a suppression that began before T1 (S3's start), not expired at T1, not
    lifted at or before T1 by a later valid release covering the channel and naming no programme, in a reachable
    channel in its scope (programmes aside), without an acknowledgement of (suppression, channel) by any system
    with acknowledged_at, else ack_hi, at or before T1. The origin channel is no exception. Hard: a person with an
    activation (not a test) that is queued (event) or scheduled (scheduled_for), has no other event than queued or
    deferred, and would be a violation if sent at T1. At risk is either.
S17. Consent: for each marketing send the person's latest consent row (today's closure, same channel, purpose
    marketing, captured_at <= send). It is covered when that row is subscribed and not expired (send <
    expires_at); among rows of the same instant one that is not subscribed wins. Covered without proof_ref
    (no covering row of that instant has one) is unproven, counted apart and not a gap.
S18. Over-suppression: an activation never sent, refused (S11's refusals, the earliest). Transactional, service or
    legal: some suppression that began strictly before, not expired, in scope for its channel and programme,
    and it would not have been a violation. Marketing: such a suppression was lifted, and none is in force.
S19. Persons affected are persons of today's closure, in every view.
S20. Suppressed person-days: the union per person of [effective_at, end), cut at T1; the end is the earliest of
    expires_at and the first later valid release that names no programme and lists '*' or exactly the row's own
    scope_channels. It does not depend on the policy.
S21. resurrected counts the known release rows whose trigger is not re_opt_in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.oracle.engine import SECOND, Row, World, seconds

EXEMPT = {"transactional", "service", "legal"}
EVERY_PURPOSE = {"erasure_request", "deceased"}
Deadline = Callable[[Row, str], int | None]


def never(_event: Row, _channel: str) -> int | None:
    """No legal deadline is known."""
    return None


def valid_release(event: Row) -> bool:
    return bool(event["action"] == "release" and event["trigger_type"] == "re_opt_in")


def listed(scope: str | None, name: str | None) -> bool:
    """Is a name in a scope: '*' or empty is everything, else a list with |."""
    return scope in {None, "*"} or (name is not None and name in str(scope).split("|"))


def reaches_channel(w: World, event: Row, channel: str) -> bool:
    """Does a suppression reach a channel under the policy, programmes aside (S4)?"""
    if w.view.policy == "strict":
        return True
    if event["trigger_type"] == "hard_bounce":
        return bool(channel == event["origin_channel"])
    return listed(event["scope_channels"], channel)


def in_scope(w: World, event: Row, channel: str, programme: str | None) -> bool:
    """Does a suppression reach a channel and programme under the policy (S4)?"""
    if w.view.policy == "strict" or event["trigger_type"] == "hard_bounce":
        return reaches_channel(w, event, channel)
    programmes = event.get("scope_program")
    if event["trigger_type"] == "conversion" and programmes is None:
        programmes = "|".join(w.view.conversion_programmes)
    return reaches_channel(w, event, channel) and listed(programmes, programme)


def lifted_before(w: World, activation: Row, at: int) -> int:
    """R of rule S2: the latest valid release that covers an activation's channel and campaign."""
    person = w.person(activation)
    return max(
        (
            r["effective_at"]
            for r in w["suppression_events"]
            if valid_release(r)
            and w.person(r) == person
            and r["effective_at"] <= at
            and listed(r["scope_channels"], activation["channel"])
            and listed(r.get("scope_program"), activation.get("campaign_id"))
        ),
        default=-(2**62),
    )


def start_of(w: World, event: Row) -> int:
    return known_from(event) if w.view.clock == "received" else int(event["effective_at"])


def known_from(event: Row) -> int:
    return int(max(event["effective_at"], event.get("received_at") or event["effective_at"]))


def began_in_scope(w: World, activation: Row, at: int) -> list[Row]:
    """Suppressions of the activation's person that began before `at`, reach it, and have not expired."""
    person = w.person(activation)
    return [
        s
        for s in w["suppression_events"]
        if s["action"] == "suppress"
        and person is not None
        and w.person(s) == person
        and start_of(w, s) < at
        and (s.get("expires_at") is None or at < s["expires_at"])
        and in_scope(w, s, activation["channel"], activation.get("campaign_id"))
        and (w.view.identity == "truth" or w.linked_at(s, activation, at))
    ]


def in_force(w: World, activation: Row, at: int) -> list[Row]:
    lifted = lifted_before(w, activation, at)
    return [s for s in began_in_scope(w, activation, at) if s["effective_at"] >= lifted]


def stops(event: Row, activation: Row, *, confirmed: bool) -> bool:
    """Does a suppression in force stop this purpose (S5, S6)? `confirmed` marks the one exempt confirmation."""
    purpose = activation["purpose"]
    if event["trigger_type"] == "hard_bounce" and activation["channel"] == event["origin_channel"]:
        return True
    if confirmed:
        return False
    if event["scope_purpose"] == "all" or event["trigger_type"] in EVERY_PURPOSE:
        return True
    return purpose not in EXEMPT


def sends(w: World) -> list[tuple[Row, int]]:
    """Every send with its time: activations with a person, not tests, at their earliest `sent` (S1)."""
    out = []
    for a in w["activations"]:
        at = _times(w, a, lambda e: e["event_type"] == "sent")
        if at and not a.get("is_test") and a.get("person_id") is not None:
            out.append((a, at[0]))
    return sorted(out, key=lambda s: (s[1], s[0]["activation_id"]))


def _times(w: World, activation: Row, wanted: Callable[[Row], bool]) -> list[int]:
    return sorted(
        e["event_at"]
        for e in w["message_events"]
        if e["activation_id"] == activation["activation_id"] and wanted(e)
    )


def is_confirmation(w: World, activation: Row, at: int, others: Iterable[tuple[Row, int]]) -> bool:
    """Is this the one exempt confirmation of some suppression (S6)?"""
    if activation["purpose"] != "opt_out_confirmation":
        return False
    person, me = w.person(activation), (at, activation["activation_id"])
    earlier = [
        t
        for o, t in others
        if o["purpose"] == "opt_out_confirmation" and w.person(o) == person and (t, o["activation_id"]) < me
    ]
    limit = w.view.confirmation_seconds * SECOND
    return any(
        s["action"] == "suppress"
        and w.person(s) == person
        and 0 < at - s["effective_at"] <= limit
        and not any(t > s["effective_at"] for t in earlier)
        for s in w["suppression_events"]
    )


def pairs(w: World, activation: Row, at: int, all_sends: Iterable[tuple[Row, int]]) -> list[Row]:
    """The suppressions that a send of this activation at a moment violates, the charged one first."""
    confirmed = is_confirmation(w, activation, at, all_sends)
    found = [s for s in in_force(w, activation, at) if stops(s, activation, confirmed=confirmed)]
    return sorted(found, key=lambda s: (s["effective_at"], s["suppression_event_id"]))


@dataclass(frozen=True)
class Violation:
    """A send that should not have been, or (tier None) a refusal that a suppression explains."""

    activation_id: str
    suppression_event_id: str
    delay_s: float
    tier: str | None
    cross_channel: bool
    known_to_sender: bool
    identity_known: bool
    cross_record: bool
    person: str
    at: int
    channel: str
    trigger: str
    marketing: bool
    events: tuple[str, ...]  # every suppression violated, the charged one first


def _charged(w: World, activation: Row, at: int, found: list[Row], tier: str | None) -> Violation:
    first = found[0]
    record = activation.get("record_id") or activation["person_id"]
    return Violation(
        activation["activation_id"],
        first["suppression_event_id"],
        seconds(at - start_of(w, first)),
        tier,
        activation["channel"] != first["origin_channel"],
        any(known_from(s) < at for s in found),
        any(w.linked_at(s, activation, at) for s in found),
        record != (first.get("record_id") or first["person_id"]),
        w.person(activation) or "",
        at,
        activation["channel"],
        first["trigger_type"],
        activation["purpose"] == "marketing",
        tuple(s["suppression_event_id"] for s in found),
    )


def violations(w: World, deadline: Deadline = never) -> list[Violation]:
    """Every violating send of the view, by activation_id."""
    out, everything = [], sends(w)
    for activation, at in everything:
        found = pairs(w, activation, at, everything)
        if not found:
            continue
        due = [deadline(s, activation["channel"]) for s in found]
        tier = "in_flight" if at - start_of(w, found[0]) <= w.view.grace_seconds * SECOND else "breach"
        if any(d is not None and at > d for d in due):
            tier = "past_legal_deadline"
        out.append(_charged(w, activation, at, found, tier))
    return sorted(out, key=lambda v: v.activation_id)
