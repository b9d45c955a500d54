"""The commands of studies: `study run SPEC.yaml`."""

from __future__ import annotations

from pathlib import Path

import click

from app import report
from app.runtime import open_runtime, utc_now


@click.group()
def study() -> None:
    """Attribution studies: what a treatment caused, and how good the evidence is."""


@study.command("run")
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")
@click.pass_context
def run_command(context: click.Context, spec: Path, *, js: bool) -> None:
    """Register the plan in SPEC, then run it: estimate, interval, diagnostics, grade, return."""
    from app.measure.studies.plan import keep
    from app.measure.studies.run import run_study

    settings = context.obj
    done = run_study(spec, settings.home, utc_now(), lambda: open_runtime(settings).warehouse)
    keep(report.json_of(done), done.plan_hash, done.data_hash, settings.home)
    report.emit(done, js=js)
