"""The page of contracts: what each table promises, and whether the warehouse keeps it today."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from app.govern import odcs
from app.govern.model import Add, Change, Command, Row
from app.govern.views import Room
from app.govern.views_needs import Need, needs
from app.measure import words
from app.runtime import Runtime

REGISTERS = ("contracts",)
KEPT, BROKEN, UNMEASURED = "kept", "broken", "not measured"


@dataclass(frozen=True)
class TableFacts:
    """What the warehouse shows of a table. None: it does not tell cheaply."""

    columns: frozenset[str]
    rows: int | None
    loaded: dt.datetime | None


@dataclass(frozen=True)
class RuleResult:
    """One promise: kept, broken or not measured, and why."""

    rule: str
    state: str
    why: str


@dataclass(frozen=True)
class ContractLine:
    record_id: str
    title: str
    table: str
    owner: str
    promise: str
    state: str
    results: tuple[RuleResult, ...]


@dataclass(frozen=True)
class ContractBoard:
    sentence: str
    detail: str
    needs: tuple[Need, ...]
    contracts: tuple[ContractLine, ...]
    registers: tuple[str, ...] = REGISTERS


def contract_board(room: Room, runtime: Runtime) -> ContractBoard:
    """Every contract in use against the warehouse now."""
    facts = table_facts(runtime)
    lines = tuple(_line(room, row, facts.get(row.text("table_name"))) for row in room.live("contracts"))
    broken = tuple(line for line in lines if line.state == BROKEN)
    if not lines:
        sentence = "No data contract is recorded yet."
    elif broken:
        names = words.listed(tuple(b.title for b in broken))
        sentence = f"{len(broken)} of {words.plural(len(lines), 'contract')} broken: {names}."
    else:
        sentence = f"No promise of {words.plural(len(lines), 'contract')} is broken."
    detail = (
        "Columns, rows and the age of the newest load are compared with what was promised."
        " What cannot be measured is not counted as kept."
    )
    found = tuple(
        Need(
            "contract broken", "contracts", b.record_id, b.title,
            " ".join(words.sentence(r.why) for r in b.results if r.state == BROKEN),
            room.mine("contracts", room.shelf["contracts"][b.record_id]),
        )
        for b in broken
    )  # fmt: skip
    return ContractBoard(sentence, detail, (*found, *needs(room, *REGISTERS)), lines)


def table_facts(runtime: Runtime) -> dict[str, TableFacts]:
    """Columns of every table; rows and the newest load where the lake is ours."""
    held = runtime.warehouse.tables()
    ours = runtime.settings.warehouse_url is None
    files = runtime.lake.manifest.files("facts") if ours else ()
    loads = runtime.lake.manifest.loads(1000) if ours else ()
    found = {}
    for name, table in held.items():
        rows = sum(f.rows for f in files if f.name == name) if ours else None
        at = next(
            (dt.datetime.fromisoformat(x.at) for x in loads if x.name == name and x.outcome == "loaded"), None
        )
        found[name] = TableFacts(frozenset(c.name for c in table.c), rows, at)
    return found


def evaluate(row: Row, facts: TableFacts | None, now: dt.datetime) -> tuple[RuleResult, ...]:
    """Each promise of a contract against its table."""
    if facts is None:
        return (RuleResult("table", BROKEN, f"the warehouse has no table {row.text('table_name')}"),)
    return (
        _columns(row, facts),
        *_least(row["volume_min"], facts.rows),
        *_fresh(row["freshness_hours"], facts, now),
    )


def _columns(row: Row, facts: TableFacts) -> RuleResult:
    promised = _promised(row)
    missing = tuple(sorted(promised - facts.columns))
    if missing:
        return RuleResult("columns", BROKEN, f"promised and not there: {words.listed(missing)}")
    return RuleResult("columns", KEPT, f"all {words.plural(len(promised), 'promised column')} are there")


def _promised(row: Row) -> frozenset[str]:
    tables = json.loads(row.text("document")).get("schema") or [{}]
    fields = tables[0].get("properties") or [] if isinstance(tables[0], dict) else []
    return frozenset(
        str(f.get("physicalName") or f.get("name")) for f in fields if isinstance(f, dict) and f.get("name")
    )


def _least(least: object, rows: int | None) -> tuple[RuleResult, ...]:
    if not isinstance(least, int | float):
        return ()
    if rows is None:
        return (RuleResult("rows", UNMEASURED, "this warehouse does not tell its rows cheaply"),)
    state = KEPT if rows >= least else BROKEN
    return (RuleResult("rows", state, f"{rows:,} rows, promised at least {least:,.0f}"),)


def _fresh(hours: object, facts: TableFacts, now: dt.datetime) -> tuple[RuleResult, ...]:
    if not isinstance(hours, int | float):
        return ()
    if facts.loaded is None:
        return (RuleResult("freshness", UNMEASURED, "no load of this table is recorded"),)
    age = (now - facts.loaded) / dt.timedelta(hours=1)
    state = KEPT if age <= hours else BROKEN
    return (
        RuleResult(
            "freshness", state, f"loaded {words.ago(facts.loaded, now)}, promised within {hours:g} hours"
        ),
    )


def _line(room: Room, row: Row, facts: TableFacts | None) -> ContractLine:
    results = evaluate(row, facts, room.now)
    states = {r.state for r in results}
    state = BROKEN if BROKEN in states else UNMEASURED if UNMEASURED in states else KEPT
    parts = (
        f"at most {row['freshness_hours']:g} h old" if isinstance(row["freshness_hours"], float) else "",
        f"at least {row['volume_min']:,.0f} rows" if isinstance(row["volume_min"], float) else "",
        f"{words.plural(len(_promised(row)), 'column')}",
    )
    return ContractLine(
        row.record_id,
        row.text("title"),
        row.text("table_name"),
        room.name(row.text("owner")),
        ", ".join(p for p in parts if p),
        state,
        results,
    )


def import_yaml(room: Room, text: str) -> Command:
    """The command that records a contract. Raises ContractError for what is no contract."""
    owner = room.actor.identity if room.actor else ""
    document = odcs.read_yaml(text)
    record_id, values = odcs.values_of(document, owner)
    held = room.shelf["contracts"].get(record_id)
    if held is None:
        return Add("contracts", values, record_id, "imported")
    # What the register would say in YAML today is the same contract, even where the kept document is older.
    same = odcs.read_yaml(odcs.export_yaml(held)) == document
    kept = tuple((n, v) for n, v in values if n != "owner" and v != held[n] and not same)
    return Change("contracts", record_id, held.version, kept, "imported")
