"""From today's scorecard to a frozen publication in the ledger. Repeating it for the same data gives the same receipt."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from app.govern import rows
from app.govern.board.document import Document, PublicationError, line_of, read, text_of
from app.govern.commands import execute_all, find, values_of
from app.govern.model import Actor, Add, Ledger
from app.measure.judged import Frame, Judged
from app.measure.readings import Readings
from app.measure.scope import Ground, View, Window, ground, window
from app.measure.scorecard import Scorecard, scorecard
from app.runtime import Runtime
from data.audit import sha256
from data.ledger import TABLES
from data.ledger_types import utc_text
from metrics import ROLLUPS

PART = 90_000  # characters of a document in one record
DAY, MONTH = "day", "month"


@dataclass(frozen=True)
class Published:
    """What `publish` answers. `replay`: it had been published before and nothing was written."""

    publication: str
    kind: str
    as_of: dt.datetime
    first: dt.date
    last: dt.date
    readings: int
    sha256: str
    entry: int
    replay: bool

    def message(self) -> str:
        done = "was published already" if self.replay else "published"
        return (
            f"{self.publication} {done}: {self.readings} readings of {self.first} to {self.last},"
            f" audit entry {self.entry}, SHA-256 {self.sha256[:12]}"
        )


def publish(runtime: Runtime, ledger: Ledger, actor: Actor, now: dt.datetime) -> Published:
    """Freeze the scorecard of the newest data. Raises PublicationError where nothing is computed yet."""
    readings = runtime.readings.pinned()
    known = data_time(readings)
    name = name_of(known)
    on = ground(readings)
    return _kept(ledger, name) or _write(
        ledger, actor, name, frozen(_frame(runtime, readings, window(View(), on), now), DAY, known)
    )


def close(runtime: Runtime, ledger: Ledger, actor: Actor, month: dt.date, now: dt.datetime) -> Published:
    """Freeze a whole month once its last day is loaded; what arrives later is a restatement, never a change."""
    readings = runtime.readings.pinned()
    known, name = data_time(readings), f"{month:%Y-%m}"
    held = _kept(ledger, name)
    if held is not None:
        return held
    on, first = ground(readings), month.replace(day=1)
    last = (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    if on.last is None or on.first is None or on.last < last or known.date() <= last or on.first > last:
        span = f"{on.first} to {on.last}" if on.last else "no days"
        raise PublicationError(
            f"{name} cannot be closed yet: the data cover {span}, known at {known:%Y-%m-%d %H:%M} UTC; load the month"
            " to its last day, refresh, and close it on a later day"
        )
    days = Window(max(first, on.first), last, _before(first, on))
    return _write(ledger, actor, name, frozen(_frame(runtime, readings, days, now), MONTH, known))


def _before(first: dt.date, on: Ground) -> tuple[dt.date, dt.date] | None:
    """The month before, where the data cover it whole."""
    last = first - dt.timedelta(days=1)
    begin = last.replace(day=1)
    return (begin, last) if on.first is not None and on.first <= begin else None


def data_time(readings: Readings) -> dt.datetime:
    """Newest load that the stored cells reflect. Raises PublicationError where nothing is computed yet."""
    loads = [t for r in ROLLUPS.values() if r.stored and (t := readings.as_of(r)) is not None]
    if not loads:
        raise PublicationError(
            "nothing is computed yet, so there is nothing to publish: load data, then run refresh"
        )
    return max(loads)


def name_of(known: dt.datetime) -> str:
    """A day's publication is called after the instant its data were known at."""
    return utc_text(known).replace(".000000Z", "Z")


def _frame(runtime: Runtime, readings: Readings, days: Window, now: dt.datetime) -> Frame:
    return Frame(runtime, readings, View(), days, runtime.targets(), now)


def frozen(frame: Frame, kind: str, known: dt.datetime) -> Document:
    """The scorecard of a frame as a document."""
    board, days = scorecard(frame), frame.days
    if days.first is None or days.last is None:
        raise PublicationError("the data have no days yet: load events, then run refresh")
    said = tuple(s for s in (board.sentence, board.detail, board.constraint, *board.changes) if s)
    lines = tuple(line_of(one) for one in seen(board))
    return Document(kind, known, frame.now, days.first, days.last, said, lines)


def seen(board: Scorecard) -> tuple[Judged, ...]:
    """Every number that stands on the scorecard or behind one of its tiles, each once, in its order."""
    found = (one for column in board.columns for tile in column.tiles for one in tile.among)
    return tuple({(one.reading.key, one.reading.by): one for one in found}.values())


def _write(ledger: Ledger, actor: Actor, name: str, found: Document) -> Published:
    text = text_of(found)
    parts = [text[at : at + PART] for at in range(0, len(text), PART)]
    digest = sha256(text)
    commands = tuple(
        Add(
            "publications",
            values_of(
                kind=found.kind, as_of=found.as_of, first=found.first, last=found.last, readings=len(found.lines),
                sha256=digest, part=at, parts=len(parts), document=part,
            ),
            name if at == 1 else f"{name}/{at}",
        )
        for at, part in enumerate(parts, start=1)
    )  # fmt: skip
    key = f"publish/{name}/{digest[:12]}"
    known = find(ledger, key) is not None
    receipt = execute_all(ledger, commands, actor, key)[0]
    return Published(
        name,
        found.kind,
        found.as_of,
        found.first,
        found.last,
        len(found.lines),
        digest,
        receipt.number,
        known,
    )


def _kept(ledger: Ledger, name: str) -> Published | None:
    """What was published under a name; None where nothing was."""
    return next(iter(published(ledger, name)), None)


def published(ledger: Ledger, name: str = "") -> tuple[Published, ...]:
    """Every publication, newest first, or the one of a name. The documents themselves are not read."""
    table = TABLES["publications"]
    c = table.c
    wanted = sa.select(c.record_id, c.kind, c.as_of, c.first, c.last, c.readings, c.sha256, c.seq).where(
        c.part == 1
    )
    asked = wanted.where(c.record_id == name) if name else wanted
    with ledger.store.read() as db:
        found = db.execute(asked.order_by(c.seq.desc())).all()
    return tuple(Published(*row, replay=True) for row in found)


def document(ledger: Ledger, name: str) -> tuple[str, Document]:
    """The name and content of a publication, by its whole name or the beginning of only one. Raises PublicationError."""
    held = published(ledger)
    fits = [p for p in held if p.publication == name] or [p for p in held if p.publication.startswith(name)]
    if len(fits) != 1 or not name:
        known = ", ".join(p.publication for p in held[:5]) or "none yet; run: python -m app publish"
        what = "no publication" if not fits else f"{len(fits)} publications and no single one"
        raise PublicationError(f"{name!r} names {what}; there is: {known}")
    one = fits[0]
    with ledger.store.read() as db:
        first = rows.current(db, "publications", one.publication)
        count = first["parts"] if first else 0
        assert isinstance(count, int)
        names = (one.publication, *(f"{one.publication}/{at}" for at in range(2, count + 1)))
        parts = [rows.current(db, "publications", n) for n in names]
    return one.publication, read("".join(p.text("document") if p else "" for p in parts), one.sha256)
