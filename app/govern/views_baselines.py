"""The page of baselines: which are in force, which wait, what a file holds and what it would change. No drawing."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from app.govern.access import Relation, why_not
from app.govern.baselines.effects import Effect, effects, held_level, told, uses
from app.govern.baselines.store import (
    BROWSER_BYTES,
    BROWSER_SECONDS,
    Checked,
    Request,
    Series,
    check,
    series_of,
    shown_name,
    state_of,
    trouble,
    upload,
)
from app.govern.model import CommandError, Row
from app.govern.views import Room
from app.govern.views_forms import Said
from app.govern.views_needs import Need
from app.measure import words
from app.measure.readings import Readings
from app.settings import Settings
from data.registers import REGISTERS as ALL_REGISTERS
from metrics import ALL

REGISTERS = ("baselines",)
_KEPT = 24 * 3600  # seconds that a file brought in by a browser waits to be recorded
_POOL = ThreadPoolExecutor(
    max_workers=2, thread_name_prefix="baselines"
)  # no rerun of a page can end what runs here


@dataclass(frozen=True)
class BaselineLine:
    """One baseline: what it says, where it stands, who brought it in, who relies on it."""

    record_id: str
    title: str
    metric: str
    about: str
    state: str
    span: str
    value: str
    who: str
    used_by: str


@dataclass(frozen=True)
class BaselineBoard:
    sentence: str
    detail: str
    needs: tuple[Need, ...]
    lines: tuple[BaselineLine, ...]
    may_bring: bool
    initiatives: tuple[tuple[str, str], ...] = ()
    metrics: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True)
class Look:
    """A file as the page shows it: what is wrong with it in one sentence, and what its approval would change."""

    checked: Checked
    sentence: str
    effects: tuple[Effect, ...]
    known: str


def baseline_board(room: Room) -> BaselineBoard:
    """Every baseline, those in force first."""
    held = room.rows("baselines")
    order = ("in force", "submitted", "draft", "superseded", "withdrawn", "rejected", "revoked")
    lines = sorted((_line(room, r.record_id) for r in held), key=lambda x: (order.index(x.state), x.metric))
    counts = {s: sum(line.state == s for line in lines) for s in order}
    waiting = counts["submitted"]
    said = f"{words.plural(counts['in force'], 'baseline')} in force"
    waits = f"{waiting or 'none'} {'wait' if waiting > 1 else 'waits'} for a second person"
    sentence = f"{said}, {waits}." if held else "No baseline is recorded yet."
    detail = (
        "A baseline is documented performance before AI. It counts once somebody else has approved it; an earlier one"
        " comes back by reinstating it, and nothing is ever overwritten."
    )
    brings = why_not("baselines", "add", room.roles, Relation()) is None
    names = tuple((r.record_id, r.text("title")) for r in room.live("initiatives"))
    metrics = tuple((m.key, f"{m.title} ({m.key})") for m in ALL.values())
    return BaselineBoard(sentence, detail, _needs(room), tuple(lines), brings, names, metrics)


def _line(room: Room, record_id: str) -> BaselineLine:
    row = room.shelf["baselines"][record_id]
    series = series_of(row)
    initiative = room.title("initiatives", series.initiative) if series.initiative else "no initiative"
    scope = f", {words.listed(series.scope)}" if series.scope else ""
    used = tuple(f"{ALL_REGISTERS[u.register].noun} {u.record_id}" for u in uses(room.shelf, record_id))
    return BaselineLine(
        record_id, row.text("title"), ALL[series.metric].title if series.metric in ALL else series.metric,
        f"{initiative}, by {series.grain}{scope}", state_of(row, room.rows("baselines")),
        _span(row), told(series, held_level(row)) if series.metric in ALL else "",
        room.name(row.by.identity), words.listed(used) if used else "nothing yet",
    )  # fmt: skip


def _span(row: Row) -> str:
    """The days that a baseline covers, and in how many rows."""
    ends = (words.date(d) if isinstance(d, dt.date) else str(d) for d in (row["first"], row["last"]))
    return f"{' to '.join(ends)}, {row['rows']:,} rows"


def _needs(room: Room) -> tuple[Need, ...]:
    """What waits for a second person, and the reader's own drafts."""
    found = []
    decides = bool({"owner", "council"} & set(room.roles))
    for row in room.rows("baselines"):
        if row.state == "submitted":
            text = f"Handed in by {room.name(row.by.identity)}; look at it and approve or reject it."
            found.append(
                Need(
                    "waits for approval",
                    "baselines",
                    row.record_id,
                    row.text("title"),
                    text,
                    decides and row.by != room.actor,
                )
            )
        elif row.state == "draft" and row.by == room.actor:
            text = "Your draft is not handed in yet."
            found.append(Need("draft", "baselines", row.record_id, row.text("title"), text, True))  # noqa: FBT003
    return tuple(sorted(found, key=lambda n: not n.mine))


def stash(settings: Settings, content: memoryview | bytes, name: str) -> Path:
    """Write what a browser sent to a file of its own, under its hash; files that nobody recorded in a day are removed."""
    folder = settings.home / "quarantine"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("browser-*"):
        if time.time() - old.stat().st_mtime > _KEPT:
            old.unlink(missing_ok=True)
    path = (
        folder
        / f"browser-{hashlib.sha256(content).hexdigest()}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    )
    path.write_bytes(content)
    return path


def look(room: Room, settings: Settings, request: Request, readings: Readings) -> Look:
    """What a file holds and what would change; nothing is written. Raises CommandError for what cannot be looked at."""
    most, seconds = BROWSER_BYTES, BROWSER_SECONDS
    checked = _POOL.submit(check, room.ledger, settings, request, most=most, seconds=seconds).result()
    known = ""
    if checked.known is not None:
        row = checked.known
        first = f"{words.moment(row.at)} by {room.name(row.by.identity)}"
        known = f"This content is recorded already: {row.record_id}, {row.state}, {first}."
    why = trouble(checked.findings)
    sums = checked.findings.sums
    rows = f"{words.plural(sums.rows, 'row')} from {sums.first} to {sums.last}, all sound." if sums else ""
    return Look(
        checked,
        rows or f"Nothing is recorded: {words.sentence(why)}",
        effects(checked, room.shelf, readings),
        known,
    )


def bring(room: Room, settings: Settings, request: Request) -> Said:
    """Record a file as a draft, away from the page's own thread, and say what became of it."""
    if room.actor is None:
        return Said("Nobody is signed in, so nothing was recorded.")
    try:
        most, seconds = BROWSER_BYTES, BROWSER_SECONDS
        task = _POOL.submit(upload, room.ledger, settings, request, room.actor, most=most, seconds=seconds)
        checked, receipt = task.result()
    except (CommandError, OSError) as error:
        return Said(f"Nothing was recorded. {words.sentence(str(error))}")
    if receipt is None:
        return Said(
            "This content is recorded already."
            if checked.sound
            else f"Nothing was recorded: {trouble(checked.findings)}"
        )
    return Said("", receipt)


def request_of(
    path: Path,
    name: str,
    series: Series,
    declared: tuple[str, str, str, str, str, str],
    title: str,
    note: str,
) -> Request:
    """From what a form holds; raises DialectError for a dialect that does not hold together."""
    from app.govern.baselines.dialect import Dialect

    return Request(path, shown_name(name), series, Dialect.declared(*declared), title, note)
