"""The page of contracts: what each table promises, and whether the warehouse keeps it today."""

from __future__ import annotations

from dataclasses import dataclass

from app.govern import odcs
from app.govern.contract_checks import (
    BROKEN,
    KEPT,
    UNMEASURED,
    RuleResult,
    TableFacts,
    evaluate,
    promised,
    table_facts,
)
from app.govern.kept import kept
from app.govern.model import Add, Change, Command, Row
from app.govern.views import Room
from app.govern.views_needs import Need, needs
from app.measure import words
from app.runtime import Runtime
from data.engines import LakeWarehouse
from data.schema import METADATA

REGISTERS = ("contracts",)


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
    facts = _facts(room, runtime)
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
        "Columns, rows, quality rules and the age of the newest load are compared with what was promised."
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


def _facts(room: Room, runtime: Runtime) -> dict[str, TableFacts]:
    """The tables as the warehouse holds them now. The lake says whether it moved; a company's own is asked each time."""
    rows = room.live("contracts")
    names = tuple(sorted({r.text("table_name") for r in rows} & set(METADATA.tables)))
    if not names or not isinstance(runtime.warehouse, LakeWarehouse):
        return table_facts(runtime.warehouse, runtime.lake, rows)
    minute = room.now.replace(second=0, microsecond=0)  # at most so long, should a table not have answered
    state = ("table facts", runtime.settings.home, runtime.lake.manifest.generation(), minute)
    return kept(room.state, state, lambda: table_facts(runtime.warehouse, runtime.lake, rows))


def _line(room: Room, row: Row, facts: TableFacts | None) -> ContractLine:
    results = evaluate(row, facts, room.now)
    states = {r.state for r in results}
    state = BROKEN if BROKEN in states else UNMEASURED if UNMEASURED in states else KEPT
    parts = (
        f"at most {row['freshness_hours']:g} h old" if isinstance(row["freshness_hours"], float) else "",
        f"at least {row['volume_min']:,.0f} rows" if isinstance(row["volume_min"], float) else "",
        f"{words.plural(len(promised(row)), 'column')}",
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
