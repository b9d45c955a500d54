"""Targets of the demo, as the dated rows that `<home>/targets.toml` holds until the ledger serves them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

_ALWAYS = dt.date(2020, 1, 1)
_OPEN_END = dt.date(9999, 12, 31)


@dataclass(frozen=True)
class TargetRow:
    """One `[[target]]`. `where` is a dimension and its value; None makes it the house rule for all."""

    metric: str
    comparator: str
    threshold: float
    note: str
    where: tuple[str, str] | None = None
    min_n: int = 200
    max_age_days: int = 14
    valid_from: dt.date = _ALWAYS
    valid_to: dt.date = _OPEN_END

    def toml(self) -> str:
        """The row as TOML. Texts here hold no quotes or backslashes."""
        where = "" if self.where is None else f'{self.where[0]} = "{self.where[1]}"'
        return "\n".join(
            (
                "[[target]]",
                f'metric = "{self.metric}"',
                f'comparator = "{self.comparator}"',
                f"threshold = {self.threshold}",
                f"min_n = {self.min_n}",
                f"max_age_days = {self.max_age_days}",
                f"where = {{ {where} }}" if where else "where = {}",
                f"valid_from = {self.valid_from.isoformat()}",
                f"valid_to = {self.valid_to.isoformat()}",
                f'note = "{self.note}"',
            )
        )


def _model(
    model_id: str, metric: str, comparator: str, threshold: float, note: str, min_n: int = 200
) -> TargetRow:
    return TargetRow(metric, comparator, threshold, note, ("model_id", model_id), min_n)


def _trial(
    experiment_id: str, threshold: float, note: str, metric: str = "value.mean_difference"
) -> TargetRow:
    return TargetRow(metric, "at least", threshold, note, ("experiment_id", experiment_id))


_HOUSE = (
    TargetRow("model.auc", "at least", 0.65, "House rule: better than a coarse rule of thumb"),
    TargetRow(
        "model.label_coverage", "at least", 0.8, "House rule: most predictions are checked against truth"
    ),
    TargetRow("fairness.four_fifths", "at least", 0.8, "House rule: four-fifths of the best-served group"),
)
_CHURN = (
    TargetRow(
        "model.auc", "at least", 0.75, "Target of the first year", ("model_id", "churn_v3"),
        valid_to=dt.date(2025, 12, 31),
    ),
    TargetRow(
        "model.auc", "at least", 0.8, "Raised by the council for the second year", ("model_id", "churn_v3"),
        valid_from=dt.date(2026, 1, 1),
    ),
    _model("churn_v3", "model.calibration_slope", "at least", 0.9, "Scores are used as probabilities"),
    _trial("churn_holdout", 0.02, "Business case: two points more customers retained"),
)  # fmt: skip
_OTHERS = (
    _model("lead_v2", "model.auc", "at least", 0.75, "Agreed with sales"),
    _model("lead_v2", "model.precision", "at least", 0.25, "One call in four reaches a buyer"),
    _trial("lead_holdout", 2.0, "Business case: 2 of revenue per lead"),
    _trial("lead_holdout", 0.01, "Business case: one point more buyers", "value.responder_difference"),
    _model("offer_v5", "model.auc", "at least", 0.7, "Agreed with marketing"),
    _model(
        "offer_v5",
        "fairness.false_positive_rate_difference",
        "at least",
        -0.05,
        "No group is left out of offers",
    ),
    _trial("offers_holdout", 1.0, "Business case: 1 of revenue per customer"),
    _model("price_v1", "model.auc", "at least", 0.7, "Gate: proof on 5,000 quotes", min_n=5000),
    _model("demand_v4", "model.auc", "at least", 0.8, "Level at which the forecast was approved"),
    _model(
        "demand_v4", "model.calibration_slope", "at least", 0.9, "Stock levels are set from the probability"
    ),
    _model("demand_v4", "model.brier", "at most", 0.12, "Level at approval"),
    _trial("demand_trial", 3.0, "Business case: margin per order line"),
    _model("fraud_v7", "model.auc", "at least", 0.9, "Risk posture of the payments team"),
    _model("fraud_v7", "model.recall", "at least", 0.4, "Share of fraud stopped at the deployed threshold"),
    _model("fraud_v7", "model.precision", "at least", 0.1, "Nine good payments held for each fraud, at most"),
    _trial("devtool_trial", 0.0, "The tool must not slow developers down"),
    _model(
        "assist_v2",
        "generative.hallucination_rate",
        "at most",
        0.02,
        "Acceptable error, declared by the owner",
    ),
)

_WINDOW, _MEDIAN = "activation.in_window_share", "activation.latency_median"
_ACTIVATION = (
    _model("churn_v3", _WINDOW, "at least", 0.8, "Business case: customers are called within the day"),
    _model("churn_v3", _MEDIAN, "at most", 43_200, "Half of the customers within twelve hours"),
    _model("lead_v2", _WINDOW, "at least", 0.85, "Agreed with sales: a lead cools within the hour"),
    _model("lead_v2", _MEDIAN, "at most", 900, "Half of the leads within fifteen minutes"),
    _model("offer_v5", _WINDOW, "at least", 0.95, "Objective of the offer engine"),
    _model("offer_v5", _MEDIAN, "at most", 7_200, "Half of the offers within two hours"),
    _model("price_v1", _WINDOW, "at least", 0.9, "Gate: quotes answered within two days"),
)
_SUPPRESSION = (
    TargetRow("suppression.violations", "at most", 0, "House rule: stop means stop, everywhere", min_n=1),
    TargetRow("suppression.clean_stop_rate", "at least", 0.99, "House rule: no message after a stop"),
    TargetRow("suppression.consent_gap_rate", "at most", 0.005, "House rule: no marketing without consent"),
)
_LEDGER = (
    TargetRow(
        "ownership.orphans", "at most", 0, "House rule: somebody answers for everything in use", min_n=1
    ),
    TargetRow(
        "ownership.overdue_reviews", "at most", 0.1, "House rule: nine of ten reviews on time", min_n=1
    ),
    TargetRow(
        "risk.expired_relied_on", "at most", 0, "House rule: nothing is borne without a decision", min_n=1
    ),
    TargetRow("risk.above_tolerance", "at most", 0.1, "Council: exceptions stay rare", min_n=1),
)


def demo_targets() -> str:
    """TOML text of the demo's targets: a mix of met, not met, inconclusive and too little data."""
    rows = (*_HOUSE, *_CHURN, *_OTHERS, *_ACTIVATION, *_SUPPRESSION, *_LEDGER)
    return "\n\n".join(row.toml() for row in rows) + "\n"
