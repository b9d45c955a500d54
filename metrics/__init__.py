"""The registry: every family, every metric and every rollup by key. Nothing else."""

from __future__ import annotations

from typing import Any

from metrics import (
    activation,
    adoption,
    chain,
    delivery,
    drift,
    fairness,
    generative,
    identity,
    leading,
    learning,
    model,
    ownership,
    readiness,
    risk,
    suppression,
    value,
)
from metrics.core.metric import Metric, Rollup

FAMILIES = (
    model,
    drift,
    fairness,
    generative,
    activation,
    suppression,
    identity,
    value,
    chain,
    delivery,
    learning,
    adoption,
    leading,
    readiness,
    ownership,
    risk,
)
ALL: dict[str, Metric[Any]] = {m.key: m for family in FAMILIES for m in family.METRICS}
ROLLUPS: dict[str, Rollup[Any]] = {r.key: r for family in FAMILIES for r in family.ROLLUPS}
