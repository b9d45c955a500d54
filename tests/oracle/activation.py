"""Activation latency (`definitions.md` section 1), signal by signal.

Rules (A)
A1. Nothing after T1 is observed: sends, suppressions, conversions, hops and feedback later than T1 are left out.
A2. The first send of a signal is the earliest `sent` (then the smallest activation_id) of the activations linked
    to it, of purpose marketing, not tests. Whose the activation is does not matter. L is that time minus scored_at.
A3. L < -eps is invalid_negative, also when another linked send came later, and before any competing event.
    -eps <= L < 0 counts as 0 and is counted as clamped. L <= W is inclusive.
A4. Competing suppressions are all rows of action `suppress`, whatever trigger, channel, purpose, programme and
    policy, of the same person in today's closure, by effective_at. One that began before scoring competes only
    when it is in force at scoring: not expired (expires_at > scored_at) and no valid release in any channel after
    it began and at or before scoring. One at or after scoring competes even when released or expired later.
A5. Competing conversions are outcomes at or after scoring (never before), of every outcome_type but `churn`,
    whether or not reversed later.
A6. A competing event came first when its own time is strictly before the time of the first send (unclamped), or
    there is no send; at the same instant the send wins. It does not matter whether it came within the window.
A7. The earliest competing event names the state; at the same instant a conversion goes before a suppression.
    The competing time is max(0, its time - scored_at).
A8. Age is T1 - scored_at. A signal scored after T1 is decided by the same table (so open, unless a send within
    eps or a suppression in force came before T1) and has no part in survival inputs.
A9. Survival inputs: in_window and late at L, competing at the competing time, open and missed censored at their
    age. The excluded, unlinked and invalid states are left out.
A10. Episodes: eligible signals (not test, not holdout, activate, with a person) of one (person in today's
    closure, model_id, signal_name) in order of scored_at, signal_id. A signal joins the episode before it when
    the gap from the previous signal is at most that signal's window and no qualifying send linked to any signal
    of the group lies in [previous scored_at - eps, this scored_at - eps). The episode is one signal with the
    first one's scored_at and window and all linked sends.
A11. Hops: of activated signals (in_window, late) only; rows of outcome `ok` or empty whose activation_id is empty
    or that of the first send; the earliest of each hop. `scored` and `sent` come from the signal and its first
    send where no row says them. Steps join neighbouring hops that are present, in the order of the vocabulary
    (a missing one in the middle is one step a->c). A step shorter than -eps is inverted: left out and counted;
    between -eps and 0 it is 0.
A12. The chain is `scored`, `sent` and every hop between them that occurs at all in the known rows of hops (all
    signals). A signal's chain is complete when it has them all and none of its steps up to sent is inverted. The
    share is of the activated signals.
A13. Manual share: over activated signals with at least one row of hops up to `sent`: the sum of steps up to sent
    that end in a manual hop / the sum of (sent hop - scored hop, at least 0). A signal has a manual hop when one
    of its hops after scored, up to sent, is manual (inverted or not). In working hours the same ratio of the time that
    lies on Monday to Friday from 9 to 17 h UTC.
A14. Feedback and loop closure have one input: each conversion or other outcome of a person with a signal (not
    test) at or before it. It reached the model at the earliest ingested_at of its feedback events, or at the
    fed_back hop of a signal of that person whose converted hop (same activation) has exactly the outcome's time;
    otherwise it is censored at T1. Less than -eps is invalid (left out), between -eps and 0 it is 0.
A15. Score staleness is of all signals that are not tests and name features_as_of; the same rule for negatives.
A16. Value lost, claimed, step: the sum of expected_value of late and missed signals by currency; a missing
    expected_value is counted apart.
A17. For the SLO an in_window signal is good at scored_at + L; a late or missed one is bad at scored_at + W.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.oracle.engine import SECOND, Row, World, seconds
from tests.oracle.suppression import valid_release

STATES = (
    "excluded_test excluded_holdout excluded_no_action unlinked_identity invalid_negative in_window late "
    "competing_suppressed competing_converted open missed"
).split()
HOPS = (
    "scored exported synced eligible approved queued sent delivered opened clicked converted fed_back"
).split()
TO_SENT = HOPS[: HOPS.index("sent") + 1]


@dataclass(frozen=True)
class State:
    """A signal (or an episode) and what became of it. Seconds; times `_at` in microseconds."""

    signal_id: str
    state: str
    latency: float | None = None  # in_window, late (clamped) and invalid_negative (raw)
    clamped: bool = False
    competing: float | None = None
    age: float | None = None
    first_activation_id: str | None = None
    first_send_at: int | None = None
    channel: str | None = None
    campaign_id: str | None = None


def sends_of(w: World, signal_ids: set[str]) -> list[tuple[int, str]]:
    """Qualifying sends linked to the signals: (time, activation_id), earliest first."""
    linked = {a["activation_id"] for a in w["activation_signals"] if a["signal_id"] in signal_ids}
    good = {
        a["activation_id"]
        for a in w["activations"]
        if a["activation_id"] in linked and a["purpose"] == "marketing" and not a.get("is_test")
    }
    return sorted(
        (e["event_at"], e["activation_id"])
        for e in w["message_events"]
        if e["event_type"] == "sent" and e["activation_id"] in good and e["event_at"] <= w.end
    )


def in_force_at_scoring(w: World, event: Row, scored_at: int) -> bool:
    if event.get("expires_at") is not None and event["expires_at"] <= scored_at:
        return False
    return not any(
        valid_release(r)
        and w.person(r) == w.person(event)
        and event["effective_at"] < r["effective_at"] <= scored_at
        for r in w["suppression_events"]
    )


def competing_events(w: World, person: str, scored_at: int) -> list[tuple[int, str]]:
    """Competing events of a person from a scoring on: (time, state), the one that counts first."""
    found = [
        (o["occurred_at"], "competing_converted")
        for o in w["outcomes"]
        if w.person(o) == person
        and o["outcome_type"] not in w.view.not_conversions
        and scored_at <= o["occurred_at"] <= w.end
    ]
    for s in w["suppression_events"]:
        if s["action"] != "suppress" or w.person(s) != person or s["effective_at"] > w.end:
            continue
        if s["effective_at"] >= scored_at or in_force_at_scoring(w, s, scored_at):
            found.append((s["effective_at"], "competing_suppressed"))
    return sorted(found)


def excluded(s: Row) -> str | None:
    if s.get("is_test"):
        return "excluded_test"
    if s["arm"] == "holdout":
        return "excluded_holdout"
    if s["decision"] != "activate":
        return "excluded_no_action"
    return "unlinked_identity" if s.get("person_id") is None else None


def state_of(w: World, s: Row, signal_ids: set[str] | None = None) -> State:
    """The state of a signal; with `signal_ids`, of the episode it begins."""
    name = excluded(s)
    if name is not None:
        return State(s["signal_id"], name)
    scored, window = s["scored_at"], round(s["window_seconds"] * SECOND)
    sends = sends_of(w, signal_ids or {s["signal_id"]})
    first, activation_id = sends[0] if sends else (None, None)
    activation = next((a for a in w["activations"] if a["activation_id"] == activation_id), {})
    told: dict[str, Any] = {
        "age": seconds(w.end - scored),
        "first_activation_id": activation_id,
        "first_send_at": first,
        "channel": activation.get("channel"),
        "campaign_id": activation.get("campaign_id"),
    }
    if first is not None and first - scored < -w.view.skew_seconds * SECOND:
        return State(s["signal_id"], "invalid_negative", latency=seconds(first - scored), **told)
    person = w.person(s)
    rivals = competing_events(w, person or "", scored)
    if rivals and (first is None or rivals[0][0] < first):
        at, name = rivals[0]
        return State(s["signal_id"], name, competing=seconds(max(0, at - scored)), **told)
    if first is not None:
        latency = max(0, first - scored)
        name = "in_window" if latency <= window else "late"
        return State(s["signal_id"], name, seconds(latency), clamped=first < scored, **told)
    return State(s["signal_id"], "open" if w.end - scored < window else "missed", **told)


def states(w: World) -> dict[str, State]:
    found = {s["signal_id"]: state_of(w, s) for s in w["signals"]}
    assert all(s.state in STATES for s in found.values())
    return found


def counts(found: dict[str, State]) -> dict[str, int]:
    """How many signals are in each state that occurs."""
    return dict(Counter(s.state for s in found.values()))


def share_in_window(found: dict[str, State]) -> tuple[int, int]:
    """In window, and the denominator: in_window + late + missed."""
    n = Counter(s.state for s in found.values())
    return n["in_window"], n["in_window"] + n["late"] + n["missed"]


# ----- survival -----

Input = tuple[float, str]  # seconds, and activated, competing or censored


def survival_inputs(found: dict[str, State]) -> list[Input]:
    """(seconds, what) of every signal that takes part, sorted."""
    out: list[Input] = []
    for s in found.values():
        if s.age is None or s.age < 0:
            continue
        if s.state in {"in_window", "late"}:
            out.append((s.latency or 0.0, "activated"))
        elif s.state.startswith("competing"):
            out.append((s.competing or 0.0, "competing"))
        elif s.state in {"open", "missed"}:
            out.append((s.age, "censored"))
    return sorted(out)


def aalen_johansen(inputs: Sequence[Input]) -> list[tuple[float, int, Fraction, Fraction, Fraction]]:
    """Rows (t, at risk, KM with competing as censored, CIF activated, CIF competing) at every event time."""
    rows = []
    naive = overall = Fraction(1)
    active = rival = Fraction(0)
    for t in sorted({t for t, what in inputs if what != "censored"}):
        risk = sum(u >= t for u, _ in inputs)
        a = sum(u == t and what == "activated" for u, what in inputs)
        c = sum(u == t and what == "competing" for u, what in inputs)
        active += overall * Fraction(a, risk)
        rival += overall * Fraction(c, risk)
        overall *= 1 - Fraction(a + c, risk)
        naive *= 1 - Fraction(a, risk)
        rows.append((t, risk, naive, active, rival))
    return rows


def km_quantile(inputs: Sequence[Input], p: Fraction) -> float | None:
    """The first time at which the naive survival is at or below 1 - p; None when it is never reached."""
    return next((t for t, _, s, _, _ in aalen_johansen(inputs) if s <= 1 - p), None)
