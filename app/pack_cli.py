"""The board pack on the command line: made from today's numbers, or again from a kept snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import report
from app.runtime import open_runtime, utc_now

if TYPE_CHECKING:
    from app.settings import Settings


@click.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.pdf, FILE.pptx or FILE.xlsx.",
)
@click.option(
    "--from",
    "source",
    default=None,
    metavar="ID",
    help="Print a kept snapshot again, whatever the data are now.",
)
@click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")
@click.pass_obj
def pack(settings: Settings, out: Path, source: str | None, *, js: bool) -> None:
    """Write the board pack: scorecard, portfolio, decisions with their basis, risks, conditions, and the ledger's anchor."""
    from app.govern.open import operator
    from app.govern.pack.make import FORMS, make, printed, write
    from app.govern.pack.snapshot import load

    form = out.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise click.BadParameter(
            f"{out.name!r}: write a name that ends in .{', .'.join(FORMS)}", param_hint="--out"
        )
    with report.counting("pages") as tick:
        snapshot = load(settings, source) if source else make(open_runtime(settings), operator(), utc_now())
        file = printed(snapshot, form)
        tick(file.pages)
    report.emit(write(snapshot, file, out), js=js)
