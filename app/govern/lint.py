"""What does not fit together in the registers: pure functions from rows to findings. They decide nothing; they point."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.govern.model import Row
from app.measure.words import date

Rating = tuple[int, int]


@dataclass(frozen=True)
class Note:
    """A finding about a record and what to do about it. `rule` is stable, for filters and counts."""

    rule: str
    register: str
    record_id: str
    text: str


@dataclass(frozen=True)
class Book:
    """The registers that the rules look at: current rows, and every version of the risks (oldest first).

    `worse`: identifiers of risks whose indicator got worse since their residual rating was lowered, and `breached`:
    identifiers of acceptances and exceptions whose tripwire is in breach; both as the Readings say.
    """

    initiatives: tuple[Row, ...] = ()
    ownership: tuple[Row, ...] = ()
    risks: tuple[Row, ...] = ()
    controls: tuple[Row, ...] = ()
    acceptances: tuple[Row, ...] = ()
    exceptions: tuple[Row, ...] = ()
    risk_history: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    worse: frozenset[str] = frozenset()
    breached: frozenset[str] = frozenset()


def score(row: Row, level: str) -> int | None:
    """Likelihood x impact of a risk at a level (inherent, current, residual, target); None where it is not rated."""
    likelihood, impact = row[f"{level}_likelihood"], row[f"{level}_impact"]
    if isinstance(likelihood, int) and isinstance(impact, int):
        return likelihood * impact
    return None


def residual_above_current(book: Book, _: dt.date) -> list[Note]:
    """What is left after treatment cannot be more than what there is today, nor that more than before any control."""
    notes = []
    for risk in _active(book.risks):
        for lower, upper in (("residual", "current"), ("current", "inherent"), ("residual", "inherent")):
            low, high = score(risk, lower), score(risk, upper)
            if low is not None and high is not None and low > high:
                text = f"{lower} {low} is above {upper} {high}; rate both again"
                notes.append(_note(f"{lower} above {upper}", risk, text))
    return notes


def residual_lowered_without_control(book: Book, _: dt.date) -> list[Note]:
    """A residual rating below the inherent one needs something that lowers it."""
    held = {
        c.text("risk")
        for c in _active(book.controls)
        if c["effectiveness"] in ("effective", "partly effective")
    }
    notes = []
    for risk in _active(book.risks):
        inherent, residual = score(risk, "inherent"), score(risk, "residual")
        lowered = inherent is not None and residual is not None and residual < inherent
        if lowered and risk.record_id not in held:
            text = f"residual {residual} is below inherent {inherent} without a control known to work; name one or rate again"
            notes.append(_note("residual lowered without a control", risk, text))
    return notes


def residual_lowered_while_worse(book: Book, _: dt.date) -> list[Note]:
    """The rating went down while what is measured went the wrong way."""
    notes = []
    for risk in _active(book.risks):
        before = [score(v, "residual") for v in book.risk_history.get(risk.record_id, ())]
        scores = [s for s in before if s is not None]
        if risk.record_id in book.worse and len(scores) > 1 and scores[-1] < max(scores[:-1]):
            text = f"residual went from {max(scores[:-1])} to {scores[-1]} while the indicator got worse; rate it again"
            notes.append(_note("residual lowered while its indicator worsened", risk, text))
    return notes


def acceptance_without_end(book: Book, _: dt.date) -> list[Note]:
    """Nothing is borne for ever."""
    return [
        _note("no expiry", row, "it has neither a last day nor a tripwire; add one")
        for row in _requests(book, "draft", "submitted", "accepted")
        if row["expires"] is None and row["tripwire_metric"] is None
    ]


def lapsed(book: Book, today: dt.date) -> tuple[tuple[Row, str], ...]:
    """Accepted acceptances and exceptions that have come to their end, with the reason: the day, or the tripwire."""
    found = []
    for row in _requests(book, "accepted"):
        expires = row["expires"]
        if isinstance(expires, dt.date) and expires < today:
            found.append((row, f"its last day was {expires}"))
        elif row.record_id in book.breached:
            found.append((row, f"its tripwire {row.text('tripwire_metric')} is in breach"))
    return tuple(found)


def expired_still_relied_on(book: Book, today: dt.date) -> list[Note]:
    """A risk treated by acceptance whose acceptance has ended, or that never had one."""
    ended = {row.record_id for row, _ in lapsed(book, today)}
    valid = {r.text("risk") for r in book.acceptances if r.state == "accepted" and r.record_id not in ended}
    ever = {r.text("risk") for r in book.acceptances if r.state in ("accepted", "expired", "revoked")}
    notes = []
    for risk in _active(book.risks):
        if risk["treatment"] == "accept" and risk.record_id not in valid:
            rule = "expired acceptance relied on" if risk.record_id in ever else "accepted without acceptance"
            notes.append(
                _note(
                    rule,
                    risk,
                    "its treatment is accept but no acceptance is in force; request one or treat it",
                )
            )
    return notes


def without_owner(book: Book, _: dt.date) -> list[Note]:
    """Risks nobody answers for, and initiatives nobody is accountable for."""
    notes = [
        _note("no owner", r, "nobody answers for it; name an owner")
        for r in _active(book.risks)
        if r["owner"] is None
    ]
    owned = {o.text("initiative") for o in _active(book.ownership) if o["accountable"] is not None}
    orphans = [i for i in _active(book.initiatives) if i.record_id not in owned]
    return notes + [
        _note("orphan", i, "nobody is accountable for it; fill in its ownership") for i in orphans
    ]


def overdue_reviews(book: Book, today: dt.date) -> list[Note]:
    """Reviews whose day has passed: due before today and not yet done."""
    notes = []
    for row in (*_active(book.ownership), *_active(book.risks), *_active(book.controls)):
        due = row["next_review"]
        if isinstance(due, dt.date) and due < today:
            notes.append(
                _note(
                    "review overdue",
                    row,
                    f"its review was due on {date(due)}; review it and set the next day",
                )
            )
    return notes


RULES: tuple[Callable[[Book, dt.date], list[Note]], ...] = (
    residual_above_current,
    residual_lowered_without_control,
    residual_lowered_while_worse,
    acceptance_without_end,
    expired_still_relied_on,
    without_owner,
    overdue_reviews,
)


def lint(book: Book, today: dt.date) -> tuple[Note, ...]:
    """Every finding of every rule, in the order of the rules."""
    return tuple(note for rule in RULES for note in rule(book, today))


def _active(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    return tuple(r for r in rows if r.state == "active")


def _requests(book: Book, *states: str) -> tuple[Row, ...]:
    return tuple(r for r in (*book.acceptances, *book.exceptions) if r.state in states)


def _note(rule: str, row: Row, text: str) -> Note:
    return Note(rule, row.register, row.record_id, text)
