"""Activation latency: how long intelligence takes to reach a person, and how much of it never does.

Every signal is in exactly one state, so the counts add up to all signals. Signals that were never activated are
censored at their age, never dropped: a median over the activated alone says 226 where 310 is right (`lung`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from metrics._activation_cases import BURNT, DEAREST, LOST, SAVEABLE, SLOWEST
from metrics._activation_continuity import CONTINUITY, DEGRADED
from metrics._activation_episodes import EPISODES
from metrics._activation_feedback import FEEDBACK, STALENESS
from metrics._activation_figures import in_window_share, incidence_in_window, latency, signals, value_lost
from metrics._activation_hops import CHAINS, STEPS
from metrics._activation_slo import DUE, OBJECTIVE, WINDOW, DueCells, burn
from metrics._activation_states import STATE_CELLS, StateCells
from metrics._activation_way import (
    CHANNEL_CONTINUITY,
    COMPLETE_CHAINS,
    FEEDBACK_MEDIAN,
    HOP_MEDIAN,
    HOP_SECONDS,
    LOOP_CLOSURE,
    MANUAL,
    MANUAL_SIGNALS,
    MINUTES_DEGRADED,
    OWNER,
    STALENESS_MEDIAN,
)
from metrics.core.metric import Dimension, Direction, Metric, Unit

KAPLAN_MEIER = "Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452"
BROOKMEYER = "Brookmeyer and Crowley 1982, doi:10.2307/2530286"
AALEN_JOHANSEN = "Aalen and Johansen 1978"
FRESH = dt.timedelta(days=2)


def _quantile(name: str, title: str, words: str, p: float) -> Metric[StateCells]:
    """The time by which a share p of signals was activated."""
    return Metric(
        key=f"activation.latency_{name}",
        title=title,
        question=f"How long until {words} of the signals have led to a message?",
        definition=(
            f"Kaplan-Meier {p:.0%} quantile of first qualifying send minus scoring, seconds. Signals not yet activated "
            "count as still waiting at their age; a suppression or conversion before the send ends the waiting. "
            "Not reached when the curve never crosses."
        ),
        why="A signal loses its worth by the hour: the best score cannot repair a message that arrives too late.",
        dimension=Dimension.PROCESS,
        unit=Unit.SECONDS,
        direction=Direction.LOWER,
        rollup=STATE_CELLS,
        interval="Kaplan-Meier, log-log transform",
        owner=OWNER,
        finalise=latency(p),
        cases=SLOWEST,
        references=(KAPLAN_MEIER, BROOKMEYER),
    )


SIGNALS = Metric[StateCells](
    key="activation.signals",
    title="Signals, by what became of them",
    question="What became of every signal?",
    definition=(
        "Count of signals. By state they are exclusive and exhaustive, decided in this order: test, holdout, no action, "
        "no person, sent before scoring, in window, late, stopped first by a suppression or conversion, open, missed."
    ),
    why="Shares hide what was left out; the counts of all states add up to all signals, so nothing can hide.",
    dimension=Dimension.PROCESS,
    unit=Unit.COUNT,
    direction=Direction.NEITHER,
    rollup=STATE_CELLS,
    interval="none: a complete count",
    owner=OWNER,
    finalise=signals,
    cases=SAVEABLE,
)
IN_WINDOW = Metric[StateCells](
    key="activation.in_window_share",
    title="Signals activated in their window",
    question="Of the signals that merited action, how many reached the person in time?",
    definition=(
        "in window / (in window + late + missed). Holdout, no action, open and competing signals never enter; their counts "
        "stand beside it."
    ),
    why="This is where most value between model and customer is lost, and no model dashboard shows it.",
    dimension=Dimension.PROCESS,
    unit=Unit.SHARE,
    direction=Direction.HIGHER,
    rollup=STATE_CELLS,
    interval="Wilson",
    owner=OWNER,
    finalise=in_window_share,
    cases=LOST,
)
EPISODE_MEDIAN = Metric[StateCells](
    key="activation.episode_latency_median",
    title="Median time to activation, repeated signals as one",
    question="How long until half of the episodes of repeated signals have led to a message?",
    definition=(
        "As the median time to activation, but repeated signals of one person, model and name, with no send between them "
        "and gaps within the window, are one episode, timed from its first signal."
    ),
    why="A model that repeats itself would otherwise make the wait look as short as its last repetition.",
    dimension=Dimension.PROCESS,
    unit=Unit.SECONDS,
    direction=Direction.LOWER,
    rollup=EPISODES,
    interval="Kaplan-Meier, log-log transform",
    owner=OWNER,
    finalise=latency(0.5),
    references=(KAPLAN_MEIER, BROOKMEYER),
)
INCIDENCE = Metric[StateCells](
    key="activation.incidence_in_window",
    title="Chance of activation within the window",
    question="How likely is a signal to be activated within its window?",
    definition=(
        "Aalen-Johansen cumulative incidence of activation at the end of the window, with suppression and conversion as "
        "competing events. One minus Kaplan-Meier would overstate it."
    ),
    why="It uses the signals still open as well, so it can be read before every window has closed.",
    dimension=Dimension.PROCESS,
    unit=Unit.SHARE,
    direction=Direction.HIGHER,
    rollup=STATE_CELLS,
    interval="delta method, log-log transform",
    owner=OWNER,
    finalise=incidence_in_window,
    cases=LOST,
    references=(AALEN_JOHANSEN,),
)


VALUE_LOST = Metric[StateCells](
    key="activation.value_lost",
    title="Value lost to latency (claimed)",
    question="How much did late and missed signals cost?",
    definition=(
        "Sum over late and missed signals of the value they had at scoring, all of it lost outside the window (step "
        "function). Until a holdout has measured the lift, the value is the model's own expected value: claimed."
    ),
    why="Seconds move nobody; the money that they cost does. Gross revenue would overstate it.",
    dimension=Dimension.BUSINESS,
    unit=Unit.MONEY,
    direction=Direction.LOWER,
    rollup=STATE_CELLS,
    interval="none: a claim has no sampling error",
    owner=OWNER,
    finalise=value_lost,
    cases=DEAREST,
)
SLO_BURN = Metric[DueCells](
    key="activation.slo_burn",
    title="Burn rate of the activation objective",
    question="How fast is the error budget of timely activation being spent?",
    definition=(
        "Share of signals late or missed / (1 - objective), over signals whose answer was due in the window before the "
        "observation end. 1 spends the budget just in time; 14.4 over an hour spends two days of it."
    ),
    why="It tells an outage from a bad habit, early enough to do something.",
    dimension=Dimension.PROCESS,
    unit=Unit.RATIO,
    direction=Direction.LOWER,
    rollup=DUE,
    interval="Wilson",
    owner=OWNER,
    finalise=burn,
    cases=BURNT,
    settings=(OBJECTIVE, WINDOW),
)
_DECLARED = (
    SIGNALS,
    IN_WINDOW,
    _quantile("median", "Median time to activation", "half", 0.5),
    _quantile("p90", "Time to activation of nine in ten", "nine tenths", 0.9),
    _quantile("p95", "Time to activation of 19 in 20", "nineteen twentieths", 0.95),
    EPISODE_MEDIAN,
    INCIDENCE,
    HOP_SECONDS,
    HOP_MEDIAN,
    COMPLETE_CHAINS,
    MANUAL,
    MANUAL_SIGNALS,
    VALUE_LOST,
    FEEDBACK_MEDIAN,
    LOOP_CLOSURE,
    STALENESS_MEDIAN,
    SLO_BURN,
    CHANNEL_CONTINUITY,
    MINUTES_DEGRADED,
)
METRICS = tuple(replace(m, stale_after=FRESH) for m in _DECLARED)  # the family goes stale after two days
ROLLUPS = (STATE_CELLS, EPISODES, STEPS, CHAINS, FEEDBACK, STALENESS, DUE, CONTINUITY, DEGRADED)
