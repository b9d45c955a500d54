"""Has the world moved away from what the model was built on? Score and features against a frozen reference.

A verdict needs both: more than chance does, and enough to matter. Divergences are never averaged: each is computed
anew from summed counts.
"""

from __future__ import annotations

from functools import partial

from metrics._drift_cells import VALUES, DriftCells
from metrics._drift_edges import REFERENCE
from metrics._drift_figures import (
    Contribution,
    Shift,
    contributions,
    cusum_of,
    days_flagged_of,
    drifted_of,
    jensen_shannon_of,
    ks_of,
    missing_categories_of,
    new_categories_of,
    null_difference_of,
    null_share_of,
    psi_of,
    shift_of,
    wasserstein_of,
)
from metrics.core.estimates import NEWCOMBE, WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

__all__ = ["METRICS", "ROLLUPS", "Contribution", "Shift", "contributions", "shift_of"]

ROLLUPS = (VALUES,)
OWNER = "model owner"
SIDDIQI = "Siddiqi 2006, Credit Risk Scorecards, ISBN 978-0-471-75451-0"
YURDAKUL = "Yurdakul and Naranjo 2020, Journal of Risk Model Validation 14:4, doi:10.21314/JRMV.2020.227"
LIN = "Lin 1991, doi:10.1109/18.61115"
MASSART = "Massart 1990, doi:10.1214/aop/1176990746"
SOMMERFELD = "Munk and Czado 1998, doi:10.1111/1467-9868.00121"
PAGE = "Page 1954, doi:10.1093/biomet/41.1-2.100"
BENJAMINI = "Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x"
WILSON_1927 = "Wilson 1927, doi:10.1080/01621459.1927.10502953"
NEWCOMBE_1998 = "Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"
AGAINST = "Reference: the first 28 days of the model unless set otherwise; its edges never move again."

_metric = partial(
    Metric[DriftCells], dimension=Dimension.TECHNICAL, rollup=VALUES, owner=OWNER, direction=Direction.LOWER
)
_one = partial(_metric, apart=("model_id", "feature"), settings=(REFERENCE,))
_whole = partial(_metric, apart=("model_id",), settings=(REFERENCE,))

