"""What a demo model, experiment or review programme is made of: parameters only, no data."""

from __future__ import annotations

from dataclasses import dataclass

AGE_BANDS = ("18-29", "30-44", "45-59", "60+")
AGE_SHARES = (0.18, 0.30, 0.30, 0.22)
REGIONS = ("east", "north", "south", "west")
REGION_SHARES = (0.2, 0.3, 0.3, 0.2)


@dataclass(frozen=True)
class Delay:
    """Days until a label is known: log-normal around `median_days`, never more than `longest_days`."""

    median_days: float
    sigma: float
    longest_days: float


@dataclass(frozen=True)
class Release:
    """A model version, deployed once `from_share` of the days have passed, with its AUC at the start."""

    version: str
    auc: float
    from_share: float = 0.0


@dataclass(frozen=True)
class ModelSpec:
    """A binary-score model. Scores are calibrated when deployed: equal-variance normals on the logit scale.

    `decay_per_week` is AUC lost per week since the demo began, while the model still scores as if new.
    `band_shift` moves the logit of one age band without any change in its true base rate: an unfair score.
    `sentinel_share` of scores are -1, as a broken enrichment step would write them.
    `activity_drift` is how far the logarithm of a feature slides over the demo (its sd is 0.8); from `new_source_from`
    of the days on, rows come from a source that was not there before.
    """

    model_id: str
    releases: tuple[Release, ...]
    base_rate: float
    threshold: float
    daily_share: float
    delay: Delay
    decay_per_week: float = 0.0
    band_shift: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    batch_hour: int | None = None
    last_days: int | None = None
    sentinel_share: float = 0.0
    records_decision: bool = True
    about_people: bool = True
    latency_ms: float = 20.0
    cost: float = 0.0001
    activity_drift: float = 0.0
    new_source_from: float | None = None


@dataclass(frozen=True)
class Share:
    """Outcome is 0 or 1: probability in the comparison arm and in the treated arm."""

    control: float
    treated: float


@dataclass(frozen=True)
class Spend:
    """Outcome is money: a share of units buys; amounts are log-normal, the same in both arms."""

    control: float
    treated: float
    mean_amount: float
    sigma: float = 0.6


@dataclass(frozen=True)
class Amount:
    """Outcome is normal; the effect halves every `half_life_days` of assignment day (never, where None)."""

    control: float
    sd: float
    effect: float
    half_life_days: float | None = None
    prior_correlation: float = 0.6


@dataclass(frozen=True)
class ExperimentSpec:
    """A randomised trial, half and half, enrolling all the time; outcomes known after `observe_days`."""

    experiment_id: str
    outcome: Share | Spend | Amount
    units_share: float
    observe_days: int
    comparison: str = "holdout"
    treated: str = "treatment"
    unit: str = "p"
    clusters: int | None = None


@dataclass(frozen=True)
class Stratum:
    """Part of the work of a text model: share of all items, of reviewed items, and true error rate."""

    name: str
    share: float
    reviewed_share: float
    hallucination: float


@dataclass(frozen=True)
class ReviewSpec:
    """Reviews of a text model: humans read `daily_share` x persons items a day, a judge model more."""

    model_id: str
    strata: tuple[Stratum, ...]
    posture: float
    daily_share: float
    judge_times: int
    judge_sensitivity: float
    judge_specificity: float
    override: float


@dataclass(frozen=True)
class Initiative:
    """One story. The ledger registers it; issue by issue, more of its data is simulated."""

    slug: str
    title: str
    story: str
    models: tuple[ModelSpec, ...] = ()
    experiments: tuple[ExperimentSpec, ...] = ()
    reviews: tuple[ReviewSpec, ...] = ()
