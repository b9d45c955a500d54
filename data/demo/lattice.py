"""Exact data: arrivals on a lattice instead of draws, so that every metric is a formula of whole numbers.

`batch` has one export clock, `horizon` the same clock watched until just before a run, `suppressions` one opt-out
every so many seconds against fixed sending slots, and `plants` known counts of every special case. Each gives the
canonical tables and the figures a measurement must find, with the formula in words.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import SECOND, Ints
from data.demo.lattice_base import BASE, START, Figure, Lattice, activation_table, sent_table, watermark
from data.demo.lattice_counts import Plants
from data.demo.lattice_plants import EARLY, plants
from data.demo.lattice_stops import CASE_SLOTS, Slots, suppressions

__all__ = [
    "BASE", "CASE_SLOTS", "EARLY", "START", "Figure", "Lattice", "Plants", "Slots", "batch", "horizon", "plants",
    "suppressions",
]  # fmt: skip


def batch(
    n: int = 21_600, *, period: int = 21_600, rest: int = 90, window: int = 3_600, cycles: int = 1
) -> Lattice:
    """n signals a cycle wait (i + 0.5) B / n seconds for the next run and `rest` more: seen to the end.

    Raises ValueError where a half step of the lattice is not a whole number of microseconds.
    """
    waits = _waits(n, period)
    scored, sent = _cycles(waits, period, rest, cycles)
    last = BASE + cycles * period * SECOND + (rest + window) * SECOND
    inside = min(n, max(0, math.floor((window - rest) * n / period + 0.5)))

    def at(share: float) -> float:
        return (math.ceil(share * n) - 0.5) * period / n + rest

    figures = (
        Figure("activation.signals", n * cycles, "n cycles"),
        Figure("activation.in_window_share", inside / n, "floor((W - c) n / B + 1/2) / n"),
        Figure("activation.latency_median", at(0.5), "(ceil(n / 2) - 1/2) B / n + c"),
        Figure("activation.latency_p90", at(0.9), "(ceil(0.9 n) - 1/2) B / n + c"),
        Figure("activation.latency_p95", at(0.95), "(ceil(0.95 n) - 1/2) B / n + c"),
        Figure("mean_latency", period / 2 + rest, "B / 2 + c"),
        Figure("activation.hop_seconds", period / 2, "B / 2", (("hop", "exported"),)),
        Figure("activation.hop_seconds", float(rest), "c", (("hop", "sent"),)),
    )
    tables = _signal_tables(scored, sent, window, end=last, run=sent - rest * SECOND)
    return Lattice(tables, figures)


def horizon(n: int = 21_600, *, period: int = 21_600, window: int = 3_600, cycles: int = 10) -> Lattice:
    """The same clock without rest, observed until 0.25 s before the last run: censoring tells of the latency.

    Figures are what a naive horizon gives; those with the setting `horizon=whole` are the truth of whole cycles.
    """
    waits = _waits(n, period)
    scored, sent = _cycles(waits, period, 0, cycles)
    end = BASE + cycles * period * SECOND - SECOND // 4
    inside = int((waits <= window * SECOND).sum())
    missed = int((waits - SECOND // 4 >= window * SECOND).sum())
    whole = (("horizon", "whole"),)
    full = cycles - 1
    figures = (
        Figure(
            "activation.in_window_share", full * inside / (full * n + missed), "(k - 1) w / ((k - 1) n + m)"
        ),
        Figure("activation.in_window_share", inside / n, "w / n", settings=whole),
        Figure(
            "activation.latency_median",
            _biased_median(waits, full),
            "first t with product of (1 - 1 / risk) <= 1/2",
        ),
        Figure(
            "activation.latency_median",
            (math.ceil(n / 2) - 0.5) * period / n,
            "(ceil(n / 2) - 1/2) B / n",
            settings=whole,
        ),
    )
    seen = np.where(sent <= end, sent, -1)
    return Lattice(_signal_tables(scored, seen, window, end=end, run=seen), figures)


def _biased_median(waits: Ints, full: int) -> float:
    """Kaplan-Meier median where the cycles before the last are seen and the last is censored at its ages.

    At the i-th wait `full` signals are sent of full (n - i) + (n - i) that still wait: ages lie before the waits.
    """
    n = waits.size
    left = n - np.arange(n)
    at_risk = full * left + np.maximum(left - 1, 0)
    survival = np.cumprod(1 - full / at_risk)
    return float(waits[int(np.argmax(survival <= 0.5))] / SECOND)


def _waits(n: int, period: int) -> Ints:
    if n < 1 or (period * SECOND) % (2 * n):
        raise ValueError(
            f"{n} signals do not fall on whole microseconds of {period} s; take a divisor of the period"
        )
    return (2 * np.arange(n) + 1) * (period * SECOND // (2 * n))


def _cycles(waits: Ints, period: int, rest: int, cycles: int) -> tuple[Ints, Ints]:
    """Scoring and sending times of every cycle, shape (cycles * n,)."""
    runs = BASE + (1 + np.arange(cycles)) * period * SECOND
    scored = (runs[:, None] - waits[None, :]).ravel()
    return scored, np.repeat(runs + rest * SECOND, waits.size)


def _signal_tables(scored: Ints, sent: Ints, window: int, *, end: int, run: Ints) -> dict[str, pa.Table]:
    """One signal a person; `sent` and `run` are -1 where nothing was sent."""
    n = scored.size
    ids, names, people = files.numbered("s", n), files.numbered("a", n), files.numbered("p", n)
    went = np.flatnonzero(sent >= 0)
    take = pa.array(went)
    signals = pa.table(
        {
            "signal_id": ids, "person_id": people, "model_id": files.constant("lattice", n),
            "signal_name": files.constant("tick", n), "decision": files.constant("activate", n),
            "arm": files.constant("treatment", n), "scored_at": files.times(scored),
            "window_seconds": pa.array(np.full(n, float(window))), "expected_value": pa.array(np.ones(n)),
        }
    )  # fmt: skip
    hops = [
        pa.table({"signal_id": ids.take(take), "activation_id": names.take(take), "hop": files.constant(hop, went.size),
                  "entered_at": files.times(at[went]), "mode": files.constant("automatic", went.size)})
        for hop, at in (("scored", scored), ("exported", run), ("sent", sent))
    ]  # fmt: skip
    return {
        "signals": signals,
        "activations": activation_table(
            names.take(take), people.take(take), np.zeros(went.size, np.int64), ("email",)
        ),
        "activation_signals": pa.table({"signal_id": ids.take(take), "activation_id": names.take(take)}),
        "activation_hops": pa.concat_tables(hops),
        "message_events": sent_table(names.take(take), sent[went]),
        "data_watermarks": watermark(end),
    }
