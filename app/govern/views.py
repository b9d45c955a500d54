"""What register pages show, as plain records: lists, one record with its history, and what needs somebody. No drawing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from app.govern import rows
from app.govern.access import why_not
from app.govern.kept import kept, state_of
from app.govern.model import Actor, Ledger, Row
from app.govern.shelf import Shelf, shelf_of
from app.govern.watch import Seen, Watch
from app.measure import words
from data.field_text import shown
from data.fields import Field, Kind, Register
from data.ledger_types import Value
from data.registers import REGISTERS

NOTHING_SEEN = Seen()
# What a list shows of each register; the rest is in the record and in the export. Initiatives, risks and contracts have
# tables of their own.
LISTED: Mapping[str, tuple[str, ...]] = {
    "ownership": ("accountable", "business_owner", "technical_owner", "delegate", "since", "next_review"),
    "decision_rights": ("initiative", "scheme", "part", "who"),
    "decisions": ("initiative", "decider", "frequency", "automation", "cost_of_error"),
    "postures": ("metric", "comparator", "acceptable", "declared_by", "next_review"),
    "evidence": ("type", "basis", "initiative", "owner", "expires"),
    "appetites": ("appetite", "tolerance", "next_review"),
    "controls": ("risk", "type", "effectiveness", "owner", "next_review"),
    "acceptances": ("justification", "expires", "tripwire_metric"),
    "exceptions": ("initiative", "justification", "expires"),
    "operability": ("rollback_tested", "on_call", "owner", "next_review"),
    "targets": ("comparator", "threshold", "scope", "valid_from", "valid_to", "owner"),
    "check_ins": ("target", "confidence"),
    "studies": ("design", "initiative", "baseline", "plan_hash"),
    "study_results": ("grade", "estimate", "low", "high", "value", "counted"),
    "milestones": ("initiative", "kind", "due", "reached", "owner"),
    "conclusions": ("initiative", "concluded", "effect", "owner"),
    "users": ("issuer", "subject", "roles"),
}


@dataclass(frozen=True)
class Room:
    """One look at the whole ledger by one person: every current row, and who asks. `actor` None reads nothing.

    `state` names the ledger as it is now; what is made of its rows alone is kept under it. It is empty for who may see
    none of them, so that nothing which others' looks have kept is ever found.
    """

    ledger: Ledger
    actor: Actor | None
    roles: tuple[str, ...]
    now: dt.datetime
    shelf: Shelf
    seen: Seen = NOTHING_SEEN
    state: str = ""

    @property
    def today(self) -> dt.date:
        return self.now.date()

    def rows(self, register: str) -> tuple[Row, ...]:
        return tuple(self.shelf.get(register, {}).values())

    def live(self, register: str) -> tuple[Row, ...]:
        """The rows that count: not retired, rejected or expired."""
        return kept(self.state, ("live", register), lambda: tuple(r for r in self.rows(register) if r.live))

    def live_of(self, register: str, field: str, value: str) -> tuple[Row, ...]:
        """The rows that count whose field holds this value."""
        held = kept(self.state, ("live by", register, field), lambda: _by(self.live(register), field))
        return held.get(value, ())

    def name(self, identity: str) -> str:
        """A person as people say it; the identity of somebody the register does not know."""
        user = self.shelf.get("users", {}).get(identity)
        return user.text("name") if user else identity.rpartition("|")[2] or words.DASH

    def title(self, register: str, record_id: str) -> str:
        """What a record is called; its identifier where it has no better name."""
        row = self.shelf.get(register, {}).get(record_id)
        if row is None:
            return record_id
        label = REGISTERS[register].label
        found = self.tell(REGISTERS[register].field(label), row.values.get(label))
        return found if found != words.DASH else record_id

    def tell(self, field: Field | None, value: Value) -> str:
        """A field's value as people read it; a dash where it is empty."""
        if value is None or field is None:
            return words.DASH
        if field.kind is Kind.PERSON:
            return self.name(str(value))
        if field.kind is Kind.REF:
            return self.title(field.ref, str(value))
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return words.date(value)
        return words.formatted(value, ",.6g") if isinstance(value, float) else shown(value)

    def mine(self, register: str, row: Row) -> bool:
        """Whether the reader is named in the record as one who owns it."""
        if self.actor is None:
            return False
        me = self.actor.identity
        return any(row.values[name] == me for name in REGISTERS[register].owners)


