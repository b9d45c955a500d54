"""The diary's second half: risks and what holds them down, what was accepted until when, contracts, and running things."""

from __future__ import annotations

from app.govern.demo_acts import Act, InDays, Planned, add, by, change, person, step
from data.audit import Json, canonical

_APPETITE = {
    "model performance": (9, 12), "data quality": (8, 12), "fairness": (4, 6), "privacy": (4, 6), "security": (4, 6),
    "legal and regulatory": (4, 8), "operations": (9, 12), "financial": (8, 12),
}  # fmt: skip
APPETITES = tuple(
    Act(
        395, by("david"), "add", "appetites", f"app-{category}",
        (
            ("category", category), ("appetite", low), ("tolerance", high), ("next_review", InDays(110)),
            ("statement", f"We seek {category} risk up to {low} of 25 and bear it up to {high} while it is treated."),
        ), category,
    )
    for category, (low, high) in _APPETITE.items()
)  # fmt: skip


_LEVELS = ("inherent", "current", "residual", "target")


def _risk(  # noqa: PLR0913 (a diary's line)
    days_ago: int, who: str, name: str, slug: str, title: str, why: tuple[str, str, str], category: str,
    ratings: tuple[int, ...], treatment: str, review: int, **values: Planned,
) -> Act:  # fmt: skip
    """`why`: cause, event, consequence; `ratings`: likelihood and impact inherent, current, residual, target."""
    levels = [f"{level}_{part}" for level in _LEVELS for part in ("likelihood", "impact")]
    given: dict[str, Planned] = {
        "initiative": slug, "title": title, **dict(zip(("cause", "event", "consequence"), why, strict=True)),
        "category": category, **dict(zip(levels, ratings, strict=True)), "treatment": treatment, "owner": person(who),
        "knowledge": "moderate", "next_review": InDays(review), **values,
    }  # fmt: skip
    return add(days_ago, who, "risks", name, **given)


def _watched(metric: str, comparator: str, threshold: float, *scope: str) -> dict[str, Planned]:
    return {
        "indicator_metric": metric, "indicator_comparator": comparator, "indicator_threshold": threshold,
        "indicator_scope": scope or None,
    }  # fmt: skip


RISKS = (
    _risk(
        220, "mira", "r-late", "churn-retention", "Calls come after the customer has decided",
        ("Batches run once a night.", "The call comes after the window.", "The offer is paid for and changes nothing."),
        "operations", (5, 4, 4, 4, 3, 3, 2, 2), "mitigate", 30,
        **_watched("activation.in_window_share", "at least", 0.8, "model_id=churn_v3"),
    ),
    _risk(
        218, "mira", "r-churn-drift", "churn-retention", "The model ages unseen",
        ("Contracts and prices change.", "Scores no longer rank.", "Calls go to those who would have stayed."),
        "model performance", (4, 3, 3, 3, 2, 3, 2, 2), "mitigate", 45,
        **_watched("model.auc", "at least", 0.75, "model_id=churn_v3"),
    ),
    _risk(
        215, "jonas", "r-lead-bias", "lead-scoring", "Small firms are never called",
        ("Training data hold few of them.", "Their scores stay low.", "Buyers are lost and the data repeat it."),
        "fairness", (3, 3, 3, 3, 2, 3, 1, 3), "mitigate", 60,
    ),
    _risk(
        212, "elena", "r-opt-out", "offer-engine", "Messages after an opt-out",
        ("The sync of stops runs at night.", "A message leaves after a stop.", "Complaints, fines, lost trust."),
        "legal and regulatory", (5, 4, 5, 4, 3, 4, 1, 4), "mitigate", -14,
        **_watched("suppression.violations", "at most", 0.0),
    ),
    _risk(
        210, "elena", "r-age", "offer-engine", "Customers over 60 are offered less",
        ("Their clicks are recorded less.", "They are scored too low.", "A group is left out."),
        "fairness", (4, 4, 4, 4, 3, 4, 1, 3), "accept", 25,
        **_watched("fairness.four_fifths", "at least", 0.8, "model_id=offer_v5"),
    ),
    _risk(
        205, "elena", "r-invent", "agent-assist", "Drafts state what is not so",
        ("The model fills gaps.", "An agent sends an invented fact.", "A customer is misled; we are liable."),
        "legal and regulatory", (4, 4, 4, 4, 2, 4, 1, 4), "mitigate", -3,
    ),
    _risk(
        190, "karl", "r-slow", "developer-tool", "The tool slows people down",
        ("Suggestions must be read and mended.", "Tasks take longer.", "Cost without return."),
        "financial", (3, 2, 4, 3, 4, 3, 2, 2), "mitigate", 15,
        **_watched("value.mean_difference", "at least", 0.0, "experiment_id=devtool_trial"),
    ),
    _risk(
        50, "jonas", "r-price", "pricing-pilot", "Quotes are learned from too few cases",
        ("The pilot is young.", "Prices follow noise.", "Margin is given away."),
        "data quality", (4, 3, 4, 3, 3, 3, 2, 2), "open", 35,
        **_watched("model.auc", "at least", 0.7, "model_id=price_v1"),
    ),
    _risk(
        188, "karl", "r-demand", "demand-forecast", "The forecast drifts",
        ("Seasons and assortment change.", "Orders follow old patterns.", "Empty shelves or waste."),
        "model performance", (4, 4, 4, 4, 2, 4, 2, 3), "mitigate", 28,
        **_watched("model.auc", "at least", 0.8, "model_id=demand_v4"),
    ),
    _risk(
        186, "priya", "r-labels", "fraud-screening", "Labels come months late",
        ("Chargebacks take 120 days.", "Young weeks cannot be judged.", "A new pattern is seen too late."),
        "data quality", (5, 3, 4, 3, 3, 3, 3, 2), "accept", 50,
        **_watched("model.label_coverage", "at least", 0.6, "model_id=fraud_v7"),
    ),
    _risk(
        184, "priya", "r-held", "fraud-screening", "Good payments are held",
        ("Fraud is rare.", "Most alarms are false.", "Customers cannot pay and leave."),
        "operations", (5, 3, 4, 3, 3, 2, 2, 2), "mitigate", 65,
        **_watched("model.precision", "at least", 0.1, "model_id=fraud_v7"),
    ),
    change(120, "mira", "risks", "r-late", "Two batches a day since last week", current_likelihood=3),
    change(70, "mira", "risks", "r-late", "Still late on Mondays", current_likelihood=4),
    change(90, "hanna", "risks", "r-slow", "Karl Brandt leaves", owner=None),
    change(90, "hanna", "risks", "r-demand", "Karl Brandt leaves", owner=person("priya")),
    change(40, "priya", "risks", "r-held", "The review team is larger", residual_likelihood=2),
)  # fmt: skip


