"""Is the waterfall true? Simulated warehouses with a planted worth: its counts are exact, its money holds the truth.

Each warehouse is a model of its own in one set of tables, so that one run of the product's SELECT judges all of them.
Signals are lost at random at identity, integration, latency and delivery, or held out; everybody buys now and then by
themselves, and a reached person brings `worth` more on average. So the value of those reached, of those lost and of
closing a link are known, and every interval must hold its truth in 95 of 100 warehouses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from metrics._chain_line import LINKS, LOSSES, LineCells, valued, waterfall
from metrics._chain_rows import LINE
from metrics.core.intervals import Interval
from tests.cases import SOAK
from tests.metrics.worlds import cells
from tests.oracle.engine import SECOND, Row, View, World, world

WAREHOUSES = 600 if SOAK else 80
# Misses of a nominal 5 %: within four standard errors of it.
MOST, LEAST = (0.05 + 4 * (0.05 * 0.95 / WAREHOUSES) ** 0.5, 0.05 - 4 * (0.05 * 0.95 / WAREHOUSES) ** 0.5)
BEGIN, WINDOW, DAY_S = 1_780_000_000 * SECOND, 86_400, 86_400
KINDS = ("reached", "identity", "integration", "latency", "delivery", "holdout")
FOUND = (*KINDS, "bought_first")


@dataclass(frozen=True)
class Planted:
    """One warehouse: signals by link, and what a reached one brings more than it would have by itself."""

    name: str
    counts: dict[str, int]
    worth: float


class Tables:
    """Rows of all warehouses."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {
            n: []
            for n in ("signals", "activations", "activation_signals", "message_events", "outcomes", "people")
        }

    def signal(self, name: str, model: str, kind: str) -> None:
        held = kind == "holdout"
        self.rows["signals"].append({
            "signal_id": name, "person_id": None if kind == "identity" else name, "model_id": model, "signal_name": "hot",
            "decision": "hold_out" if held else "activate", "arm": "holdout" if held else "treatment", "scored_at": BEGIN,
            "window_seconds": float(WINDOW), "expected_value": 5.0, "currency": "EUR",
        })  # fmt: skip
        if kind in ("reached", "latency", "delivery"):
            self._sent(name, BEGIN + (2 * WINDOW if kind == "latency" else 3600) * SECOND, kind)

    def _sent(self, name: str, at: int, kind: str) -> None:
        self.rows["activations"].append({
            "activation_id": name, "person_id": name, "channel": "email", "purpose": "marketing", "campaign_id": "c",
        })  # fmt: skip
        self.rows["activation_signals"].append({"signal_id": name, "activation_id": name})
        for event, later in (("sent", 0), ("bounced_hard" if kind == "delivery" else "delivered", 1)):
            self.rows["message_events"].append({
                "source": "esp", "event_id": f"{name}-{event}", "activation_id": name, "event_type": event,
                "event_at": at + later * SECOND,
            })  # fmt: skip

    def bought(self, name: str, revenue: float) -> None:
        self.rows["outcomes"].append({
            "outcome_id": name, "person_id": name, "outcome_type": "purchase", "occurred_at": BEGIN + 5 * DAY_S * SECOND,
            "revenue": revenue, "currency": "EUR",
        })  # fmt: skip


def plant(tables: Tables, name: str, rng: np.random.Generator) -> Planted:
    """Draw one warehouse: how much is lost where, what people buy by themselves, what reaching them adds."""
    n = int(rng.integers(150, 400))
    shares = rng.dirichlet((4, 1, 2, 2, 1, 4))
    kinds = rng.choice(KINDS, n, p=shares).astype("<U12")
    alone, more, worth = rng.uniform(0.1, 0.4), rng.uniform(0.05, 0.3), rng.uniform(10, 60)
    chance = np.where(kinds == "reached", alone + more, alone)
    buys, revenue = rng.random(n) < chance, rng.gamma(2.0, worth / 2, n)
    for at, kind in enumerate(kinds):
        tables.signal(f"{name}-{at}", name, str(kind))
        if buys[at] and kind != "identity":
            tables.bought(f"{name}-{at}", float(revenue[at]))
    kinds = np.where(
        (kinds == "integration") & buys, "bought_first", kinds
    )  # nothing was sent, and they bought
    return Planted(name, {k: int((kinds == k).sum()) for k in FOUND}, more * worth)


@pytest.fixture(scope="module")
def simulated() -> list[tuple[Planted, LineCells]]:
    """Every warehouse with what the product's SELECT finds of it."""
    rng, tables = np.random.default_rng(20261121), Tables()
    planted = [plant(tables, f"m{at:04d}", rng) for at in range(WAREHOUSES)]
    mark = {"source": "all", "complete_through_at": BEGIN + 40 * DAY_S * SECOND}
    found: World = world({**tables.rows, "data_watermarks": [mark]}, View())
    (line,) = cells(found, (LINE,))["chain.line"].values()
    by = {one.name: LineCells((one,)) for one in line.lines}
    return [(p, by[p.name]) for p in planted]


def misses(pairs: list[tuple[Interval, float]]) -> float:
    return sum(not found.low <= truth <= found.high for found, truth in pairs) / len(pairs)


def test_every_link_holds_exactly_the_signals_that_were_lost_there(simulated):
    for planted, found in simulated:
        assert {k: found.count(k) for k in FOUND} == planted.counts
        assert found.count(*LINKS) == sum(planted.counts.values())


def test_every_waterfall_adds_up_in_counts_and_in_money(simulated):
    for _, found in simulated:
        start, *rest, end = waterfall(valued(found))
        assert start.n == sum(s.n for s in rest) + end.n
        assert start.money.value == pytest.approx(
            sum(s.money.value for s in rest) + end.money.value, rel=1e-12
        )


def test_the_money_of_the_reached_of_the_lost_and_of_a_closed_link_is_the_truth_at_nominal_coverage(
    simulated,
):
    reached, lost, closed = [], [], []
    for planted, found in simulated:
        chain, held = valued(found), planted.counts
        assert chain.measured
        reached.append((chain.money("reached"), planted.worth * held["reached"]))
        lost.append((chain.money(*LOSSES), planted.worth * sum(held[k] for k in LOSSES)))
        through = held["reached"] / (held["reached"] + held["delivery"])
        closed.append((chain.recoverable("latency"), planted.worth * held["latency"] * through))
    rates = {"reached": misses(reached), "lost": misses(lost), "closed": misses(closed)}
    assert all(LEAST <= rate <= MOST for rate in rates.values()), rates
    print(f"{WAREHOUSES} warehouses: the intervals miss the truth in {rates}")