def _by(held: tuple[Row, ...], field: str) -> Mapping[Value, tuple[Row, ...]]:
    """Rows by what a field of theirs holds, each in the order they came."""
    found: dict[Value, list[Row]] = {}
    for row in held:
        found.setdefault(row[field], []).append(row)
    return {value: tuple(own) for value, own in found.items()}


@dataclass(frozen=True)
class Listing:
    """A register as a list: identifiers, column titles, and cells as text."""

    register: Register
    columns: tuple[str, ...]
    ids: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Edit:
    """One version of a record: who, when, why, and what changed as (field, old, new)."""

    version: int
    entry: int
    at: dt.datetime
    who: str
    state: str
    reason: str
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Detail:
    """One record: its fields, its versions (newest first), the steps the reader may take, and why not a change."""

    row: Row
    title: str
    facts: tuple[tuple[str, str], ...]
    edits: tuple[Edit, ...]
    steps: tuple[str, ...]
    refused: str | None


@dataclass(frozen=True)
class Persona:
    """Somebody of the demo in whose place the reader may act."""

    subject: str
    name: str
    roles: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.name}, {words.listed(self.roles)}"


def personas(ledger: Ledger) -> tuple[Persona, ...]:
    """The demo's people; those of a sign-in service are never among them."""
    with ledger.store.read() as db:
        return kept(state_of(ledger, db), "personas", lambda: _personas(rows.rows(db, "users", live=True)))


def _personas(users: tuple[Row, ...]) -> tuple[Persona, ...]:
    return tuple(
        Persona(u.text("subject"), u.text("name"), u.words("roles")) for u in users if u["issuer"] == "demo"
    )


def open_room(ledger: Ledger, actor: Actor | None, watch: Watch | None = None) -> Room:
    """Everything the reader may see, read once. Who has no role sees nothing. `watch`: live Readings of its bounds."""
    with ledger.store.read() as db:
        roles = rows.roles_of(db, actor) if actor else ()
        state = state_of(ledger, db)
        shelf = kept(state, "shelf", lambda: shelf_of(ledger, db)) if roles else {}
    seen = watch.seen() if watch and roles else NOTHING_SEEN
    return Room(ledger, actor, roles, ledger.clock(), shelf, seen, state if roles else "")


def listing(room: Room, register: str) -> Listing:
    """The register's records, those in use first."""
    return kept(room.state, ("listing", register), lambda: _listing(room, register))


def _listing(room: Room, register: str) -> Listing:
    held = REGISTERS[register]
    fields = [f for name in LISTED.get(register, ()) if (f := held.field(name)) is not None]
    found = sorted(room.rows(register), key=lambda r: r.state not in held.flow.live)
    cells = tuple(
        (room.title(register, r.record_id), *(room.tell(f, r[f.name]) for f in fields), r.state)
        for r in found
    )
    columns = (held.noun.capitalize(), *(f.title for f in fields), "State")
    return Listing(held, columns, tuple(r.record_id for r in found), cells)


def detail(room: Room, register: str, record_id: str) -> Detail | None:
    """One record with its history; None where there is none of this identifier."""
    held = REGISTERS[register]
    row = room.shelf.get(register, {}).get(record_id)
    if row is None:
        return None
    with room.ledger.store.read() as db:
        versions = rows.history(db, register, record_id)
        tie = rows.relation(db, room.actor, held, row, {}) if room.actor else None
    may = tuple(
        m.verb
        for m in held.flow.moves
        if tie and row.state in m.before and why_not(register, m.verb, room.roles, tie) is None
    )
    refused = why_not(register, "change", room.roles, tie) if tie else "nobody is signed in"
    if row.state not in held.flow.editable:
        refused = f"it is {row.state}"
    facts = tuple((f.title, room.tell(f, row[f.name])) for f in held.fields if row[f.name] is not None)
    title = room.title(register, record_id)
    return Detail(row, title, facts, _edits(room, held, versions), may, refused)


def _edits(room: Room, register: Register, versions: tuple[Row, ...]) -> tuple[Edit, ...]:
    found = []
    before: Mapping[str, Value] = {f.name: None for f in register.fields}
    for row in versions:
        changed = tuple(
            (f.title, room.tell(f, before[f.name]), room.tell(f, row[f.name]))
            for f in register.fields
            if row[f.name] != before[f.name]
        )
        found.append(
            Edit(row.version, row.seq, row.at, room.name(row.by.identity), row.state, row.reason, changed)
        )
        before = row.values
    return tuple(reversed(found))
