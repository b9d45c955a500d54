"""Shares, their differences and ratios as Estimates: interval, n, and the reason where there is none."""

from __future__ import annotations

from metrics.core.intervals import koopman, newcombe, wilson
from metrics.core.metric import Estimate, undefined

WILSON = "Wilson"
NEWCOMBE = "Newcombe, method 10"
KOOPMAN = "Koopman score"


def share(k: int, n: int, nothing: str, warnings: tuple[str, ...] = ()) -> Estimate:
    """The share k of n with Wilson's interval; undefined for n = 0, where `nothing` says what is missing."""
    if n == 0:
        return undefined(nothing, warnings=warnings)
    rate = wilson(k, n)
    return Estimate(rate.value, rate.low, rate.high, n, k, n, WILSON, warnings=warnings)


def share_difference(a: tuple[int, int], b: tuple[int, int], nothing: str) -> Estimate:
    """Share of `a` less share of `b`, each (k, n), with Newcombe's interval; n is that of both."""
    n = a[1] + b[1]
    if a[1] == 0 or b[1] == 0:
        return undefined(nothing, n)
    gap = newcombe(*a, *b)
    return Estimate(gap.value, gap.low, gap.high, n, method=NEWCOMBE)


def share_ratio(a: tuple[int, int], b: tuple[int, int], nothing: str) -> Estimate:
    """Share of `a` over share of `b`, each (k, n), with Koopman's interval; the parts are the two shares."""
    n = a[1] + b[1]
    if a[1] == 0 or b[1] == 0:
        return undefined(nothing, n)
    if b[0] == 0:
        return undefined(f"the reference group's share is 0 of {b[1]:,}: a ratio to it has no bound", n)
    ratio = koopman(*a, *b)
    return Estimate(ratio.value, ratio.low, ratio.high, n, a[0] / a[1], b[0] / b[1], KOOPMAN)


def count(n: int, nothing: str) -> Estimate:
    """A complete count; undefined for 0, where `nothing` says what is missing."""
    return Estimate(float(n), n=n, method="exact count") if n else undefined(nothing)
