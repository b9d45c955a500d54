"""The finalisers of the chain family: pure functions of one slice's cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from metrics._chain_costs import LAYER_OF, LAYERS, CostCells, NetCells
from metrics._chain_line import (
    FEW_REACHED,
    LINKS,
    LOSSES,
    NAMES,
    UNDECIDED,
    WITHHELD,
    LineCells,
    Valued,
    constraint,
    valued,
    worth_of,
)
from metrics.core.estimates import count, share
from metrics.core.intervals import Interval
from metrics.core.metric import Choice, Estimate, Setting, undefined

CLAIMED = "claimed: the model's own expected value, not a measured lift"
WALD = "difference to the holdout / share reached, delta method"
NO_SIGNAL = "no signal that merited action in this scope"
ALL_LINKS, BEST = "all", "constraint"
LINK = Setting("link", ALL_LINKS, "count only the signals of one link of the chain", (ALL_LINKS, *LINKS))
CLOSED = Setting("link", BEST, "the link to close; by default the one that returns most", (BEST, *LOSSES))
LEFT = Setting("left", "0", "share of what comes to the link that it may still lose: its target")


def merited(cells: LineCells, choice: Choice) -> Estimate:
    chosen = LINKS if choice[LINK.name] == ALL_LINKS else (choice[LINK.name],)
    if not cells.count(*LINKS):
        return undefined(NO_SIGNAL)
    n = cells.count(*chosen)
    return Estimate(float(n), n=n, denominator=float(cells.count(*LINKS)), method="exact count")


def reached_share(cells: LineCells, _: Choice) -> Estimate:
    """Of the signals that could have reached somebody, those that did."""
    n = cells.count(*LOSSES, "reached")
    apart = [
        (cells.count(*k), what)
        for k, what in ((WITHHELD, "withheld rightly"), (UNDECIDED, "not decided yet"))
    ]
    notes = tuple(f"not counted: {k:,} {what}" for k, what in apart if k)
    return share(cells.count("reached"), n, "no signal has been reached or lost yet", notes)


def converted_share(cells: LineCells, _: Choice) -> Estimate:
    k = sum(line.converted for line in cells.lines)
    return share(k, cells.unit("reached"), "no signal has reached a person in its window")


def _unusable(currencies: Sequence[str]) -> str:
    named = [c for c in currencies if c]
    return (
        f"money in {' and '.join(named)}: amounts of several currencies do not add up"
        if len(named) > 1
        else ""
    )


def _notes(chain: Valued) -> tuple[str, ...]:
    """The grade of the money, what stands beside it, and what makes it shaky."""
    if not chain.measured:
        return (CLAIMED, *sorted({f"{line.name or 'unnamed model'}: {w.why}" for line, w in chain.lines}))
    beside = [
        f"{line.name or 'unnamed model'} claims {line.claim(*LINKS):,.0f} and has no holdout: not added"
        for line in chain.others
    ]
    few = [
        f"{line.name}: only {n:.0f} followed signals were reached in their window"
        for line, _ in chain.lines
        if (n := line.after("reached").n) < FEW_REACHED
    ]
    return (*beside, *few)


def _estimate(chain: Valued, found: Interval, n: int, more: tuple[str, ...] = ()) -> Estimate:
    notes = (*more, *_notes(chain))
    if not chain.measured:
        return Estimate(found.value, n=n, method="sum of expected values", warnings=notes)
    return Estimate(found.value, found.low, found.high, n, method=WALD, warnings=notes)


def _money(part: Callable[[Valued], tuple[Interval, int]]) -> Callable[[LineCells, Choice], Estimate]:
    """A sum of money over the lines it may be added over, or why there is none."""

    def finalise(cells: LineCells, _: Choice) -> Estimate:
        if not cells.count(*LINKS):
            return undefined(NO_SIGNAL)
        if reason := _unusable(cells.currencies):
            return undefined(reason, cells.count(*LINKS))
        chain = valued(cells)
        return _estimate(chain, *part(chain))

    return finalise


potential_value = _money(lambda chain: (chain.money(*LINKS), chain.count(*LINKS)))
lost_value = _money(lambda chain: (chain.money(*LOSSES), chain.count(*LOSSES)))


def attributed_value(cells: LineCells, _: Choice) -> Estimate:
    """Only what a holdout has measured may be called attributed."""
    if not cells.count(*LINKS):
        return undefined(NO_SIGNAL)
    if reason := _unusable(cells.currencies):
        return undefined(reason, cells.count(*LINKS))
    chain = valued(cells)
    if not chain.measured:
        return undefined("no holdout measures it: what the models claim is never called attributed",
                         cells.count("reached"), _notes(chain))  # fmt: skip
    return _estimate(chain, chain.money("reached"), chain.count("reached"))


def worth(cells: LineCells, _: Choice) -> Estimate:
    """What one reached signal is worth, of a single model: worths of models are never averaged."""
    if len(cells.lines) != 1:
        return undefined("several models or currencies: ask for one" if cells.lines else NO_SIGNAL)
    found = worth_of(cells.lines[0])
    if not found.measured or found.value is None:
        return undefined(found.why, found.n)
    chain = valued(cells)
    return Estimate(found.value, found.low, found.high, found.n, method=WALD, warnings=_notes(chain))


def _left(choice: Choice) -> float:
    """The share that a link may still lose; ValueError where it is no share."""
    try:
        left = float(choice[LEFT.name])
    except ValueError:
        left = math.nan
    if not 0 <= left < 1:
        raise ValueError(
            f"left={choice[LEFT.name]!r}: give a number from 0 to below 1, e.g. 0.1 for one in ten"
        )
    return left


def recoverable_value(cells: LineCells, choice: Choice) -> Estimate:
    """What returns when one link is closed to its target and all others stay as they are."""
    left = _left(choice)
    if not cells.count(*LINKS):
        return undefined(NO_SIGNAL)
    if reason := _unusable(cells.currencies):
        return undefined(reason, cells.count(*LINKS))
    chain = valued(cells)
    if choice[CLOSED.name] != BEST:
        link = choice[CLOSED.name]
        return _estimate(chain, chain.recoverable(link, left), chain.count(link), (NAMES[link],))
    if not chain.count(*LOSSES):
        return undefined("no signal was lost in this scope", chain.count(*LINKS), _notes(chain))
    found = constraint(chain)
    if found is None:
        worths = "nothing" if not chain.measured else "no more than nothing, as far as the holdout tells"
        return undefined(f"a reached signal is worth {worths}, so closing a link would return none",
                         chain.count(*LOSSES), _notes(chain))  # fmt: skip
    near = tuple(f"{NAMES[k]} overlaps it and may be the larger" for k in found.rivals)
    value = chain.recoverable(found.link, left)
    return _estimate(chain, value, chain.count(found.link), (NAMES[found.link], *near))


def cost(cells: CostCells, _: Choice) -> Estimate:
    if not cells.n:
        return undefined("no bill in this scope")
    if reason := _unusable(cells.currencies):
        return undefined(reason, cells.n)
    return Estimate(cells.amount, n=cells.n, method="exact sum")


def bills(cells: CostCells, _: Choice) -> Estimate:
    return count(cells.n, "no bill in this scope")


def net_value(cells: NetCells, choice: Choice) -> Estimate:
    """Attributed value less what was spent, in one scope; a cost has no sampling error."""
    if not cells.bills:
        return undefined("no bill in this scope: a value without its cost is not net")
    if reason := _unusable(cells.currencies):
        return undefined(reason, cells.bills)
    gained = attributed_value(cells.line, choice)
    if gained.value is None or gained.low is None or gained.high is None:
        return undefined(gained.reason, gained.n, gained.warnings)
    spent = cells.cost
    return Estimate(
        gained.value - spent, gained.low - spent, gained.high - spent, gained.n, gained.value, spent,
        f"{WALD}; less cost", warnings=gained.warnings,
    )  # fmt: skip


def misallocation(cells: NetCells, _: Choice) -> Estimate:
    """Total-variation distance between the shares of spending and of recoverable losses by layer."""
    spent = cells.spent
    if spent.sum() <= 0:
        return undefined("no bill names a layer of the value chain", cells.bills)
    if reason := _unusable(cells.currencies):
        return undefined(reason, cells.bills)
    chain = valued(cells.line)
    losses = np.zeros(len(LAYERS))
    for link in LOSSES:
        losses[LAYERS.index(LAYER_OF[link])] += max(chain.recoverable(link).value, 0.0)
    if losses.sum() <= 0:
        return undefined("no recoverable loss to compare the spending with", cells.bills)
    distance = float(np.abs(spent / spent.sum() - losses / losses.sum()).sum() / 2)
    notes = _notes(chain)
    if cells.unlayered:
        notes = (f"{cells.unlayered:,.0f} of the spending names no layer and is left out", *notes)
    return Estimate(distance, n=cells.bills, method="total-variation distance", warnings=notes)
