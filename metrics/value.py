"""What did the treatment cause? Randomised differences between the arms of an experiment, with intervals.

An arm called `control` or `holdout` is the comparison; every other arm is compared with it. Experiments are
never pooled. The split between the arms is tested first: where it fails, every difference carries a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from metrics._value_arms import (
    ARMS,
    SPLIT,
    Arm,
    exposed_of,
    mean_difference_of,
    mean_of,
    relative_difference_of,
    responder_difference_of,
    srm_of,
    units_of,
)
from metrics._value_arms import SRM_LIMIT as SRM_LIMIT  # noqa: PLC0414 (the card says when it is crossed)
from metrics.core.estimates import NEWCOMBE, WILSON
from metrics.core.metric import Choice, Contrast, Dimension, Direction, Estimate, Metric, Unit

ROLLUPS = (ARMS,)
OWNER = "initiative owner"
COMPARISON = ("control", "holdout")
WELCH_1947 = "Welch 1947, doi:10.1093/biomet/34.1-2.28"
FIELLER_1954 = "Fieller 1954, doi:10.1111/j.2517-6161.1954.tb00159.x"
NEWCOMBE_1998 = "Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"
SRM_2019 = "Fabijan et al. 2019, Diagnosing sample ratio mismatch, doi:10.1145/3292500.3330722"

_effect = partial(  # compares each treated arm of an experiment with its comparison arm
    Metric[Arm],
    dimension=Dimension.BUSINESS,
    direction=Direction.HIGHER,
    rollup=ARMS,
    owner=OWNER,
    apart=("experiment_id",),
    settings=(SPLIT,),
)
_level = partial(  # speaks of the units themselves
    Metric[Arm], dimension=Dimension.BUSINESS, direction=Direction.NEITHER, rollup=ARMS, owner=OWNER
)


def _against(compare: Callable[[Arm, Arm, Choice], Estimate]) -> Contrast[Arm]:
    return Contrast("arm", compare, lambda arm: arm.units, COMPARISON, every=True)


METRICS = (
    _effect(
        key="value.mean_difference",
        title="Value caused per unit",
        question="How much more does a treated unit bring than one left alone?",
        definition=(
            "Mean outcome of the treated arm - mean outcome of the comparison arm, units as assigned, with "
            "an outcome."
        ),
        why=(
            "Only the difference to people left alone was caused by the treatment; the rest would have come"
            " anyway."
        ),
        unit=Unit.MONEY,
        interval="Welch t",
        contrast=_against(mean_difference_of),
        references=(WELCH_1947,),
    ),
    _effect(
        key="value.responder_difference",
        title="Extra share of responders caused",
        question="How many more of the treated responded than of those left alone?",
        definition=(
            "Share of units with an outcome above 0 in the treated arm - the same share in the comparison "
            "arm."
        ),
        why="It says whether value came from more people responding or from a few large amounts.",
        unit=Unit.SHARE,
        interval=NEWCOMBE,
        contrast=_against(responder_difference_of),
        references=(NEWCOMBE_1998,),
    ),
    _effect(
        key="value.relative_difference",
        title="Value caused, relative to doing nothing",
        question="By what share does the treatment raise the outcome?",
        definition=(
            "(Mean outcome of the treated arm - mean of the comparison arm) / mean of the comparison arm."
        ),
        why=(
            "A lift in per cent can be compared between campaigns of different size, and carried over with "
            "care."
        ),
        unit=Unit.SHARE,
        interval="Fieller",
        contrast=_against(relative_difference_of),
        references=(FIELLER_1954,),
    ),
    _effect(
        key="value.srm_p_value",
        title="Was the split between arms as registered?",
        question="Were units assigned to the arms in the shares that were registered?",
        definition=(
            "P value of a chi-square test, 1 degree of freedom, of the units in each arm against "
            "`expected_split`."
        ),
        why=(
            "A broken split (p < 0.001) means that the arms are not comparable, and every difference above "
            "is suspect."
        ),
        unit=Unit.P_VALUE,
        interval="none: a p value",
        contrast=_against(srm_of),
        references=(SRM_2019,),
    ),
    _level(
        key="value.arm_mean",
        title="Average outcome of an arm",
        question="What does a unit of each arm bring on average?",
        definition="Sum of outcomes / units with an outcome, for each arm of an experiment.",
        why=(
            "It is gross: it includes what would have come anyway. It stands here to show what the "
            "difference is made of."
        ),
        unit=Unit.MONEY,
        interval="Student t",
        finalise=mean_of,
        apart=("experiment_id", "arm"),
    ),
    _level(
        key="value.exposed_share",
        title="Units that really met the treatment",
        question="Of those assigned to an arm, how many were really reached?",
        definition="Units with a time of exposure / all units, for each arm of an experiment.",
        why=(
            "The effect is measured on everyone assigned; where few were reached, a small effect may hide a"
            " large one."
        ),
        unit=Unit.SHARE,
        interval=WILSON,
        finalise=exposed_of,
        apart=("experiment_id", "arm"),
    ),
    _level(
        key="value.units",
        title="Units in the experiment",
        question="How many units took part?",
        definition="Units assigned to any arm of the experiment, with or without an outcome.",
        why="Too few units cannot show an effect that is there, however long one looks.",
        unit=Unit.COUNT,
        interval="none: a complete count",
        finalise=units_of,
        apart=("experiment_id",),
        min_n=1,
    ),
)
