"""Learning: what is shared and handed on, who is trained, how fast trials conclude, and whether conclusions change anything."""

from __future__ import annotations

from functools import partial

from metrics._learning_cadence import (
    CONCLUSIONS,
    GAPS,
    GRACE,
    PLANNED,
    ConcludedCells,
    GapCells,
    PlannedCells,
    interval,
    on_plan,
    per_quarter,
)
from metrics._learning_events import (
    COMPONENTS,
    TRAININGS,
    TRANSFERS,
    ComponentCells,
    TrainingCells,
    TransferCells,
    coverage,
    reuse,
    transfers,
)
from metrics._learning_ledger import CONCLUDED, PROMISES, Conclusions, Promises, changed, promised
from metrics.core.estimates import WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

ROLLUPS = (COMPONENTS, TRANSFERS, TRAININGS, CONCLUSIONS, GAPS, PLANNED, PROMISES, CONCLUDED)
OWNER = "head of delivery"
_promise = partial(
    Metric[Promises], dimension=Dimension.LEARNING, unit=Unit.SHARE, direction=Direction.HIGHER, rollup=PROMISES,
    interval=WILSON, owner=OWNER, min_n=5,
)  # fmt: skip

METRICS = (
    Metric[ComponentCells](
        key="learning.component_reuse",
        title="Components used more than once",
        question="Of what was built to be shared, how much do two initiatives or more use?",
        definition=(
            "Components that at least two initiatives published or reused / components that any published or reused. An event "
            "that names no initiative makes a component known, not used."
        ),
        why="The second initiative pays for the platform; where nothing is reused every initiative is the first one.",
        dimension=Dimension.LEARNING,
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        rollup=COMPONENTS,
        interval=WILSON,
        owner=OWNER,
        finalise=reuse,
        min_n=5,
    ),
    _promise(
        key="learning.milestones_on_time",
        title="Capability milestones reached on time",
        question="Of the abilities that were promised by a day, how many were there by then?",
        definition=(
            "Active milestones of kind capability reached no later than promised / those whose day has passed or that were "
            "reached. What was promised and never reached counts as not on time."
        ),
        why="An ability that comes late holds up everything that was planned on top of it.",
        finalise=promised("abilities", "abilities_kept", "capability milestone"),
    ),
    _promise(
        key="learning.steps_on_time",
        title="Pilots and launches on time",
        question="Of the pilots and launches promised by a day, how many were there by then?",
        definition=(
            "Active milestones of kind pilot or production reached no later than promised / those whose day has passed or that "
            "were reached. A promise that was retired no longer counts."
        ),
        why="A pilot that outlives its promise is the trap; how often that happens says how much a promise is worth here.",
        finalise=promised("steps", "steps_kept", "milestone of a pilot or a launch"),
    ),
    Metric[TrainingCells](
        key="learning.training_coverage",
        title="Training completed",
        question="Of the trainings assigned to people, how many were completed?",
        definition=(
            "Pairs of training and person assigned and completed by the observation end / pairs assigned. Completed before it "
            "was assigned counts too; rows without a person cannot be matched and are left out."
        ),
        why="A tool handed out without training is overridden, ignored, or trusted where it should not be.",
        dimension=Dimension.LEARNING,
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        rollup=TRAININGS,
        interval=WILSON,
        owner=OWNER,
        finalise=coverage,
    ),
    Metric[TransferCells](
        key="learning.knowledge_transfers",
        title="Knowledge transfers",
        question="How often was knowledge handed on from one team to another?",
        definition="Count of events knowledge_transfer; broken down by subject it says what was handed on.",
        why="What only one team knows leaves with it.",
        dimension=Dimension.LEARNING,
        unit=Unit.COUNT,
        direction=Direction.HIGHER,
        rollup=TRANSFERS,
        interval="none: a complete count",
        owner=OWNER,
        finalise=transfers,
        min_n=1,
    ),
    Metric[ConcludedCells](
        key="learning.experiments_per_quarter",
        title="Experiments concluded a quarter",
        question="How many experiments reach a conclusion in a quarter?",
        definition=(
            "(Experiments concluded - 1) / quarters of 91.3 days between the first and the last conclusion: the first opens "
            "the stretch and is not counted in it."
        ),
        why="A company learns as fast as its trials conclude, whatever they conclude.",
        dimension=Dimension.LEARNING,
        unit=Unit.NUMBER,
        direction=Direction.HIGHER,
        rollup=CONCLUSIONS,
        interval="exact Poisson",
        owner=OWNER,
        finalise=per_quarter,
        min_n=5,
    ),
    Metric[Conclusions](
        key="learning.conclusions_used",
        title="Conclusions that changed a decision",
        question="Of the trials that concluded, how many made somebody decide otherwise?",
        definition=(
            "Conclusions in the ledger whose effect is that a decision was changed / all conclusions; those that confirmed a "
            "decision or left it open are in the denominator."
        ),
        why="If no trial ever changes anything, the decisions were made beforehand and the trials are decoration.",
        dimension=Dimension.LEARNING,
        unit=Unit.SHARE,
        direction=Direction.NEITHER,
        rollup=CONCLUDED,
        interval=WILSON,
        owner="council chair",
        finalise=changed,
        min_n=5,
    ),
    Metric[GapCells](
        key="learning.retraining_interval",
        title="Time between retrainings",
        question="How long does a model go without being retrained?",
        definition=(
            "Kaplan-Meier median of the time from one retraining of a model to its next. The time since the last one is "
            "censored at the observation end. Its plan is its target: at most so many days."
        ),
        why="A model that was to be retrained every two months and is not, decays in silence.",
        dimension=Dimension.LEARNING,
        unit=Unit.SECONDS,
        direction=Direction.LOWER,
        rollup=GAPS,
        interval="Kaplan-Meier, log-log transform",
        owner="model owner",
        finalise=interval,
        min_n=5,
    ),
    Metric[PlannedCells](
        key="learning.retraining_on_plan",
        title="Retrainings done by their planned day",
        question="Of the retrainings that had a planned day, how many were done by it?",
        definition=(
            "Events retrained on or before the calendar day of planned_at plus the days of grace / events retrained that have "
            "a planned_at. A retraining that was never done is seen in the time between retrainings."
        ),
        why="A plan for retraining that is not kept is a plan to be surprised.",
        dimension=Dimension.LEARNING,
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        rollup=PLANNED,
        interval=WILSON,
        owner="model owner",
        finalise=on_plan,
        settings=(GRACE,),
        min_n=5,
    ),
)  # fmt: skip
