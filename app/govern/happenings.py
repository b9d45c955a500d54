"""What happened around a number, on its time axis: deployments, incidents, gate decisions, interventions, comments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from app.govern.model import Row
from app.govern.remarks import comments_on, day_of, interventions_on
from app.govern.views import Room
from app.govern.views_gates import title_of
from app.measure.happened import events
from app.measure.judged import Frame, Judged

MOST = 40  # marks on one line; older ones are counted
# Kinds in the order of a legend, each with the letter that marks it on a chart.
KINDS = {
    "deployment": "D", "failed deployment": "F", "incident": "I", "restored": "R", "retrained": "T", "production": "P",
    "gate decision": "G", "intervention": "A", "comment": "C",
}  # fmt: skip
_EVENTS = {"deployment_failed": "failed deployment"}


@dataclass(frozen=True)
class Happening:
    """One mark: its day (UTC), its kind (one of KINDS), whose, and what."""

    day: dt.date
    kind: str
    whose: str
    text: str


def happenings(frame: Frame, one: Judged, room: Room | None) -> tuple[Happening, ...]:
    """What happened around a judged reading up to the page's last day, newest first."""
    about = initiatives_of(one, room)
    found = [*_delivered(frame, about, room), *(_decided(room, about) if room else ())]
    if room is not None:
        found += [Happening(day_of(r, "done_on"), "intervention", _who(room, r, "owner"), r.text("what"))
                  for r in interventions_on(room, one)]  # fmt: skip
        found += [Happening(day_of(r, "about"), "comment", room.name(r.by.identity), r.text("comment"))
                  for r in comments_on(room, one)]  # fmt: skip
    last = frame.days.last or dt.date.max
    return tuple(sorted((h for h in found if h.day <= last), key=lambda h: h.day, reverse=True))


def _who(room: Room, row: Row, name: str) -> str:
    return room.name(row.text(name))


def initiatives_of(one: Judged, room: Room | None) -> frozenset[str] | None:
    """The initiatives a reading speaks of, by its model, experiment or own name; None where it speaks of all."""
    pins = {k: v for k, v in one.reading.by if v is not None}
    own = pins.get("initiative_id") or pins.get("initiative")
    if own:
        return frozenset({own})
    if room is None or not ({"model_id", "experiment_id"} & set(pins)):
        return None
    wanted = {pins.get("model_id"), pins.get("experiment_id")} - {None}
    return frozenset(r.record_id for r in room.rows("initiatives") if wanted & _names(r))


def _names(initiative: Row) -> set[str]:
    """Models and experiments of an initiative."""
    return {*initiative.words("model_ids"), *initiative.words("experiment_ids")}


def _delivered(frame: Frame, about: frozenset[str] | None, room: Room | None) -> Iterator[Happening]:
    for one in events(frame):
        if about is None or one.initiative in about:
            whose = room.title("initiatives", one.initiative) if room else one.initiative
            yield Happening(one.at.date(), _EVENTS.get(one.event, one.event), whose, one.about or "no note")


def _decided(room: Room, about: frozenset[str] | None) -> Iterator[Happening]:
    reviews = {r.record_id: r for r in room.rows("gate_reviews")}
    for row in room.rows("gate_decisions"):
        review = reviews.get(row.text("review"))
        if review is None or (about is not None and review.text("initiative") not in about):
            continue
        whose = room.title("initiatives", review.text("initiative"))
        yield Happening(
            row.at.date(), "gate decision", whose, f"{title_of(room, review)}: {row.text('outcome')}"
        )
