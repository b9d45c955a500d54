"""Metrics of the way: what each hop takes, how much of it waits for a hand, and how outcomes come back."""

from __future__ import annotations

from metrics._activation_cases import BY_HAND
from metrics._activation_continuity import (
    CONTINUITY,
    DEGRADED,
    ContinuityCells,
    DegradedCells,
    continuity,
    minutes_degraded,
)
from metrics._activation_feedback import FEEDBACK, STALENESS, WaitCells
from metrics._activation_figures import (
    complete_chain_share,
    hop_seconds,
    loop_closure,
    manual_share,
    manual_signals_share,
    wait_quantile,
)
from metrics._activation_hop_cells import ChainCells, StepCells
from metrics._activation_hop_times import hop_quantile
from metrics._activation_hops import CHAINS, STEPS
from metrics._activation_hours import HOURS
from metrics.core.metric import Dimension, Direction, Metric, Setting, Unit

OWNER = "initiative owner"

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
HOP_MEDIAN = Metric[StepCells](
    key="activation.hop_median",
    title="Half of the steps into each hop end within",
    question="How long does a step usually take?",
    definition=(
        "Median seconds of the step that ends in the hop, over all steps in order. Where only the start and end of a batch "
        "run are known, and they lie more than a tenth of the window apart, Turnbull's estimator on that interval."
    ),
    why="A mean is moved by a few long waits; the median says what is usual.",
    dimension=Dimension.PROCESS,
    unit=Unit.SECONDS,
    direction=Direction.LOWER,
    rollup=STEPS,
    interval="Kaplan-Meier, log-log transform; Turnbull, likelihood ratio",
    owner=OWNER,
    finalise=hop_quantile(0.5),
    apart=("hop",),
    references=("Turnbull 1976, doi:10.1111/j.2517-6161.1976.tb01597.x",),
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
        "Seconds waiting for a manual hop / seconds from scored to sent, over activated signals with a logged hop; of the "
        "wall clock or of working hours, as `hours` says."
    ),
    why="Manual approval that outlasts the window undoes the model; it must be a choice, not a habit.",
    dimension=Dimension.PROCESS,
    unit=Unit.SHARE,
    direction=Direction.LOWER,
    rollup=CHAINS,
    interval="none: a ratio of sums",
    owner=OWNER,
    finalise=manual_share,
    settings=(HOURS,),
    cases=BY_HAND,
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
    cases=BY_HAND,
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
CHANNEL_CONTINUITY = Metric[ContinuityCells](
    key="activation.channel_continuity",
    title="Signals saved while their channel was down",
    question="When a channel fails, do its signals still reach the person in time by another way?",
    definition=(
        "Of signals scored or due in a quarter of an hour in which their channel was degraded: those activated in their "
        "window through another channel. Degraded: upper Wilson limit of delivered / attempted below 90 %, of 5 attempts or "
        "more, in channels that report deliveries. A signal's channel is that of its first linked activation."
    ),
    why="A provider's outage should cost a detour, not the customer.",
    dimension=Dimension.PROCESS,
    unit=Unit.SHARE,
    direction=Direction.HIGHER,
    rollup=CONTINUITY,
    interval="Wilson",
    owner=OWNER,
    finalise=continuity,
)
MINUTES_DEGRADED = Metric[DegradedCells](
    key="activation.minutes_degraded",
    title="Minutes with a degraded channel",
    question="For how long did a channel fail to deliver?",
    definition=(
        "Minutes in quarters of an hour in which the upper Wilson limit of delivered / attempted lies below 90 %, of 5 "
        "attempts or more, in channels that report deliveries; summed over channels."
    ),
    why="It tells how long signals stood in front of a closed door.",
    dimension=Dimension.PROCESS,
    unit=Unit.NUMBER,
    direction=Direction.LOWER,
    rollup=DEGRADED,
    interval="none: a complete count",
    owner=OWNER,
    finalise=minutes_degraded,
)
