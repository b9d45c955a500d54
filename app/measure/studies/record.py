"""The record of one run: columns found by name, threads pinned, no figure made up. Gates 19, 22 and 23."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from app.measure.studies.spec import Spec
from app.measure.studies.table import Table
from metrics.attribution.record_gates import literal_names, threads, undefined_figures
from metrics.attribution.result import Answer, Diagnostic

_ONE = "outcome denominator unit period arm pre_outcome stratum cluster treated_unit post weight cohort offset exposed"
_SEVERAL = "adjust_for after_treatment covariates controls uplift_by"


def columns_of(spec: Spec) -> tuple[str, ...]:
    """Every column that the plan names, in the order of the keys."""
    single = tuple(str(name) for key in _ONE.split() if (name := getattr(spec, key)) is not None)
    return single + tuple(str(name) for key in _SEVERAL.split() for name in getattr(spec, key))


def pinned(compute: Callable[[], Answer]) -> tuple[Answer, Mapping[str, int]]:
    """An answer computed with linear algebra on one thread, and the threads that its libraries then had.

    Sums made by several threads depend on how many there are, so the last digits would depend on the machine.
    """
    held = ThreadpoolController().select(user_api="blas")
    with held.limit(limits=1):
        answer = compute()
        pools = {f"{p.internal_api} {p.version}": int(p.num_threads) for p in held.lib_controllers}
    return answer, pools


def recorded(spec: Spec, table: Table, answer: Answer, pools: Mapping[str, int]) -> tuple[Diagnostic, ...]:
    """The gates on the record of a run, of which the ledger need not be asked."""
    return (undefined_figures(answer), literal_names(columns_of(spec), table.names), threads(pools))
