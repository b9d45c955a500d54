"""What the board sees, frozen: `publish`, `publish --month`, `publish list`, `publish compare A B`, `publish restate ID`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from app import report
from app.runtime import open_runtime, utc_now

if TYPE_CHECKING:
    from app.settings import Settings

as_json = click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")


def _month(_: click.Context, param: click.Parameter, value: str | None) -> dt.date | None:
    if value is None:
        return None
    try:
        return dt.date.fromisoformat(f"{value}-01")
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no month; write YYYY-MM", param=param) from error


@click.group(invoke_without_command=True)
@click.option("--month", callback=_month, metavar="YYYY-MM", help="Close a whole month instead.")
@as_json
@click.pass_context
def publish(context: click.Context, month: dt.date | None, *, js: bool) -> None:
    """Freeze what the board sees in the ledger. Run it every night after refresh; the same data are published once."""
    if context.invoked_subcommand is not None:
        return
    from app.govern.board.publish import close
    from app.govern.board.publish import publish as freeze
    from app.govern.open import open_ledger, operator

    settings: Settings = context.obj
    runtime, ledger = open_runtime(settings), open_ledger(settings, utc_now)
    done = (
        freeze(runtime, ledger, operator(), utc_now())
        if month is None
        else close(runtime, ledger, operator(), month, utc_now())
    )
    report.emit(done, js=js)


@publish.command("list")
@as_json
@click.pass_obj
def list_command(settings: Settings, *, js: bool) -> None:
    """Print every publication, newest first."""
    from app.govern.board.publish import published
    from app.govern.open import open_ledger

    report.emit(published(open_ledger(settings, utc_now)), js=js)


@publish.command("compare")
@click.argument("first")
@click.argument("second")
@as_json
@click.pass_obj
def compare_command(settings: Settings, first: str, second: str, *, js: bool) -> None:
    """Print what differs between two publications, each by its name or the beginning of it."""
    from app.govern.board.compare import compare
    from app.govern.board.publish import document
    from app.govern.open import open_ledger

    ledger = open_ledger(settings, utc_now)
    report.emit(compare(document(ledger, first), document(ledger, second)), js=js)


@publish.command("restate")
@click.argument("name")
@as_json
@click.pass_obj
def restate_command(settings: Settings, name: str, *, js: bool) -> None:
    """Print what today's warehouse says of a publication's days: as of the same instant, and as known now."""
    from app.govern.board.compare import restate
    from app.govern.board.publish import document
    from app.govern.open import open_ledger

    found, content = document(open_ledger(settings, utc_now), name)
    report.emit(restate(found, content, open_runtime(settings).readings.pinned()), js=js)
