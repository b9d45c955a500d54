"""Do 95 % intervals hold the truth 95 % of the time? A thousand simulated warehouses with a known answer each.

Signals of one warehouse are scored over some hours, all at least a window before the observation end. A share is
already suppressed at scoring, a share is never sent, the others are sent after an exponential time. So the share in
window and the median are known in closed form, while late signals are censored at ages that differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from metrics import ALL
from metrics._activation_states import StateCells
from metrics.core.metric import Choice, Estimate

WAREHOUSES = 1_000
WINDOW = 3600.0
OBSERVED_US = 20_000 * 86_400_000_000  # a whole day


@dataclass(frozen=True)
class Truth:
    """Share never sent, share suppressed at scoring, mean seconds to the send of the others."""

    never: float
    stopped: float
    mean: float

    @property
    def share(self) -> float:
        return (1 - self.never) * (1 - math.exp(-WINDOW / self.mean))

    @property
    def median(self) -> float:
        """never + (1 - never) exp(-t / mean) = 1/2."""
        return self.mean * math.log((1 - self.never) / (0.5 - self.never))


def simulated(truth: Truth, n: int, rng: np.random.Generator) -> StateCells:
    """The cells of one warehouse, one signal each."""
    age = rng.uniform(WINDOW, 12 * WINDOW, n)
    wait = np.where(rng.random(n) < truth.never, np.inf, rng.exponential(truth.mean, n))
    sent = wait <= age
    state = np.where(sent, np.where(wait <= WINDOW, "in_window", "late"), "missed").astype(object)
    seconds = np.where(sent, wait, age)
    stopped = rng.random(n) < truth.stopped
    state[stopped], seconds[stopped] = "competing_suppressed", 0.0
    one = np.ones(n, dtype=np.int64)
    return StateCells(state, np.full(n, WINDOW), seconds, one, 0 * one, 0.0 * seconds, OBSERVED_US)


def holds(found: Estimate, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def coverage(key: str, seed: int) -> float:
    """Share of warehouses whose interval holds the truth."""
    rng = np.random.default_rng(seed)
    finalise = ALL[key].finalise
    assert finalise is not None
    hits = 0
    for _ in range(WAREHOUSES):
        truth = Truth(rng.uniform(0.02, 0.2), rng.uniform(0, 0.3), WINDOW * rng.uniform(0.3, 4))
        found = finalise(simulated(truth, int(rng.integers(200, 800)), rng), Choice())
        hits += holds(found, truth.share if key.endswith("share") else truth.median)
    return hits / WAREHOUSES


@pytest.mark.parametrize("key", ["activation.in_window_share", "activation.latency_median"])
def test_intervals_cover_the_truth_in_93_to_97_of_100_warehouses(key):
    assert 0.93 <= coverage(key, seed=20261109) <= 0.97


def test_a_median_of_the_activated_alone_would_not_cover():
    """The trap: dropping those never activated finds the median too short, so the test above can fail."""
    rng = np.random.default_rng(7)
    truth = Truth(0.2, 0.0, 2 * WINDOW)
    cells = simulated(truth, 500, rng)
    finalise = ALL["activation.latency_median"].finalise
    assert finalise is not None
    kept = cells.state != "missed"
    only = StateCells(cells.state[kept], cells.window[kept], cells.seconds[kept], cells.n[kept], cells.clamped[kept],
                      cells.expected[kept], OBSERVED_US)  # fmt: skip
    assert holds(finalise(cells, Choice()), truth.median)
    assert not holds(finalise(only, Choice()), truth.median)