def _control(days_ago: int, who: str, risk: str, title: str, kind: str, effect: str, review: int) -> Act:
    return add(
        days_ago, who, "controls", f"c-{risk}", risk=f"@{risk}", title=title, type=kind, effectiveness=effect,
        tested=InDays(10 - days_ago), owner=person(who), next_review=InDays(review),
    )  # fmt: skip


CONTROLS = (
    _control(180, "mira", "r-late", "Two batches a day", "preventive", "partly effective", 40),
    _control(
        178, "mira", "r-churn-drift", "Weekly look at ranking and calibration", "detective", "effective", 50
    ),
    _control(
        176, "elena", "r-opt-out", "Stops are checked again at send time", "preventive", "not tested", -20
    ),
    _control(
        174, "elena", "r-invent", "Agents confirm facts before sending", "preventive", "partly effective", 30
    ),
    _control(172, "priya", "r-held", "A person looks within an hour", "corrective", "effective", 70),
    _control(80, "priya", "r-demand", "Retraining every quarter", "corrective", "partly effective", 21),
    _control(
        160, "jonas", "r-lead-bias", "A tenth of calls is drawn at random", "preventive", "effective", 66
    ),
)


def _request(
    register: str, days_ago: int, who: str, name: str, until: int, **values: Planned
) -> tuple[Act, Act]:
    made = add(days_ago, who, register, name, expires=InDays(until), **values)
    return made, step(days_ago - 1, who, "submit", register, name)


REQUESTS = (
    *_request(
        "acceptances", 170, "elena", "a-age", -9, risk="@r-age",
        justification="The next version is trained on calls too; until then the gap is known.",
        compensation="Offers by letter to customers over 60.",
    ),
    step(165, "hanna", "accept", "acceptances", "a-age", "Until the next version, not longer"),
    *_request(
        "acceptances", 150, "priya", "a-labels", 80, risk="@r-labels",
        justification="Chargebacks cannot come sooner; a sample is checked by hand.",
        tripwire_metric="model.recall", tripwire_comparator="at least", tripwire_threshold=0.3,
        tripwire_scope=("model_id=fraud_v7",),
    ),
    step(148, "david", "accept", "acceptances", "a-labels", "The sample makes it bearable"),
    *_request(
        "acceptances", 4, "elena", "a-opt-out", 60, risk="@r-opt-out",
        justification="The hourly sync is ready in six weeks.", compensation="The night's sends start after the sync.",
    ),
    *_request(
        "exceptions", 30, "mira", "e-trial", 45, initiative="churn-retention", rule="Every pilot has a rollback test",
        justification="The old rule runs beside the model until the trial ends.",
    ),
    step(28, "david", "accept", "exceptions", "e-trial", "Until the trial ends"),
    *_request(
        "exceptions", 3, "jonas", "e-leads", 90, initiative="lead-scoring", rule="Model cards are renewed each half year",
        justification="The next release brings a new card.",
    ),
)  # fmt: skip


