"""One initiative's numbers: those of its models, its experiments, or kept under its own name. Everything else is left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.measure.judged import Frame, Judged
from metrics.core.metric import Metric, Scope


@dataclass(frozen=True)
class Narrow:
    """An initiative as the warehouse knows it."""

    initiative: str
    title: str
    models: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()


def read(frame: Frame, metric: Metric[object], about: Narrow | None) -> tuple[Judged, ...]:
    """The metric under the page's view, of everything or of one initiative; empty where it does not speak of it."""
    if about is None:
        return frame.read(metric)
    asked = frame.scope(metric)
    found = [
        r for where in pins(frame, metric, about) for r in frame.readings.read(metric, _with(asked, where))
    ]
    return tuple(one for one in frame.judge(metric, found) if _speaks(one))


def _speaks(one: Judged) -> bool:
    """Whether a number has anything to say of the initiative: rows, or a target that names it."""
    target = one.verdict.target
    return one.reading.value is not None or one.reading.n > 0 or (target is not None and bool(target.where))


def pins(frame: Frame, metric: Metric[object], about: Narrow) -> tuple[tuple[str, str], ...]:
    """What to pin, one after the other, to read a metric for an initiative alone."""
    held = frame.readings.dimensions(metric.rollup)
    for name in ("initiative_id", "initiative"):
        if name in held:
            return ((name, about.initiative),)
    if "model_id" in held:
        return tuple(("model_id", m) for m in about.models)
    if "experiment_id" in held:
        return tuple(("experiment_id", e) for e in about.experiments)
    return ()


def _with(asked: Scope, where: tuple[str, str]) -> Scope:
    kept = tuple(pair for pair in asked.where if pair[0] != where[0])
    return replace(asked, where=(*kept, where))


def narrowed(frame: Frame, about: Narrow | None) -> Frame | None:
    """The frame as a page with one model sees it; None for an initiative without a single model of its own."""
    if about is None:
        return frame
    if len(about.models) != 1:
        return None
    return replace(frame, view=replace(frame.view, model=about.models[0]))
