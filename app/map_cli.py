"""`python -m app map`: a company's own tables as ours. Writes views; the company creates them, the app only reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import report
from app.runtime import utc_now
from data.dialects import NAMES

if TYPE_CHECKING:
    from data.mappings.judge import Finding
    from data.mappings.model import Plan


@click.command(name="map")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--dialect",
    default=None,
    help="One of: " + ", ".join(NAMES) + ". Else that of the warehouse, else duckdb.",
)
@click.option(
    "--url", default=None, help="SQLAlchemy URL of the warehouse to check against; else the configured one."
)
@click.option("--no-check", is_flag=True, help="Do not look into the warehouse; check the file alone.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the views here, not on stdout."
)
@click.option("--json", "js", is_flag=True, help="Print what was found as one JSON document on stdout.")
@click.pass_context
def map_command(
    context: click.Context,
    file: Path,
    dialect: str | None,
    url: str | None,
    out: Path | None,
    *,
    no_check: bool,
    js: bool,
) -> None:
    """Write the views that turn a company's tables into ours, and say exactly what is missing; exit 1 if anything is."""
    from data.dialects import dialect_of
    from data.mappings import model, views

    plan = model.read(file)
    address = None if no_check else url or context.obj.warehouse_url
    found, spoken = _judged(plan, address)
    text = views.script(plan, dialect_of(dialect or spoken or "duckdb"))
    if out:
        out.write_text(text, encoding="utf-8")
    elif not js:
        click.echo(text)
    if js:
        report.emit(found, js=True)
    else:
        for line in (*(f.message() for f in found), *_unmapped(plan)):
            click.echo(line, err=True)
        if address is None:
            click.echo("not checked against any warehouse: give --url, or set warehouse_url", err=True)
    if any(f.must for f in found):
        sys.exit(1)


def _judged(plan: Plan, address: str | None) -> tuple[tuple[Finding, ...], str | None]:
    """Everything that is missing, and the dialect of the warehouse asked."""
    from data.dialects import engine_at
    from data.mappings import judge

    found = judge.on_paper(plan)
    if address is None:
        return found, None
    engine = engine_at(address)
    with engine.connect() as db:
        theirs = judge.their_tables(db, plan)
        absent = judge.against(plan, theirs)
        lacking = {f.table for f in (*found, *absent) if f.must}
        rows = tuple(
            f for m in plan.tables if m.name not in lacking for f in judge.in_rows(db, m, plan, utc_now())
        )
    named = next((n for n in NAMES if n.startswith(engine.dialect.name[:8])), None)
    engine.dispose()
    return (*found, *absent, *rows), named


def _unmapped(plan: Plan) -> tuple[str, ...]:
    """What the metrics lack for want of tables, a line each; the most wanted table first."""
    from metrics import ALL

    mapped = {m.name for m in plan.tables}
    wanting: dict[str, list[str]] = {}
    for key, metric in ALL.items():
        if not metric.rollup.ledger:
            for name in metric.rollup.tables:
                if name not in mapped:
                    wanting.setdefault(name, []).append(key)
    ranked = sorted(wanting.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(f"not mapped  {n}: {len(k)} metrics read it ({', '.join(k[:3])}, ...)" for n, k in ranked)
