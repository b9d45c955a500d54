"""The Activation page: how much intelligence reaches a person in time, where the rest is lost, and on which days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.measure import words
from app.measure.activation_curves import Curve, curve_of
from app.measure.judged import ORDER, Frame, Judged, bucket_of, drawable, history, movement, weakest
from app.measure.scorecard import Tile, finding
from metrics import ALL, ROLLUPS
from metrics._activation_figures import VALID
from metrics._activation_incidents import RULE, incident_days
from metrics._activation_slo import ALERTS
from metrics._activation_states import STATES
from metrics._activation_waterfall import Leg, waterfall
from metrics.core.metric import Reading, Scope

SHARE, MEDIAN, BURN = "activation.in_window_share", "activation.latency_median", "activation.slo_burn"
MANUAL, COMPLETE, SIGNALS = "activation.manual_share", "activation.complete_chain_share", "activation.signals"
FURTHER = (
    "activation.latency_p90", "activation.latency_p95", "activation.incidence_in_window", "activation.manual_signals_share",
    COMPLETE, "activation.value_lost", "activation.score_staleness_median", "activation.feedback_median",
    "activation.loop_closure",
)  # fmt: skip
HEADLINES = (SHARE, MEDIAN, MANUAL, BURN)
BY_MODEL = (SHARE, MEDIAN)  # several models are several promises: the weakest speaks
MOST_CAMPAIGNS = 10


@dataclass(frozen=True)
class StatePart:
    """How many signals are in a state, by its name."""

    name: str
    n: int


@dataclass(frozen=True)
class ModelRow:
    """One model's share in its window and median time to activation."""

    model: str
    share: Judged
    median: Judged


@dataclass(frozen=True)
class Alert:
    """A burn-rate rule over a long and a short window; both must burn for it to fire."""

    rate: float
    windows: tuple[str, str]
    todo: str
    burns: tuple[Judged, Judged]

    @property
    def fires(self) -> bool:
        return all(j.reading.value is not None and j.reading.value > self.rate for j in self.burns)


@dataclass(frozen=True)
class Trend:
    """Share in the window by day (by week where days are too small), and the incident days among all days."""

    one: Judged
    points: tuple[Reading, ...]
    incidents: tuple[str, ...]
    silent: tuple[str, ...]
    rule: str = RULE


@dataclass(frozen=True)
class ActivationBoard:
    """The page; `missing` says what to do where there is nothing to show."""

    sentence: str
    detail: str = ""
    tiles: tuple[Tile, ...] = ()
    models: tuple[ModelRow, ...] = ()
    total: int = 0
    states: tuple[StatePart, ...] = ()
    curve: Curve | None = None
    legs: tuple[Leg, ...] = ()
    chains: Judged | None = None
    trend: Trend | None = None
    alerts: tuple[Alert, ...] = ()
    campaigns: tuple[Judged, ...] = ()
    further: tuple[Judged, ...] = ()
    missing: str = ""


def activation_board(frame: Frame) -> ActivationBoard:
    """Everything of the page, in the days and for the model in scope."""
    total = frame.read(ALL[SIGNALS])[0]
    if not total.reading.value:
        todo = frame.todo("signals, activations, activation_signals and message_events", total.reading.reason)
        return ActivationBoard("No signal has been followed yet.", missing=todo)
    tiles = tuple(_tile(frame, key) for key in HEADLINES)
    models, states = _models(frame), _states(frame)
    sentence, detail = _sentence(tiles, sum(s.n for s in states))
    steps = frame.readings.cells(ROLLUPS["activation.steps"], frame.scope(ALL["activation.hop_seconds"]))
    return ActivationBoard(
        sentence, detail, tiles, models, int(total.reading.value), states, curve_of(frame),
        waterfall(steps[0][1]) if steps else (), frame.read(ALL[COMPLETE])[0], _trend(frame), _alerts(frame),
        _campaigns(frame), tuple(j for key in FURTHER for j in frame.read(ALL[key])),
    )  # fmt: skip


def _by(frame: Frame, key: str, *dims: str) -> tuple[Judged, ...]:
    found = frame.readings.read(ALL[key], replace(frame.scope(ALL[key]), by=dims))
    judged = frame.judge(ALL[key], found)
    return tuple(replace(j, subject=dict(j.reading.by).get(dims[0]) or "") for j in judged)


def _tile(frame: Frame, key: str) -> Tile:
    """A headline: of several models the one that asks for attention first, as on the scorecard."""
    group = _by(frame, key, "model_id") if key in BY_MODEL else frame.read(ALL[key])
    able = tuple(j for j in group if j.reading.value is not None) or group
    one = weakest(able)
    aimed = sum(j.has_target for j in able)
    note = one.subject if len(able) == 1 else f"weakest of {aimed or len(able)}: {one.subject}"
    trend = drawable(one.metric, history(frame, one))
    return Tile(one, note, trend, movement(frame, one), able)


