"""The finalisers of the generative family: pure functions of one slice's reviewed items."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from metrics._generative_reviews import Reviewed
from metrics.core.agreement import (
    RateSeen,
    Weighted,
    kappa,
    krippendorff,
    prediction_powered,
    rogan_gladen_within,
    weighted_rate,
)
from metrics.core.estimates import share
from metrics.core.intervals import Interval
from metrics.core.metric import Choice, Estimate, undefined

NO_HUMAN = "no human has reviewed an item: load reviews with reviewer_type human"
NO_JUDGE = "no judge has reviewed an item: load reviews with reviewer_type judge"
NO_BOTH = "no item was reviewed by both a human and a judge, so the judge cannot be checked"
FEW = 2  # items of a kind without which a judge cannot be checked at all


def _estimate(found: Interval, n: int, warnings: tuple[str, ...] = ()) -> Estimate:
    return Estimate(found.value, found.low, found.high, n, warnings=warnings)


def _of_humans(cells: Reviewed) -> Weighted | None:
    read = cells.where(cells.humans > 0)
    return read.by(read.human_yes, read.humans) if len(read.n) and read.weight.sum() > 0 else None


def human_rate(rubric: str) -> Callable[[Reviewed, Choice], Estimate]:
    """Finaliser of the weighted share of items that humans marked under a rubric."""

    def finalise(cells: Reviewed, _: Choice) -> Estimate:
        items = _of_humans(cells.where(cells.rubric == rubric))
        if items is None:
            return undefined(f"{NO_HUMAN} and rubric {rubric}")
        return _estimate(weighted_rate(items), int(items.n.sum()))

    return finalise


def _both(cells: Reviewed) -> Reviewed:
    """Items with a clear verdict of both kinds: a tie among several reviewers is none."""
    told = (cells.humans > 0) & (cells.judges > 0)
    return cells.where(told & (2 * cells.human_yes != cells.humans) & (2 * cells.judge_yes != cells.judges))


def _table(cells: Reviewed) -> tuple[int, int, int, int]:
    """Items that both marked, only the human, only the judge, neither."""
    read = _both(cells)
    human, judge = 2 * read.human_yes > read.humans, 2 * read.judge_yes > read.judges
    parts = (human & judge, human & ~judge, ~human & judge, ~human & ~judge)
    return tuple(int(read.n[kept].sum()) for kept in parts)  # type: ignore[return-value]


def sensitivity_of(cells: Reviewed, _: Choice) -> Estimate:
    both, missed, _false, _right = _table(cells)
    return share(both, both + missed, f"no item that a human marked was read by a judge; {NO_BOTH}")


def specificity_of(cells: Reviewed, _: Choice) -> Estimate:
    _both_marked, _missed, false, right = _table(cells)
    return share(right, right + false, f"no item that a human let pass was read by a judge; {NO_BOTH}")


def kappa_of(cells: Reviewed, _: Choice) -> Estimate:
    table = _table(cells)
    n = sum(table)
    if n == 0:
        return undefined(NO_BOTH)
    found = kappa(*table)
    return (
        _estimate(found, n)
        if found
        else undefined("both always say the same: agreement by chance is certain", n)
    )


def judged_of(cells: Reviewed, _: Choice) -> Estimate:
    items = _of_judges(cells)
    if items is None:
        return undefined(NO_JUDGE)
    told = "a judge's own word: see the corrected rate before acting on it"
    return _estimate(weighted_rate(items), int(items.n.sum()), (told,))


def _of_judges(cells: Reviewed) -> Weighted | None:
    read = cells.where(cells.judges > 0)
    return read.by(read.judge_yes, read.judges) if len(read.n) and read.weight.sum() > 0 else None


def corrected_of(cells: Reviewed, _: Choice) -> Estimate:
    judged = _of_judges(cells)
    if judged is None:
        return undefined(NO_JUDGE)
    n = int(judged.n.sum())
    both = _both(cells)
    human = 2 * both.human_yes > both.humans
    bad, good = (both.where(kept) for kept in (human, ~human))
    if min(bad.n.sum(), good.n.sum()) < FEW:
        counts = f"{int(bad.n.sum()):,} that a human marked and {int(good.n.sum()):,} that one let pass"
        return undefined(f"read by both: {counts}; {FEW} of each are needed to correct the judge", n)
    right = [_agreed(bad, 1), _agreed(good, 0)]
    found = _corrected(cells, both, float(judged.weight.sum()), right)
    if found is None:
        return undefined("the judge does not tell good from bad better than chance", n)
    told = (
        f"the judge finds {right[0].p:.0%} of what humans mark and passes {right[1].p:.0%} of what they pass"
    )
    return _estimate(found, n, (told, *_agreement(cells)))


def _corrected(cells: Reviewed, both: Reviewed, judged: float, right: list[RateSeen]) -> Interval | None:
    """The corrected rate: human word on the items read by `both`, the judge's corrected by them on the others."""
    human = weighted_rate(both.by((2 * both.human_yes > both.humans).astype(np.int64), np.ones_like(both.n)))
    checked = (
        (cells.humans > 0) & (2 * cells.human_yes != cells.humans) & (2 * cells.judge_yes != cells.judges)
    )
    rest = _of_judges(cells.where(~checked))
    if rest is None:
        return human
    share = float(both.weight.sum()) / judged
    return rogan_gladen_within(human, share, RateSeen(rest.mean, rest.size), *right)


def _agreed(items: Reviewed, verdict: int) -> RateSeen:
    """Weighted share of the items on which the judge said `verdict`."""
    said = (2 * items.judge_yes > items.judges).astype(int) == verdict
    found = Weighted(items.n.astype(float), items.weight, items.weight2, said.astype(float))
    return RateSeen(found.mean, found.size)


def _agreement(cells: Reviewed) -> tuple[str, ...]:
    found = kappa(*_table(cells))
    return (f"kappa {found.value:.2f} ({found.low:.2f} to {found.high:.2f})",) if found else ()


def powered_of(cells: Reviewed, _: Choice) -> Estimate:
    human = cells.where((cells.humans > 0) & (cells.judges > 0))
    if not len(human.n):
        return undefined(NO_BOTH)
    rest = cells.where((cells.humans == 0) & (cells.judges > 0))
    alone = rest.by(rest.judge_yes, rest.judges) if len(rest.n) else None
    there = human.judge_yes / human.judges
    found = prediction_powered(human.by(human.human_yes, human.humans), there, alone)
    n = int(human.n.sum())
    told = f"{n:,} items read by humans, {int(rest.n.sum()):,} more by the judge alone"
    return _estimate(found, n, (told, *_agreement(cells)))


def alpha_of(cells: Reviewed, _: Choice) -> Estimate:
    several = cells.where(cells.humans >= 2)
    n = int(several.n.sum())
    if n == 0:
        return undefined("no item was reviewed by two humans: have a few read twice")
    found = krippendorff(several.humans, several.human_yes, several.n)
    return (
        _estimate(found, n) if found else undefined("all verdicts are the same: agreement cannot be told", n)
    )
