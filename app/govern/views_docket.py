"""One item of the council in full: evidence frozen beside today's, seats, conditions, and the decision record."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.govern.gates import panel, watch
from app.govern.gates.evaluate import Sources
from app.govern.gates.findings import Finding
from app.govern.gates.look import Look
from app.govern.gates.review import Sight, sight
from app.govern.gates.then import compare
from app.govern.model import Row
from app.govern.views import Room
from app.govern.views_gates import sources_of, title_of
from app.measure import words
from app.measure.readings import Readings
from app.runtime import Runtime
from metrics import ALL
from metrics.core.metric import Reading
from metrics.core.verdict import State


@dataclass(frozen=True)
class Line:
    """One criterion: as frozen and as it is today, in words. `moved`: what changed, empty for nothing."""

    title: str
    weight: str
    asked: str
    then: State
    then_text: str
    now: State
    now_text: str
    why: str
    moved: str
    material: bool


@dataclass(frozen=True)
class Seat:
    """A member's seat: who votes in it, what was voted, and the statement."""

    name: str
    by: str
    vote: str
    statement: str
    cast: bool = False


@dataclass(frozen=True)
class Docket:
    """One item in full."""

    review: str
    title: str
    facts: tuple[tuple[str, str], ...]
    holds: bool
    verdict: str
    frozen_on: str
    lines: tuple[Line, ...]
    seats: tuple[Seat, ...]
    quorum: tuple[int, int]
    tally: str
    conditions: tuple[tuple[str, str, str, State, str], ...]
    phase: str
    outcomes: tuple[str, ...]
    why_not: str
    may_vote: str
    seen: str
    criteria: tuple[str, ...]
    record: tuple[tuple[str, str], ...] = ()
    stands: str = ""
    outdated: bool = False


def docket(room: Room, runtime: Runtime, readings: Readings, number: str) -> Docket | None:
    """One item in full; None for a number that does not exist."""
    found = sources_of(room, runtime, readings)
    review = found.look.find("gate_reviews", number)
    if review is None:
        return None
    got = sight(found, review)
    decision = found.look.find("gate_decisions", number)
    both = compare(found, decision) if decision is not None else None
    before = both.then.findings if both else got.before.findings
    now = got.basis.findings
    moved = {c.key: c for c in (both.changes if both else got.moved)}
    lines = tuple(
        _line(a, b, moved[a.criterion.key].why if a.criterion.key in moved else "",
              material=a.criterion.key in moved and moved[a.criterion.key].material)
        for a, b in zip(before, now, strict=True)
    )  # fmt: skip
    counted = got.ballot.counted
    return Docket(
        number, title_of(room, review), _facts(room, review), got.standing.holds, words.sentence(got.standing.why),
        words.moment((decision or review).at), lines, _seats(room, found.look, got), (counted.present, counted.quorum),
        counted.text(), _conditions(room, found, got), got.phase.value, tuple(got.outcomes), words.sentence(got.why),
        _may_vote(room, found.look, review), got.basis.sha256, tuple(f.criterion.key for f in now),
        _record(room, found.look, decision) if decision is not None else (), both.stands.value if both else "",
        both.outdated if both else False,
    )  # fmt: skip


def _facts(room: Room, review: Row) -> tuple[tuple[str, str], ...]:
    until = review["ratify_by"]
    pairs = (
        ("Asked by", f"{room.name(review.by.identity)}, {words.moment(review.at)}"),
        ("Request", review.text("request")),
        (
            "Track",
            review.text("track") + (f", ratify by {words.date(until)}" if isinstance(until, dt.date) else ""),
        ),
        ("Why it cannot wait", review.text("justification")),
        (
            "Rules",
            f"template {review.text('template')}, {review.text('tier')}, approval from {review['approval']:.0%}",
        ),
        ("Looks again at", review.text("reopens")),
        ("Contributors", f"{_people(room, review, 'contributors')}; they do not vote"),
        ("Evidence at opening", f"SHA-256 {review.text('snapshot_sha256')}"),
    )
    return tuple((name, text) for name, text in pairs if text)


