"""The command line: `python -m app [--home DIR] COMMAND`. Exit 0 good, 1 a check fails, 2 bad use or input."""

from __future__ import annotations

import datetime as dt
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import duckdb
from sqlalchemy.exc import SQLAlchemyError

from app import ledger_cli, report
from app.alert_cli import alert
from app.baseline_cli import baseline
from app.gate_cli import gate
from app.map_cli import map_command
from app.measure import refresh as refreshing
from app.pack_cli import pack
from app.publish_cli import publish
from app.runtime import open_runtime, utc_now
from app.settings import load_settings
from app.study_cli import study
from metrics.core.metric import Scope

if TYPE_CHECKING:
    from app.runtime import Runtime
    from data.load.providers import ProviderReport
    from data.load.report import LoadReport


def _pairs(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """NAME=VALUE options as pairs."""
    if bad := [v for v in values if "=" not in v]:
        raise click.BadParameter(f"{bad[0]!r}: write NAME=VALUE", param=param)
    return tuple((v.split("=", 1)[0], v.split("=", 1)[1]) for v in values)


def _time(_: click.Context, param: click.Parameter, value: str | None) -> dt.datetime | None:
    """An ISO time with an offset; a bare date is the end of nothing, so it is refused too."""
    if value is None:
        return None
    try:
        time = dt.datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no ISO 8601 time", param=param) from error
    if time.tzinfo is None:
        raise click.BadParameter(f"{value!r} has no time zone: add Z or an offset", param=param)
    return time.astimezone(dt.UTC)


def _date(_: click.Context, param: click.Parameter, value: str | None) -> dt.date | None:
    if value is None:
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no date; write YYYY-MM-DD", param=param) from error


as_json = click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Folder of the embedded stores."
)
@click.pass_context
def cli(context: click.Context, home: Path | None) -> None:
    """Throughline: from a model's score to attributed revenue."""
    context.obj = load_settings(home)


@cli.command()
@click.option("--days", default=180, show_default=True, type=click.IntRange(7, 3650))
@click.option("--persons", default=20_000, show_default=True, type=click.IntRange(100, 10_000_000))
@click.option("--seed", default=7, show_default=True)
@as_json
@click.pass_context
def demo(context: click.Context, days: int, persons: int, seed: int, *, js: bool) -> None:
    """Write the simulated enterprise, with its truth and its ledger, through the ordinary loader and commands."""
    from app.govern.demo import fill
    from app.measure.demo import write

    runtime = open_runtime(context.obj)
    done = write(runtime, utc_now(), days=days, persons=persons, seed=seed)
    click.echo(fill(context.obj, utc_now()).message(), err=True)
    report.emit(done, js=js)


@cli.command()
@click.argument("source")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--accept-valid", is_flag=True, help="Load the good rows, write the others to the report (tables only)."
)
@click.option("--dry-run", is_flag=True, help="Check only; change nothing.")
@as_json
@click.pass_context
def load(
    context: click.Context,
    source: str,
    files: tuple[Path, ...],
    *,
    accept_valid: bool,
    dry_run: bool,
    js: bool,
) -> None:
    """Load FILES: `load table:NAME FILE...`, or a provider's payloads: `load sendgrid FILE...`."""
    from data.load.providers import PROVIDERS, load_provider
    from data.load.tables import load_tables

    runtime = open_runtime(context.obj)
    kind, _, name = source.partition(":")
    if kind in PROVIDERS and not name:
        done: tuple[LoadReport | ProviderReport, ...] = load_provider(
            runtime.lake, kind, files, now=utc_now(), dry_run=dry_run
        )
    elif kind == "table" and name:
        with report.counting("rows read") as tick:
            done = load_tables(
                runtime.lake,
                name,
                files,
                now=utc_now(),
                accept_valid=accept_valid,
                dry_run=dry_run,
                progress=tick,
            )
    else:
        choices = ", ".join(("table:NAME", *PROVIDERS))
        raise click.BadParameter(f"{source!r} is no source; write one of: {choices}", param_hint="SOURCE")
    report.emit(done, js=js)
    if any(r.outcome == "refused" for r in done):
        sys.exit(2)


