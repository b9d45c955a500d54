"""What a randomised study's rows are: arms, columns of the analysis, the scale of the outcome, clusters, and its name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.attribution.result import StudyError
from metrics.core.shapes import Floats, Ints

FEWEST_CLUSTERS, FEWEST_TREATED = 6, 2
MOST_CELLS = 100_000_000  # of indicator columns: 0.8 GB


@dataclass(frozen=True)
class Trial:
    """Rows of a randomised study, outcomes known. All arrays have n rows; `treated` is 0 or 1.

    `covariates` (n, k) are measured before the study; `interacted` of them, the last, enter with interactions.
    """

    outcome: Floats
    treated: Floats
    covariates: Floats
    interacted: int = 0
    denominator: Floats | None = None
    stratum: Ints | None = None
    cluster: Ints | None = None
    log: bool = False
    seed: int = 0


def estimand(trial: Trial) -> str:
    scale = (
        "relative difference of geometric mean outcomes" if trial.log
        else "difference of mean outcomes" if trial.denominator is None
        else "difference of ratios of totals"
    )  # fmt: skip
    return f"intention to treat: {scale}, as assigned"


def scale(trial: Trial) -> Floats:
    """The outcome on the scale of the analysis: its logarithm, a linearised ratio, or itself."""
    if trial.denominator is not None:
        return _linearised(trial.outcome, trial.denominator, trial.treated)
    if not trial.log:
        return trial.outcome
    bad = int((trial.outcome <= 0).sum())
    if bad:
        raise StudyError(
            f"log_outcome: {bad:,} outcomes are 0 or below and have no logarithm; analyse them without it"
        )
    return np.log(trial.outcome)


def _linearised(numerator: Floats, denominator: Floats, treated: Floats) -> Floats:
    """Rows whose arm means are the arms' ratios and whose spread is that of the ratio (delta method)."""
    linear_rows = np.empty_like(numerator)
    for arm in (0.0, 1.0):
        rows = treated == arm
        base = float(denominator[rows].mean())
        if not base > 0:
            raise StudyError("the denominator of an arm sums to 0 or less: its ratio is not defined")
        ratio = float(numerator[rows].mean()) / base
        linear_rows[rows] = ratio + (numerator[rows] - ratio * denominator[rows]) / base
    return linear_rows


def design(trial: Trial) -> Floats:
    """Columns: 1, treated, covariates (centred), interactions, stratum indicators (centred)."""
    centred = trial.covariates - trial.covariates.mean(axis=0)
    columns = [np.ones(len(trial.treated)), trial.treated, *centred.T]
    if trial.interacted:
        columns += [trial.treated * c for c in centred[:, -trial.interacted :].T]
    if trial.stratum is not None:
        strata = int(trial.stratum.max()) + 1
        if strata * len(trial.treated) > MOST_CELLS:
            raise StudyError(
                f"{strata:,} strata on {len(trial.treated):,} rows beside other columns need too much memory: join strata"
            )
        for level in range(1, strata):
            inside = (trial.stratum == level).astype(float)
            columns.append(inside - inside.mean())
    return np.column_stack(columns)


def method_of(trial: Trial) -> str:
    if trial.interacted:
        core = "Lin-adjusted difference (CUPED)"
    elif trial.covariates.shape[1]:
        core = "covariance-adjusted difference"
    elif trial.denominator is not None:
        core = "difference of ratios (delta method)"
    else:
        core = "difference of means"
    strata = ", stratum indicators" if trial.stratum is not None else ""
    if trial.cluster is not None:
        return f"{core}{strata}, CR2 by cluster, Bell-McCaffrey t"
    plain = not trial.covariates.shape[1] and not strata
    return f"{core}, Welch t" if plain else f"{core}{strata}, HC2, Bell-McCaffrey t"


def trial_clusters(trial: Trial) -> tuple[int, int, int]:
    """Clusters, those with treated rows, those with control rows."""
    if trial.cluster is None:
        raise StudyError("no cluster column is named")
    rows = np.bincount(trial.cluster)
    treated = np.bincount(trial.cluster, trial.treated)
    return len(rows), int((treated > 0).sum()), int((treated < rows).sum())


def cluster_robust(trial: Trial) -> bool:
    """Whether there are clusters enough for a standard error by cluster (or none are named)."""
    if trial.cluster is None:
        return True
    groups, treated, control = trial_clusters(trial)
    return groups >= FEWEST_CLUSTERS and treated >= FEWEST_TREATED and control >= FEWEST_TREATED
