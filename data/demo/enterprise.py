"""The eight initiatives of the demo and the numbers behind their stories."""

from __future__ import annotations

from data.demo.specs import (
    Amount,
    Delay,
    ExperimentSpec,
    Initiative,
    ModelSpec,
    Release,
    ReviewSpec,
    Share,
    Spend,
    Stratum,
)

_CHURN = Initiative(
    slug="churn-retention",
    title="Churn retention",
    story="An excellent AUC and no effect: batches reach the customer after the window has closed.",
    models=(
        ModelSpec(
            model_id="churn_v3",
            releases=(Release("3.1", 0.858), Release("3.2", 0.866, from_share=0.55)),
            base_rate=0.07,
            threshold=0.2,
            daily_share=0.036,
            delay=Delay(30, 0.08, 45),
            batch_hour=4,
            latency_ms=3.0,
        ),
    ),
    experiments=(ExperimentSpec("churn_holdout", Share(0.93, 0.93), units_share=0.7, observe_days=30),),
)

_LEADS = Initiative(
    slug="lead-scoring",
    title="Lead scoring",
    story="A modest model that pays: called leads buy more than those held out.",
    models=(
        ModelSpec(
            model_id="lead_v2",
            releases=(Release("2.4", 0.78),),
            base_rate=0.08,
            threshold=0.15,
            daily_share=0.025,
            delay=Delay(10, 0.4, 30),
            sentinel_share=0.001,
            new_source_from=0.6,
            latency_ms=25.0,
        ),
    ),
    experiments=(
        ExperimentSpec(
            "lead_holdout", Spend(0.09, 0.13, mean_amount=180.0), units_share=0.5, observe_days=30
        ),
    ),
)

_OFFERS = Initiative(
    slug="offer-engine",
    title="Next best offer",
    story="A nightly sync lets offers through after an opt-out; customers over 60 are offered less.",
    models=(
        ModelSpec(
            model_id="offer_v5",
            releases=(Release("5.0", 0.71), Release("5.1", 0.71, from_share=0.7)),
            base_rate=0.2,
            threshold=0.25,
            daily_share=0.04,
            delay=Delay(6, 0.4, 21),
            band_shift=(0.0, 0.0, 0.0, -0.185),
            latency_ms=45.0,
            cost=0.0004,
        ),
    ),
    experiments=(
        ExperimentSpec(
            "offers_holdout", Spend(0.24, 0.255, mean_amount=90.0), units_share=0.8, observe_days=14
        ),
    ),
)

_ASSIST = Initiative(
    slug="agent-assist",
    title="Agent assist",
    story="Drafted answers invent facts more often than the owner declared acceptable.",
    reviews=(
        ReviewSpec(
            model_id="assist_v2",
            strata=(
                Stratum("billing", 0.40, 0.30, 0.025),
                Stratum("contract", 0.35, 0.30, 0.035),
                Stratum("technical", 0.25, 0.40, 0.072),
            ),
            posture=0.02,
            daily_share=0.002,
            judge_times=3,
            judge_sensitivity=0.8,
            judge_specificity=0.985,
            override=0.11,
        ),
    ),
)

_DEVTOOL = Initiative(
    slug="developer-tool",
    title="Developer tool",
    story="Developers feel faster; measured against a randomised comparison they finish less.",
    experiments=(
        ExperimentSpec(
            "devtool_trial",
            Amount(control=2.0, sd=0.9, effect=-0.25, prior_correlation=0.4),
            units_share=0.12,
            observe_days=10,
            comparison="control",
            treated="tool",
            unit="task",
            clusters=240,
        ),
    ),
)

_PRICING = Initiative(
    slug="pricing-pilot",
    title="Pricing pilot",
    story="A young pilot, waiting at a gate without an owner: little data and no experiment yet.",
    models=(
        ModelSpec(
            model_id="price_v1",
            releases=(Release("1.0", 0.66),),
            base_rate=0.3,
            threshold=0.35,
            daily_share=0.0035,
            delay=Delay(14, 0.3, 30),
            last_days=40,
            records_decision=False,
            latency_ms=60.0,
        ),
    ),
)

_DEMAND = Initiative(
    slug="demand-forecast",
    title="Demand forecast",
    story="Ordering by forecast raised the margin at first; the model drifts and the uplift fades.",
    models=(
        ModelSpec(
            model_id="demand_v4",
            releases=(Release("4.2", 0.82),),
            base_rate=0.15,
            threshold=0.3,
            daily_share=0.0175,
            delay=Delay(7, 0.02, 8),
            decay_per_week=0.0042,
            activity_drift=1.0,
            batch_hour=2,
            about_people=False,
            latency_ms=8.0,
        ),
    ),
    experiments=(
        ExperimentSpec(
            "demand_trial",
            Amount(control=62.0, sd=28.0, effect=8.0, half_life_days=40.0),
            units_share=0.4,
            observe_days=7,
            comparison="control",
            treated="forecast",
            unit="line",
        ),
    ),
)

_FRAUD = Initiative(
    slug="fraud-screening",
    title="Fraud screening",
    story="Rare positives and labels that arrive months late: young weeks cannot be judged yet.",
    models=(
        ModelSpec(
            model_id="fraud_v7",
            releases=(Release("7.0", 0.925), Release("7.1", 0.935, from_share=0.4)),
            base_rate=0.003,
            threshold=0.03,
            daily_share=0.06,
            delay=Delay(40, 0.6, 120),
            latency_ms=11.0,
            cost=0.00005,
        ),
    ),
)

INITIATIVES: tuple[Initiative, ...] = (
    _CHURN, _LEADS, _OFFERS, _ASSIST, _DEVTOOL, _PRICING, _DEMAND, _FRAUD,
)  # fmt: skip
