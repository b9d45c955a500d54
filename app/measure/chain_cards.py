"""The page "Where value is lost": the waterfall from potential to net value, its constraint, and what closing a link returns."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.measure import words
from app.measure.judged import Frame, Judged
from metrics import ALL
from metrics._chain_line import (
    AHEAD,
    LINKS,
    LOSSES,
    NAMES,
    LineCells,
    Step,
    Valued,
    constraint,
    valued,
    waterfall,
)
from metrics._chain_rows import LINE
from metrics.core.intervals import Interval
from metrics.core.metric import Reading

SIGNALS, BEST, COST = "chain.signals", "chain.recoverable_value", "chain.cost"
ATTRIBUTED, WORTH = "chain.attributed_value", "chain.worth"
FIGURES = (
    "chain.reached_share",
    "chain.converted_share",
    "chain.potential_value",
    "chain.lost_value",
    ATTRIBUTED,
)
WHOLE = ("chain.net_value", "chain.misallocation")  # of everything at once: costs know no model
TARGETS = (0.0, 0.05, 0.1, 0.2)  # shares that a link may still lose


@dataclass(frozen=True)
class Closing:
    """One link: signals and money lost there, and what returns when it loses no more than its target."""

    link: str
    n: int
    share: float | None
    lost: Interval
    returns: Interval


@dataclass(frozen=True)
class ChainBoard:
    """The page; `missing` says what to do where there is nothing to show. `beside`: models whose value is only claimed."""

    sentence: str
    detail: str = ""
    measured: bool = False
    steps: tuple[Step, ...] = ()
    converted: Judged | None = None
    beside: tuple[str, ...] = ()
    figures: tuple[Judged, ...] = ()
    worths: tuple[Judged, ...] = ()
    channels: tuple[Judged, ...] = ()
    chain: Valued | None = None
    missing: str = ""


def chain_board(frame: Frame) -> ChainBoard:
    """Everything of the page, in the days and for the model in scope."""
    total = frame.read(ALL[SIGNALS])[0]
    if not total.reading.value:
        todo = frame.todo("signals, activations, activation_signals and message_events", total.reading.reason)
        return ChainBoard("No chain can be drawn yet.", missing=todo)
    cells = cells_of(frame)
    chain = valued(cells)
    whole = () if frame.view.model else WHOLE
    figures = tuple(j for key in (*FIGURES, COST, *whole) for j in _figure(frame, key))
    return ChainBoard(
        constraint_sentence(frame), _detail(chain), chain.measured, (*waterfall(chain), *_paid(frame, chain)),
        frame.read(ALL["chain.converted_share"])[0], tuple(f"{x.name or 'a model without a name'}" for x in chain.others),
        figures, frame.read(ALL[WORTH]), _by(frame, "chain.reached_share", "channel"), chain,
    )  # fmt: skip


def cells_of(frame: Frame) -> LineCells:
    """The chains of the page's scope; empty where there are none."""
    found = frame.readings.cells(LINE, frame.scope(ALL[SIGNALS]))
    return found[0][1] if found else LineCells(())


def _figure(frame: Frame, key: str) -> tuple[Judged, ...]:
    """Costs are known by initiative, not by model: with one model chosen they would be everybody's."""
    return () if key == COST and frame.view.model else frame.read(ALL[key])


def _by(frame: Frame, key: str, dim: str) -> tuple[Judged, ...]:
    found = frame.readings.read(ALL[key], replace(frame.scope(ALL[key]), by=(dim,)))
    judged = tuple(j for j in frame.judge(ALL[key], found) if j.reading.value is not None)
    return tuple(replace(j, subject=dict(j.reading.by).get(dim) or "no message planned") for j in judged)


def _paid(frame: Frame, chain: Valued) -> tuple[Step, ...]:
    """Cost and net value as the last two bars, where the value is measured and the cost is of the same scope."""
    if frame.view.model or not chain.measured:
        return ()
    spent = frame.read(ALL[COST])[0].reading
    if spent.value is None:
        return ()
    reached = chain.money("reached")
    net = Interval(*(v - spent.value for v in (reached.value, reached.low, reached.high)))
    return (
        Step("Less cost of ownership", "cost", 0, Interval(spent.value, spent.value, spent.value)),
        Step("Net value", "net", 0, net),
    )


def _detail(chain: Valued) -> str:
    """How many of the signals were lost, and by what the money is judged."""
    lost, tried = chain.count(*LOSSES), chain.count(*LOSSES, "reached")
    counted = (
        f"{words.count(lost)} of {words.count(tried)} signals that could have reached somebody did not."
        if tried
        else ""
    )
    how = (
        "Money is measured against people held out."
        if chain.measured
        else "No holdout measures the money: it is what the models claim."
    )
    return f"{counted} {how}".strip()


def constraint_sentence(frame: Frame) -> str:
    """The constraint in one sentence, by rules; empty where there is no chain."""
    reading = frame.read(ALL[BEST])[0].reading
    cells = cells_of(frame)
    if not cells.count(*LINKS):
        return ""
    chain = valued(cells)
    found = None if reading.value is None else constraint(chain)
    if found is None:
        return _without(chain, reading)
    place = _place(found.link)
    value = _money(reading)
    if not chain.measured:
        return f"Most is lost {place}: closing that link would return {value} by the models' own claim: no holdout measures it."
    if found.value.low <= 0:
        return f"Most may be lost {place}: closing that link would return {value}, which cannot be told from nothing yet."
    near = words.listed(tuple(_place(k) for k in found.rivals))
    return f"Most value is lost {place}: closing that link would return {value}" + (
        f"; the loss {near} may be as large." if near else "."
    )


def _without(chain: Valued, reading: Reading) -> str:
    """No money to recover, but signals may be lost all the same: say where, and why it has no price."""
    most = max(LOSSES, key=chain.count)
    n = chain.count(most)
    if not n:
        return "No signal is lost between score and person."
    return f"Most signals are lost {_place(most)} ({words.count(n)}), but {reading.reason or 'their worth is not known'}."


def _place(link: str) -> str:
    return NAMES[link].removeprefix("Lost ")


def _money(reading: Reading) -> str:
    shown = words.shown(ALL[BEST], reading)
    return f"{shown.value} ({shown.interval})" if shown.interval else shown.value


def closings(chain: Valued, left: float) -> tuple[Closing, ...]:
    """What closing each link to its target would return, in the order of the chain."""
    found = []
    for link in LOSSES:
        n = chain.count(link)
        coming = chain.count(link, *AHEAD[link], "reached")
        share = n / coming if coming else None
        found.append(Closing(link, n, share, chain.money(link), chain.recoverable(link, left)))
    return tuple(found)
