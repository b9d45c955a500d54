"""Running a study: plan registered, rows read, answer computed, graded, valued, kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from app.measure.studies import interruptions, panels, synthetics, trial
from app.measure.studies import plan as plans
from app.measure.studies.lasts import lasts_of
from app.measure.studies.observed import observed
from app.measure.studies.outcome import Step, StudyResult
from app.measure.studies.parse import read_spec
from app.measure.studies.plan import Plan
from app.measure.studies.record import pinned, recorded
from app.measure.studies.rows_in import read_table
from app.measure.studies.segments import Uplift, uplift_of
from app.measure.studies.spec import Spec
from app.measure.studies.table import Table
from app.measure.studies.worth import valued
from data.engines import Warehouse
from metrics.attribution import gates
from metrics.attribution.grade import ATTRIBUTED, grade
from metrics.attribution.result import Answer, Diagnostic, Verdict

Register = Callable[[Plan, Spec], tuple[str, ...]]
Design = Callable[[Spec, Table, int], Answer]
DESIGNS: Mapping[str, Design] = {
    "randomised": trial.answer,
    "did": panels.two_groups,
    "staggered": panels.staggered,
    "synthetic_control": synthetics.answer,
    "interrupted_series": interruptions.answer,
}


def run_study(path: Path, register: Register, warehouse: Callable[[], Warehouse]) -> StudyResult:
    """One study from its specification. SpecError or StudyError say what stands in its way.

    `register` writes the plan down before any row is read; what it says of earlier plans goes with the result.
    """
    spec, found = read_spec(path)
    plan = plans.plan_of(found, spec.name)
    changed = register(plan, spec)
    table = read_table(spec.source, warehouse() if spec.source.table else None)
    return result_of(spec, plan, table, changed, warehouse)


def result_of(
    spec: Spec, plan: Plan, table: Table, notes: tuple[str, ...], warehouse: Callable[[], Warehouse]
) -> StudyResult:
    """The result of a study on rows at hand."""
    answer, pools = pinned(lambda: DESIGNS[spec.design](spec, table, plan.seed))
    made = (*answer.diagnostics, *recorded(spec, table, answer, pools))
    first = grade(spec.design, made)
    roi, lines, costs_hash = valued(spec, table, answer, plan.seed, warehouse, counted=first in ATTRIBUTED)
    checks = made if spec.money is None else (*made, gates.relevant_roi(None if roi is None else roi.roi))
    unused = tuple(f"the key `{k}` is not used by design {spec.design}" for k in spec.unused)
    effect = answer.effect
    return StudyResult(
        spec.name, effect.estimate, effect.se, effect.low, effect.high, effect.p_value, effect.reason,
        answer.relative, answer.n, answer.n_treated, answer.n_control, spec.design, spec.direction,
        _beneficial(spec, effect.low, effect.high), answer.estimand, effect.method, first, first in ATTRIBUTED,
        _blocking(checks), checks, _steps(spec, answer), answer.alternatives, answer.cumulative, roi,
        (*answer.warnings, *unused, *notes), plan.hash, table.hash + costs_hash, observed(spec, table, answer),
        answer.placebos, lines, spec.initiative or "", spec.baseline or "", answer.left_out, answer.pretended,
        lasts_of(spec, table, answer), _uplift(spec, table, plan.seed),
    )  # fmt: skip


def judged(done: StudyResult, more: tuple[Diagnostic, ...]) -> StudyResult:
    """A result with more gates, graded again: what they block or cap counts nowhere."""
    checks = (*done.diagnostics, *more)
    found = grade(done.design, checks)
    counted = found in ATTRIBUTED
    roi = done.roi and replace(done.roi, counted=counted)
    return replace(
        done, diagnostics=checks, grade=found, counted=counted, blocked_by=_blocking(checks), roi=roi
    )


def _blocking(checks: tuple[Diagnostic, ...]) -> tuple[str, ...]:
    return tuple(d.name for d in checks if d.verdict is Verdict.BLOCK)


def _uplift(spec: Spec, table: Table, seed: int) -> Uplift | None:
    """Who gains, where the plan of a randomised study asks for it."""
    if spec.design != "randomised" or not spec.uplift_by:
        return None
    treated, rows, _ = trial.arms_of(spec, table)
    return uplift_of(spec, table, treated, rows, seed)


def _beneficial(spec: Spec, low: float | None, high: float | None) -> bool | None:
    """Whether the interval lies on the good side of 0; None where it holds 0 or there is none."""
    if low is None or high is None or low <= 0 <= high:
        return None
    return (low > 0) == (spec.direction == "higher_is_better")


def _steps(spec: Spec, answer: Answer) -> tuple[Step, ...]:
    if spec.design in ("did", "staggered"):
        return tuple(Step(p.estimate, p.low, p.high, event_time=p.at) for p in answer.path)
    return tuple(Step(p.estimate, p.low, p.high, period=p.label) for p in answer.path)
