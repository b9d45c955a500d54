"""The way of a signal to the person and back: episodes, hops, feedback, staleness, value, SLO.

The rules are A10 to A17 in the docstring of `activation`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise

from tests.oracle.activation import HOPS, TO_SENT, State, excluded, sends_of, state_of, states
from tests.oracle.engine import SECOND, Row, World, seconds

HOUR = 3600 * SECOND
DAY = 24 * HOUR


def episodes(w: World) -> list[tuple[list[str], State]]:
    """Each episode's signals and its state, named after its first signal (A10)."""
    groups: dict[tuple[str | None, str, str], list[Row]] = {}
    for s in w["signals"]:
        if excluded(s) is None:
            groups.setdefault((w.person(s), s["model_id"], s["signal_name"]), []).append(s)
    out = []
    for group in groups.values():
        ordered = sorted(group, key=lambda s: (s["scored_at"], s["signal_id"]))
        times = [t for t, _ in sends_of(w, {s["signal_id"] for s in group})]
        for run in _runs(w, ordered, times):
            ids = [s["signal_id"] for s in run]
            out.append((ids, state_of(w, run[0], set(ids))))
    return sorted(out, key=lambda e: e[0])


def _runs(w: World, ordered: list[Row], send_times: list[int]) -> list[list[Row]]:
    runs = [[ordered[0]]]
    eps = round(w.view.skew_seconds * SECOND)
    for before, s in pairwise(ordered):
        near = s["scored_at"] - before["scored_at"] <= round(before["window_seconds"] * SECOND)
        sent = any(before["scored_at"] - eps <= t < s["scored_at"] - eps for t in send_times)
        if near and not sent:
            runs[-1].append(s)
        else:
            runs.append([s])
    return runs


# ----- hops -----


@dataclass(frozen=True)
class Chain:
    """An activated signal's hops: (from, to) -> seconds, the inverted steps, and whether the chain is whole."""

    signal_id: str
    steps: dict[tuple[str, str], float]
    inverted: list[tuple[str, str]]
    complete: bool
    manual_seconds: float
    total_seconds: float
    has_manual: bool
    observed: bool  # any row of hops up to `sent`
    manual_worked: float
    total_worked: float


def chains(w: World) -> list[Chain]:
    found = states(w)
    occurring = {h["hop"] for h in _hop_rows(w)} & set(TO_SENT) | {"scored", "sent"}
    rows = {s["signal_id"]: s for s in w["signals"]}
    activated = [s for s in found.values() if s.state in {"in_window", "late"}]
    return [_chain(w, rows[s.signal_id], s, occurring) for s in activated]


def _hop_rows(w: World) -> list[Row]:
    return [h for h in w["activation_hops"] if h.get("outcome") in {None, "ok"} and h["entered_at"] <= w.end]


def _chain(w: World, signal: Row, state: State, occurring: set[str]) -> Chain:
    own = [
        h
        for h in _hop_rows(w)
        if h["signal_id"] == signal["signal_id"]
        and h.get("activation_id") in {None, state.first_activation_id}
    ]
    at: dict[str, tuple[int, str]] = {}
    for h in sorted(own, key=lambda h: (h["entered_at"], h["mode"])):
        at.setdefault(h["hop"], (h["entered_at"], h["mode"]))
    observed = any(hop in at for hop in TO_SENT)
    at.setdefault("scored", (signal["scored_at"], "unknown"))
    at.setdefault("sent", (state.first_send_at or 0, "unknown"))
    steps, inverted = _steps(w, at)
    by_hand = [(a, to) for a, to in steps if to in TO_SENT and at[to][1] == "manual"]
    broken = any(to in TO_SENT for _, to in inverted)
    return Chain(
        signal["signal_id"],
        steps,
        inverted,
        occurring <= set(at) and not broken,
        sum(steps[k] for k in by_hand),
        max(0.0, seconds(at["sent"][0] - at["scored"][0])),
        any(at[hop][1] == "manual" for hop in TO_SENT[1:] if hop in at),
        observed,
        sum(worked(at[a][0], at[to][0]) for a, to in by_hand),
        worked(at["scored"][0], at["sent"][0]),
    )


def worked(start: int, end: int) -> float:
    """Seconds between two instants (microseconds) that lie on a Monday to Friday from 9 to 17 h UTC, day by day."""
    total, day = 0, start // DAY
    while day * DAY < end:
        if dt.datetime.fromtimestamp(day * 86_400, dt.UTC).weekday() < 5:
            opens, closes = day * DAY + 9 * HOUR, day * DAY + 17 * HOUR
            total += max(0, min(end, closes) - max(start, opens))
        day += 1
    return total / SECOND


