"""Channel continuity, attempt by attempt (`definitions.md` section 1).

Rules (C)
C1. An attempt is an activation (no test) with a `sent`, `failed` or `rejected` event up to the observation end; its
    time is the earliest of these. It is delivered when any `delivered` event of it is known by then.
C2. A quarter of an hour of a channel is judged when it holds at least `fewest` attempts, ended an hour or more before
    the observation end, and the channel reports deliveries at all. It is degraded when the upper Wilson limit of
    delivered / attempts is below the objective.
C3. A signal is meant for the channel of its first linked marketing activation (no test) by created_at, then by id;
    without created_at it comes last.
C4. Concerned are signals in window, late or missed whose scoring or due time (the send where in window, else the
    window's end) falls in a degraded quarter of the channel they are meant for.
C5. rerouted: in window through another channel; same: in window through that channel; stranded: late or missed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.oracle.activation import states
from tests.oracle.engine import SECOND, World

QUARTER, HOUR = 900 * SECOND, 3600 * SECOND


def upper(k: int, n: int) -> float:
    """Upper 95 % Wilson limit, as in any textbook."""
    z = 1.959963984540054
    p = k / n
    return (p + z * z / (2 * n) + z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def quarters(
    worlds: Sequence[World], objective: float, fewest: int, settled: int = HOUR
) -> dict[tuple[str, int], bool]:
    """(channel, quarter) -> degraded, of all quarters judged, over warehouses side by side."""
    found: dict[tuple[str, int], list[bool]] = defaultdict(list)
    reporting = set()
    for w in worlds:
        for a in w["activations"]:
            if a.get("is_test"):
                continue
            known = [
                e
                for e in w["message_events"]
                if e["activation_id"] == a["activation_id"] and e["event_at"] <= w.end
            ]
            tried = [e["event_at"] for e in known if e["event_type"] in {"sent", "failed", "rejected"}]
            arrived = any(e["event_type"] == "delivered" for e in known)
            if arrived:
                reporting.add(a["channel"])
            if tried:
                found[a["channel"], min(tried) // QUARTER].append(arrived)
    return {
        (channel, q): upper(sum(x), len(x)) < objective
        for (channel, q), x in found.items()
        if channel in reporting and len(x) >= fewest and (q + 1) * QUARTER + settled <= worlds[0].end
    }


def fates(w: World, judged: dict[tuple[str, int], bool]) -> Counter[str]:
    """How many signals concerned fared how."""
    found: Counter[str] = Counter()
    made = {
        a["activation_id"]: a
        for a in w["activations"]
        if a["purpose"] == "marketing" and not a.get("is_test")
    }
    for s in w["signals"]:
        state = states(w)[s["signal_id"]]
        linked = {
            x["activation_id"] for x in w["activation_signals"] if x["signal_id"] == s["signal_id"]
        } & set(made)
        if state.state not in {"in_window", "late", "missed"} or not linked:
            continue
        first = min(linked, key=lambda x: (made[x].get("created_at") or math.inf, x))
        meant = made[first]["channel"]
        scored = s["scored_at"]
        due = (
            state.first_send_at
            if state.state == "in_window"
            else scored + round(s["window_seconds"] * SECOND)
        )
        if not any(judged.get((meant, t // QUARTER)) for t in (scored, due)):
            continue
        if state.state != "in_window":
            found["stranded"] += 1
        else:
            found["same" if state.channel == meant else "rerouted"] += 1
    return found
