"""Activation latency: how long intelligence takes to reach a person, and how much of it never does.

Every signal is in exactly one state, so the counts add up to all signals. Signals that were never activated are
censored at their age, never dropped: a median over the activated alone says 226 where 310 is right (`lung`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from metrics._activation_episodes import EPISODES
from metrics._activation_feedback import FEEDBACK, STALENESS, WaitCells
from metrics._activation_figures import (
    complete_chain_share,
    hop_seconds,
    in_window_share,
    incidence_in_window,
    latency,
    loop_closure,
    manual_share,
    manual_signals_share,
    signals,
    value_lost,
    wait_quantile,
)
from metrics._activation_hops import CHAINS, STEPS, ChainCells, StepCells
from metrics._activation_slo import DUE, OBJECTIVE, WINDOW, DueCells, burn
from metrics._activation_states import STATE_CELLS, StateCells
from metrics.core.metric import Dimension, Direction, Metric, Setting, Unit

OWNER = "initiative owner"
KAPLAN_MEIER = "Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452"
BROOKMEYER = "Brookmeyer and Crowley 1982, doi:10.2307/2530286"
AALEN_JOHANSEN = "Aalen and Johansen 1978"
FRESH = dt.timedelta(days=2)


def _quantile(name: str, words: str, p: float) -> Metric[StateCells]:
    """The time by which a share p of signals was activated."""
    return Metric(
        key=f"activation.latency_{name}",
        title=f"Time to activation, {words}",
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
)
EPISODE_MEDIAN = Metric[StateCells](
    key="activation.episode_latency_median",
    title="Time to activation, half, repeated signals as one",
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
)
HOP_SECONDS = Metric[StepCells](
    key="activation.hop_seconds",
    title="Seconds spent in each hop",
    question="Which step between score and person takes the time?",
    definition=(
        "Mean seconds of the step that ends in the hop, over activated signals whose chain is complete: means add up along "
        "the chain, medians do not. Steps out of order by more than 5 s are left out and counted."
    ),
    why="The slowest hop is the one worth mending; the others are not.",
    dimension=Dimension.PROCESS,
    unit=Unit.SECONDS,
    direction=Direction.LOWER,
    rollup=STEPS,
    interval="Student t",
    owner=OWNER,
    finalise=hop_seconds,
    apart=("hop",),
)
COMPLETE_CHAINS = Metric[ChainCells](
    key="activation.complete_chain_share",
    title="Signals whose whole way is logged",
    question="For how many activated signals do we know every step of the way?",
    definition=(
        "Activated signals that have every hop between scored and sent that occurs at all in the slice, none of them out of "
        "order / activated signals."
    ),
    why="A waterfall of the logged few says nothing of the many whose way is not logged.",
    dimension=Dimension.PROCESS,
    unit=Unit.SHARE,
    direction=Direction.HIGHER,
    rollup=CHAINS,
    interval="Wilson",
    owner=OWNER,
    finalise=complete_chain_share,
)
MANUAL = Metric[ChainCells](
    key="activation.manual_share",
    title="Time spent waiting for a manual step",
    question="How much of the way to the person is waiting for somebody's hand?",
    definition=(
        "Seconds waiting for a manual hop / seconds from scored to sent, wall-clock, over activated signals with a logged "
        "hop."
    ),
    why="Manual approval that outlasts the window undoes the model; it must be a choice, not a habit.",
    dimension=Dimension.PROCESS,
    unit=Unit.SHARE,
    direction=Direction.LOWER,
    rollup=CHAINS,
    interval="none: a ratio of sums",
    owner=OWNER,
    finalise=manual_share,
)
MANUAL_SIGNALS = Metric[ChainCells](
    key="activation.manual_signals_share",
    title="Signals with a manual step",
    question="How many signals waited for somebody's hand at least once?",
    definition="Activated signals with at least one manual hop up to sent / activated signals with a logged hop.",
    why="It tells a rare long wait from a short one for everybody.",
    dimension=Dimension.PROCESS,
    unit=Unit.SHARE,
    direction=Direction.LOWER,
    rollup=CHAINS,
    interval="Wilson",
    owner=OWNER,
    finalise=manual_signals_share,
)
FEEDBACK_MEDIAN = Metric[WaitCells](
    key="activation.feedback_median",
    title="Time until an outcome reaches the model",
    question="How long until half of the outcomes have reached the model again?",
    definition=(
        "Kaplan-Meier median of fed back minus converted, seconds, over outcomes of persons with a signal at or before them; "
        "outcomes not yet fed back count as still waiting."
    ),
    why="A model that does not hear what its signals led to cannot learn from them.",
    dimension=Dimension.LEARNING,
    unit=Unit.SECONDS,
    direction=Direction.LOWER,
    rollup=FEEDBACK,
    interval="Kaplan-Meier, log-log transform",
    owner=OWNER,
    finalise=wait_quantile(0.5, "no outcome of a scored person in this scope"),
)
LOOP_CLOSURE = Metric[WaitCells](
    key="activation.loop_closure",
    title="Outcomes that reached the model in time",
    question="How many outcomes reached the model within the days allowed?",
    definition="Share of outcomes fed back within `days` days, one less Kaplan-Meier: the young are censored, not dropped.",
    why="Outcomes that never return leave the model as wise as on its first day.",
    dimension=Dimension.LEARNING,
    unit=Unit.SHARE,
    direction=Direction.HIGHER,
    rollup=FEEDBACK,
    interval="log-log transform",
    owner=OWNER,
    finalise=loop_closure,
    settings=(Setting("days", "30", "days allowed"),),
)
STALENESS_MEDIAN = Metric[WaitCells](
    key="activation.score_staleness_median",
    title="Age of the data behind a score",
    question="How old was the newest data when the score was made?",
    definition="Median of scored_at minus features_as_of, seconds, over signals that name it and are no tests.",
    why="A real-time message sent on a week-old score is not real time.",
    dimension=Dimension.TECHNICAL,
    unit=Unit.SECONDS,
    direction=Direction.LOWER,
    rollup=STALENESS,
    interval="Kaplan-Meier, log-log transform",
    owner=OWNER,
    finalise=wait_quantile(0.5, "no signal names features_as_of"),
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
    settings=(OBJECTIVE, WINDOW),
)
_DECLARED = (
    SIGNALS,
    IN_WINDOW,
    _quantile("median", "half", 0.5),
    _quantile("p90", "nine tenths", 0.9),
    _quantile("p95", "nineteen twentieths", 0.95),
    EPISODE_MEDIAN,
    INCIDENCE,
    HOP_SECONDS,
    COMPLETE_CHAINS,
    MANUAL,
    MANUAL_SIGNALS,
    VALUE_LOST,
    FEEDBACK_MEDIAN,
    LOOP_CLOSURE,
    STALENESS_MEDIAN,
    SLO_BURN,
)
METRICS = tuple(replace(m, stale_after=FRESH) for m in _DECLARED)  # the family goes stale after two days
ROLLUPS = (STATE_CELLS, EPISODES, STEPS, CHAINS, FEEDBACK, STALENESS, DUE)
