"""Is a model right, is it sure for good reason, and do its decisions hold? One GROUP BY answers all of it.

Realised figures use labelled predictions only: a missing label is not a negative. Models are never pooled.
"""

from __future__ import annotations

from functools import partial

from metrics._model_clusters import CLUSTER_METRICS, CLUSTERS
from metrics._model_estimated import ESTIMATED_METRICS
from metrics._model_labels import ARRIVALS, COHORTS, LABEL_METRICS, Arrivals, arrival_curve, maturity_days
from metrics._model_pairs import CHALLENGER, PAIRS, VERSIONS
from metrics._model_refined import FINER_BINS, REFINED
from metrics._model_rollups import EXACT, SCORES, ScoreCells
from metrics._model_scores import (
    WORST_LOSS,
    ScoreHistogram,
    auc_exact_of,
    auc_of,
    base_rate_of,
    bound_of,
    coverage_of,
    excess,
    flagged_of,
    mean_error,
    precision_of,
    predictions_of,
    recall_of,
    reliability,
    roc,
    score_histogram,
    slope_of,
    unusable_of,
)
from metrics._model_service import RELEASES, SERVICE, SERVICE_METRICS
from metrics._model_top import TOP_METRICS
from metrics.core.cohorts import matured
from metrics.core.estimates import WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

__all__ = [
    "METRICS", "ROLLUPS", "Arrivals", "ScoreHistogram", "arrival_curve", "maturity_days", "reliability", "roc",
    "score_histogram",
]  # fmt: skip

ROLLUPS = (SCORES, EXACT, ARRIVALS, SERVICE, RELEASES, PAIRS, CLUSTERS, FINER_BINS)
OWNER = "model owner"
DELONG = "DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595"
NEWCOMBE = "Newcombe 2006, doi:10.1002/sim.2324"
WILSON_1927 = "Wilson 1927, doi:10.1080/01621459.1927.10502953"


_metric = partial(  # a technical metric of the score histogram, answered for each model apart
    Metric[ScoreCells],
    dimension=Dimension.TECHNICAL,
    rollup=SCORES,
    owner=OWNER,
    apart=("model_id",),
)
_share = partial(_metric, unit=Unit.SHARE, interval=WILSON, references=(WILSON_1927,))

