"""Comparing Readings across engines, homes and load orders: the same digits, nine of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from app.runtime import Runtime
from metrics import ALL, ROLLUPS
from metrics.core.metric import Metric, Reading, Scope
from metrics.core.shapes import columns_of
from tests.cases import SOAK

DIGITS = 9
STORED = tuple(
    k for k, m in ALL.items() if m.rollup.stored
)  # what a refresh can change; the rest is asked each time
MEASURED = tuple(
    k for k, m in ALL.items() if not m.rollup.ledger
)  # the others have tests/ledger/test_ledger_metrics.py
NUMBERS = ("value", "low", "high", "numerator", "denominator")


def digits(value: float | None) -> str | None:
    """Nine significant digits; what is zero to 1e-12 is zero."""
    return (
        None
        if value is None
        else ("0" if math.isclose(value, 0, abs_tol=1e-12) else f"{value:.{DIGITS - 1}e}")
    )


def scopes(metric: Metric[Any]) -> list[Scope]:
    """The whole, the weeks, and every dimension of a metric; two dimensions do where the cells are compared as well."""
    first = [Scope(), Scope(by=("week",))] if metric.rollup.stored else [Scope()]
    names = [d for d in metric.rollup.dims if d not in metric.apart and "*" not in d][: None if SOAK else 2]
    return (
        first
        + [Scope(by=(d,)) for d in names]
        + ([Scope(by=("attr_region",))] if "attr_*" in metric.rollup.dims else [])
    )


def headlines(runtime: Runtime, keys: Iterable[str] = ALL) -> dict[tuple[object, ...], Reading]:
    """Every metric's Readings of the whole."""
    return {(key, r.by): r for key in keys for r in runtime.readings.read(ALL[key], Scope())}


def everything(runtime: Runtime, keys: Iterable[str] = MEASURED) -> dict[tuple[object, ...], Reading]:
    """Every Reading of every metric in every scope, by what it is of; all from the data as they are now, as a page's are."""
    readings = runtime.readings.pinned()
    return {
        (key, scope.by, reading.by): reading
        for key in keys
        for scope in scopes(ALL[key])
        for reading in readings.read(ALL[key], scope)
    }


def unlike_cells(a: Runtime, b: Runtime) -> list[str]:
    """Rollups whose stored cells differ between two stores in a key, a count or the first nine digits of a sum."""
    return [
        key
        for key, rollup in ROLLUPS.items()
        if rollup.stored and not rollup.ledger and not _alike(a, b, key)
    ]


def _alike(a: Runtime, b: Runtime, key: str) -> bool:
    rollup = ROLLUPS[key]
    dims = a.store.dims(rollup)
    if dims != b.store.dims(rollup):
        return False
    held = [r.store.columns(rollup, ("day", *dims), (), None) for r in (a, b)]
    names = ("day", *dims, *rollup.inner)
    rows = [{tuple(str(c[n][i]) for n in names): i for i in range(len(c["day"]))} for c in held]
    if rows[0].keys() != rows[1].keys():
        return False
    order = [np.array([r[k] for k in rows[0]], dtype=np.int64) for r in rows]
    return all(
        np.allclose(
            held[0][c][order[0]].astype(float), held[1][c][order[1]].astype(float), rtol=1e-9, atol=1e-11
        )
        for c in columns_of(rollup.shapes)
    )


def differences(a: dict[tuple[object, ...], Reading], b: dict[tuple[object, ...], Reading]) -> list[str]:
    """Where two sets of Readings differ in keys, n, reason or the first nine digits."""
    found = [f"only on one side: {k}" for k in a.keys() ^ b.keys()]
    for key in a.keys() & b.keys():
        one, two = a[key], b[key]
        if (one.n, one.reason, one.value is None) != (two.n, two.reason, two.value is None):
            found.append(f"{key}: n or reason: {one.n} {one.reason!r}, {two.n} {two.reason!r}")
        for name in NUMBERS:
            x, y = getattr(one, name), getattr(two, name)
            same = x == y or (
                x is not None and y is not None and math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-11)
            )
            if not same:
                found.append(f"{key}: {name}: {digits(x)} {digits(y)}")
    return found
