"""What the ledger knows of a study before this run: an earlier result of it, and when its baseline was frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import orjson
import sqlalchemy as sa

from app.govern import evidence, rows
from app.govern.model import Ledger, Row
from app.govern.studies import result_of, versions
from app.measure.studies.outcome import StudyResult
from app.measure.studies.run import judged
from app.report import json_of
from app.settings import Settings
from metrics.attribution import gates
from metrics.attribution.record_gates import (
    OF_THE_RUN,
    Earlier,
    Frozen,
    baseline_frozen,
    reproducibility,
)
from metrics.attribution.result import Diagnostic


def audited(ledger: Ledger, settings: Settings, done: StudyResult) -> StudyResult:
    """A result with the gates that only the ledger can tell, graded again: gate 5's freezing and gate 22."""
    with ledger.store.read() as db:
        studies = {r.record_id: r for r in rows.rows(db, "studies")}
        results = rows.rows(db, "study_results")
        frozen = _frozen(db, ledger, done, studies, results)
    mine = next((s for s in studies.values() if s.text("plan_hash") == done.plan_hash), None)
    same = [
        r for r in results
        if mine is not None and r.text("study") == mine.record_id and r.text("data_hash") == done.data_hash
    ]  # fmt: skip
    rests = done.design != "randomised" or bool(done.baseline)
    again = _reproduced(settings, done, max(same, key=lambda r: r.seq, default=None))
    return judged(done, (baseline_frozen(frozen, rests=rests), again))


def _frozen(
    db: sa.Connection, ledger: Ledger, done: StudyResult, studies: dict[str, Row], results: tuple[Row, ...]
) -> Frozen | None:
    """The plan's baseline and its first approval, against the first result on these rows or under this name."""
    if not done.baseline:
        return None
    row = next(
        (r for r in rows.history(db, "baselines", done.baseline) if r.state == "approved"),
        None,
    )
    if row is None:
        return None
    seen = [
        r.at for r in results
        if r.text("data_hash") == done.data_hash or studies[r.text("study")].text("title") == done.name
    ]  # fmt: skip
    looked = min([*seen, ledger.clock()])
    return Frozen(
        done.baseline, row.text("rows_sha256"), row.at.timestamp(), f"{row.at:%Y-%m-%d %H:%M}", looked.timestamp(),
        f"{looked:%Y-%m-%d %H:%M}",
    )  # fmt: skip


def _reproduced(settings: Settings, done: StudyResult, row: Row | None) -> Diagnostic:
    if row is None:
        return reproducibility({}, (), None)
    on = f"{row.at:%Y-%m-%d %H:%M}"
    try:
        before = result_of(settings, row)
    except evidence.EvidenceError as error:
        return gates.unknown("reproducibility", str(error), "restore the file from a backup", 0)
    return reproducibility(
        figures(done), versions(), Earlier(on, figures(before), tuple(sorted(row.words("versions"))))
    )


def figures(result: StudyResult) -> dict[str, float]:
    """Every number of a result by its place; gates by their names, without those that tell of the run."""
    held = replace(result, diagnostics=())
    found = dict(_numbers("", orjson.loads(json_of(held))))
    for one in result.diagnostics:
        if one.value is not None and one.name not in OF_THE_RUN:
            found[f"gate {one.name}"] = one.value
    return found


def _numbers(at: str, value: object) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(f"{at}.{key}" if at else str(key), inner)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _numbers(f"{at}[{i}]", inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield at, float(value)