def _sentence(tiles: Sequence[Tile], total: int) -> tuple[str, str]:
    """What matters: the target that is missed by most, else the share itself."""
    judged = [t.one for t in tiles if t.one.has_target]
    first = min(judged, key=lambda j: (ORDER.index(j.verdict.state), -j.margin), default=tiles[0].one)
    return finding(
        first
    ), f"{first.metric.why} Of {words.count(total)} signals in these days, every one is accounted for below."


def _models(frame: Frame) -> tuple[ModelRow, ...]:
    medians = {j.subject: j for j in _by(frame, MEDIAN, "model_id")}
    rows = [
        ModelRow(j.subject, j, medians[j.subject])
        for j in _by(frame, SHARE, "model_id")
        if j.subject in medians
    ]
    return tuple(sorted(rows, key=lambda r: (ORDER.index(r.share.verdict.state), -r.share.margin, r.model)))


def _states(frame: Frame) -> tuple[StatePart, ...]:
    """Every state that occurs: what counts first, then what is open or was stopped, then what is left out."""
    found = {j.subject: int(j.reading.value or 0) for j in _by(frame, SIGNALS, "state")}
    shown = (*VALID, "open", *(s for s in STATES if s not in VALID and s != "open"))
    ordered = sorted(shown, key=lambda s: s.startswith(("excluded", "unlinked", "invalid")))
    return tuple(StatePart(name, found[name]) for name in ordered if found.get(name))


def _campaigns(frame: Frame) -> tuple[Judged, ...]:
    """Campaigns that sent too late most often; a signal that was never sent belongs to none."""
    found = [j for j in _by(frame, SHARE, "campaign_id") if j.subject and j.reading.value is not None]
    return tuple(sorted(found, key=lambda j: (j.reading.value or 0.0, j.subject))[:MOST_CAMPAIGNS])


def _alerts(frame: Frame) -> tuple[Alert, ...]:
    rules = ((rate, (long, short), todo) for rate, long, short, todo in ALERTS)
    return tuple(
        Alert(rate, pair, todo, (_burn(frame, pair[0]), _burn(frame, pair[1]))) for rate, pair, todo in rules
    )


def _burn(frame: Frame, window: str) -> Judged:
    asked = replace(frame.scope(ALL[BURN]), settings=(("window", window),))
    return frame.judge(ALL[BURN], frame.readings.read(ALL[BURN], asked))[0]


def _trend(frame: Frame) -> Trend:
    metric = ALL[SHARE]
    one = frame.read(metric)[0]
    asked = frame.scope(metric)
    days = frame.readings.read(metric, replace(asked, by=("day",)))
    few = np.median([r.n for r in days]) < metric.min_n
    points = frame.readings.read(metric, replace(asked, by=("week",))) if few else days
    shown = tuple(sorted(points, key=lambda r: bucket_of(r) or ""))
    return Trend(one, drawable(metric, shown), _incidents(frame), _silent(days))


def _incidents(frame: Frame) -> tuple[str, ...]:
    """Incident days of the period, ISO: judged against all days known by its end, so no choice of period moves them."""
    asked = replace(frame.scope(ALL[SHARE]), since=None, by=("day", "model_id"))
    every = frame.readings.derived(("incidents", asked), lambda: _all_incidents(frame, asked))
    first = frame.days.first.isoformat() if frame.days.first else ""
    return tuple(d for d in every if d >= first)


def _all_incidents(frame: Frame, asked: Scope) -> tuple[str, ...]:
    found = [(dict(r.by), r) for r in frame.readings.read(ALL[SHARE], asked)]
    cells = {(by["day"] or "", by["model_id"] or ""): r for by, r in found if by.get("day")}
    days, models = sorted({d for d, _ in cells}), sorted({m for _, m in cells})
    row, column = ({name: at for at, name in enumerate(names)} for names in (days, models))
    good, n = np.zeros((len(days), len(models))), np.zeros((len(days), len(models)))
    for (day, model), reading in cells.items():
        at = row[day], column[model]
        good[at], n[at] = reading.numerator or 0.0, reading.denominator or 0.0
    return tuple(d for d, hit in zip(days, incident_days(good, n), strict=True) if hit)


def _silent(days: Sequence[Reading]) -> tuple[str, ...]:
    """Days between the first and the last on which no signal was scored at all: a gap of the export, or of the data."""
    held = sorted(dt.date.fromisoformat(d) for r in days if (d := bucket_of(r)))
    if not held:
        return ()
    every = (held[0] + dt.timedelta(days=i) for i in range((held[-1] - held[0]).days))
    spoken = set(held)
    return tuple(d.isoformat() for d in every if d not in spoken)


def state_words(name: str) -> str:
    """A state as a reader says it."""
    return words.named(name.removeprefix("excluded_").replace("competing_", "stopped first: "))
