"""What an executive hears of one model beside its headline: what changed, what is known, where groups part."""

from __future__ import annotations

from dataclasses import replace

from app.measure import words
from app.measure.judged import Frame, Judged, movement
from metrics import ALL
from metrics.core.verdict import State

GAP = "fairness.false_positive_rate_difference"


def model_words(frame: Frame, name: str) -> tuple[str, ...]:
    """Sentences on one model, in reading order; what cannot be said is left out."""
    own = replace(frame, view=replace(frame.view, model=name))
    said = (_change(own), _known(own), _drift(own), _retraining(own), _gap(own))
    return tuple(sentence for sentence in said if sentence)


def _only(frame: Frame, key: str) -> Judged | None:
    found = frame.read(ALL[key])
    return found[0] if len(found) == 1 and found[0].reading.value is not None else None


def _change(frame: Frame) -> str:
    one = _only(frame, "model.precision")
    moved = movement(frame, one) if one else None
    if one is None or moved is None:
        return ""
    if not moved.clear:
        return "No clear change in how many flags were right since the period before."
    way = "More" if moved.change > 0 else "Fewer"
    return f"{way} flags were right than in the period before: {words.from_to(one.metric, moved.before, one.reading)}."


def _known(frame: Frame) -> str:
    one, age = _only(frame, "model.label_coverage"), _only(frame, "model.maturity_age")
    if one is None:
        return ""
    text = f"Outcomes are known for {words.shown(one.metric, one.reading).value} of its predictions"
    if age is None:
        return f"{text}."
    return f"{text}; a cohort can be judged after {words.shown(age.metric, age.reading).value}."


def _drift(frame: Frame) -> str:
    one = _only(frame, "drift.drifted_features")
    if one is None or not one.reading.value:
        return ""
    names = tuple(w.removeprefix("drifted: ") for w in one.reading.warnings if w.startswith("drifted: "))
    look = "looks as it" if len(names) == 1 else "look as they"
    return f"Its world has moved: {words.listed(names)} no longer {look} did when it began."


def _retraining(frame: Frame) -> str:
    """Whether a new version is due, and on what evidence: a clear loss of ranking quality, or drift under an old version."""
    one, moved_world = _only(frame, "model.auc"), _only(frame, "drift.drifted_features")
    moved = movement(frame, one) if one else None
    evidence = []
    if one and moved and moved.clear and moved.good is False:
        evidence.append(
            f"its ranking quality fell from {words.from_to(one.metric, moved.before, one.reading)}"
        )
    if moved_world and moved_world.reading.value:
        n = int(moved_world.reading.value)
        evidence.append(f"{words.plural(n, 'input has', 'inputs have')} drifted")
    if not evidence:
        return ""
    age = _only(frame, "model.release_age")
    since = f" Its version is {words.shown(age.metric, age.reading).value} old." if age else ""
    return f"Retraining is proposed: {' and '.join(evidence)}.{since}"


def _gap(frame: Frame) -> str:
    one = _only(frame, GAP)
    if one is None:
        return ""
    group = next((f"{words.named(k)} {v}" for k, v in one.reading.by if k.startswith("attr_")), "")
    shown = words.shown(one.metric, one.reading)
    told = f"Widest gap in wrong flags: {shown.value} for {group} ({shown.interval})"
    return f"{told}, beyond its target." if one.verdict.state is State.NOT_MET else f"{told}."