def _document(
    contract: str, table: str, purpose: str, hours: int, columns: tuple[str, ...], least: int
) -> str:
    properties: list[Json] = [{"name": c, "logicalType": "string"} for c in columns]
    return canonical({
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": contract, "name": contract, "version": "1.0.0",
        "status": "active", "description": {"purpose": purpose},
        "schema": [{
            "name": table, "properties": properties,
            "quality": [{"type": "library", "metric": "rowCount", "mustBeGreaterOrEqualTo": least}],
        }],
        "slaProperties": [{"property": "latency", "value": hours, "unit": "h"}],
    })  # fmt: skip


def _contract(
    who: str, table: str, title: str, purpose: str, columns: tuple[str, ...], least: int = 1
) -> Act:
    name = f"{table}-v1"
    return add(
        160, "tom", "contracts", name, record_id=name, title=title, contract_version="1.0.0", status="active",
        table_name=table, owner=person(who), purpose=purpose, freshness_hours=168.0, volume_min=float(least),
        availability_percent=None, document=_document(name, table, purpose, 168, columns, least),
    )  # fmt: skip


CONTRACTS = (
    _contract("priya", "predictions", "Predictions", "Every score.", ("prediction_id", "model_id", "score")),
    _contract("priya", "labels", "Labels", "What turned out to be true.", ("prediction_id", "label", "labelled_at")),
    # Promised by the directory team and never delivered: the contract that fails, and withholds what is read from it.
    _contract("tom", "identity_links", "Identity links", "Who is who.", ("link_id", "person_id", "household_id")),
    _contract("elena", "suppression_events", "Stops", "Who said stop, when and where.", ("suppression_event_id", "person_id")),
    _contract("elena", "message_events", "Messages", "What the providers report.", ("event_id", "activation_id", "event_type")),
    _contract("mira", "experiment_units", "Experiments", "Who was in which arm.", ("experiment_id", "unit_id", "arm")),
    change(100, "tom", "contracts", "message_events-v1", "A third provider", title="Messages of all providers"),
)  # fmt: skip


def _run(days_ago: int, who: str, slug: str, tested: int | None, claim: str) -> Act:
    return add(
        days_ago, who, "operability", f"run-{slug}", record_id=slug, initiative=slug,
        rollback_plan="Switch the flag off; the former rule answers within five minutes. The owner on call does it.",
        rollback_tested=None if tested is None else InDays(tested), rollback_minutes=None if tested is None else 6.0,
        runbook="Wiki, operations, " + slug, on_call="Rota of the platform team", latency_ms=150.0, cost_budget=4000.0,
        card_intended_use="Ranking for this one decision; nothing else.", card_limitations="Weak on new customers.",
        card_claims=(claim,), owner=person(who), next_review=InDays(days_ago - 100),
    )  # fmt: skip


RUNNING = (
    _run(155, "mira", "churn-retention", None, "model.auc=0.86"),
    _run(153, "jonas", "lead-scoring", -130, "model.auc=0.78"),
    _run(151, "priya", "fraud-screening", -30, "model.auc=0.93"),
    add(
        140, "tom", "evidence", "ev-1", title="Validation of the churn model", type="validation report",
        basis="observed", initiative="churn-retention", owner=person("tom"), expires=InDays(20),
    ),
    add(
        138, "tom", "evidence", "ev-2", title="Fairness assessment of the offer engine", type="assessment",
        basis="inferred", initiative="offer-engine", owner=person("tom"), expires=InDays(-15),
    ),
)  # fmt: skip

CHECK_INS: tuple[tuple[int, str, str, str, str, str], ...] = (
    (60, "tom", "model.auc", "churn_v3", "on track", "Ranks as well as at release."),
    (35, "tom", "activation.in_window_share", "churn_v3", "off track", "Two batches a day were not enough; hourly is next."),
    (30, "tom", "model.auc", "demand_v4", "at risk", "Falls week by week; retraining is planned."),
    (7, "tom", "activation.in_window_share", "churn_v3", "off track", "The hourly batch waits for the new scheduler."),
)  # fmt: skip
