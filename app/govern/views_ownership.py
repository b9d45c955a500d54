"""The page of ownership: how many initiatives have one accountable person, who is missing, which reviews are overdue."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.govern.model import Row
from app.govern.views import Room
from app.govern.views_needs import Need, needs
from app.measure import words

REGISTERS = ("ownership", "decision_rights")


@dataclass(frozen=True)
class OwnershipBoard:
    """`owned` of `initiatives` have an accountable person in office; `overdue` reviews are late."""

    sentence: str
    detail: str
    initiatives: int
    owned: int
    orphans: tuple[str, ...]
    overdue: int
    needs: tuple[Need, ...]
    registers: tuple[str, ...] = REGISTERS


def ownership_board(room: Room) -> OwnershipBoard:
    """Everything the page of ownership shows."""
    initiatives = room.live("initiatives")
    held = {r.record_id: r for r in room.live("ownership")}
    owned = [i for i in initiatives if _in_office(room, held.get(i.record_id))]
    orphans = tuple(i.text("title") for i in initiatives if i not in owned)
    overdue = sum(_late(row, room.today) for row in held.values())
    asked = needs(room, *REGISTERS, "initiatives")
    total = words.plural(len(initiatives), "initiative")
    if not initiatives:
        sentence = "No initiative is recorded yet, so nobody can own one."
    elif orphans:
        verb = "has" if len(orphans) == 1 else "have"
        sentence = (
            f"{len(owned)} of {total} have one accountable person; {words.listed(orphans)} {verb} none."
        )
    else:
        sentence = f"All {total} have one accountable person."
    late = words.plural(overdue, "review is overdue", "reviews are overdue")
    detail = f"{sentence_start(late)}. Accountable means one named person with the authority to stop it."
    return OwnershipBoard(sentence, detail, len(initiatives), len(owned), orphans, overdue, asked)


def sentence_start(part: str) -> str:
    return part if part[0] != "0" else f"No{part[1:]}".replace("reviews are", "review is")


def _in_office(room: Room, row: Row | None) -> bool:
    """Whether somebody is named and still there."""
    user = room.shelf["users"].get(row.text("accountable")) if row else None
    return user is not None and user.state == "active"


def _late(row: Row, today: dt.date) -> bool:
    due = row["next_review"]
    return isinstance(due, dt.date) and due < today
