"""What is built and why, which decisions it takes, what was promised, and how it goes."""

from data.fields import LOG, Field, Kind, Register, choice, day, long, number, person, ref, text, whole, words

STAGES = ("hypothesis", "data reality", "pilot", "production", "scale", "sustain", "retired")
LAYERS = ("infrastructure", "data", "models", "inference", "orchestration")

INITIATIVES = Register(
    "initiatives",
    "Initiatives",
    "initiative",
    "What is built and which business hypothesis it tests. The identifier is the warehouse's initiative_id.",
    (
        text("title", "Title", required=True),
        long("hypothesis", "Business hypothesis", "If we do this, that changes for them, because.", required=True),
        text("outcome", "Expected outcome", "What a customer or an account does differently.", required=True),
        Field("baseline_metric", "Baseline metric", Kind.METRIC, "The metric the outcome is read from."),
        number("minimum_improvement", "Minimum improvement", "Smallest change worth having, in the metric's unit."),
        choice("stage", "Stage", *STAGES, required=True),
        words("model_ids", "Models", "As in the warehouse."),
        words("campaign_ids", "Campaigns", "As in the warehouse."),
        words("experiment_ids", "Experiments", "As in the warehouse."),
        choice("materiality", "Materiality", "tier 1", "tier 2", "tier 3", help="Tier 1 matters most.", required=True),
        choice("eu_class", "EU AI Act class", "prohibited", "high-risk", "limited", "minimal", "general-purpose"),
        choice(
            "eu_role", "EU AI Act role", "provider", "deployer", "importer", "distributor",
            "authorised representative", "product manufacturer",
        ),
        words("frameworks", "Frameworks mapped", "Such as NIST AI RMF MAP 1.4; ISO 42001 6.2."),
        choice("layer", "Value-chain layer", *LAYERS, help="Where most of the money goes."),
        person("sponsor", "Sponsor", owns=True),
        person("contact", "Contact", "Who answers questions.", owns=True),
        day("started", "Started"),
    ),
)  # fmt: skip

DECISIONS = Register(
    "decisions",
    "Decision inventory",
    "decision",
    "Which decisions are taken, by whom or what, and what an error or a delay costs.",
    (
        ref("initiative", "Initiative", "initiatives", required=True),
        text("title", "Decision", "Such as: which customers get a retention offer.", required=True),
        person("decider", "Decider today", required=True, owns=True),
        choice("frequency", "Frequency", "continuous", "daily", "weekly", "monthly", "quarterly", "yearly", required=True),
        number("cost_of_error", "Cost of an error", "Money, one wrong decision.", low=0),
        number("cost_of_delay", "Cost of delay", "Money a day.", low=0),
        choice(
            "automation", "Automation", "none", "advice", "acts after approval", "acts with veto", "acts alone",
            required=True,
        ),
        long("oversight", "Human oversight", "Who looks, when, and what they can stop.", required=True),
        long("escalation", "Escalation path", "Who is asked next, within which time.", required=True),
        long("fallback", "Fallback", "What happens when the model is away.", required=True),
    ),
    prefix="DEC",
)  # fmt: skip

POSTURES = Register(
    "postures",
    "Risk posture",
    "posture",
    "How much error a decision may have, declared beforehand.",
    (
        ref("decision", "Decision", "decisions", required=True),
        Field("metric", "Error metric", Kind.METRIC, "What the error is read from.", required=True),
        choice("comparator", "Comparator", "at least", "at most", required=True),
        number("acceptable", "Acceptable value", "In the metric's unit.", required=True),
        long("why", "Why this much", required=True),
        long("oversight", "Oversight", required=True),
        long("escalation", "Escalation", required=True),
        long("fallback", "Fallback", required=True),
        person("declared_by", "Declared by", required=True, owns=True),
        day("next_review", "Next review", required=True),
    ),
    prefix="POS",
    label="decision",
)

TARGETS = Register(
    "targets",
    "Targets",
    "target",
    "Dated promises about metrics. The narrowest one in force counts.",
    (
        Field("metric", "Metric", Kind.METRIC, required=True),
        choice("comparator", "Comparator", "at least", "at most", required=True,
               help="At least is met when the interval's lower bound is; at most when the upper one is."),
        number("threshold", "Threshold", "In the metric's unit.", required=True),
        words("scope", "Scope", "Such as model_id=churn-1; region=north. Empty means all."),
        whole("min_n", "Smallest n", "Fewer observations are not enough data.", low=0),
        number("max_age_days", "Oldest data (days)", "Older data are stale.", low=0, high=3660),
        day("valid_from", "Valid from", required=True),
        day("valid_to", "Valid to", "Last day, included."),
        ref("initiative", "Initiative", "initiatives"),
        person("owner", "Owner", owns=True),
        long("note", "Note"),
    ),
    prefix="TGT",
    label="metric",
)  # fmt: skip

CHECK_INS = Register(
    "check_ins",
    "Check-ins",
    "check-in",
    "What was said about a target on a day. Never changed; say more in a new one.",
    (
        ref("target", "Target", "targets", required=True),
        choice("confidence", "Confidence", "on track", "at risk", "off track", required=True),
        long("comment", "Comment", required=True),
    ),
    prefix="CHK",
    flow=LOG,
    label="comment",
)
