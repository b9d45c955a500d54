"""From a file to a baseline: checked in the child, published whole under its hash, recorded once for one content."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.govern import evidence, rows
from app.govern.baselines.child import Job
from app.govern.baselines.dialect import Dialect
from app.govern.baselines.examine import Findings
from app.govern.baselines.layout import Layout, layout_of
from app.govern.baselines.level import Level, level_of
from app.govern.baselines.reading import Refused, kind_of
from app.govern.baselines.repairs import FILES
from app.govern.baselines.sandbox import MEMORY, SANDBOX
from app.govern.commands import execute
from app.govern.model import Actor, Add, CommandError, Invalid, Ledger, Receipt, Row
from app.settings import Settings
from data.ledger_types import Value
from metrics import ALL

BROWSER_BYTES, BROWSER_SECONDS = 50 << 20, 60
MOST_BYTES, SECONDS = evidence.MOST_EVER, 7_200  # a file of 2 GB holds 70 million rows
_CHUNK = 1 << 20


class BaselineError(CommandError):
    """A file that is not taken as a baseline; says what to do."""


@dataclass(frozen=True)
class Series:
    """What baselines replace one another: the same metric, grain, scope and initiative."""

    metric: str
    grain: str
    scope: tuple[str, ...] = ()
    initiative: str = ""

    @property
    def name(self) -> str:
        return "|".join((self.metric, self.grain, ";".join(sorted(self.scope)), self.initiative))


@dataclass(frozen=True)
class Request:
    """A file and what is declared about it. `name` is how it was called, for show only."""

    path: Path
    name: str
    series: Series
    dialect: Dialect
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Checked:
    """What a file holds and what it would change. `known`: this content is recorded already."""

    request: Request
    layout: Layout
    findings: Findings
    sha256: str
    size: int
    record_id: str
    known: Row | None
    before: Row | None
    level: Level | None
    marked: bytes
    peak: int

    @property
    def sound(self) -> bool:
        return self.findings.sums is not None


def layout_for(metric: str, grain: str) -> Layout:
    """The layout of a metric of the catalogue. Raises BaselineError for another key."""
    if metric not in ALL:
        raise BaselineError(f"metric: {metric!r} is not in the catalogue; see `catalogue`")
    return layout_of(metric, ALL[metric].unit.value, grain)


def shown_name(name: str) -> str:
    """A file's name as it may be shown: one form, without invisible or turning characters, no folders."""
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in plain if c.isprintable())[-120:] or "file"


def check(
    ledger: Ledger, settings: Settings, request: Request, *, most: int = MOST_BYTES, seconds: int = SECONDS
) -> Checked:
    """Look at a file; nothing is written. Raises BaselineError for what cannot be looked at."""
    with _looked(ledger, settings, request, most, seconds) as (checked, _):
        return checked


def upload(
    ledger: Ledger,
    settings: Settings,
    request: Request,
    actor: Actor,
    *,
    most: int = MOST_BYTES,
    seconds: int = SECONDS,
    key: str = "",
) -> tuple[Checked, Receipt | None]:
    """Check a file, publish it and its rows under their hashes, and record it as a draft.

    No receipt: there is something to mend, or this content is recorded already. The files are there before the record
    is; a stop in between leaves a file that nothing refers to, and the next upload of it goes on.
    """
    with _looked(ledger, settings, request, most, seconds) as (checked, folder):
        if not checked.sound or checked.known is not None:
            return checked, None
        root = evidence.folder(settings)
        for path, wanted in (
            (request.path, checked.sha256),
            (folder / "rows.csv", checked.findings.rows_sha256),
        ):
            with path.open("rb") as source:
                kept = evidence.keep(root, source, max(most, MOST_BYTES))
            if kept.sha256 != wanted:
                raise BaselineError(f"{request.name} changed while it was read; bring it in again")
        return checked, _record(ledger, checked, actor, key)


def _record(ledger: Ledger, checked: Checked, actor: Actor, given: str) -> Receipt | None:
    command = Add("baselines", _values(checked), checked.record_id, "uploaded")
    key = given or hashlib.sha256(f"baseline {checked.record_id} {actor.identity}".encode()).hexdigest()
    try:
        return execute(ledger, command, actor, key)
    except Invalid:
        if known(ledger, checked.record_id) is None:
            raise
        return None  # somebody else brought in the same content at the same moment


def known(ledger: Ledger, record_id: str) -> Row | None:
    with ledger.store.read() as db:
        return rows.current(db, "baselines", record_id)


def series_of(row: Row) -> Series:
    return Series(row.text("metric"), row.text("grain"), row.words("scope"), row.text("initiative"))


