"""What the ledger adds to a model's line: what it may do, and what its wrong flags cost at the deployed threshold."""

from __future__ import annotations

from dataclasses import replace

from app.govern.automation import decisions_of, mandate
from app.govern.views import Room
from app.measure import words
from app.measure.judged import Frame
from app.measure.model_cards import ModelLine
from app.measure.model_words import model_words
from metrics import ALL
from metrics.core.metric import Reading


def model_notes(room: Room, frame: Frame, lines: tuple[ModelLine, ...]) -> dict[str, tuple[str, ...]]:
    """Further sentences of each model by its name: right to act, money, change, outcomes known, widest gap."""
    return {line.model: _notes(room, frame, line) for line in lines}


def _notes(room: Room, frame: Frame, line: ModelLine) -> tuple[str, ...]:
    right = mandate(room, frame, line.model, line.facts)
    about = f"{right.decision}: " if right.decision else ""
    said = (f"{about}{right.sentence}", _money(room, frame, line.model), *model_words(frame, line.model))
    return tuple(sentence for sentence in said if sentence)


def _money(room: Room, frame: Frame, model: str) -> str:
    """Cost of the wrong flags in the period, where the decision's owner has priced an error."""
    prices = [d["cost_of_error"] for d in decisions_of(room, model)]
    known = [float(p) for p in prices if isinstance(p, int | float)]
    if not known:
        return ""
    own = replace(frame, view=replace(frame.view, model=model))
    right, flags = (
        frame.readings.read(ALL[key], own.scope(ALL[key]))[0]
        for key in ("model.precision", "model.flagged_share")
    )
    if right.value is None or not flags.numerator:
        return ""
    most = max(known)
    wrong = tuple(flags.numerator * (1 - share) * most for share in _ends(right))
    middle, low, high = (words.compact(x) for x in wrong)
    return f"Its wrong flags cost about {middle} in this period ({low} to {high}), at {most:,.0f} each."


def _ends(right: Reading) -> tuple[float, float, float]:
    """Precision, its upper and its lower limit: from the dearest reading to the cheapest."""
    value = right.value or 0.0
    return (
        value,
        right.high if right.high is not None else value,
        right.low if right.low is not None else value,
    )
