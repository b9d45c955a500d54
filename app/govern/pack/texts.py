"""What all printed forms share: the lists of a pack with their columns, and text that every reader of files can hold."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from app.govern.pack.model import BoardPack, Figure, Initiative
from app.measure import words
from data.audit import Json

# Characters that XML and fonts do not take: control characters but tab and line break, halves of pairs, non-characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_INSTEAD = "\ufffd"
DIMENSIONS = ("Technical", "Business impact", "Process", "Learning")


@dataclass(frozen=True)
class Listing:
    """One list of a pack. `shares`: of the width, for each column; `marked`: the column of verdicts, or -1.

    `right`: columns of numbers; `more`: how many further lines there were.
    """

    name: str
    title: str
    lead: str
    columns: tuple[str, ...]
    shares: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str
    marked: int = -1
    more: int = 0
    right: tuple[int, ...] = ()


def safe(text: str) -> str:
    """Text without characters that no file format takes; each is shown as one sign, never dropped."""
    return _UNPRINTABLE.sub(_INSTEAD, text)


def clean(value: Json) -> Json:
    """The same for everything in a document."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items()}
    return [clean(v) for v in value] if isinstance(value, list | tuple) else value


def moment(time: dt.datetime) -> str:
    """A time as people write it."""
    return words.moment(time)


