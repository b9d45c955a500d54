"""What each model may do: the postures that owners declared for their decisions, judged by today's Readings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.govern.kept import kept
from app.govern.model import Row
from app.govern.views import Room
from app.measure.judged import Frame, Judged
from metrics import ALL
from metrics.core.posture import Automation, Right, Told, automation
from metrics.core.verdict import Comparator, Target, judge


@dataclass(frozen=True)
class Mandate:
    """A model's right to act, the decision it is about (empty where none is recorded), and the words for it."""

    model: str
    decision: str
    level: str
    automation: Automation

    @property
    def sentence(self) -> str:
        """Such as "Advisory only: no acceptable error is declared."."""
        right = self.automation.right.value
        text = f"{right[0].upper()}{right[1:]}: {'; '.join(self.automation.why)}."
        return f"{text} It is set to {_infinitive(self.level)}." if self.automation.exceeds else text


def _infinitive(level: str) -> str:
    return level.replace("acts", "act", 1)


def mandate(room: Room, frame: Frame, model: str, evidence: tuple[Judged, ...] = ()) -> Mandate:
    """The right of one model: the narrowest that any of its decisions gives. `evidence`: its other judged Readings."""
    told = tuple(Told(j.metric.title, j.verdict) for j in evidence if j.has_target)
    found = [_of(room, frame, model, decision, told) for decision in decisions_of(room, model)]
    if not found:
        return Mandate(model, "", "", automation((), told))
    order = (Right.STOP, Right.ADVISORY, Right.AUTONOMOUS)
    return min(found, key=lambda m: (order.index(m.automation.right), not m.automation.exceeds))


def decisions_of(room: Room, model: str) -> tuple[Row, ...]:
    """The decisions of the initiatives that list the model."""
    return kept(room.state, "decisions of models", lambda: _decisions(room)).get(model, ())


def _decisions(room: Room) -> Mapping[str, tuple[Row, ...]]:
    """The decisions about each model that an initiative lists."""
    found: dict[str, tuple[Row, ...]] = {}
    for initiative in room.live("initiatives"):
        own = room.live_of("decisions", "initiative", initiative.record_id)
        for model in set(initiative.words("model_ids")):
            found[model] = (*found.get(model, ()), *own)
    return found


def _of(room: Room, frame: Frame, model: str, decision: Row, told: tuple[Told, ...]) -> Mandate:
    postures = room.live_of("postures", "decision", decision.record_id)
    judged = [t for p in postures if (t := _posture(frame, model, p)) is not None]
    level = decision.text("automation")
    return Mandate(model, decision.text("title"), level, automation(judged, told, level))


def _posture(frame: Frame, model: str, posture: Row) -> Told | None:
    """One declaration against the model's Reading; None where it names no metric that can be read."""
    metric, acceptable = ALL.get(posture.text("metric")), posture["acceptable"]
    if metric is None or not isinstance(acceptable, int | float):
        return None
    own = replace(frame, view=replace(frame.view, model=model))
    reading = frame.readings.read(metric, own.scope(metric))[0]
    target = Target(
        metric.key,
        Comparator(posture.text("comparator")),
        float(acceptable),
        min_n=metric.min_n,
        max_age=max(metric.stale_after, dt.timedelta(days=7)),
    )
    return Told(metric.title, judge(reading, target, frame.moment))