def _line(then: Finding, now: Finding, moved: str, *, material: bool) -> Line:
    c = now.criterion
    asked = (
        f"{c.bound} {c.comparator} {_bound(c.metric, c.threshold)}"
        if c.metric and c.threshold is not None
        else ""
    )
    subject = f" ({c.subject})" if c.subject else ""
    return Line(
        c.title + subject, c.weight, asked, then.state, _number(then), now.state, _number(now), words.sentence(now.why),
        moved, material,
    )  # fmt: skip


def _bound(key: str, threshold: float) -> str:
    metric = ALL.get(key)
    return words.target_number(metric, threshold) if metric else f"{threshold:g}"


def _number(one: Finding) -> str:
    reading: Reading | None = one.reading
    metric = ALL.get(reading.key) if reading else None
    if reading is None or metric is None or reading.value is None:
        return ""
    shown = words.shown(metric, reading)
    return f"{shown.value}{f' ({shown.interval})' if shown.interval else ''}, n {shown.n}"


def _seats(room: Room, look: Look, got: Sight) -> tuple[Seat, ...]:
    seats = []
    for member in got.review.words("members"):
        cast = got.ballot.seat(member)
        other = cast.by.identity if cast else panel.delegate_of(look, got.review, member)
        by = room.name(other) if other and other != member else ""
        gone = "" if member in look.council else "no member any more"
        vote = cast.text("vote") if cast else gone or "has not voted"
        said = cast.text("statement") if cast else ""
        seats.append(Seat(room.name(member), by, vote, said, cast is not None))
    return tuple(seats)


def _conditions(room: Room, found: Sources, got: Sight) -> tuple[tuple[str, str, str, State, str], ...]:
    """Title, owner and day, state in the ledger, state of today and why."""
    lines = []
    for row in got.conditions:
        finding = watch.judge_condition(found, row, got.review)
        due = row["due"]
        when = words.date(due) if isinstance(due, dt.date) else ""
        who = f"{room.name(row.text('owner'))}, {row.text('kind')}, {when}"
        lines.append((row.text("title"), who, row.state, finding.state, finding.why))
    return tuple(lines)


def _may_vote(room: Room, look: Look, review: Row) -> str:
    """Why the reader may not vote; empty where they may."""
    if room.actor is None:
        return "nobody is signed in"
    me = room.actor.identity
    return panel.why_not_vote(look, review, me, panel.seat_of(look, review, me) or me)


def _record(room: Room, look: Look, decision: Row) -> tuple[tuple[str, str], ...]:
    """The decision record in the words of MADR 4."""
    makers = _people(room, decision, "makers")
    revoked = look.find("gate_revocations", decision.record_id)
    events = [e for e in look.rows("gate_events") if e["decision"] == decision.record_id]
    pairs = (
        ("Number", decision.record_id),
        (
            "Outcome",
            f"{decision.text('outcome')}, recorded by {room.name(decision.by.identity)}, {words.moment(decision.at)}",
        ),
        ("Context", decision.text("context")),
        ("Options considered", decision.text("options")),
        ("Drivers", decision.text("drivers")),
        ("Consequences", decision.text("consequences")),
        ("Decision-makers", f"{makers}: {decision.text('tally')}"),
        ("Moved since the opening", ", ".join(decision.words("moved"))),
        ("Supersedes", decision.text("supersedes")),
        (
            "Revoked",
            f"{revoked.text('why')} ({room.name(revoked.by.identity)}, {words.moment(revoked.at)})"
            if revoked
            else "",
        ),
        *((e.text("event").capitalize(), f"{e.text('why')} ({words.moment(e.at)})") for e in events),
        ("Basis", f"SHA-256 {decision.text('basis_sha256')}"),
        ("Audit entry", str(decision.seq)),
    )
    return tuple((name, text) for name, text in pairs if text)


def _people(room: Room, row: Row, field: str) -> str:
    return words.listed(tuple(room.name(i) for i in row.words(field)), 12)