def in_force(held: tuple[Row, ...], series: Series) -> Row | None:
    """The baseline approved or reinstated last of its series: the pointer is the ledger's own order."""
    mine = [r for r in held if r.state == "approved" and series_of(r).name == series.name]
    return max(mine, key=lambda r: r.seq, default=None)


def state_of(row: Row, held: tuple[Row, ...]) -> str:
    """A record's state as people say it: an approved one that another has replaced is superseded."""
    if row.state != "approved":
        return row.state
    front = in_force(held, series_of(row))
    return "in force" if front is not None and front.record_id == row.record_id else "superseded"


@contextlib.contextmanager
def _looked(
    ledger: Ledger, settings: Settings, request: Request, most: int, seconds: int
) -> Iterator[tuple[Checked, Path]]:
    """The file looked at by the child, in a folder of its own that is gone afterwards."""
    layout = layout_for(request.series.metric, request.series.grain)
    with ledger.store.read() as db:
        held = rows.rows(db, "baselines")
    before = in_force(held, request.series)
    folder = settings.home / "quarantine"
    folder.mkdir(parents=True, exist_ok=True)
    sha256, size = _hashed(request.path)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        findings, peak = _look(
            settings, request, layout, before, Path(out), ledger.clock(), size, most, seconds
        )
        record_id = _identity(request.series, findings.rows_sha256)
        same = next((r for r in held if findings.sums and r.record_id == record_id), None)
        marked = (Path(out) / "marked.csv").read_bytes() if findings.bad_rows else b""
        level = level_of(findings.sums, layout) if findings.sums else None
        yield (
            Checked(request, layout, findings, sha256, size, record_id, same, before, level, marked, peak),
            Path(out),
        )


def _look(
    settings: Settings, request: Request, layout: Layout, before: Row | None, out: Path, now: dt.datetime, size: int,
    most: int, seconds: int,
) -> tuple[Findings, int]:  # fmt: skip
    if size > most:
        return Findings(refused="too_large", detail=f"{size:,} bytes, at most {most:,}"), 0
    try:
        kind = kind_of(request.name)
    except Refused as refusal:
        return Findings(refused=refusal.code, detail=refusal.detail), 0
    base = (
        "" if before is None else str(evidence.path_of(evidence.folder(settings), before.text("rows_sha256")))
    )
    told = request.dialect
    dialect = (told.delimiter, told.decimal, told.date_order, told.zone, told.encoding, told.sheet)
    seen = SANDBOX.look(
        Job(
            str(request.path.resolve()), kind, layout.metric, layout.unit, layout.grain, dialect, now.isoformat(),
            str(out), base, max(2 * most, 100 << 20) if most > BROWSER_BYTES else 100 << 20, MEMORY, seconds,
        )
    )  # fmt: skip
    return seen.findings, seen.peak


def _hashed(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _identity(series: Series, rows_sha256: str) -> str:
    """One content of one series has one identifier, so it cannot be recorded twice."""
    short = hashlib.sha256(f"{series.name}\n{rows_sha256}".encode()).hexdigest()[:12]
    return f"{series.metric}.{series.grain}.{short}"


def _values(checked: Checked) -> tuple[tuple[str, Value], ...]:
    request, sums, level = checked.request, checked.findings.sums, checked.level
    assert sums is not None
    series, dialect = request.series, request.dialect
    found: dict[str, Value] = {
        "title": request.title or f"{ALL[series.metric].title} by {series.grain}", "metric": series.metric,
        "grain": series.grain, "scope": series.scope or None, "initiative": series.initiative or None,
        "template": checked.layout.version, "delimiter": {"\t": "tab"}.get(dialect.delimiter, dialect.delimiter),
        "decimal": dialect.decimal_word, "date_order": dialect.date_order, "zone": dialect.zone,
        "file_name": shown_name(request.name), "sha256": checked.sha256, "bytes": checked.size,
        "rows_sha256": checked.findings.rows_sha256, "rows": sums.rows, "first": dt.date.fromisoformat(sums.first[:10]),
        "last": dt.date.fromisoformat(sums.last[:10]), "value": level.value if level else None,
        "low": level.low if level else None, "high": level.high if level else None, "note": request.note or None,
    }  # fmt: skip
    return tuple(found.items())


def trouble(findings: Findings) -> str:
    """Why a file is not taken, as one sentence; empty where it is."""
    if findings.refused:
        detail = f" ({findings.detail})" if findings.detail else ""
        return f"{FILES[findings.refused]}{detail}"
    return f"{findings.bad_rows:,} rows to mend" if findings.bad_rows else ""
