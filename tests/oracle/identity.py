"""Identity (`definitions.md` section 3): how well records are resolved into persons.

Rules (I)
I1. Links are the known rows of identity_links that are valid at `as_of`: valid_from <= as_of < valid_to, either
    end open where empty (without `as_of`: all whose valid_to is empty). A record is a record_id; its person is
    the smallest component (E5) among its links' persons, its true entity the smallest truth_entity_id.
I2. Records per person = distinct records / distinct persons of them.
I3. Unlinkable share = signals (not tests) without person_id / signals that are not tests.
I4. A shared address is an id_value (lower case, trimmed) of one id_type, email or phone, whose valid links name
    more than k persons (components); k = 1.
I5. Pairs and B-cubed are over records that have a truth_entity_id. Exact clusters are true entities whose set of
    records is the set of a person. Precision without a predicted pair, and recall without a true one, are None.
I6. The cross-record share is of violations (rule S7's record_ids, headline view).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from tests.oracle.engine import Row, World, micros
from tests.oracle.suppression import violations


def valid_links(w: World) -> list[Row]:
    as_of = micros(w.view.as_of)

    def valid(link: Row) -> bool:
        since, until = link.get("valid_from"), link.get("valid_to")
        if as_of is None:
            return until is None
        return (since is None or since <= as_of) and (until is None or as_of < until)

    return [link for link in w["identity_links"] if valid(link)]


def records(w: World) -> dict[str, str]:
    """Record -> person."""
    out: dict[str, str] = {}
    for link in valid_links(w):
        person = w.today.of(link["person_id"])
        out[link["record_id"]] = min(person, out.get(link["record_id"], person))
    return out


def records_per_person(w: World) -> tuple[int, int]:
    own = records(w)
    return len(own), len(set(own.values()))


def unlinkable(w: World) -> tuple[int, int]:
    real = [s for s in w["signals"] if not s.get("is_test")]
    return sum(s.get("person_id") is None for s in real), len(real)


def shared_addresses(w: World, k: int = 1) -> list[tuple[str, str]]:
    """(id_type, address) of more than k persons."""
    persons: dict[tuple[str, str], set[str]] = {}
    for link in valid_links(w):
        if link["id_type"] in {"email", "phone"}:
            key = (link["id_type"], link["id_value"].strip().lower())
            persons.setdefault(key, set()).add(w.today.of(link["person_id"]))
    return sorted(key for key, own in persons.items() if len(own) > k)


@dataclass(frozen=True)
class Linkage:
    """Pairs and B-cubed against the truth; None where there is nothing to divide by."""

    true_positives: int
    predicted: int
    actual: int
    precision: Fraction | None
    recall: Fraction | None
    f1: Fraction | None
    b_cubed_precision: Fraction | None
    b_cubed_recall: Fraction | None
    exact_clusters: int
    entities: int


def linkage(w: World) -> Linkage:
    truth: dict[str, str] = {}
    for link in valid_links(w):
        entity, record = link.get("truth_entity_id"), link["record_id"]
        if entity is not None:
            truth[record] = min(entity, truth.get(record, entity))
    person = {r: p for r, p in records(w).items() if r in truth}
    return score(person, truth)


def score(person: dict[str, str], truth: dict[str, str]) -> Linkage:
    """Judge one partition of the records against another."""
    both = list(combinations(sorted(truth), 2))
    predicted = sum(person[a] == person[b] for a, b in both)
    actual = sum(truth[a] == truth[b] for a, b in both)
    right = sum(person[a] == person[b] and truth[a] == truth[b] for a, b in both)
    cell = Counter((person[r], truth[r]) for r in truth)
    by_person, by_entity = Counter(person.values()), Counter(truth.values())
    n = len(truth)
    cubed_p = sum((Fraction(cell[person[r], truth[r]], by_person[person[r]]) for r in truth), Fraction())
    cubed_r = sum((Fraction(cell[person[r], truth[r]], by_entity[truth[r]]) for r in truth), Fraction())
    exact = sum(k == by_person[p] == by_entity[e] for (p, e), k in cell.items())
    return Linkage(
        right,
        predicted,
        actual,
        Fraction(right, predicted) if predicted else None,
        Fraction(right, actual) if actual else None,
        Fraction(2 * right, predicted + actual) if predicted + actual else None,
        cubed_p / n if n else None,
        cubed_r / n if n else None,
        exact,
        len(by_entity),
    )


def cross_record(w: World) -> tuple[int, int]:
    found = violations(w)
    return sum(v.cross_record for v in found), len(found)
