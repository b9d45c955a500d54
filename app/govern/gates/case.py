"""What a business case promised, as a bound: the effect of a trial, or a metric's step away from its approved baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.govern import books
from app.govern.gates.look import Look
from app.govern.model import Row
from data.policies.gates import Term
from metrics import ALL
from metrics.core.metric import Direction

BEFORE_AFTER_DAYS = 91  # of a metric that is held against its baseline: the stretch that is looked at


@dataclass(frozen=True)
class Promise:
    """The term with the metric and the bound that were promised; `lacks`: why it cannot be judged."""

    term: Term
    origin: str
    lacks: str = ""


def promised(look: Look, initiative: Row, term: Term) -> Promise:
    """The benefit criterion of an initiative.

    An effect is judged on its trials. Any other metric is judged on its level of today against the approved baseline: the
    bound is the baseline's unfavourable limit moved by the smallest improvement, so that neither side's chance counts as
    benefit. That is a comparison of before and after and says so; it attributes nothing.
    """
    origin = f"business case of {initiative.record_id}, version {initiative.version}"
    metric, least = initiative.text("baseline_metric"), initiative["minimum_improvement"]
    if not metric or not isinstance(least, int | float):
        lacks = "the business case names no metric with a smallest improvement; fill in both"
        return Promise(term, origin, lacks)
    if metric.startswith("value."):
        return Promise(replace(term, metric=metric, threshold=float(least)), origin)
    return _against_baseline(look, initiative, replace(term, metric=metric, subject=""), float(least), origin)


def _against_baseline(look: Look, initiative: Row, term: Term, least: float, origin: str) -> Promise:
    metric = ALL.get(term.metric)
    if metric is None or metric.direction is Direction.NEITHER:
        return Promise(term, origin, f"{term.metric} has no better side, so no improvement can be judged")
    before = in_force(look, initiative, term.metric)
    value = before["value"] if before is not None else None
    if before is None or not isinstance(value, int | float):
        lacks = (
            f"no approved baseline of {term.metric} says what it was before; upload one and have it approved"
        )
        return Promise(term, origin, lacks)
    higher = metric.direction is Direction.HIGHER
    limit = before["high" if higher else "low"]
    start = float(limit) if isinstance(limit, int | float) else float(value)
    threshold = start + least if higher else start - least
    found = replace(
        term, comparator="at least" if higher else "at most", threshold=threshold,
        segment=books.scope_of(before["scope"]), window_days=BEFORE_AFTER_DAYS,
    )  # fmt: skip
    side = "upper" if higher else "lower"
    text = f"{least:g} better than the {side} limit {start:g} of baseline {before.record_id}, version {before.version}"
    return Promise(found, f"{origin}: {text}; before and after, not attributed")


def in_force(look: Look, initiative: Row, metric: str) -> Row | None:
    """The approved baseline of a metric: the one that was approved or reinstated last."""
    held = look.of("baselines", "initiative", initiative.record_id)
    approved = [b for b in held if b.state == "approved" and b["metric"] == metric]
    return max(approved, key=lambda b: b.seq, default=None)
