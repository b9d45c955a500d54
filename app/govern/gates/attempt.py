"""One command on a record of the council, about to be written, and how the guards say no.

Denied is for who may not, Invalid for what cannot be so; neither leaves a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from app.govern.gates import criteria as terms
from app.govern.gates import decided
from app.govern.gates.basis import Basis, thaw
from app.govern.gates.decided import Phase
from app.govern.gates.look import Look
from app.govern.model import Actor, Denied, Invalid, Row
from data.ledger_types import Value


@dataclass(frozen=True)
class Attempt:
    """One command on a record of the council, about to be written."""

    db: sa.Connection
    look: Look
    actor: Actor
    verb: str
    record_id: str
    values: Mapping[str, Value]

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else str(value)

    def words(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name)
        return value if isinstance(value, tuple) else ()

    def review(self) -> Row:
        """The review that the record is about, still open. Raises Denied where it is not."""
        found = self.look.find("gate_reviews", self.text("review"))
        if found is None:
            raise invalid("review", f"there is no gate review {self.text('review')!r}")
        state = decided.phase(self.look, found)
        if state is not Phase.OPEN:
            raise Denied(f"{found.record_id} is {state.value}; nothing is added to it any more")
        return found


def invalid(field: str, advice: str) -> Invalid:
    return Invalid(((field, f"{field}: {advice}"),))


def demand(holds: object, field: str, advice: str) -> None:
    if not holds:
        raise invalid(field, advice)


def whole(a: Attempt, field: str, criteria: str, about: tuple[str, str, str]) -> Basis:
    """The frozen evidence: the text of its hash, about this gate, with a finding for each criterion and no other."""
    try:
        found = thaw(a.text(field))
    except ValueError as error:
        raise invalid(field, str(error)) from error
    demand(found.sha256 == a.text(f"{field}_sha256"), f"{field}_sha256", "it is not the hash of the text")
    demand((found.initiative, found.gate, found.track) == about, field, "it speaks of another gate")
    own = terms.written(tuple(f.criterion for f in found.findings))
    demand(own == criteria, field, "its criteria are not those that were frozen")
    demand(found.findings, field, "no criterion is judged; an empty list never passes")
    return found
