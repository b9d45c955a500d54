"""Promises and conclusions in the diary: what was to be reached by when, and what each trial changed."""

from __future__ import annotations

from app.govern.demo_acts import Act, InDays, Planned, add, change, person


def _promise(days_ago: int, who: str, slug: str, kind: str, title: str, due: int, **more: Planned) -> Act:
    """`due`: days from the day of the fill; negative lies in the past."""
    return add(
        days_ago, who, "milestones", f"mile-{slug}-{title}", initiative=slug, kind=kind, title=title, due=InDays(due),
        owner=person(who), **more,
    )  # fmt: skip


def _reached(days_ago: int, who: str, slug: str, title: str) -> Act:
    return change(days_ago, who, "milestones", f"mile-{slug}-{title}", "reached", reached=InDays(-days_ago))


# A pilot's promise is the day on which it was to be in production.
MILESTONES = (
    _promise(328, "jonas", "lead-scoring", "production", "All sales teams call by score", -200),
    _reached(209, "jonas", "lead-scoring", "All sales teams call by score"),
    _promise(318, "elena", "offer-engine", "production", "Every customer sees an offer", -250),
    _reached(239, "elena", "offer-engine", "Every customer sees an offer"),
    _promise(249, "mira", "churn-retention", "production", "All customers at risk are called", -130),
    _promise(248, "karl", "developer-tool", "production", "Every team may use the tool", -70),
    _promise(138, "elena", "agent-assist", "production", "Drafts in every queue", 20),
    _promise(335, "priya", "fraud-screening", "production", "Every payment is screened", -275),
    _reached(269, "priya", "fraud-screening", "Every payment is screened"),
    _promise(230, "priya", "fraud-screening", "capability", "Chargebacks reach the model by themselves", -150),
    _reached(158, "priya", "fraud-screening", "Chargebacks reach the model by themselves"),
    _promise(220, "mira", "churn-retention", "capability", "Scores leave every hour", -60),
    _promise(200, "elena", "offer-engine", "capability", "Stops are checked at the moment of sending", -45),
    _promise(190, "jonas", "lead-scoring", "capability", "Sales reads its own trial", -100),
    _reached(104, "jonas", "lead-scoring", "Sales reads its own trial"),
    _promise(150, "elena", "agent-assist", "capability", "Drafts name their sources", -30),
    _reached(22, "elena", "agent-assist", "Drafts name their sources"),
    _promise(80, "priya", "demand-forecast", "capability", "Retraining starts by itself", 30),
)  # fmt: skip


def _conclusion(
    days_ago: int, who: str, slug: str, experiment: str, finding: str, effect: str, decision: str = ""
) -> Act:
    """Written on the day after the trial ended."""
    return add(
        days_ago, who, "conclusions", f"conc-{experiment}", initiative=slug, experiment=experiment,
        concluded=InDays(-days_ago - 1), finding=finding, effect=effect, decision=decision or None, owner=person(who),
    )  # fmt: skip


_CHANGED, _CONFIRMED, _OPEN = "changed a decision", "confirmed a decision", "left the decision open"
CONCLUSIONS = (
    _conclusion(307, "priya", "fraud-screening", "fraud_rules_01", "The model stops 12 % more than the rules (8 to 16).",
                _CHANGED, "The rules are only the fallback now."),
    _conclusion(283, "jonas", "lead-scoring", "lead_calls_01", "Called leads buy more, 3 % (-1 to 7).", _OPEN),
    _conclusion(275, "elena", "offer-engine", "offers_ranking_01", "Ranked offers earn 0.9 a customer more (0.4 to 1.4).",
                _CONFIRMED, "The engine stays."),
    _conclusion(215, "jonas", "lead-scoring", "lead_calls_02", "Called leads buy more, 4 % (2 to 6).", _CHANGED,
                "Every sales team calls by score."),
    _conclusion(186, "priya", "fraud-screening", "fraud_review_02", "A second look frees 30 % of good payments (22 to 38).",
                _CHANGED, "Held payments are looked at within the hour."),
    _conclusion(174, "elena", "offer-engine", "offers_channel_02", "No channel earns more than another (-0.3 to 0.2).", _OPEN),
    _conclusion(139, "jonas", "lead-scoring", "lead_script_03", "The new script sells no more (-2 to 1).", _CONFIRMED,
                "The old script stays."),
    _conclusion(74, "elena", "offer-engine", "offers_subject_03", "Shorter subjects are opened more, 2 % (1 to 3).", _CHANGED,
                "All offers have a short subject."),
    _conclusion(70, "elena", "agent-assist", "assist_tone_01", "Agents accept both tones alike (-3 to 4).", _OPEN),
    _conclusion(20, "priya", "fraud-screening", "fraud_queue_03", "Sorting by amount saves 9 % (5 to 13).", _CHANGED,
                "The queue is sorted by amount."),
    _conclusion(16, "jonas", "lead-scoring", "lead_order_04", "Calling in the morning sells no more (-1 to 1).", _CONFIRMED,
                "Calls go on all day."),
)  # fmt: skip

ACTS = (
    *MILESTONES,
    *CONCLUSIONS,
    change(
        90, "hanna", "milestones", "mile-developer-tool-Every team may use the tool", "Karl Brandt leaves",
        owner=person("mira"),
    ),
)  # fmt: skip
