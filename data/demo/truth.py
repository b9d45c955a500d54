"""The known truth of a demo, in closed form where the parameters give one."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from statistics import NormalDist

import numpy as np

from data.demo.draws import Bools, Floats

_NORMAL = NormalDist()


@dataclass(frozen=True)
class ModelTruth:
    """What a perfect measurement of a model would find. Shares are expectations, counts are of written rows.

    `auc` is over the labelled predictions; `auc_by_week` counts weeks from the first day of the demo.
    """

    model_id: str
    versions: tuple[str, ...]
    auc: float | None
    auc_by_week: tuple[float | None, ...]
    base_rate: float
    threshold: float
    selection_rate: float
    true_positive_rate: float
    false_positive_rate: float
    precision: float
    selection_rate_by_age_band: tuple[tuple[str, float], ...]
    four_fifths_ratio_by_age_band: float | None
    predictions: int
    labels: int
    out_of_range_scores: int


@dataclass(frozen=True)
class ExperimentTruth:
    """True effect (treated minus comparison) over units with a known outcome, and by 30 days of enrolment."""

    experiment_id: str
    comparison: str
    treated: str
    effect: float | None
    responder_effect: float | None
    control_mean: float
    effect_by_month: tuple[float | None, ...]
    units: int
    mature_units: int


@dataclass(frozen=True)
class ReviewTruth:
    """True error rate over all items of a text model, the rate in the unweighted sample, and the posture."""

    model_id: str
    hallucination_rate: float
    unweighted_rate: float
    judged_rate: float
    posture: float
    judge_sensitivity: float
    judge_specificity: float
    human_items: int
    judged_items: int


@dataclass(frozen=True)
class RouteTruth:
    """Signals of one model by state, the share in the window, and the planted chances to convert when reached
    in the window, reached late, and not reached.
    """

    model_id: str
    states: tuple[tuple[str, int], ...]
    in_window_share: float | None
    convert: tuple[float, float, float]


@dataclass(frozen=True)
class JourneyTruth:
    """What became of all signals and stops. `hidden_violations` need links that the company has not found."""

    routes: tuple[RouteTruth, ...]
    violations: int
    hidden_violations: int
    suppressions: int
    releases: int


@dataclass(frozen=True)
class DemoTruth:
    """Everything planted in a demo."""

    until: str
    days: int
    persons: int
    seed: int
    models: tuple[ModelTruth, ...]
    experiments: tuple[ExperimentTruth, ...]
    reviews: tuple[ReviewTruth, ...]
    journeys: JourneyTruth
    rows: tuple[tuple[str, int], ...]

    def to_json(self) -> str:
        """One document with stable key order; pairs become objects."""
        plain = asdict(self) | {"rows": dict(self.rows)}
        for model in plain["models"]:
            model["selection_rate_by_age_band"] = dict(model["selection_rate_by_age_band"])
        for route in plain["journeys"]["routes"]:
            route["states"] = dict(route["states"])
        return json.dumps(plain, indent=2, allow_nan=False) + "\n"


def separation(auc: Floats) -> Floats:
    """Distance d of two unit normals whose AUC is given: AUC = Phi(d / sqrt 2). Same shape."""
    return np.array([math.sqrt(2) * _NORMAL.inv_cdf(a) for a in auc.tolist()])


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def normal_cdf(x: Floats) -> Floats:
    """Standard normal distribution function, any shape."""
    values = [0.5 * math.erfc(-v / math.sqrt(2)) for v in x.ravel().tolist()]
    return np.array(values).reshape(x.shape)


@dataclass(frozen=True)
class Mixture:
    """Logit scores of a model as parts, each normal among positives and negatives: all shapes (parts,).

    `weight` is the part's number of predictions; the base rate is the same in every part.
    """

    positive_mean: Floats
    negative_mean: Floats
    sd: Floats
    weight: Floats

    def part(self, keep: Bools) -> Mixture:
        return Mixture(self.positive_mean[keep], self.negative_mean[keep], self.sd[keep], self.weight[keep])

    def auc(self) -> float | None:
        """Chance that a positive of any part scores above a negative of any part; None without rows."""
        total = float(self.weight.sum())
        if total == 0:
            return None
        kept = self.part(self.weight > 0)
        share = kept.weight / total
        gap = kept.positive_mean[:, None] - kept.negative_mean[None, :]
        spread = np.sqrt(kept.sd[:, None] ** 2 + kept.sd[None, :] ** 2)
        return float(share @ normal_cdf(gap / spread) @ share)

    def rates(self, threshold: float) -> tuple[float, float]:
        """True and false positive rate at a score threshold; of all parts alike where there is no prediction."""
        weight = self.weight if self.weight.sum() > 0 else np.ones_like(self.weight)
        share = weight / weight.sum()
        cut = logit(threshold)
        tpr = float(share @ normal_cdf((self.positive_mean - cut) / self.sd))
        fpr = float(share @ normal_cdf((self.negative_mean - cut) / self.sd))
        return tpr, fpr
