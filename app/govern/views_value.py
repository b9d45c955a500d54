"""The page of value: the portfolio of studies by evidence grade, and one study in full. No drawing, no new numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.govern import studies
from app.govern.evidence import EvidenceError
from app.govern.model import Row
from app.govern.study_words import Told, amount, gate_name, number, told
from app.govern.views import Room
from app.measure import words
from app.measure.studies.outcome import StudyResult
from app.settings import Settings
from data.registers.baselines import GRADES

NOT_READ = "cannot be shown"


@dataclass(frozen=True)
class StudyLine:
    """One study with its newest result. `adds`: whether its value is in the portfolio's sum; `why_not` otherwise."""

    study: str
    title: str
    initiative: str
    design: str
    grade: str
    effect: str
    value: str
    cost: str
    roi: str
    adds: bool
    why_not: str


@dataclass(frozen=True)
class Sum:
    """Attributed value of the studies that count, one for each initiative; the interval takes them as independent."""

    value: float
    low: float
    high: float
    cost: float
    count: int


@dataclass(frozen=True)
class Portfolio:
    sentence: str
    detail: str
    lines: tuple[StudyLine, ...]
    total: Sum | None


@dataclass(frozen=True)
class StudyView:
    """One study in full: its result, its words, when its plan was written down and by whom."""

    study: str
    result: StudyResult
    told: Told
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Held:
    """A study with its newest result."""

    study: Row
    row: Row
    result: StudyResult | None


def portfolio(room: Room, settings: Settings) -> Portfolio:
    """Every registered study that has a result, best evidence first."""
    held = _held(room, settings)
    counted = _counted(held)
    lines = tuple(_line(room, one, counted) for one in held)
    total = _total([one for one in held if one.study.record_id in counted])
    return Portfolio(*_sentences(lines, total), lines, total)


def _held(room: Room, settings: Settings) -> list[_Held]:
    results = room.rows("study_results")
    found = []
    for study in room.live("studies"):
        row = studies.newest(results, study.record_id)
        if row is not None:
            found.append(_Held(study, row, _read(settings, row)))
    return sorted(found, key=lambda h: (GRADES.index(h.row.text("grade")), -h.row.seq))


def _read(settings: Settings, row: Row) -> StudyResult | None:
    try:
        return studies.result_of(settings, row)
    except (EvidenceError, ValueError):
        return None  # the line says so; verification names the file


def _counted(held: list[_Held]) -> frozenset[str]:
    """One study for each initiative: the one with the best evidence, of these the newest. Two would count twice."""
    chosen: dict[str, str] = {}
    for one in held:
        if one.row["counted"] and isinstance(one.row["value"], float) and one.result is not None:
            chosen.setdefault(one.study.text("initiative") or one.study.record_id, one.study.record_id)
    return frozenset(chosen.values())


def _total(held: list[_Held]) -> Sum | None:
    if not held:
        return None
    values = [_numbers(one.row, "value", "value_low", "value_high") for one in held]
    mid = sum(v for v, _, _ in values)
    below = math.sqrt(sum((v - low) ** 2 for v, low, _ in values))
    above = math.sqrt(sum((high - v) ** 2 for v, _, high in values))
    cost = sum(c for (c,) in (_numbers(one.row, "cost") for one in held))
    return Sum(mid, mid - below, mid + above, cost, len(held))


def _numbers(row: Row, *names: str) -> tuple[float, ...]:
    return tuple(v if isinstance(v := row[name], float) else 0.0 for name in names)


def _line(room: Room, one: _Held, counted: frozenset[str]) -> StudyLine:
    result, study = one.result, one.study
    initiative = study.text("initiative")
    adds = study.record_id in counted
    name = room.title("initiatives", initiative) if initiative else words.DASH
    if result is None:
        return StudyLine(study.record_id, study.text("title"), name, study.text("design"), NOT_READ, "", "", "", "", adds,
                         "its file is missing or was altered; run verify")  # fmt: skip
    roi = result.roi
    value = (
        f"{amount(roi.value)} ({amount(roi.value_low)} to {amount(roi.value_high)})" if roi else "not valued"
    )
    cost = amount(roi.cost) if roi and roi.cost is not None else words.DASH
    gain = number(roi.roi, "+.1f") if roi and roi.roi is not None else words.DASH
    return StudyLine(
        study.record_id, study.text("title"), name, study.text("design").replace("_", " "), result.grade,
        told(result).headline, value, cost, gain, adds, _why_not(result, adds=adds),
    )  # fmt: skip


def _why_not(result: StudyResult, *, adds: bool) -> str:
    if adds:
        return ""
    if result.blocked_by:
        return f"blocked by {words.listed(tuple(map(gate_name, result.blocked_by)))}"
    if not result.counted:
        return f"{result.grade}: shown beside, never added"
    return "no unit value in its plan" if result.roi is None else "another study of this initiative is added"


def _sentences(lines: tuple[StudyLine, ...], total: Sum | None) -> tuple[str, str]:
    if not lines:
        return (
            "No study is recorded yet, so no value can be attributed.",
            "Write a plan and run it: python -m app study run SPEC.yaml. study advise FILE says which design fits.",
        )
    blocked = sum(line.grade == "blocked" for line in lines)
    beside = f" {words.plural(blocked, 'study is', 'studies are')} blocked and in no sum." if blocked else ""
    if total is None:
        return f"No study attributes a value yet.{beside}", _DETAIL
    net = total.value - total.cost
    way = "pays" if total.value > total.cost else "does not pay"
    sentence = (
        f"Attributed value {amount(total.value)} ({amount(total.low)} to {amount(total.high)}) against a cost of"
        f" {amount(total.cost)}: the attributed part {way}, net {amount(net)}.{beside}"
    )
    return sentence, _DETAIL


_DETAIL = (
    "Only randomised studies, and quasi-experimental ones that passed every gate, are added, one for each initiative."
    " Everything else is shown beside and never added."
)


def study_view(room: Room, settings: Settings, study: str) -> StudyView | None:
    """One study with its newest result; None where there is none that can be read."""
    row = room.shelf.get("studies", {}).get(study)
    found = None if row is None else studies.newest(room.rows("study_results"), study)
    result = None if found is None else _read(settings, found)
    if row is None or found is None or result is None:
        return None
    versions = found.words("versions")
    initiative = row.text("initiative")
    facts = (
        ("Initiative", room.title("initiatives", initiative) if initiative else words.DASH),
        (
            "Plan registered",
            f"{words.moment(row.at)} by {room.name(row.by.identity)}, hash {row.text('plan_hash')[:12]}",
        ),
        ("Result recorded", f"{words.moment(found.at)}, audit entry {found.seq}"),
        ("Rows", f"hash {result.data_hash[:12]}, n {result.n:,}"),
        ("Baseline", row.text("baseline") or "none named in the plan"),
        ("Computed by", ", ".join(versions)),
        ("Method", result.method),
        ("What is estimated", result.estimand),
    )
    return StudyView(study, result, told(result), facts)
