"""The chain's arithmetic: links that add up, what a reached signal is worth, and what closing a link would return.

What a reached signal is worth is measured against the holdout: signals in both arms are followed alike, and the
difference per signal is divided by the share reached (Wald's instrumental estimate; only a reached person can have
been moved). So the value of those reached is the whole difference, and what was lost would have been worth the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from metrics.core.intervals import TAIL, Interval, Moment, welch
from metrics.core.shapes import Columns, Counts, Ints, Moments, Sums, merge

LINKS = (
    "identity", "integration", "latency", "holdout", "suppressed", "bought_first", "clock", "open", "delivery", "reached",
)  # fmt: skip
LOSSES = ("identity", "integration", "latency", "delivery")
WITHHELD = ("holdout", "suppressed", "bought_first")
UNDECIDED = ("clock", "open")
NAMES = {
    "identity": "Lost to identity", "integration": "Lost to integration", "latency": "Lost to latency",
    "holdout": "Held out to measure", "suppressed": "Suppressed first", "bought_first": "Bought first",
    "clock": "Clocks disagree", "open": "Still open", "delivery": "Lost in delivery", "reached": "Reached in window",
}  # fmt: skip
# Links that a signal recovered at a link still has to pass: the missed and the late were not stopped, by definition.
AHEAD = {
    "identity": ("integration", "latency", "suppressed", "bought_first", "delivery"),
    "integration": ("latency", "delivery"), "latency": ("delivery",), "delivery": (),
}  # fmt: skip
_TREATED = tuple(name for name in LINKS if name != "holdout")
SHAPES = (Counts(("n", "units", "converted")), Sums(("expected",)), Moments("revenue"))
FEW_REACHED = 30


@dataclass(frozen=True)
class Worth:
    """What one reached signal is worth, money. Measured against a holdout with its interval, or claimed (no interval)."""

    measured: bool
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    why: str = ""


@dataclass(frozen=True)
class Line:
    """One model's chain in one currency. By link (in the order of LINKS): signals, units and claimed money.

    A unit is a signal that does not repeat the one before it; only units carry money. `followed` holds the revenue
    of units followed to the end, by link.
    """

    name: str
    currency: str
    n: tuple[int, ...]
    units: tuple[int, ...]
    claimed: tuple[float, ...]
    converted: int
    followed: tuple[Moment, ...]

    def count(self, *links: str) -> int:
        return sum(self.n[LINKS.index(k)] for k in links)

    def unit(self, *links: str) -> int:
        return sum(self.units[LINKS.index(k)] for k in links)

    def claim(self, *links: str) -> float:
        return math.fsum(self.claimed[LINKS.index(k)] for k in links)

    @property
    def total(self) -> int:
        return sum(self.n)

    def after(self, *links: str) -> Moment:
        """Revenue of the units of some links."""
        parts = [self.followed[LINKS.index(k)] for k in links]
        columns: Columns = {
            name: np.array([getattr(m, field) for m in parts])
            for name, field in zip(Moments("x").columns, ("n", "mean", "m2"), strict=True)
        }
        whole = merge((Moments("x"),), columns, np.zeros(len(parts), dtype=np.int64), 1)
        return Moment(*(float(whole[name][0]) for name in Moments("x").columns))


@dataclass(frozen=True)
class LineCells:
    """The chains of one slice, by model and currency."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, columns: Columns) -> LineCells:
        names = np.array([str(v) for v in columns["line"]], dtype=object)
        money = np.array([str(v) for v in columns["currency"]], dtype=object)
        keys = sorted(set(zip(names.tolist(), money.tolist(), strict=True)))
        code = columns["code"].astype(np.int64)
        return cls(tuple(_line(columns, code, (names == k[0]) & (money == k[1]), k) for k in keys))

    @property
    def currencies(self) -> tuple[str, ...]:
        return tuple(sorted({line.currency for line in self.lines}))

    def count(self, *links: str) -> int:
        return sum(line.count(*links) for line in self.lines)

    def unit(self, *links: str) -> int:
        return sum(line.unit(*links) for line in self.lines)


def _line(columns: Columns, code: Ints, own: np.ndarray, key: tuple[str, str]) -> Line:
    kept = {name: columns[name][own] for shape in SHAPES for name in _columns(shape)}
    by = merge(SHAPES, kept, code[own], len(LINKS))
    followed = tuple(
        Moment(float(n), float(mean), float(m2))
        for n, mean, m2 in zip(by["revenue_n"], by["revenue_mean"], by["revenue_m2"], strict=True)
    )
    n, units = (tuple(int(v) for v in by[name]) for name in ("n", "units"))
    claimed = tuple(float(v) for v in by["expected"])
    return Line(*key, n, units, claimed, int(by["converted"].sum()), followed)


def _columns(shape: Counts | Sums | Moments) -> tuple[str, ...]:
    return shape.columns


def worth_of(line: Line) -> Worth:
    """What a reached signal of the line is worth; claimed, with the reason, where no holdout tells."""
    treated, held, reached = line.after(*_TREATED), line.after("holdout"), line.after("reached")
    n = round(treated.n + held.n)
    why = _untold(treated, held, reached)
    if why:
        units = line.unit("reached")
        return Worth(measured=False, value=line.claim("reached") / units if units else None, n=n, why=why)
    gap, share = welch(treated, held), reached.n / treated.n
    value = gap.value / share
    together = share * (reached.mean - treated.mean)  # covariance of revenue and being reached
    spread = (gap.se**2 + (value**2 * share * (1 - share) - 2 * value * together) / treated.n) / share**2
    reach = float(stdtrit(gap.df, 1 - TAIL)) * math.sqrt(max(spread, 0.0))
    return Worth(measured=True, value=value, low=value - reach, high=value + reach, n=n)


