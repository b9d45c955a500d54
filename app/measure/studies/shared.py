"""What several designs need: logarithms of outcomes, and the gates on what the plan says about its circumstances."""

from __future__ import annotations

import numpy as np

from app.measure.studies.periods import Periods
from app.measure.studies.spec import Spec, SpecError, truth
from app.measure.studies.table import Table
from metrics.attribution import gates
from metrics.attribution.result import Diagnostic, Verdict
from metrics.core.shapes import Floats


def logged(values: Floats, table: Table, spec: Spec) -> Floats:
    """Logarithms of an outcome; SpecError names the first that has none."""
    bad = np.flatnonzero(values <= 0)
    if len(bad):
        raise SpecError(
            f"log_outcome: {table.where(int(bad[0]))}, column {spec.outcome}: {values[bad[0]]:g} has no logarithm; "
            "analyse the outcome as it is"
        )
    return np.log(values)


def plan_gates(spec: Spec, periods: Periods | None) -> tuple[Diagnostic, ...]:
    """Gates 14 to 16: how the treated were chosen, what else happened, whether the study has ended."""
    return (_chosen(spec), _others(spec), *(() if periods is None else (_peeking(spec, periods),)))


def _chosen(spec: Spec) -> Diagnostic:
    name = "regression_to_mean"
    if spec.chosen_on_baseline is None:
        return gates.unknown(
            name, "the plan does not say how the treated were chosen",
            "write chosen_on_baseline: true if for a low or high past outcome, else false",
        )  # fmt: skip
    if spec.chosen_on_baseline:
        return gates.diagnostic(
            name, 1, 0, Verdict.BLOCK, "the treated were chosen for a low or high baseline, which returns by itself",
            "compare with units chosen by the same rule, then write chosen_on_baseline: false",
        )  # fmt: skip
    return gates.diagnostic(name, 0, 0, Verdict.PASS, "the treated were not chosen by their past outcome")


def _others(spec: Spec) -> Diagnostic:
    name = "other_interventions"
    if spec.other_interventions is None:
        return gates.unknown(
            name, "the plan does not say what else changed at the time",
            "list other_interventions, or write [] if there were none",
        )  # fmt: skip
    if spec.other_interventions:
        listed = ", ".join(spec.other_interventions)
        return gates.diagnostic(
            name, len(spec.other_interventions), 0, Verdict.WARN, f"other changes at the time: {listed}",
            "the effect is that of all of them together; it cannot be given to one",
        )  # fmt: skip
    return gates.diagnostic(name, 0, 0, Verdict.PASS, "the plan registers that nothing else changed")


def _peeking(spec: Spec, periods: Periods) -> Diagnostic:
    name = "peeking"
    if spec.planned_end is None:
        return gates.unknown(
            name,
            "no end was registered",
            "write planned_end, the last period of the study; look once it is reached",
        )
    end = periods.place(spec.planned_end, "planned_end")
    ahead = max(end - float(periods.at[-1]), 0.0)  # days, where periods are dates
    if ahead:
        return gates.diagnostic(
            name, ahead, 0, Verdict.WARN,
            f"the data end at {periods.labels[-1]}, before the planned {truth(spec.planned_end)}",
            "fixed intervals hold at the planned end only; until then read sequential ones",
        )  # fmt: skip
    return gates.diagnostic(name, ahead, 0, Verdict.PASS, "the planned end is reached")