def stretch(first: str, last: str) -> str:
    """Two ISO days as people write them."""
    return words.days_between(dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def scorecard(pack: BoardPack, dimension: str) -> Listing:
    """The figures of one dimension."""
    figures = [f for f in pack.figures if f.dimension == dimension]
    why = dict(pack.missing).get(dimension, "Nothing is measured here yet.")
    columns = (
        "Measure",
        "Value",
        "Interval",
        "n",
        "Verdict",
        "Target",
        "Change",
        "Answers for it",
        "Freshness",
    )
    rows = tuple(_figure(f) for f in figures)
    return Listing(dimension, dimension, "", columns, (27, 11, 15, 8, 12, 11, 13, 13, 16), rows, why, 4,
                   right=(1, 2, 3))  # fmt: skip


def _figure(f: Figure) -> tuple[str, ...]:
    interval = f.interval if f.reading.value is not None else f.reading.reason
    return (
        f.label, f.value, interval, f.n, "no target" if f.state == "not applicable" else f.state, f.aim, f.moved, f.owner,
        f"late: {f.fresh}" if f.late else f.fresh,
    )  # fmt: skip


def lists(pack: BoardPack) -> tuple[Listing, ...]:
    """Every list after the scorecard, in the order of the document."""
    more = dict(pack.left_out)
    return (
        _portfolio(pack, more), _decisions(pack, more), _conditions(pack, more), _risks(pack, more),
        _acceptances(pack, more), _alerts(pack, more), _studies(pack, more), _definitions(pack),
    )  # fmt: skip


def _portfolio(pack: BoardPack, more: dict[str, int]) -> Listing:
    rows = tuple(
        (i.title, i.stage, i.materiality, i.owner, i.gate, _holds(i), i.why, i.risks,
         f"overdue since {i.review}" if i.late else i.review)
        for i in pack.initiatives
    )  # fmt: skip
    columns = (
        "Initiative",
        "Stage",
        "Materiality",
        "Accountable",
        "Next gate",
        "Today",
        "Why",
        "Risks",
        "Next review",
    )
    name = "initiatives"
    return Listing(name, "Portfolio", "Next gates are judged on live numbers; only what is met passes.", columns,
                   (15, 9, 9, 12, 9, 10, 32, 15, 13), rows, "No initiative is recorded.", 5, more.get(name, 0))  # fmt: skip


def _holds(one: Initiative) -> str:
    return {True: "met", False: "not met", None: "not applicable"}[one.holds]


def _decisions(pack: BoardPack, more: dict[str, int]) -> Listing:
    rows = tuple(
        (
            d.number,
            d.title,
            d.outcome,
            d.on,
            f"{d.stands}, outdated" if d.outdated else d.stands,
            d.today,
            d.basis,
        )
        for d in pack.decisions
    )
    columns = ("Decision", "About", "Outcome", "Decided", "Stands", "Today", "SHA-256 of its basis")
    name = "decisions"
    return Listing(name, "Decisions, then and now", pack.kept, columns, (10, 18, 11, 11, 11, 26, 30), rows,
                   "The council has decided nothing yet.", more=more.get(name, 0))  # fmt: skip


def _conditions(pack: BoardPack, more: dict[str, int]) -> Listing:
    rows = tuple(
        (c.number, c.title, c.about, c.owner, c.due, c.state, c.today, c.why) for c in pack.conditions
    )
    columns = ("Condition", "What", "Of", "Owner", "Due", "State", "Today", "Why")
    name = "conditions"
    return Listing(name, "Conditions", "A breach takes its decision back to the council.", columns,
                   (11, 24, 18, 13, 11, 9, 12, 26), rows, "No decision rests on a condition.", 6, more.get(name, 0))  # fmt: skip


def _risks(pack: BoardPack, more: dict[str, int]) -> Listing:
    rows = tuple(
        (r.record_id, r.title, r.initiative, r.owner, *(_score(s) for s in (r.inherent, r.current, r.residual)),
         r.appetite, r.treatment, r.indicator, r.verdict)
        for r in pack.risks
    )  # fmt: skip
    columns = (
        "Risk",
        "What",
        "Initiative",
        "Owner",
        "Inherent",
        "Today",
        "Residual",
        "Appetite",
        "Treatment",
        "Indicator",
        "Measured",
    )
    name = "risks above appetite"
    return Listing(name, "Open risks above appetite", f"{pack.risk_sentence} Scores are likelihood times impact, 1 to 25.",
                   columns, (10, 19, 13, 12, 8, 7, 8, 11, 9, 21, 11), rows, "Every rated risk lies within its appetite.", 10,
                   more.get(name, 0), (4, 5, 6))  # fmt: skip


def _score(score: int | None) -> str:
    return words.DASH if score is None else str(score)


def _acceptances(pack: BoardPack, more: dict[str, int]) -> Listing:
    rows = tuple(
        (a.record_id, a.kind, a.about, "expired" if a.late else a.state, a.ends) for a in pack.acceptances
    )
    name = "acceptances"
    return Listing(name, "Acceptances and exceptions that ended or end within the month", "",
                   ("Record", "Kind", "About", "State", "Ends"),
                   (12, 12, 40, 12, 24), rows, "None has ended, and none ends within the month.",
                   more=more.get(name, 0))  # fmt: skip


def _alerts(pack: BoardPack, more: dict[str, int]) -> Listing:
    rows = tuple((a.kind, a.title, a.text, a.people) for a in pack.alerts)
    name = "alerts"
    return Listing(name, "What is due or went wrong", "Each is told once to each person it concerns.",
                   ("Kind", "About", "What", "Whom it concerns"), (13, 24, 50, 20), rows, "Nothing is due.",
                   more=more.get(name, 0))  # fmt: skip


def _studies(pack: BoardPack, more: dict[str, int]) -> Listing:
    rows = tuple(
        (s.title, s.initiative, s.design, s.grade, s.effect, s.value, s.cost, "yes" if s.adds else s.why_not)
        for s in pack.studies
    )
    columns = ("Study", "Initiative", "Design", "Evidence", "Effect", "Value", "Cost", "In the sum")
    name = "studies"
    return Listing(name, "Attributed value", pack.value_sentence, columns, (19, 13, 12, 12, 18, 20, 8, 18), rows,
                   "No study is recorded.", more=more.get(name, 0))  # fmt: skip


def _definitions(pack: BoardPack) -> Listing:
    """What each measure asks and how its interval is made; one line a metric."""
    held = {f.reading.key: f for f in pack.figures}
    rows = tuple(
        (f.name, f.question, f.definition, f.reading.method or words.DASH, f"{k}, {f.reading.version}")
        for k, f in held.items()
    )
    columns = ("Measure", "What it answers", "Definition", "Interval by", "Key and version")
    return Listing(
        "definitions", "How we know", "", columns, (17, 22, 42, 14, 18), rows, "Nothing is measured yet."
    )
