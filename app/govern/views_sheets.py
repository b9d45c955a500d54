"""Bringing a sheet in: read it, rehearse it against the ledger, and say line by line what is wrong or what would change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from app.govern.commands import rehearse
from app.govern.sheets import Plan, plan_csv, refused, rehearsed
from app.govern.views import Room
from data.fields import Register


@dataclass(frozen=True)
class Offer:
    """What a file would do, and the key under which it is imported: the same file by the same person is one import."""

    plan: Plan
    key: str


def offer(room: Room, register: Register, name: str, content: bytes) -> Offer:
    """The plan of a file, rehearsed: the dry run asks the ledger everything that the import will be asked."""
    plan = _read(room, register, name, content)
    if plan.commands and not plan.faults and room.actor is not None:
        plan = rehearsed(plan, rehearse(room.ledger, plan.commands, room.actor))
    who = room.actor.identity if room.actor else ""
    same = hashlib.sha256(f"{register.name}\n{who}\n".encode() + content).hexdigest()
    return Offer(plan, f"csv/{same}")


def _read(room: Room, register: Register, name: str, content: bytes) -> Plan:
    held = room.shelf[register.name]
    if name.lower().endswith(".xlsx"):
        from app.govern.sheets_xlsx import plan_xlsx  # openpyxl takes a third of a second to import

        return plan_xlsx(register, content, held)
    try:
        return plan_csv(register, content.decode("utf-8-sig"), held)
    except UnicodeDecodeError as error:
        return refused(
            f"The file is not UTF-8 at byte {error.start}; save it as CSV UTF-8 and choose it again."
        )
