"""Readiness of one initiative: each item, whether its evidence is observed, inferred or absent, and the record that is it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.measure import words
from app.measure.judged import Frame
from metrics import ALL
from metrics._readiness_cells import ABSENT, INFERRED, NO_RECORD, OBSERVED
from metrics._readiness_items import ITEMS
from metrics.core.metric import Scope

ANY = "readiness.minimum_viable_context"  # every metric of the family reads the same cells
BY = ("pillar", "item", "basis", "evidence")


@dataclass(frozen=True)
class Proof:
    """One item with its best evidence. `when`: what would make it observed."""

    pillar: str
    item: str
    basis: str
    record: str
    when: str


@dataclass(frozen=True)
class Readiness:
    sentence: str
    proofs: tuple[Proof, ...]


def readiness(frame: Frame, initiative: str) -> Readiness:
    """Every item of one initiative, in the order of the pillars, as the ledger stands now."""
    now = replace(frame, view=replace(frame.view, as_of=None))
    asked = Scope(where=(("initiative", initiative),), by=BY)
    told = {}
    for reading in now.readings.read(ALL[ANY], asked):
        by = {k: str(v) for k, v in reading.by}
        if "item" in by:
            told[by["pillar"], by["item"]] = (by["basis"], by["evidence"])
    proofs = tuple(
        Proof(i.pillar, i.name, basis, words.DASH if record == NO_RECORD else record, i.observed)
        for i in ITEMS
        if (held := told.get((i.pillar, i.name)))
        for basis, record in (held,)
    )
    return Readiness(_sentence(proofs), proofs)


def _sentence(proofs: tuple[Proof, ...]) -> str:
    counts = {basis: sum(p.basis == basis for p in proofs) for basis in (OBSERVED, INFERRED, ABSENT)}
    if not proofs:
        return "Nothing is recorded of this initiative."
    absent = words.listed(tuple(p.item for p in proofs if p.basis == ABSENT), 4)
    missing = f" Absent: {absent}." if absent else ""
    return (
        f"Of {len(proofs)} items {counts[OBSERVED]} are observed, {counts[INFERRED]} only declared, {counts[ABSENT]} absent."
        f"{missing}"
    )
