"""The page of initiatives: one card each with stage, owner, risk posture and next review; and the sentence above them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.govern.lint import score
from app.govern.model import Row
from app.govern.views import Room
from app.govern.views_needs import Need, needs
from app.measure import words
from metrics import ALL

REGISTERS = (
    "initiatives",
    "decisions",
    "postures",
    "targets",
    "check_ins",
    "operability",
    "evidence",
    "milestones",
    "conclusions",
)


@dataclass(frozen=True)
class Initiative:
    """One line of the list. `worst`: the highest rated risk today in words; `late`: its review is overdue."""

    record_id: str
    title: str
    stage: str
    materiality: str
    owner: str
    posture: str
    risks: str
    review: str
    late: bool
    orphan: bool


@dataclass(frozen=True)
class InitiativeBoard:
    sentence: str
    detail: str
    needs: tuple[Need, ...]
    initiatives: tuple[Initiative, ...]
    registers: tuple[str, ...] = REGISTERS


def initiative_board(room: Room) -> InitiativeBoard:
    """Everything the page of initiatives shows."""
    found = tuple(_line(room, row) for row in room.live("initiatives"))
    orphans = tuple(i.title for i in found if i.orphan)
    late = sum(i.late for i in found)
    if not found:
        return InitiativeBoard(
            "No initiative is recorded yet.", "Add the first one below.", needs(room, *REGISTERS), ()
        )
    verb = "has" if len(orphans) == 1 else "have"
    sentence = (
        f"{words.listed(orphans)} {verb} nobody who answers for it."
        if orphans
        else f"All {words.plural(len(found), 'initiative')} have somebody who answers for them."
    )
    stages = [i.stage for i in found]
    parts = [f"{stages.count(s)} in {s}" for s in dict.fromkeys(stages)]
    reviews = words.plural(late, "ownership review is", "ownership reviews are")
    detail = f"{words.plural(len(found), 'initiative')}: {', '.join(parts)}. {reviews} overdue."
    return InitiativeBoard(sentence, detail, needs(room, *REGISTERS), found)


def _line(room: Room, row: Row) -> Initiative:
    held = room.shelf["ownership"].get(row.record_id)
    held = held if held and held.state == "active" else None
    due = held["next_review"] if held else None
    late = isinstance(due, dt.date) and due < room.today
    return Initiative(
        row.record_id,
        row.text("title"),
        row.text("stage"),
        row.text("materiality"),
        room.name(held.text("accountable")) if held else "nobody",
        _posture(room, row.record_id),
        _risks(room, row.record_id),
        words.date(due) if isinstance(due, dt.date) else words.DASH,
        late,
        held is None,
    )


def _posture(room: Room, initiative: str) -> str:
    """What error was declared acceptable, for the initiative's decisions."""
    decisions = room.live_of("decisions", "initiative", initiative)
    said = tuple(_acceptable(p) for d in decisions for p in room.live_of("postures", "decision", d.record_id))
    return words.listed(said) if said else "not declared"


def _risks(room: Room, initiative: str) -> str:
    rated = [score(r, "current") for r in room.live_of("risks", "initiative", initiative)]
    known = [s for s in rated if s is not None]
    if not rated:
        return "no risk recorded"
    top = f", highest {max(known)} of 25 today" if known else ""
    return f"{words.plural(len(rated), 'risk')}{top}"


def _acceptable(posture: Row) -> str:
    """What was declared, as "Ranking quality (AUC) at least 0.75"."""
    metric, value = ALL.get(posture.text("metric")), posture["acceptable"]
    if metric is None or not isinstance(value, float):
        return f"{posture.text('metric')} {posture.text('comparator')} {posture.text('acceptable')}"
    return f"{metric.title} {posture.text('comparator')} {words.target_number(metric, value)}"
