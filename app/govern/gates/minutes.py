"""Minutes: everything that was written in a meeting, told from the records, as canonical text under one hash.

The same records give the same text, so the write path tells it again before it takes minutes: they cannot say anything
else than the ledger.
"""

from __future__ import annotations

from app.govern.commands import values_of
from app.govern.gates import meeting as meetings
from app.govern.gates.decided import conditions_of
from app.govern.gates.look import Look
from app.govern.model import Add, Row
from data.audit import Json, canonical, sha256
from data.ledger_types import utc_text

FORMAT = "throughline-minutes-1"


def closing(look: Look, meeting: Row, remarks: str) -> Add:
    """The command that closes a meeting with its minutes."""
    text = record_of(look, meeting)
    values = values_of(
        meeting=meeting.record_id, remarks=remarks.strip() or None, record=text, record_sha256=sha256(text)
    )
    return Add("minutes", values, meeting.record_id)


def record_of(look: Look, meeting: Row) -> str:
    """What was written in a meeting, as canonical JSON: who came, and each item with its votes, conditions and decision.

    Reviews that were voted on or decided without being on the agenda come last.
    """
    listed = meetings.points(meeting)
    more = tuple(
        meetings.Point("review", n) for n in _touched(look, meeting) if n not in {p.review for p in listed}
    )
    content: dict[str, Json] = {
        "format": FORMAT, "meeting": meeting.record_id, "title": meeting.text("title"), "opened": _said(meeting),
        "attendance": [_came(a) for a in _attendances(look, meeting)],
        "items": [_item(look, meeting, p, listed=True) for p in listed]
        + [_item(look, meeting, p, listed=False) for p in more],
    }  # fmt: skip
    return canonical(content)


def _said(row: Row) -> dict[str, Json]:
    """Who wrote a record, when, and its entry in the audit trail."""
    return {"by": row.by.identity, "at": utc_text(row.at), "entry": row.seq}


def _attendances(look: Look, meeting: Row) -> list[Row]:
    return [a for a in look.rows("attendances") if a["meeting"] == meeting.record_id]


def _came(row: Row) -> dict[str, Json]:
    return {"person": row.text("person"), "state": row.state, **_said(row)}


def _touched(look: Look, meeting: Row) -> tuple[str, ...]:
    """Reviews about which something was written after the opening of the meeting."""
    registers = ("gate_votes", "conditions", "gate_decisions")
    found = {r.text("review") for name in registers for r in look.rows(name) if r.seq > meeting.seq}
    return tuple(sorted(found))


def _item(look: Look, meeting: Row, point: meetings.Point, *, listed: bool) -> dict[str, Json]:
    found: dict[str, Json] = {"kind": point.kind, "record": point.record, "on the agenda": listed}
    review = look.find("gate_reviews", point.review) if point.review else None
    if review is None:
        row = look.find(point.register, point.record)
        moved = row is not None and row.seq > meeting.seq
        return {**found, "state": row.state if row else "gone", "moved in the meeting": moved}
    about = {
        "initiative": review.text("initiative"),
        "gate": review.text("gate"),
        "track": review.text("track"),
    }
    return {**found, **about, **_about_review(look, meeting, review)}


def _about_review(look: Look, meeting: Row, review: Row) -> dict[str, Json]:
    votes = [v for v in look.rows("gate_votes") if v["review"] == review.record_id]
    decision = look.find("gate_decisions", review.record_id)
    return {
        "quorum": int(review.text("quorum")),
        "members": list(review.words("members")),
        "votes": [
            {"seat": v.text("seat"), "vote": v.text("vote"), "statement": v.text("statement"),
             "in the meeting": v.seq > meeting.seq, **_said(v)}
            for v in sorted(votes, key=lambda v: v.seq)
        ],
        "conditions": [
            {"condition": c.record_id, "title": c.text("title"), "owner": c.text("owner"), "due": c.text("due"), "state": c.state}
            for c in conditions_of(look, review)
        ],
        "decision": None if decision is None else _decision(meeting, decision),
    }  # fmt: skip


def _decision(meeting: Row, decision: Row) -> dict[str, Json]:
    return {
        "outcome": decision.text("outcome"), "tally": decision.text("tally"), "drivers": decision.text("drivers"),
        "consequences": decision.text("consequences"), "basis_sha256": decision.text("basis_sha256"),
        "in the meeting": decision.seq > meeting.seq, **_said(decision),
    }  # fmt: skip