@cli.command()
@click.option("--full", is_flag=True, help="Rebuild everything; must give the same digits.")
@as_json
@click.pass_context
def refresh(context: click.Context, *, full: bool, js: bool) -> None:
    """Bring the rollups up to date with the warehouse."""
    from metrics import ROLLUPS

    runtime = open_runtime(context.obj)
    with report.steps() as progress:
        done = refreshing.refresh(
            ROLLUPS.values(), runtime.warehouse, runtime.store, utc_now, full=full, progress=progress
        )
    _settle(runtime)
    report.emit(done, js=js)


def _settle(runtime: Runtime) -> None:
    """Let acceptances lapse that new data or a new day ended; a ledger that cannot be opened does not stop a refresh."""
    if runtime.settings.ledger_url is None and not (runtime.settings.home / "ledger.sqlite").exists():
        return
    from app.govern.watch import settle
    from data.ledger_store import LedgerError

    try:
        for receipt in settle(runtime):
            click.echo(f"{receipt.record_id} has lapsed (audit entry {receipt.number})", err=True)
    except LedgerError as error:
        click.echo(f"nothing in the ledger was settled: {error}", err=True)


@cli.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--from", "since", callback=_date, metavar="D", help="First day, YYYY-MM-DD.")
@click.option("--to", "until", callback=_date, metavar="D", help="Last day, included.")
@click.option("--as-of", callback=_time, metavar="T", help="What was known then; ISO 8601 with offset.")
@click.option("--by", multiple=True, metavar="DIM", help="Breakdown: a dimension, or day, week, month.")
@click.option("--where", multiple=True, callback=_pairs, metavar="DIM=V")
@click.option("--set", "settings", multiple=True, callback=_pairs, metavar="NAME=V")
@as_json
@click.pass_context
def read(
    context: click.Context,
    keys: tuple[str, ...],
    since: dt.date | None,
    until: dt.date | None,
    as_of: dt.datetime | None,
    by: tuple[str, ...],
    where: tuple[tuple[str, str], ...],
    settings: tuple[tuple[str, str], ...],
    *,
    js: bool,
) -> None:
    """Print the Readings of metrics."""
    runtime = open_runtime(context.obj)
    scope = Scope(where, by, since, until, as_of, settings)
    report.emit(tuple(r for key in keys for r in runtime.readings.read(report.metric(key), scope)), js=js)


@cli.command()
@click.argument("key")
@click.option("--dialect", default=None, help="One of: " + ", ".join(report.DIALECTS))
@click.pass_context
def sql(context: click.Context, key: str, dialect: str | None) -> None:
    """Print the SQL behind a metric."""
    click.echo(report.sql_of(report.metric(key), open_runtime(context.obj).warehouse, dialect))


@cli.command()
@as_json
def catalogue(*, js: bool) -> None:
    """Print every metric's declaration."""
    report.emit(report.catalogue(), js=js)


@cli.command()
@as_json
@click.pass_context
def check(context: click.Context, *, js: bool) -> None:
    """Check settings, engine, tables, files and freshness; exit 1 if anything does not hold."""
    from app.measure.health import checks

    done = checks(open_runtime(context.obj), utc_now())
    report.emit(done, js=js)
    if any(not c.holds for c in done):
        sys.exit(1)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8501, show_default=True, type=click.IntRange(1, 65535))
@click.pass_context
def serve(context: click.Context, host: str, port: int) -> None:
    """Serve the app."""
    from app.server import run

    run(context.obj, host, port)


for _command in ledger_cli.COMMANDS:
    cli.add_command(_command)


cli.add_command(study)
cli.add_command(gate)
cli.add_command(baseline)
cli.add_command(pack)
cli.add_command(publish)
cli.add_command(alert)
cli.add_command(map_command)


def main() -> None:
    """Run the command line; errors a user can mend are one line on stderr and exit status 2."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except OSError as error:
        click.echo(f"error: {report.trouble(error)}", err=True)
        sys.exit(2)
    except (ValueError, RuntimeError, sqlite3.Error, duckdb.Error, SQLAlchemyError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except click.Abort:
        sys.exit(130)


if __name__ == "__main__":
    main()
