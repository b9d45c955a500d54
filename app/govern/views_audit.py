"""The page of the audit trail: search its entries, prove that nothing was altered, take it away."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass

import sqlalchemy as sa

from app.govern import anchors, evidence
from app.govern.sheets import guarded
from app.govern.verify import Verified, verify
from app.govern.views import Room
from app.measure import words
from app.settings import Settings
from data.ledger import AUDIT
from data.ledger_types import utc_time

MOST = 200


@dataclass(frozen=True)
class Asked:
    """What is searched for; empty means everything."""

    register: str = ""
    outcome: str = ""
    words: str = ""


@dataclass(frozen=True)
class AuditLine:
    number: int
    at: dt.datetime
    who: str
    verb: str
    register: str
    record_id: str
    version: int
    outcome: str
    why: str
    hash: str


@dataclass(frozen=True)
class AuditBoard:
    sentence: str
    total: int
    found: int
    lines: tuple[AuditLine, ...]


@dataclass(frozen=True)
class Proof:
    """The outcome of a verification as a sentence, and what was found, the first bad entry first."""

    good: bool
    sentence: str
    findings: tuple[str, ...]


def audit_board(room: Room, asked: Asked) -> AuditBoard:
    """The newest entries that fit, and how many there are."""
    where = _where(asked)
    count = sa.select(sa.func.count()).select_from(AUDIT)
    with room.ledger.store.read() as db:
        total = int(db.execute(count).scalar_one())
        denied = int(db.execute(count.where(AUDIT.c.outcome == "denied")).scalar_one())
        found = int(db.execute(count.where(*where)).scalar_one())
        query = sa.select(AUDIT).where(*where).order_by(AUDIT.c.seq.desc()).limit(MOST)
        lines = tuple(_line(room, row) for row in db.execute(query).mappings())
    sentence = f"{words.plural(total, 'entry', 'entries')} in the trail, {denied or 'none'} of them refused attempts."
    return AuditBoard(sentence, total, found, lines)


def _where(asked: Asked) -> list[sa.ColumnElement[bool]]:
    parts: list[sa.ColumnElement[bool]] = []
    if asked.register:
        parts.append(AUDIT.c.register == asked.register)
    if asked.outcome:
        parts.append(AUDIT.c.outcome == asked.outcome)
    if asked.words.strip():
        wanted = asked.words.strip()
        columns = (AUDIT.c.record_id, AUDIT.c.subject, AUDIT.c.verb, AUDIT.c.body, AUDIT.c.hash)
        parts.append(sa.or_(*(c.icontains(wanted, autoescape=True) for c in columns)))
    return parts


def _line(room: Room, row: sa.RowMapping) -> AuditLine:
    return AuditLine(
        row["seq"], utc_time(row["at"]), room.name(f"{row['issuer']}|{row['subject']}"), row["verb"], row["register"],
        row["record_id"], row["version"], row["outcome"], _why(row["body"]), row["hash"],
    )  # fmt: skip


def _why(body: str) -> str:
    """The reason in an entry: of the change, or of the refusal."""
    try:
        held = json.loads(body)
    except ValueError:
        return "the entry's content cannot be read; verify the ledger"
    reason = held.get("reason") or (held.get("row") or {}).get("reason") or ""
    return str(reason)


def export_csv(board: AuditBoard) -> str:
    """The entries shown, as CSV that no spreadsheet runs."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = (
        "number",
        "at",
        "who",
        "verb",
        "register",
        "record_id",
        "version",
        "outcome",
        "reason",
        "hash",
    )
    writer.writerow(names)
    for x in board.lines:
        texts = (x.who, x.verb, x.register, x.record_id)
        writer.writerow(
            (x.number, x.at.isoformat(), *map(guarded, texts), x.version, x.outcome, guarded(x.why), x.hash)
        )
    return out.getvalue()


def prove(room: Room, settings: Settings) -> Proof:
    """Replay the whole trail against every row, with the newest anchor and the evidence files."""
    anchor = anchors.newest(settings)
    done = verify(
        room.ledger.store, deep=True, anchor=anchor, trusted=anchors.public_key(settings), files=evidence.folder(settings)
    )  # fmt: skip
    return Proof(done.state == "intact", _sentence(done, anchored=anchor is not None), _findings(done))


def _findings(done: Verified) -> tuple[str, ...]:
    return tuple(words.sentence(f.detail) for f in done.findings[:MOST])


def _sentence(done: Verified, *, anchored: bool) -> str:
    entries = words.plural(done.entries, "entry", "entries")
    if done.state == "empty":
        return "The ledger is empty, so there is nothing to prove."
    if done.state == "broken":
        first = f"; the first bad entry is {done.first_bad}" if done.first_bad is not None else ""
        return f"The ledger is not what was written{first}."
    kept = (
        "and against the newest anchor"
        if anchored
        else "but there is no anchor yet, so a cut or exchanged trail would not show"
    )
    return (
        f"Nothing was altered: {entries} and {words.plural(done.rows or 0, 'row version')} agree, {kept}."
        f" Head {done.head[:16]}."
    )