PSI = _one(
    key="drift.psi",
    title="Shift of a score or feature (PSI)",
    question="How far have the values moved from those the model was built on?",
    definition=(
        "Sum over bins of (share now - share then) x ln(share now / share then). Bins: tenths of the reference with open "
        "ends (or its categories), one for missing values, one for new ones. Drift only where PSI is at least 0.1 and "
        f"beyond chi-square(B - 1, 0.999) x (1/n + 1/m). {AGAINST}"
    ),
    why="A model keeps answering when its world has changed; its answers then describe a world that is gone.",
    unit=Unit.SCORE,
    finalise=psi_of,
    interval="delta method, chance part removed",
    references=(SIDDIQI, YURDAKUL),
)
JENSEN_SHANNON = _one(
    key="drift.jensen_shannon",
    title="Shift, bounded (Jensen-Shannon distance)",
    question="How different are the values now, between 0 (the same) and 1 (nothing in common)?",
    definition=f"Root of the Jensen-Shannon divergence in bits, over the bins of the PSI. {AGAINST}",
    why="Unlike the PSI it has a ceiling and no trouble with empty bins, so features can be ranked by it.",
    unit=Unit.SCORE,
    finalise=jensen_shannon_of,
    interval="delta method, chance part removed",
    references=(LIN,),
)
KS = _one(
    key="drift.ks",
    title="Largest gap of the distributions (KS)",
    question="At the worst place, how much more of the values lies below it now than then?",
    definition=(
        "Largest difference of the two cumulative shares over a grid whose bins are 0.4 % wide (0.05 log-odds for scores); "
        f"between grid points it can be larger by one bin's share at most, which widens the interval. {AGAINST}"
    ),
    why="It needs no bins to be chosen, and sees a shift in the middle that averages hide.",
    unit=Unit.SCORE,
    finalise=ks_of,
    interval="Dvoretzky-Kiefer-Wolfowitz for both samples, widened by the bins",
    references=(MASSART,),
)
WASSERSTEIN = _one(
    key="drift.wasserstein",
    title="How far the values moved (Wasserstein)",
    question="By how many standard deviations of the reference has the average value been carried?",
    definition=(
        "Area between the two cumulative distributions / standard deviation of the reference; values beyond the "
        f"reference's 0.1 % and 99.9 % points count as these, so that one outlier moves nothing. {AGAINST}"
    ),
    why="It speaks in the feature's own scale: a shift of half a standard deviation can be pictured.",
    unit=Unit.NUMBER,
    finalise=wasserstein_of,
    interval="delta method",
    references=(SOMMERFELD,),
)
NEW_CATEGORIES = _one(
    key="drift.new_categories",
    title="Values the model has never seen",
    question="How many values belong to a category that the reference did not have?",
    definition=f"Values in a category absent from the reference / all values. {AGAINST}",
    why="For a category it has never seen a model does not know: it guesses, and does not say so.",
    unit=Unit.SHARE,
    finalise=new_categories_of,
    interval=WILSON,
    references=(WILSON_1927,),
)
MISSING_CATEGORIES = _one(
    key="drift.missing_categories",
    title="Categories that have vanished",
    question="How many categories of the reference do not occur any more?",
    definition=(
        "Number of categories that were 1 % of the reference or more and do not occur now; asked only of 300 values or "
        f"more. {AGAINST}"
    ),
    why="A vanished category is usually a renamed code or a source that stopped sending.",
    unit=Unit.COUNT,
    finalise=missing_categories_of,
    interval="none: an exact count",
    references=(),
)
NULL_SHARE = _metric(
    key="drift.null_share",
    title="Values that are missing",
    question="How many of the values did not arrive?",
    definition="Empty values of the score or feature / all predictions.",
    why="A source that fails is filled with a default, and the model goes on as if it had been told something.",
    unit=Unit.SHARE,
    finalise=null_share_of,
    interval=WILSON,
    apart=("model_id", "feature"),
    references=(WILSON_1927,),
)
NULL_DIFFERENCE = _one(
    key="drift.null_share_difference",
    title="Missing values: change since the reference",
    question="How many more values are missing now than then?",
    definition=f"Share of missing values now - share in the reference. {AGAINST}",
    why="A constant share of gaps was there when the model was built; a growing one was not.",
    unit=Unit.SHARE,
    finalise=null_difference_of,
    interval=NEWCOMBE,
    references=(NEWCOMBE_1998,),
)
CUSUM = _one(
    key="drift.cusum",
    title="Small shifts that last (CUSUM)",
    question="Do small daily shifts add up to one that is no chance?",
    definition=(
        "After each day of 30 predictions or more: max(0, sum so far + score - 0.5), the score being the day's "
        "chi-square against the reference as a standard normal. Above 5 is an alarm; undrifted days give one in about "
        f"930. {AGAINST}"
    ),
    why="A slow slide never looks like much on any one day, and is the usual way in which models fail.",
    unit=Unit.NUMBER,
    finalise=cusum_of,
    interval="none: a running sum with a limit",
    references=(PAGE,),
)
DRIFTED = _whole(
    key="drift.drifted_features",
    title="Score and features that drifted",
    question="How many of the model's inputs and its score have moved, by more than chance and enough to matter?",
    definition=(
        "Number of the score and the features whose PSI is at least 0.1 and whose chance, after Benjamini and Hochberg "
        f"over all of them, is 0.001 or less. {AGAINST}"
    ),
    why="It is the one figure to watch: with many features something always looks odd by chance.",
    unit=Unit.COUNT,
    finalise=drifted_of,
    interval="none: a count of verdicts",
    references=(BENJAMINI, SIDDIQI),
)
DAYS_FLAGGED = _whole(
    key="drift.days_flagged",
    title="Days on which something drifted",
    question="On how many days had the score or a feature moved?",
    definition=(
        "Days with a score or feature whose PSI of the day is at least 0.1 and whose chance, after Benjamini and Hochberg "
        f"over the day's tests, is 0.001 or less / days with 30 predictions or more. {AGAINST}"
    ),
    why="A single odd day is an incident; a row of them is a new world.",
    unit=Unit.SHARE,
    finalise=days_flagged_of,
    interval=WILSON,
    min_n=7,
    references=(BENJAMINI, WILSON_1927),
)

METRICS = (
    DRIFTED, PSI, KS, WASSERSTEIN, JENSEN_SHANNON, NEW_CATEGORIES, MISSING_CATEGORIES, NULL_SHARE, NULL_DIFFERENCE,
    CUSUM, DAYS_FLAGGED,
)  # fmt: skip