def _steps(
    w: World, at: dict[str, tuple[int, str]]
) -> tuple[dict[tuple[str, str], float], list[tuple[str, str]]]:
    present = [hop for hop in HOPS if hop in at]
    steps, inverted = {}, []
    for a, b in pairwise(present):
        length = seconds(at[b][0] - at[a][0])
        if length < -w.view.skew_seconds:
            inverted.append((a, b))
        else:
            steps[a, b] = max(0.0, length)
    return steps, inverted


def complete_share(w: World) -> tuple[int, int]:
    found = chains(w)
    return sum(c.complete for c in found), len(found)


def manual_share(w: World) -> tuple[float, float, int, int]:
    """Manual seconds, seconds from scored to sent, signals with a manual hop, signals with hops (A13)."""
    seen = [c for c in chains(w) if c.observed]
    manual = sum(c.manual_seconds for c in seen)
    return manual, sum(c.total_seconds for c in seen), sum(c.has_manual for c in seen), len(seen)


# ----- feedback, staleness, value, SLO -----


def feedback(w: World) -> tuple[list[tuple[float, bool]], int]:
    """(seconds, reached the model) of each outcome of a scored person, sorted; and how many were invalid."""
    inputs, invalid = [], 0
    for o in w["outcomes"]:
        when, person = o["occurred_at"], w.person(o)
        if when > w.end or not any(
            w.person(s) == person and not s.get("is_test") and s["scored_at"] <= when for s in w["signals"]
        ):
            continue
        back = _fed_back(w, o)
        length = seconds((back if back is not None else w.end) - when)
        if length < -w.view.skew_seconds:
            invalid += 1
        else:
            inputs.append((max(0.0, length), back is not None))
    return sorted(inputs), invalid


def _fed_back(w: World, outcome: Row) -> int | None:
    own = {s["signal_id"] for s in w["signals"] if w.person(s) == w.person(outcome)}
    hops = [h for h in _hop_rows(w) if h["signal_id"] in own]
    converted = {
        (h["signal_id"], h.get("activation_id"))
        for h in hops
        if h["hop"] == "converted" and h["entered_at"] == outcome["occurred_at"]
    }
    times = [
        h["entered_at"]
        for h in hops
        if h["hop"] == "fed_back" and (h["signal_id"], h.get("activation_id")) in converted
    ]
    times += [
        f["ingested_at"]
        for f in w["feedback_events"]
        if f["outcome_id"] == outcome["outcome_id"] and f["ingested_at"] <= w.end
    ]
    return min(times, default=None)


def staleness(w: World) -> tuple[list[float], int]:
    """Seconds from the newest feature to the score, sorted; and how many were invalid (A15)."""
    found = [
        seconds(s["scored_at"] - s["features_as_of"])
        for s in w["signals"]
        if not s.get("is_test") and s.get("features_as_of") is not None
    ]
    kept = [x for x in found if x >= -w.view.skew_seconds]
    return sorted(max(0.0, x) for x in kept), len(found) - len(kept)


def value_lost(w: World) -> tuple[dict[str | None, float], int, int]:
    """Claimed value lost by currency, late and missed signals, and those without an expected value (A16)."""
    lost: dict[str | None, float] = {}
    found, unknown, n = states(w), 0, 0
    for s in w["signals"]:
        if found[s["signal_id"]].state not in {"late", "missed"}:
            continue
        n += 1
        if s.get("expected_value") is None:
            unknown += 1
        else:
            lost[s.get("currency")] = lost.get(s.get("currency"), 0.0) + s["expected_value"]
    return lost, n, unknown


def slo_events(w: World) -> list[tuple[int, bool]]:
    """(microseconds, good) of each signal that counts (A17), sorted."""
    out = []
    found = states(w)
    for s in w["signals"]:
        state = found[s["signal_id"]]
        if state.state == "in_window":
            out.append((s["scored_at"] + round((state.latency or 0.0) * SECOND), True))
        elif state.state in {"late", "missed"}:
            out.append((s["scored_at"] + round(s["window_seconds"] * SECOND), False))
    return sorted(out)


def human_opens(w: World, activation_id: str) -> int:
    return sum(
        e["activation_id"] == activation_id and e["event_type"] == "opened" and not e.get("is_machine")
        for e in w["message_events"]
    )
