"""The registry: every family, every metric and every rollup by key. Nothing else."""

from __future__ import annotations

from typing import Any

from metrics import activation, fairness, identity, model, suppression, value
from metrics.core.metric import Metric, Rollup

FAMILIES = (model, fairness, activation, suppression, identity, value)
ALL: dict[str, Metric[Any]] = {m.key: m for family in FAMILIES for m in family.METRICS}
ROLLUPS: dict[str, Rollup[Any]] = {r.key: r for family in FAMILIES for r in family.ROLLUPS}