PREDICTIONS = _metric(
    key="model.predictions",
    title="Predictions made",
    question="How often was the model asked?",
    definition="Number of predictions in the period, by the day they were made, labelled or not.",
    why=(
        "A model that nobody asks cannot earn anything, and a sudden drop in traffic is often the first "
        "sign of a break."
    ),
    unit=Unit.COUNT,
    direction=Direction.NEITHER,
    finalise=predictions_of,
    interval="none: a complete count",
    references=(),
    min_n=1,
)
LABEL_COVERAGE = _share(
    key="model.label_coverage",
    title="Predictions whose outcome is known",
    question="For how many predictions do we know what really happened?",
    definition="Predictions with a label / all predictions. A missing label is not a negative.",
    why=(
        "Every realised figure below rests on these predictions only; early outcomes are rarely typical ones."
    ),
    direction=Direction.HIGHER,
    finalise=coverage_of,
)
AUC = _metric(
    key="model.auc",
    title="Ranking quality (AUC)",
    question="How often does the model score a true case above a false one?",
    definition=(
        "Probability that a positive outcome scored higher than a negative one, ties counting half, from "
        "counts in 1,024 log-odds bins joined with the tenths of [0, 1]. The exact value lies within h = "
        "sum(p_b q_b) / (2 m k) of it, with p_b positives and q_b negatives in bin b, m and k their totals."
        " 0.5 is chance, 1 is perfect."
    ),
    why=(
        "A model that cannot rank cannot be rescued by any threshold: everything decided on its score is "
        "then luck."
    ),
    unit=Unit.SCORE,
    direction=Direction.HIGHER,
    finalise=auc_of,
    interval="DeLong on the logit scale, widened by the binning bound h; Newcombe's method 5 at the boundary",
    references=(DELONG, NEWCOMBE),
)
AUC_BOUND = _metric(
    key="model.auc_bound",
    title="Largest rounding error of the AUC (h)",
    question="How far can the AUC above be from the exact one?",
    definition=(
        "h = sum(p_b q_b) / (2 m k) over the bins of the score histogram: no order of the scores inside the"
        " bins puts the exact AUC further from the one shown."
    ),
    why="It says when the quick answer is good enough and when to ask for the exact one (model.auc_exact).",
    unit=Unit.SCORE,
    direction=Direction.LOWER,
    finalise=bound_of,
    interval="none: an exact bound",
    references=(),
)
AUC_EXACT = Metric(
    key="model.auc_exact",
    title="Ranking quality, exact (AUC)",
    question="How often does the model score a true case above a false one, to the last digit?",
    definition=(
        "Probability that a positive outcome scored higher than a negative one, ties counting half, over "
        "every distinct score, asked of the warehouse each time. Any finite score counts, inside [0, 1] or "
        "not."
    ),
    why="Auditors and statisticians can hold this figure to any other tool to the ninth digit.",
    dimension=Dimension.TECHNICAL,
    unit=Unit.SCORE,
    direction=Direction.HIGHER,
    rollup=EXACT,
    interval="DeLong on the logit scale; Newcombe's method 5 at the boundary",
    owner=OWNER,
    finalise=auc_exact_of,
    apart=("model_id",),
    references=(DELONG, NEWCOMBE),
)
BRIER = _metric(
    key="model.brier",
    title="Squared error of the probabilities (Brier)",
    question="How far are the predicted probabilities from what happened?",
    definition=(
        "Mean over labelled predictions of (score - outcome) squared. 0 is perfect; always saying 0.5 gives"
        " 0.25."
    ),
    why=(
        "It punishes both poor ranking and false confidence, so it cannot be improved by overstating "
        "certainty."
    ),
    unit=Unit.SCORE,
    direction=Direction.LOWER,
    finalise=mean_error(lambda c: float(c.sq.sum()), lambda c: float(c.sq2.sum()), 0.0, 1.0),
    interval="Student t, from the sum of squares",
    references=("Brier 1950, Monthly Weather Review 78:1",),
)
LOG_LOSS = _metric(
    key="model.log_loss",
    title="Surprise at the outcomes (log-loss)",
    question="How surprised was the model by what happened?",
    definition=(
        "Mean over labelled predictions of -ln(probability given to the outcome that happened), scores kept"
        " 1e-15 away from 0 and 1. 0 is perfect; always saying 0.5 gives 0.693."
    ),
    why="One confident wrong answer costs more than many hesitant ones, which is how most losses arise.",
    unit=Unit.SCORE,
    direction=Direction.LOWER,
    finalise=mean_error(lambda c: float(c.ll.sum()), lambda c: float(c.ll2.sum()), 0.0, WORST_LOSS),
    interval="Student t, from the sum of squares",
    references=("Good 1952, Journal of the Royal Statistical Society B 14:107",),
)
CALIBRATION_IN_THE_LARGE = _metric(
    key="model.calibration_in_the_large",
    title="Average promise less average outcome",
    question="Does the model promise more, or less, than comes true?",
    definition=(
        "Mean score - share of positive outcomes, over labelled predictions. 0 is right; above 0 the model "
        "overstates."
    ),
    why=(
        "Budgets and capacity are planned on the average score; an overstated one is money that never "
        "arrives."
    ),
    unit=Unit.SCORE,
    direction=Direction.NEITHER,
    finalise=mean_error(excess, lambda c: float(c.sq.sum()), -1.0, 1.0),
    interval="Student t, from the sum of squares",
    references=("Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7",),
)
CALIBRATION_SLOPE = _metric(
    key="model.calibration_slope",
    title="Calibration slope",
    question="Are high scores too high and low scores too low?",
    definition=(
        "Slope of a logistic regression of the outcome on the log-odds of the mean score of each bin. 1 is "
        "right; below 1 the scores are too extreme, above 1 too timid."
    ),
    why=(
        "Too extreme scores look decisive and send effort to the wrong cases; it is the usual mark of "
        "overfitting."
    ),
    unit=Unit.RATIO,
    direction=Direction.NEITHER,
    finalise=slope_of,
    interval="Wald, logistic regression",
    references=(
        "Cox 1958, doi:10.1093/biomet/45.3-4.562",
        "Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7",
    ),
)
PRECISION = _share(
    key="model.precision",
    title="Flagged and right (precision)",
    question="Of those flagged, how many were right?",
    definition=(
        "Flagged with a positive outcome / flagged with a known outcome. The decision is the recorded one, "
        "else score >= the deployed threshold."
    ),
    why=(
        "Each wrong flag costs effort, money or goodwill, and people stop trusting a list that is mostly "
        "wrong."
    ),
    direction=Direction.HIGHER,
    finalise=precision_of,
)
RECALL = _share(
    key="model.recall",
    title="True cases caught (recall)",
    question="Of the true cases, how many did the model flag?",
    definition=(
        "Flagged with a positive outcome / all with a positive outcome and a decision. The decision is the "
        "recorded one, else score >= the deployed threshold."
    ),
    why="Every case missed is value or safety left on the table, and nobody sees it unless it is measured.",
    direction=Direction.HIGHER,
    finalise=recall_of,
)
FLAGGED_SHARE = _share(
    key="model.flagged_share",
    title="Share flagged for action",
    question="How many of those scored did the model flag?",
    definition=(
        "Flagged / predictions with a decision, labelled or not. The decision is the recorded one, else "
        "score >= the deployed threshold."
    ),
    why=(
        "It sets the workload: a share that moves without a decision to move it means that the data or "
        "model changed."
    ),
    direction=Direction.NEITHER,
    finalise=flagged_of,
)
BASE_RATE = _share(
    key="model.base_rate",
    title="Share with a positive outcome (base rate)",
    question="How common is what the model looks for?",
    definition="Positive outcomes / labelled predictions.",
    why="Precision and money both move with it, so a change here explains many changes elsewhere.",
    direction=Direction.NEITHER,
    finalise=base_rate_of,
)
UNUSABLE_SCORES = _share(
    key="model.unusable_scores",
    title="Scores that are no probability",
    question="How many scores could not be used?",
    definition=(
        "Scores that are missing, not finite or outside [0, 1] / all predictions. They enter no score-based"
        " figure."
    ),
    why="They are predictions that failed in silence; everything else on the page leaves them out.",
    direction=Direction.LOWER,
    finalise=unusable_of,
)

REALISED = (AUC, PRECISION, RECALL, BASE_RATE, BRIER, LOG_LOSS, CALIBRATION_IN_THE_LARGE, CALIBRATION_SLOPE)
METRICS = (
    *(
        matured(m, COHORTS)
        for m in (*REALISED, AUC_BOUND, AUC_EXACT, *TOP_METRICS, *CLUSTER_METRICS, REFINED)
    ),
    FLAGGED_SHARE,
    LABEL_COVERAGE,
    PREDICTIONS,
    UNUSABLE_SCORES,
    *LABEL_METRICS,
    *ESTIMATED_METRICS,
    *SERVICE_METRICS,
    matured(VERSIONS, COHORTS),
    CHALLENGER,
)