def _untold(treated: Moment, held: Moment, reached: Moment) -> str:
    for name, arm in (("treated signals", treated), ("held-out signals", held)):
        if arm.n < 2:
            return f"{arm.n:.0f} {name} were followed to the end: two or more are needed"
    if reached.n < 1:
        return "no signal followed to the end was reached in its window"
    if treated.constant and held.constant:
        return "every followed signal brought the same: there is no spread to judge a difference by"
    return ""


def passing(line: Line, link: str) -> float:
    """Share of signals recovered at a link that would get through the links after it; 1 where none has been tried."""
    ahead, there = line.unit(*AHEAD[link]), line.unit("reached")
    return there / (ahead + there) if ahead + there else 1.0


def money_of(line: Line, worth: Worth, link: str, share: float = 1.0) -> Interval:
    """The money at a link, or a share of it: units x worth with the worth's interval, or the model's own claims."""
    if not worth.measured or worth.value is None or worth.low is None or worth.high is None:
        claim = line.claim(link) * share
        return Interval(claim, claim, claim)
    units = line.unit(link) * share
    return Interval(units * worth.value, units * worth.low, units * worth.high)


def recoverable(line: Line, worth: Worth, link: str, left: float = 0.0) -> Interval:
    """What returns when a link loses no more than the share `left` of what comes to it; the others stay as they are."""
    lost, arriving = line.unit(link), line.unit(link, *AHEAD[link], "reached")
    back = max(lost - left * arriving, 0.0) / lost if lost else 0.0
    return money_of(line, worth, link, back * passing(line, link))


def summed(parts: Sequence[Interval]) -> Interval:
    """Sum of independent estimates: half-widths add in quadrature (MOVER; Zou and Donner 2008)."""
    value = math.fsum(p.value for p in parts)
    down = math.sqrt(math.fsum((p.value - p.low) ** 2 for p in parts))
    up = math.sqrt(math.fsum((p.high - p.value) ** 2 for p in parts))
    return Interval(value, value - down, value + up)


@dataclass(frozen=True)
class Valued:
    """The lines that money may be added over: all measured, or, where none is, all claimed. `others`: the rest."""

    measured: bool
    lines: tuple[tuple[Line, Worth], ...]
    others: tuple[Line, ...] = ()

    def total(self, part: Callable[[Line, Worth], Interval]) -> Interval:
        return summed([part(line, worth) for line, worth in self.lines])

    def recoverable(self, link: str, left: float = 0.0) -> Interval:
        return self.total(lambda line, worth: recoverable(line, worth, link, left))

    def money(self, *links: str) -> Interval:
        """The money of some links: within a line one worth for all of them, so they add before the interval."""
        return self.total(lambda line, worth: _joined([money_of(line, worth, k) for k in links]))

    def unit(self, *links: str) -> int:
        return sum(line.unit(*links) for line, _ in self.lines)

    def count(self, *links: str) -> int:
        return sum(line.count(*links) for line, _ in self.lines)


def _joined(parts: Sequence[Interval]) -> Interval:
    """Sum of multiples of one estimate: its limits add."""
    return Interval(*(math.fsum(getattr(p, k) for p in parts) for k in ("value", "low", "high")))


def valued(cells: LineCells) -> Valued:
    """Measured and claimed money are never added: the measured lines, or the claimed ones where none is measured."""
    found = tuple((line, worth_of(line)) for line in cells.lines)
    told = tuple(pair for pair in found if pair[1].measured)
    if told:
        return Valued(
            measured=True, lines=told, others=tuple(line for line, worth in found if not worth.measured)
        )
    return Valued(measured=False, lines=found)


@dataclass(frozen=True)
class Constraint:
    """The link whose closing would return most, what it would return, and links whose intervals overlap its own."""

    link: str
    value: Interval
    rivals: tuple[str, ...]


def constraint(chain: Valued) -> Constraint | None:
    """None where no link has a recoverable value above 0."""
    found = sorted(
        ((chain.recoverable(link), link) for link in LOSSES), key=lambda p: (-p[0].value, LOSSES.index(p[1]))
    )
    best, name = found[0]
    if best.value <= 0:
        return None
    near = tuple(link for value, link in found[1:] if value.value > 0 and value.high >= best.low)
    return Constraint(name, best, near)


@dataclass(frozen=True)
class Step:
    """A bar of the waterfall. `kind`: start, loss, apart, total or cost; `sign` is how it moves the running total."""

    name: str
    kind: str
    n: int
    money: Interval
    link: str = ""


def waterfall(chain: Valued) -> tuple[Step, ...]:
    """From potential to those reached, in the order of definitions section 6; counts and money both add up exactly."""
    order = (("identity",), ("integration",), ("latency",), WITHHELD, UNDECIDED, ("delivery",))
    title = {WITHHELD: "Withheld rightly", UNDECIDED: "Not decided yet"}
    steps = [Step("Potential", "start", chain.count(*LINKS), chain.money(*LINKS))]
    for links in order:
        n, money = chain.count(*links), chain.money(*links)
        kind = "loss" if links[0] in LOSSES else "apart"
        if n or kind == "loss":
            steps.append(Step(title.get(links) or NAMES[links[0]], kind, n, money, links[0]))
    return (
        *steps,
        Step(NAMES["reached"], "total", chain.count("reached"), chain.money("reached"), "reached"),
    )
