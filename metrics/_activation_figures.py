"""The finalisers of the activation family: pure functions of one slice's cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from metrics._activation_feedback import INVALID, REACHED, WaitCells
from metrics._activation_grid import SECOND
from metrics._activation_hop_cells import ChainCells, StepCells
from metrics._activation_hours import HOURS, WALL
from metrics._activation_states import DAY_US, STATES, StateCells, is_waiting
from metrics.core.estimates import share
from metrics.core.incidence import IncidenceCurves, aalen_johansen, incidence_at
from metrics.core.intervals import Moment, student
from metrics.core.metric import Choice, Estimate, undefined
from metrics.core.shapes import Ints
from metrics.core.survival import SurvivalCurve, kaplan_meier, quantile, survival_at

VALID = ("in_window", "late", "missed")
OUTSIDE = tuple(s for s in STATES if s not in VALID)
ACTIVATED, SUPPRESSED, CONVERTED = 0, 1, 2
CLAIMED = "claimed: the model's own expected value, not a measured lift"


def count_of(cells: StateCells, *states: str) -> int:
    return sum(cells.totals[s] for s in states)


def warnings_of(cells: StateCells) -> tuple[str, ...]:
    """What stands beside every headline: the excluded counts, clamped clocks, and an incomplete last day."""
    outside = [f"{n:,} {s.replace('_', ' ')}" for s in OUTSIDE if (n := count_of(cells, s))]
    clamped = int(cells.clamped.sum())
    notes = []
    if outside:
        notes.append("not counted: " + ", ".join(outside))
    if clamped:
        notes.append(f"{clamped:,} sent up to 5 s before their scoring (clock skew), taken as 0 s")
    waiting = is_waiting(cells.state) & (cells.seconds >= 0)
    if (cells.seconds[waiting] * SECOND < cells.observed_us % DAY_US).any():
        notes.append(
            "the sources are complete only to the middle of a day: with a batch hop this biases the curve; "
            "end the period on a whole day and a whole cycle of the slowest hop"
        )
    return tuple(notes)


def signals(cells: StateCells, _: Choice) -> Estimate:
    n = int(cells.n.sum())
    return Estimate(float(n), n=n, method="exact count")


def in_window_share(cells: StateCells, _: Choice) -> Estimate:
    k, n = count_of(cells, "in_window"), count_of(cells, *VALID)
    return share(k, n, "no signal is old enough to have been activated or missed", warnings_of(cells))


@dataclass(frozen=True)
class Times:
    """Times (G,), seconds, and counts (G,) of what ended each: activation, suppression, conversion, censoring."""

    seconds: np.ndarray
    activated: Ints
    suppressed: Ints
    converted: Ints
    censored: Ints


def times(cells: StateCells, *, in_windows: bool = False) -> Times:
    """Survival inputs of a slice: excluded and invalid signals, and those scored after the end, have no part.

    With `in_windows` times are in units of each signal's own window, so that signals of different windows agree.
    """
    kept = (
        np.isin(cells.state, (*VALID, "open")) | np.char.startswith(cells.state.astype(str), "competing")
    ) & (cells.seconds >= 0)
    state, n = cells.state[kept], cells.n[kept]
    unit = cells.window[kept] if in_windows else 1.0
    return Times(
        cells.seconds[kept] / unit,
        np.where(np.isin(state, ("in_window", "late")), n, 0),
        np.where(state == "competing_suppressed", n, 0),
        np.where(state == "competing_converted", n, 0),
        np.where(np.isin(state, ("open", "missed")), n, 0),
    )


def latency_curve(cells: StateCells) -> SurvivalCurve:
    """Share not yet activated by seconds since scoring; competing events censor (cause-specific)."""
    t = times(cells)
    return kaplan_meier(t.seconds, t.activated, t.censored + t.suppressed + t.converted)


def incidence_curves(cells: StateCells, *, in_windows: bool = False) -> IncidenceCurves:
    """Cumulative incidence of activation, suppression and conversion (in that order)."""
    t = times(cells, in_windows=in_windows)
    return aalen_johansen(t.seconds, np.vstack([t.activated, t.suppressed, t.converted]), t.censored)


def latency(p: float) -> Callable[[StateCells, Choice], Estimate]:
    """Kaplan-Meier quantile of the time to activation; un-activated signals are censored at their age."""

    def finalise(cells: StateCells, _: Choice) -> Estimate:
        curve = latency_curve(cells)
        if curve.n == 0:
            return undefined("no signal to follow in this scope", warnings=warnings_of(cells))
        found = quantile(curve, p)
        if found.value is None:
            reached = 1 - float(curve.survival[-1]) if curve.survival.size else 0.0
            text = f"not reached: {reached:.0%} were activated by the longest time followed, {p:.0%} is asked"
            return undefined(text, curve.n, warnings_of(cells))
        open_top = () if found.high is not None else ("the upper limit is not reached: there is no bound",)
        both = found.low is not None and found.high is not None
        low, high = (found.low, found.high) if both else (None, None)
        return Estimate(
            found.value, low, high, curve.n, float(curve.events.sum()), float(curve.n), found.method,
            warnings=(*warnings_of(cells), *open_top),
        )  # fmt: skip

    return finalise


def incidence_in_window(cells: StateCells, _: Choice) -> Estimate:
    curves = incidence_curves(cells, in_windows=True)
    if curves.n == 0:
        return undefined("no signal to follow in this scope", warnings=warnings_of(cells))
    found = incidence_at(curves, ACTIVATED, 1.0)
    if found is None:
        return undefined("no signal was followed to the end of its window", curves.n, warnings_of(cells))
    return Estimate(
        found.value,
        found.low,
        found.high,
        curves.n,
        method="Aalen-Johansen, log-log",
        warnings=warnings_of(cells),
    )


def value_lost(cells: StateCells, _: Choice) -> Estimate:
    lost = np.isin(cells.state, ("late", "missed"))
    n = int(cells.n[lost].sum())
    if count_of(cells, *VALID) == 0:
        return undefined(
            "no signal is old enough to have been activated or missed", warnings=warnings_of(cells)
        )
    value = float(cells.expected[lost].sum())
    return Estimate(value, n=n, method="step function of the window", warnings=(CLAIMED, *warnings_of(cells)))


def whole_mask(mask: Ints) -> int:
    """The hops that occur at all in a slice: what a complete chain must hold."""
    return int(np.bitwise_or.reduce(mask)) if mask.size else 0


def complete_chain_share(cells: ChainCells, _: Choice) -> Estimate:
    n = int(cells.n.sum())
    full = (cells.mask == whole_mask(cells.mask)) & (cells.broken == 0)
    return share(int(cells.n[full].sum()), n, "no signal was activated in this scope")


def manual_share(cells: ChainCells, choice: Choice) -> Estimate:
    n, clock = int(cells.observed.sum()), choice[HOURS.name]
    at = HOURS.choices.index(clock)
    manual, total = cells.manual_seconds[at], cells.total_seconds[at]
    if n == 0 or cells.total_seconds[0] <= 0:
        return undefined("no activated signal has a logged hop: load activation_hops", n)
    if total <= 0:
        return undefined("no activated signal spent any working time on its way", n)
    method = f"ratio of sums, {'wall-clock' if clock == WALL else 'working hours'}"
    return Estimate(manual / total, n=n, numerator=manual, denominator=total, method=method)


def manual_signals_share(cells: ChainCells, _: Choice) -> Estimate:
    nothing = "no activated signal has a logged hop: load activation_hops"
    return share(int(cells.manual.sum()), int(cells.observed.sum()), nothing)


def _between(cells: StepCells, full: np.ndarray, n: int) -> tuple[str, ...]:
    """What a mean of recorded times hides where only the start and end of a batch run are known."""
    wide = int(cells.n[full & (cells.high > cells.low)].sum())
    if not wide:
        return ()
    low, high = (float((cells.n[full] * x[full]).sum() / n) for x in (cells.low, cells.high))
    return (
        f"{wide:,} of {n:,} are known only to the start and end of a batch run: the mean lies between {low:,.0f} and "
        f"{high:,.0f} s",
    )


def hop_seconds(cells: StepCells, _: Choice) -> Estimate:
    """Mean over complete chains, because means add up along the chain and medians do not."""
    full = (cells.mask == whole_mask(cells.mask)) & (cells.broken == 0)
    n = int(cells.n[full].sum())
    inverted = int(cells.inverted.sum())
    notes: tuple[str, ...] = (f"{inverted:,} out of order by more than 5 s are left out",) if inverted else ()
    if n == 0:
        return undefined("no complete chain of hops in this scope", warnings=notes)
    notes += _between(cells, full, n)
    mean = float((cells.n[full] * cells.seconds[full]).sum() / n)
    if n < 2:
        return Estimate(mean, n=n, method="one chain: no interval", warnings=notes)
    between = float((cells.n[full] * (cells.seconds[full] - mean) ** 2).sum())
    found = student(Moment(float(n), mean, between))
    return Estimate(mean, found.low, found.high, n, method="mean, Student t", warnings=notes)


def wait_quantile(p: float, nothing: str) -> Callable[[WaitCells, Choice], Estimate]:
    """Kaplan-Meier quantile of a wait; what has not ended is censored at its age."""

    def finalise(cells: WaitCells, _: Choice) -> Estimate:
        invalid = int(cells.n[cells.code == INVALID].sum())
        notes = (f"{invalid:,} lie more than 5 s before their cause and are left out",) if invalid else ()
        kept = cells.code != INVALID
        done = cells.code[kept] == REACHED
        n = cells.n[kept]
        if not n.sum():
            return undefined(nothing, warnings=notes)
        curve = kaplan_meier(np.maximum(cells.seconds[kept], 0.0), np.where(done, n, 0), np.where(done, 0, n))
        found = quantile(curve, p)
        if found.value is None:
            return undefined(
                f"not reached: {p:.0%} have not ended by the longest time followed", curve.n, notes
            )
        low, high = (
            (found.low, found.high) if found.low is not None and found.high is not None else (None, None)
        )
        return Estimate(found.value, low, high, curve.n, method=found.method, warnings=notes)

    return finalise


def loop_closure(cells: WaitCells, choice: Choice) -> Estimate:
    """Share of outcomes that reached the model within so many days, censored likewise."""
    kept = cells.code != INVALID
    done = cells.code[kept] == REACHED
    n = cells.n[kept]
    if not n.sum():
        return undefined("no outcome of a scored person in this scope")
    curve = kaplan_meier(np.maximum(cells.seconds[kept], 0.0), np.where(done, n, 0), np.where(done, 0, n))
    days = float(choice["days"])
    found = survival_at(curve, days * 86_400)
    if found is None:
        return undefined(f"no outcome was followed for {days:g} days", curve.n)
    return Estimate(
        1 - found.value, 1 - found.high, 1 - found.low, curve.n, method="one less Kaplan-Meier, log-log"
    )
