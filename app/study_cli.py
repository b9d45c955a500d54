"""The commands of studies: `study run SPEC.yaml`, `study advise FILE`, `study list`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from app import report
from app.runtime import open_runtime, utc_now

as_json = click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")


@dataclass(frozen=True)
class Found:
    """One recorded result, as `study list` prints it."""

    study: str
    title: str
    plan_hash: str
    data_hash: str
    sha256: str
    grade: str
    counted: bool
    estimate: float | None
    at: str
    versions: str


@click.group()
def study() -> None:
    """Attribution studies: what a treatment caused, and how good the evidence is."""


@study.command("run")
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@click.pass_context
def run_command(context: click.Context, spec: Path, *, js: bool) -> None:
    """Register the plan in SPEC in the ledger, then run it: estimate, interval, diagnostics, grade, return."""
    from app.govern.open import open_ledger, operator
    from app.govern.studies import Registrar
    from app.govern.study_record import audited
    from app.measure.studies.run import run_study

    settings = context.obj
    registrar = Registrar(open_ledger(settings, utc_now), settings, operator())
    found = run_study(spec, registrar.register, lambda: open_runtime(settings).warehouse)
    done = audited(registrar.ledger, settings, found)
    registrar.keep(done)
    report.emit(done, js=js)


@study.command("advise")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--delimiter", default=",", show_default=True)
@click.option("--decimal", default=".", show_default=True)
@as_json
def advise_command(file: Path, delimiter: str, decimal: str, *, js: bool) -> None:
    """Say which designs the columns of FILE allow, what is wanting, and how their specification begins."""
    from app.measure.studies.advise import advise

    report.emit(advise(file, "\t" if delimiter in ("tab", "\\t") else delimiter, decimal), js=js)


@study.command("list")
@as_json
@click.pass_context
def list_command(context: click.Context, *, js: bool) -> None:
    """Print every result in the ledger: study, grade, estimate, rows, versions."""
    from app.govern import rows
    from app.govern.open import open_ledger

    with open_ledger(context.obj, utc_now).store.read() as db:
        studies = {r.record_id: r for r in rows.rows(db, "studies")}
        results = rows.rows(db, "study_results")
    report.emit(
        tuple(
            Found(
                r.text("study"), studies[r.text("study")].text("title"), studies[r.text("study")].text("plan_hash"),
                r.text("data_hash"), r.text("sha256"), r.text("grade"), bool(r["counted"]),
                r["estimate"] if isinstance(r["estimate"], float) else None, r.at.isoformat(), r.text("versions"),
            )
            for r in sorted(results, key=lambda r: r.seq)
        ),
        js=js,
    )  # fmt: skip
