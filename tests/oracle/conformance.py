"""What follows from the pairs of `suppression`: near misses, clean stops, consent, propagation, who is at risk.

The rules are S10 to S21 in the docstring of `suppression`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracle.engine import DAY, Row, World, seconds
from tests.oracle.suppression import (
    Violation,
    _charged,
    _times,
    began_in_scope,
    in_force,
    lifted_before,
    listed,
    pairs,
    reaches_channel,
    sends,
    start_of,
    valid_release,
    violations,
)

REFUSED_CODES = {"21610", "131050"}
WITHHELD = {"transactional", "service", "legal"}


def exempt(w: World) -> list[str]:
    """Sends that only their purpose excuses (S12)."""
    everything = sends(w)
    return sorted(
        a["activation_id"] for a, at in everything if in_force(w, a, at) and not pairs(w, a, at, everything)
    )


def refusals(w: World) -> list[tuple[Row, list[int]]]:
    """Activations that were never sent, with the times at which they were refused (S11)."""

    def refused(e: Row) -> bool:
        by_code = e["event_type"] == "failed" and e.get("provider_code") in REFUSED_CODES
        return by_code or e["event_type"] in {"blocked", "skipped"}

    out = []
    for a in w["activations"]:
        at = _times(w, a, refused)
        sent = _times(w, a, lambda e: e["event_type"] == "sent")
        if at and not sent and not a.get("is_test") and a.get("person_id") is not None:
            out.append((a, at))
    return out


def near_misses(w: World) -> list[Violation]:
    out, everything = [], sends(w)
    for activation, times in refusals(w):
        for at in times:
            found = pairs(w, activation, at, everything)
            if found:
                out.append(_charged(w, activation, at, found, None))
                break
    return sorted(out, key=lambda v: v.activation_id)


def marketing_sends(w: World) -> list[tuple[Row, int]]:
    return [(a, at) for a, at in sends(w) if a["purpose"] == "marketing"]


def clean_stops(w: World) -> tuple[list[str], list[str]]:
    """Ids of the clean and of all matured suppressions (S13)."""
    limit = round(w.view.maturity_days * DAY)
    begun = {s["suppression_event_id"]: s["effective_at"] for s in w["suppression_events"]}
    matured = sorted(
        s["suppression_event_id"]
        for s in w["suppression_events"]
        if s["action"] == "suppress" and s["effective_at"] + limit <= w.end
    )
    broken = {e for v in violations(w) for e in v.events if v.at - begun[e] <= limit}
    return [e for e in matured if e not in broken], matured


@dataclass(frozen=True)
class Consent:
    """Marketing sends without consent, with consent but no proof, and all of them."""

    gaps: list[str]
    unproven: list[str]
    persons: set[str]
    sends: int


def consent(w: World) -> Consent:
    gaps, unproven, persons = [], [], set()
    everything = marketing_sends(w)
    for a, at in everything:
        rows = [
            c
            for c in w["consents"]
            if w.person(c) == w.person(a)
            and c["channel"] == a["channel"]
            and c["purpose"] == "marketing"
            and c["captured_at"] <= at
        ]
        last = [c for c in rows if c["captured_at"] == max(r["captured_at"] for r in rows)]
        open_ = [c for c in last if c.get("expires_at") is None or at < c["expires_at"]]
        if not open_ or any(c["status"] != "subscribed" for c in last):
            gaps.append(a["activation_id"])
            persons.add(w.person(a) or "")
        elif all(c.get("proof_ref") is None for c in open_):
            unproven.append(a["activation_id"])
    return Consent(sorted(gaps), sorted(unproven), persons, len(everything))


def over_suppressed(w: World) -> list[str]:
    """Activations wrongly withheld (S18)."""
    out, everything = [], sends(w)
    for a, times in refusals(w):
        at = times[0]
        began = began_in_scope(w, a, at)
        if a["purpose"] in WITHHELD:
            wrong = bool(began) and not pairs(w, a, at, everything)
        else:
            lifted = lifted_before(w, a, at)
            wrong = any(s["effective_at"] < lifted for s in began) and not in_force(w, a, at)
            wrong = wrong and a["purpose"] == "marketing"
        if wrong:
            out.append(a["activation_id"])
    return sorted(out)


def resurrected(w: World) -> list[str]:
    return sorted(
        s["suppression_event_id"]
        for s in w["suppression_events"]
        if s["action"] == "release" and not valid_release(s)
    )


def person_days(w: World) -> float:
    """Days lived under some suppression, over all persons (S20)."""
    spells: dict[str, list[tuple[int, int]]] = {}
    for s in w["suppression_events"]:
        if s["action"] != "suppress" or s["effective_at"] >= w.end:
            continue
        ends = [r["effective_at"] for r in w["suppression_events"] if _ends(w, r, s)]
        ends += [w.end] + ([] if s.get("expires_at") is None else [s["expires_at"]])
        spells.setdefault(w.person(s) or "", []).append((s["effective_at"], min(ends)))
    total = 0
    for own in spells.values():
        reached = -(2**62)
        for start, end in sorted(own):
            total += max(0, end - max(start, reached))
            reached = max(reached, end)
    return total / DAY


def _ends(w: World, r: Row, s: Row) -> bool:
    whole = r["scope_channels"] in {"*", s["scope_channels"]} and r.get("scope_program") in {None, "*"}
    later = r["effective_at"] > s["effective_at"]
    return valid_release(r) and later and whole and w.person(r) == w.person(s)


# ----- propagation -----

Interval = tuple[float, float | None]


def reachable(w: World, person: str) -> set[str]:
    """Channels a person can be reached in (S15)."""
    own = {a["channel"] for a in w["activations"] if w.person(a) == person and not a.get("is_test")}
    agreed = [c for c in w["consents"] if w.person(c) == person and c["status"] == "subscribed"]
    return own | {c["channel"] for c in agreed}


def propagation(w: World) -> dict[tuple[str, str], Interval]:
    """(suppression, channel) -> (lower, upper) seconds, upper None when open; informative pairs only (S14)."""
    begun = {s["suppression_event_id"]: s["effective_at"] for s in w["suppression_events"]}
    sent: dict[tuple[str, str], list[int]] = {}
    for v in violations(w):
        for e in v.events:
            sent.setdefault((e, v.channel), []).append(v.at)
    blocked = _refused_pairs(w)
    out: dict[tuple[str, str], Interval] = {}
    for key in sent.keys() | blocked.keys():
        zero = begun[key[0]]
        last = max(sent.get(key, [zero]))
        after = [t for t in blocked.get(key, []) if t > last]
        out[key] = (seconds(last - zero), seconds(min(after) - zero) if after else None)
    return out | _acknowledged(w)


def _refused_pairs(w: World) -> dict[tuple[str, str], list[int]]:
    everything = sends(w)
    out: dict[tuple[str, str], list[int]] = {}
    for a, times in refusals(w):
        for at in times:
            for s in pairs(w, a, at, everything):
                out.setdefault((s["suppression_event_id"], a["channel"]), []).append(at)
    return out


def _acknowledged(w: World) -> dict[tuple[str, str], Interval]:
    out: dict[tuple[str, str], Interval] = {}
    for s in w["suppression_events"]:
        if s["action"] != "suppress":
            continue
        own = [
            p for p in w["suppression_propagations"] if p["suppression_event_id"] == s["suppression_event_id"]
        ]
        for channel in {p["channel"] for p in own}:
            bounds = [_bounds(p, s["effective_at"], w.end) for p in own if p["channel"] == channel]
            lo, his = max(b[0] for b in bounds), [b[1] for b in bounds]
            hi = None if None in his else max(h for h in his if h is not None)
            zero = s["effective_at"]
            upper = None if hi is None else max(0.0, seconds(hi - zero))
            out[s["suppression_event_id"], channel] = (max(0.0, seconds(lo - zero)), upper)
    return out


def _bounds(p: Row, begun: int, end: int) -> tuple[int, int | None]:
    exact, lo, hi = p.get("acknowledged_at"), p.get("ack_lo"), p.get("ack_hi")
    if exact is not None:
        return exact, exact
    if lo is None and hi is None:
        return end, None
    return (begun if lo is None else lo), hi


def propagation_coverage(w: World) -> tuple[int, int]:
    """Informative (suppression, channel) pairs, and all of them."""
    known = set(propagation(w))
    could = {
        (s["suppression_event_id"], c)
        for s in w["suppression_events"]
        if s["action"] == "suppress"
        for c in reachable(w, w.person(s) or "")
        if reaches_channel(w, s, c)
    }
    return len(known), len(known | could)


# ----- at risk -----


def at_risk(w: World) -> tuple[set[str], dict[str, set[str]]]:
    """Persons softly at risk, and person -> activations that would breach if sent now (S16)."""
    return _softly(w), _hard(w)


def _softly(w: World) -> set[str]:
    acknowledged = {
        (p["suppression_event_id"], p["channel"])
        for p in w["suppression_propagations"]
        if (p.get("acknowledged_at") or p.get("ack_hi") or 2**62) <= w.end
    }
    soft = set()
    for s in w["suppression_events"]:
        person = w.person(s)
        running = s.get("expires_at") is None or w.end < s["expires_at"]
        if s["action"] != "suppress" or person is None or start_of(w, s) >= w.end or not running:
            continue
        for c in reachable(w, person):
            unheard = (s["suppression_event_id"], c) not in acknowledged
            if unheard and reaches_channel(w, s, c) and not _lifted_in(w, s, c):
                soft.add(person)
    return soft


def _lifted_in(w: World, s: Row, channel: str) -> bool:
    return any(
        valid_release(r)
        and w.person(r) == w.person(s)
        and s["effective_at"] < r["effective_at"] <= w.end
        and listed(r["scope_channels"], channel)
        and r.get("scope_program") in {None, "*"}
        for r in w["suppression_events"]
    )


def _hard(w: World) -> dict[str, set[str]]:
    hard: dict[str, set[str]] = {}
    everything = sends(w)
    for a in w["activations"]:
        seen = {e["event_type"] for e in w["message_events"] if e["activation_id"] == a["activation_id"]}
        waiting = "queued" in seen or a.get("scheduled_for") is not None
        if not waiting or seen - {"queued", "deferred"} or a.get("is_test") or a.get("person_id") is None:
            continue
        if pairs(w, a, w.end, everything):
            hard.setdefault(w.person(a) or "", set()).add(a["activation_id"])
    return hard
