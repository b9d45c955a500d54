"""What a model card claims beside what is measured today: a claim outside today's interval makes the card out of date."""

from __future__ import annotations

from dataclasses import dataclass

from app.govern.model import Row
from app.govern.views import Room
from app.measure import words
from app.measure.readings import Readings
from metrics import ALL
from metrics.core.metric import Metric, Reading, Scope

HOLDS, OUT_OF_DATE, UNMEASURED = "holds", "out of date", "not measured"


@dataclass(frozen=True)
class Claim:
    """One claim of a card: of which initiative and model, what it says, what is measured, and which of three states."""

    record_id: str
    initiative: str
    subject: str
    metric: str
    claimed: str
    measured: str
    state: str
    why: str


def claims(room: Room, readings: Readings) -> tuple[Claim, ...]:
    """Every claim of every card in use, those out of date first."""
    found = [c for row in room.live("operability") for c in _claims(room, row, readings)]
    return tuple(sorted(found, key=lambda c: (OUT_OF_DATE, UNMEASURED, HOLDS).index(c.state)))


def _claims(room: Room, row: Row, readings: Readings) -> list[Claim]:
    title = room.title("initiatives", row.text("initiative"))
    initiative = room.shelf["initiatives"].get(row.text("initiative"))
    names = initiative.words("model_ids") if initiative else ()
    return [
        c for text in row.words("card_claims") for c in _claim(row.record_id, title, names, text, readings)
    ]  # fmt: skip


def _claim(record: str, title: str, models: tuple[str, ...], text: str, readings: Readings) -> list[Claim]:
    """One claim, `metric=value`, for each model of the initiative."""
    key, _, number = (part.strip() for part in text.partition("="))
    metric = ALL.get(key)
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if metric is None or value != value:  # noqa: PLR0124 (not a number)
        why = f"{text!r} is no claim that can be checked; write METRIC=NUMBER, such as model.auc=0.81"
        return [Claim(record, title, "", key, number, words.DASH, UNMEASURED, why)]
    dims = readings.dimensions(metric.rollup)
    scopes = [(m, Scope(where=(("model_id", m),))) for m in models] if "model_id" in dims else [("", Scope())]
    if not scopes:
        why = "the initiative names no model; fill in its models"
        return [Claim(record, title, "", metric.title, number, words.DASH, UNMEASURED, why)]
    return [
        _compared(record, title, subject, metric, value, reading)
        for subject, scope in scopes
        for reading in readings.read(metric, scope)
    ]


def _compared(
    record: str, title: str, subject: str, metric: Metric[object], value: float, reading: Reading
) -> Claim:
    said = words.target_number(metric, value)
    shown = words.shown(metric, reading)
    measured = f"{shown.value} ({shown.interval})" if shown.interval else shown.value
    if reading.value is None or reading.inadmissible:
        why = reading.reason or "; ".join(reading.inadmissible)
        return Claim(record, title, subject, metric.title, said, measured, UNMEASURED, why)
    low = reading.value if reading.low is None else reading.low
    high = reading.value if reading.high is None else reading.high
    if low <= value <= high:
        why = "the claim lies within today's interval"
        return Claim(record, title, subject, metric.title, said, measured, HOLDS, why)
    side = "above" if value > high else "below"
    why = f"the claim lies {side} today's interval; renew the card"
    return Claim(record, title, subject, metric.title, said, measured, OUT_OF_DATE, why)
