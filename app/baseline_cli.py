"""The commands of baselines: template, check, upload, submit, approve, history."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from app import report
from app.runtime import open_runtime, utc_now
from data.registers.baselines import DATE_ORDERS, DECIMALS, GRAINS

if TYPE_CHECKING:
    from app.govern.baselines.dialect import Dialect
    from app.govern.baselines.store import Checked, Request
    from app.govern.baselines.told import Outcome
    from app.govern.model import Actor, Ledger
    from app.settings import Settings

F = TypeVar("F", bound=Callable[..., object])
_file = click.Path(dir_okay=False, exists=True, path_type=Path)
as_json = click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")
as_whom = click.option(
    "--as",
    "persona",
    default="",
    metavar="NAME",
    help="In a demo: in whose place to act. Else whoever runs this.",
)


def dialect_options(command: F) -> F:
    """The declared dialect and the series."""
    options = (
        click.option("--grain", required=True, type=click.Choice(GRAINS)),
        click.option("--delimiter", default=",", show_default=True, help=", ; tab or |"),
        click.option("--decimal", default="point", show_default=True, type=click.Choice(DECIMALS)),
        click.option("--dates", default="year-month-day", show_default=True, type=click.Choice(DATE_ORDERS)),
        click.option(
            "--zone", default="UTC", show_default=True, help="IANA name; days and hours are of this zone."
        ),
        click.option("--encoding", default="utf-8", show_default=True),
        click.option("--sheet", default="", help="Of a workbook; the sheet `baseline`, or its only one."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def series_options(command: F) -> F:
    options = (
        click.option("--metric", required=True, help="A key of the catalogue."),
        click.option("--scope", multiple=True, metavar="DIM=V"),
        click.option("--initiative", default="", help="Its identifier in the ledger."),
        click.option("--title", default=""),
        click.option("--note", default="", help="Where the figures come from."),
        click.option("--marked", default=None, type=click.Path(dir_okay=False, path_type=Path), help="Write rows to mend here."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return dialect_options(command)


def _dialect(told: dict[str, object]) -> Dialect:
    from app.govern.baselines.dialect import Dialect

    words = {k: str(told.pop(k)) for k in ("delimiter", "decimal", "dates", "zone", "encoding", "sheet")}
    delimiter = {"tab": "\t", "\\t": "\t"}.get(words["delimiter"], words["delimiter"])
    return Dialect.declared(
        delimiter, words["decimal"], words["dates"], words["zone"], words["encoding"], words["sheet"]
    )


def _request(file: Path, told: dict[str, object]) -> Request:
    from app.govern.baselines.store import Request, Series

    dialect = _dialect(told)
    scope = told["scope"] if isinstance(told["scope"], tuple) else ()
    series = Series(str(told["metric"]), str(told["grain"]), scope, str(told["initiative"]))
    return Request(file, file.name, series, dialect, str(told["title"]), str(told["note"]))


def _ledger(settings: Settings) -> Ledger:
    from app.govern.open import open_ledger

    return open_ledger(settings, utc_now)


def _actor(settings: Settings, persona: str) -> Actor:
    """Whoever runs the command; in a demo, a persona."""
    from app.govern.model import Actor
    from app.govern.open import operator

    if persona and settings.mode != "demo":
        raise click.UsageError(
            "--as exists in a demo only; in production people act on the page Baselines, signed in"
        )
    return Actor("demo", persona) if persona else operator()


def _outcome(settings: Settings, checked: Checked, outcome: str, state: str, marked: Path | None) -> Outcome:
    from app.govern import rows
    from app.govern.baselines.effects import effects
    from app.govern.baselines.store import trouble
    from app.govern.baselines.told import Outcome
    from data.registers import REGISTERS

    if marked is not None and checked.marked:
        marked.write_bytes(checked.marked)
    with _ledger(settings).store.read() as db:
        shelf = {name: {r.record_id: r for r in rows.rows(db, name)} for name in REGISTERS}
    found, level = checked.findings, checked.level
    sums = found.sums
    readings = open_runtime(settings).readings if sums else None
    return Outcome(
        outcome, checked.record_id if sums else "", state, trouble(found), found.repairs, found.bad_rows, found.ignored,
        sums.rows if sums else 0, sums.first if sums else "", sums.last if sums else "", level.value if level else None,
        level.low if level else None, level.high if level else None, checked.sha256, found.rows_sha256, found.difference,
        effects(checked, shelf, readings), str(marked) if marked and checked.marked else "",
    )  # fmt: skip


@click.group()
def baseline() -> None:
    """Documented performance before AI: checked, approved by a second person, never overwritten."""


@baseline.command("template")
@click.argument("metric")
@dialect_options
@click.option("--out", default=None, type=click.Path(dir_okay=False, path_type=Path), help=".csv or .xlsx")
def template_command(metric: str, grain: str, out: Path | None, **told: object) -> None:
    """Write the template of METRIC, generated from the catalogue; to stdout where no file is named."""
    from app.govern.baselines.layout import template_csv, template_xlsx
    from app.govern.baselines.store import layout_for

    layout, dialect = layout_for(metric, grain), _dialect(told)
    if out is None:
        click.echo(template_csv(layout, dialect), nl=False)
    elif out.suffix.lower() == ".xlsx":
        out.write_bytes(template_xlsx(layout, dialect))
    else:
        out.write_text(template_csv(layout, dialect), encoding="utf-8", newline="")


@baseline.command("check")
@click.argument("file", type=_file)
@series_options
@as_json
@click.pass_obj
def check_command(
    settings: Settings, /, file: Path, marked: Path | None, *, js: bool, **told: object
) -> None:
    """Look at FILE and say what to mend and what it would change; nothing is written. Exit 1 if there is something."""
    from app.govern.baselines.store import check

    checked = check(_ledger(settings), settings, _request(file, told))
    state = "already recorded" if checked.known else ""
    report.emit(_outcome(settings, checked, "sound" if checked.sound else "to mend", state, marked), js=js)
    if not checked.sound:
        sys.exit(1)


@baseline.command("upload")
@click.argument("file", type=_file)
@series_options
@as_whom
@as_json
@click.pass_obj
def upload_command(
    settings: Settings, /, file: Path, marked: Path | None, persona: str, *, js: bool, **told: object
) -> None:
    """Check FILE and record it as a draft. The same content is recorded once, whoever brings it."""
    from app.govern.baselines.store import upload

    checked, receipt = upload(_ledger(settings), settings, _request(file, told), _actor(settings, persona))
    known = checked.known
    said = f"since {known.at:%Y-%m-%d %H:%M} UTC by {known.by.identity}, {known.state}" if known else "draft"
    outcome = "uploaded" if receipt else "already recorded" if checked.sound else "refused"
    report.emit(_outcome(settings, checked, outcome, said if checked.sound else "", marked), js=js)
    if not checked.sound:
        sys.exit(2)


def _step(verb: str, said: str) -> click.Command:
    @click.command(verb, help=said)
    @click.argument("record_id")
    @click.option("--reason", default="", help="Why; it stands in the history.")
    @as_whom
    @as_json
    @click.pass_obj
    def command(settings: Settings, record_id: str, reason: str, persona: str, *, js: bool) -> None:
        from app.govern.baselines.store import known
        from app.govern.commands import execute
        from app.govern.model import Step

        ledger = _ledger(settings)
        row = known(ledger, record_id)
        if row is None:
            raise click.BadParameter(f"there is no baseline {record_id!r}", param_hint="RECORD_ID")
        step = Step(verb, "baselines", record_id, row.version, reason)
        report.emit(execute(ledger, step, _actor(settings, persona), uuid.uuid4().hex), js=js)

    return command


@baseline.command("history")
@click.option("--metric", default="", help="Only of this metric.")
@as_json
@click.pass_obj
def history_command(settings: Settings, metric: str, *, js: bool) -> None:
    """Print every baseline, the newest first: its state, who brought it in, and what used it."""
    from app.govern import rows
    from app.govern.baselines.effects import uses
    from app.govern.baselines.store import state_of
    from app.govern.baselines.told import Version
    from data.registers import REGISTERS

    with _ledger(settings).store.read() as db:
        shelf = {name: {r.record_id: r for r in rows.rows(db, name)} for name in REGISTERS}
        held = tuple(shelf["baselines"].values())
        first = {r.record_id: rows.history(db, "baselines", r.record_id)[0] for r in held}
    lines = [
        Version(
            r.record_id, state_of(r, held), first[r.record_id].at.isoformat(), first[r.record_id].by.identity,
            int(str(r["rows"])), str(r["first"]), str(r["last"]), r["value"] if isinstance(r["value"], float) else None,
            r.text("sha256"), tuple(f"{u.register} {u.record_id}" for u in uses(shelf, r.record_id)),
        )
        for r in sorted(held, key=lambda r: -first[r.record_id].seq)
        if metric in ("", r.text("metric"))
    ]  # fmt: skip
    report.emit(tuple(lines), js=js)


for _verb, _said in (
    ("submit", "Hand a draft in for approval."),
    ("withdraw", "Take a draft or a handed-in baseline back."),
    ("approve", "Approve a baseline: it is in force from then on. Nobody approves their own."),
    ("reject", "Turn a baseline down."),
    ("reinstate", "Put an earlier approved baseline in force again: the undo."),
    ("revoke", "Declare an approved baseline void."),
):
    baseline.add_command(_step(_verb, _said))
