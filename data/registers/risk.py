"""Risks on one 5 x 5 scale, what is done about them, and what was accepted until when."""

from data.fields import (
    REQUEST,
    Field,
    Kind,
    Register,
    choice,
    day,
    long,
    number,
    person,
    ref,
    text,
    whole,
    words,
)

CATEGORIES = (
    "model performance", "data quality", "fairness", "privacy", "security", "legal and regulatory", "operations",
    "third party", "reputation", "financial",
)  # fmt: skip
LIKELIHOODS = ("rare", "unlikely", "possible", "likely", "almost certain")
IMPACTS = ("negligible", "minor", "moderate", "major", "catastrophic")


def _pair(name: str, title: str, *, required: bool = False) -> tuple[Field, Field]:
    likely = f"1 {LIKELIHOODS[0]} to 5 {LIKELIHOODS[-1]}."
    impact = f"1 {IMPACTS[0]} to 5 {IMPACTS[-1]}."
    return (
        whole(f"{name}_likelihood", f"{title} likelihood", likely, required=required, low=1, high=5),
        whole(f"{name}_impact", f"{title} impact", impact, required=required, low=1, high=5),
    )


def _tripwire(name: str, what: str) -> tuple[Field, ...]:
    """A metric with a bound: it is in breach when its target would not be met."""
    return (
        Field(f"{name}_metric", f"{what} metric", Kind.METRIC),
        choice(f"{name}_comparator", f"{what} comparator", "at least", "at most"),
        number(f"{name}_threshold", f"{what} bound", "In the metric's unit."),
        words(f"{name}_scope", f"{what} scope", "Such as model_id=churn-1."),
    )


APPETITES = Register(
    "appetites",
    "Risk appetite",
    "appetite",
    "How much risk of a category is sought (appetite) and borne (tolerance), as likelihood x impact. Named by its category.",
    (
        choice("category", "Category", *CATEGORIES, required=True),
        whole("appetite", "Appetite", required=True, low=1, high=25),
        whole("tolerance", "Tolerance", "Not below the appetite.", required=True, low=1, high=25),
        long("statement", "Statement", required=True),
        day("next_review", "Next review", required=True),
    ),
    label="category",
)

RISKS = Register(
    "risks",
    "Risks",
    "risk",
    "What may happen, how likely and how bad: before controls, today, after treatment, and where it should be.",
    (
        ref("initiative", "Initiative", "initiatives", required=True),
        text("title", "Risk", required=True),
        long("cause", "Cause", "Because of.", required=True),
        long("event", "Event", "It may happen that.", required=True),
        long("consequence", "Consequence", "Which would lead to.", required=True),
        choice("category", "Category", *CATEGORIES, required=True),
        *_pair("inherent", "Inherent", required=True),
        *_pair("current", "Current"),
        *_pair("residual", "Residual"),
        *_pair("target", "Target"),
        choice("treatment", "Treatment", "open", "mitigate", "accept", "transfer", "avoid", required=True),
        choice("knowledge", "Strength of knowledge", "weak", "moderate", "strong"),
        person("owner", "Owner", "Who answers for it.", owns=True),
        *_tripwire("indicator", "Indicator"),
        day("next_review", "Next review", required=True),
    ),
    prefix="RISK",
)  # fmt: skip

CONTROLS = Register(
    "controls",
    "Controls",
    "control",
    "What holds a risk down, and how it is known to work.",
    (
        ref("risk", "Risk", "risks", required=True),
        text("title", "Control", required=True),
        choice("type", "Type", "preventive", "detective", "corrective", required=True),
        choice(
            "effectiveness",
            "Effectiveness",
            "not tested",
            "ineffective",
            "partly effective",
            "effective",
            required=True,
        ),
        ref("evidence", "Evidence", "evidence"),
        day("tested", "Last tested"),
        person("owner", "Owner", required=True, owns=True),
        day("next_review", "Next review", required=True),
    ),
    prefix="CTL",
)

ACCEPTANCES = Register(
    "acceptances",
    "Risk acceptances",
    "acceptance",
    "A risk borne on purpose, until a day or until a metric says otherwise, whichever comes first.",
    (
        ref("risk", "Risk", "risks", required=True),
        long("justification", "Justification", required=True),
        long("compensation", "Compensating control"),
        day("expires", "Expires", "Last day it may be relied on."),
        *_tripwire("tripwire", "Tripwire"),
    ),
    prefix="ACC",
    flow=REQUEST,
    label="risk",
)

EXCEPTIONS = Register(
    "exceptions",
    "Exceptions",
    "exception",
    "A rule not kept for a while, on purpose.",
    (
        ref("initiative", "Initiative", "initiatives", required=True),
        text("rule", "Rule", "Which rule is not kept.", required=True),
        long("justification", "Justification", required=True),
        long("compensation", "Compensating control"),
        day("expires", "Expires", "Last day it may be relied on."),
        *_tripwire("tripwire", "Tripwire"),
    ),
    prefix="EXC",
    flow=REQUEST,
    label="rule",
)
