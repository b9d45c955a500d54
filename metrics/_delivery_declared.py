"""The declarations of the delivery measures that read milestones of the warehouse."""

from __future__ import annotations

from functools import partial

from metrics._delivery_changes import CHANGES, ChangeCells, failure_rate, per_week
from metrics._delivery_waits import AGE, WAITS, StepWaits, in_production, median
from metrics.core.estimates import WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

OWNER = "head of delivery"
KAPLAN_MEIER = "Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452"
LOG_LOG = "Kaplan-Meier, log-log transform"

_wait = partial(
    Metric[StepWaits],
    dimension=Dimension.PROCESS,
    rollup=WAITS,
    owner=OWNER,
    references=(KAPLAN_MEIER,),
    min_n=5,
)
_change = partial(Metric[ChangeCells], dimension=Dimension.PROCESS, rollup=CHANGES, owner=OWNER, min_n=10)


def median_of(name: str, step: str, title: str, question: str, why: str) -> Metric[StepWaits]:
    return _wait(
        key=f"delivery.{name}",
        title=title,
        question=question,
        definition=(
            f"Kaplan-Meier median of the time of {step}. What has not ended by the observation end is censored at its age, "
            "never dropped. Not reached when fewer than half have ended."
        ),
        why=why,
        unit=Unit.SECONDS,
        direction=Direction.LOWER,
        interval=LOG_LOG,
        finalise=median(step),
    )


DECLARED = (
    median_of(
        "lead_time_median", "idea to production", "Lead time from idea to production",
        "How long does an idea take until it works in production?",
        "A median over finished ideas alone would hide every idea that is stuck.",
    ),
    median_of(
        "idea_to_pilot_median", "idea to pilot", "Time from idea to pilot",
        "How long does an idea wait until somebody tries it?",
        "It tells waiting for a decision from waiting for the work.",
    ),
    median_of(
        "pilot_to_production_median", "pilot to production", "Time from pilot to production",
        "How long does a pilot run until it goes to production?",
        "This is where most initiatives die without anybody having decided it.",
    ),
    _wait(
        key="delivery.pilots_in_production",
        title="Pilots that reached production",
        question="Of the pilots, how many are in production by a given age?",
        definition=(
            "One less the Kaplan-Meier share still in pilot at the age `days`. Younger pilots count for as long as they were "
            "followed."
        ),
        why="A pilot that outlives its promise costs attention and returns nothing: the pilot trap.",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        interval=LOG_LOG,
        finalise=in_production,
        settings=(AGE,),
    ),
    _change(
        key="delivery.deployments_per_week",
        title="Deployments a week",
        question="How often does something new go live?",
        definition=(
            "(Deployments, failed ones among them, - 1) / weeks between the first and the last of them: the first opens the "
            "stretch and is not counted in it."
        ),
        why="Small and frequent changes are safer than rare large ones, and the loop of learning is as fast as they are.",
        unit=Unit.NUMBER,
        direction=Direction.HIGHER,
        interval="exact Poisson",
        finalise=per_week,
    ),
    _change(
        key="delivery.change_failure_rate",
        title="Deployments that failed",
        question="How many of the deployments broke something?",
        definition="Events deployment_failed / events deployment and deployment_failed; each deployment is one of the two.",
        why="Speed without this number is a risk that nobody has decided to take.",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        interval=WILSON,
        finalise=failure_rate,
    ),
    median_of(
        "time_to_restore_median", "incident to restored", "Time to restore",
        "How long does an incident last until the service works again?",
        "Incidents will happen; how long they last is what a team decides.",
    ),
    median_of(
        "experiment_turnaround_median", "experiment", "Experiment turnaround",
        "How long does an experiment run from its start to its conclusion?",
        "What is learned late is decided without it.",
    ),
)  # fmt: skip
