"""Do the model's mistakes and choices fall evenly on groups of people? Rates, differences, ratios by group.

Rates that need an outcome use labelled decisions only; the selection rate uses every decision.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from metrics._fairness_intersections import INTERSECTIONS
from metrics._fairness_rates import (
    DECISIONS,
    FALSE_POSITIVE,
    RATES,
    SELECTION,
    Confusion,
    Rate,
)
from metrics._fairness_scores import SCORE_GAPS
from metrics._model_labels import COHORTS
from metrics.core.cohorts import matured
from metrics.core.estimates import KOOPMAN, NEWCOMBE, WILSON, share, share_difference, share_ratio
from metrics.core.metric import (
    ATTRIBUTES,
    INTERSECTION,
    Choice,
    Contrast,
    Dimension,
    Direction,
    Estimate,
    Metric,
    Setting,
    Unit,
)

ROLLUPS = (DECISIONS, INTERSECTIONS)
OWNER = "model owner"
FEW = 30
BILLION = 10**9
REFERENCE = Setting("reference", "", "group to compare with; empty is the largest group")
HIGHEST = Setting(
    "reference", "", f"group to compare with; empty is the one selected most, of {FEW} decisions or more"
)
WILSON_1927 = "Wilson 1927, doi:10.1080/01621459.1927.10502953"
NEWCOMBE_1998 = "Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"
KOOPMAN_1984 = "Koopman 1984, doi:10.2307/2531405"
GUIDELINES = "Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4(D)"
PROPUBLICA = (
    "Larson, Mattu, Kirchner and Angwin 2016, How we analyzed the COMPAS recidivism algorithm, ProPublica"
)


def _undecided(cells: Confusion) -> tuple[str, ...]:
    lost = cells.total - cells.decided
    return (f"{lost:,} predictions have neither a decision nor a threshold and are left out",) if lost else ()


_metric = partial(  # a technical metric of decisions, answered for each model apart
    Metric[Confusion], dimension=Dimension.TECHNICAL, rollup=DECISIONS, owner=OWNER, apart=("model_id",)
)


def _rate(rate: Rate) -> Metric[Confusion]:
    def finalise(cells: Confusion, _: Choice) -> Estimate:
        return share(*rate.parts(cells), rate.nothing(cells), _undecided(cells))

    return _metric(
        key=f"fairness.{rate.name}",
        title=rate.title,
        question=rate.question,
        definition=rate.definition,
        why=rate.why,
        unit=Unit.SHARE,
        direction=rate.direction,
        interval=WILSON,
        finalise=finalise,
        references=(WILSON_1927, PROPUBLICA),
    )


def _why_none(rate: Rate, group: Confusion, reference: Confusion) -> str:
    if rate.denominator(group) == 0:
        return rate.nothing(group)
    return "the reference group: " + rate.nothing(reference)


def _difference(rate: Rate) -> Metric[Confusion]:
    def compare(group: Confusion, reference: Confusion, _: Choice) -> Estimate:
        return share_difference(rate.parts(group), rate.parts(reference), _why_none(rate, group, reference))

    return _metric(
        key=f"fairness.{rate.name}_difference",
        title=f"{rate.short}: gap between groups",
        question=f"{rate.short}: how much more often in one group than in another?",
        definition=f"Rate in a group - rate in the reference group; 0 is even. {rate.worded}",
        why=rate.why,
        unit=Unit.SHARE,
        direction=Direction.NEITHER,
        interval=NEWCOMBE,
        contrast=Contrast(ATTRIBUTES, compare, rate.denominator),
        settings=(REFERENCE,),
        references=(NEWCOMBE_1998,),
    )


def _far_from_one(ratio: float) -> float:
    """Badness of a ratio: half and double are equally far from even."""
    return max(ratio, 1 / ratio) if ratio > 0 else float("inf")


def _compare_ratio(rate: Rate) -> Callable[[Confusion, Confusion, Choice], Estimate]:
    def compare(group: Confusion, reference: Confusion, _: Choice) -> Estimate:
        return share_ratio(rate.parts(group), rate.parts(reference), _why_none(rate, group, reference))

    return compare


def _ratio(rate: Rate) -> Metric[Confusion]:
    return _metric(
        key=f"fairness.{rate.name}_ratio",
        title=f"{rate.short}: ratio between groups",
        question=f"{rate.short}: how many times as often in one group as in another?",
        definition=f"Rate in a group / rate in the reference group; 1 is even. {rate.worded}",
        why=rate.why,
        unit=Unit.RATIO,
        direction=Direction.NEITHER,
        interval=KOOPMAN,
        contrast=Contrast(ATTRIBUTES, _compare_ratio(rate), rate.denominator, badness=_far_from_one),
        settings=(REFERENCE,),
        references=(KOOPMAN_1984,),
    )


def _most_selected(cells: Confusion) -> int:
    """Orders groups so that the rule's reference, the group selected most, is first; a handful never is."""
    if cells.decided < FEW:
        return cells.decided
    return FEW + round(BILLION * cells.flagged / cells.decided)


FOUR_FIFTHS = _metric(
    key="fairness.four_fifths",
    title="Four-fifths rule: lowest selection ratio",
    question="Is every group selected at least four fifths as often as the group selected most?",
    definition=(
        "Selection rate of a group / selection rate of the group where it is highest, of those with 30 "
        "decisions or more. The rate: flagged / all with a decision. The lowest ratio counts; the target of "
        "0.8 is judged on its interval."
    ),
    why=(
        "Below four fifths, United States guidance takes adverse impact as shown until the employer explains "
        "it."
    ),
    unit=Unit.RATIO,
    direction=Direction.HIGHER,
    interval=KOOPMAN,
    contrast=Contrast(ATTRIBUTES, _compare_ratio(SELECTION), _most_selected, badness=lambda ratio: -ratio),
    settings=(HIGHEST,),
    references=(GUIDELINES, KOOPMAN_1984),
)


def _crossed(rate: Rate) -> Metric[Confusion]:
    """A rate's gap between intersections of two attributes."""

    def compare(group: Confusion, reference: Confusion, _: Choice) -> Estimate:
        return share_difference(rate.parts(group), rate.parts(reference), _why_none(rate, group, reference))

    return _intersecting(
        key=f"fairness.intersection_{rate.name}_difference",
        title=f"{rate.short}: gap between intersections",
        question=f"{rate.short}: how much more often where two attributes meet than in the largest such group?",
        definition=f"Rate in an intersection of two attributes - rate in the reference one; 0 is even. {rate.worded}",
        why="A rule can be even by age and even by region, and still fail the old of one region.",
        unit=Unit.SHARE,
        direction=Direction.NEITHER,
        interval=NEWCOMBE,
        contrast=Contrast(INTERSECTION, compare, rate.denominator),
        settings=(REFERENCE,),
        references=(NEWCOMBE_1998, FOULDS),
    )


FOULDS = "Foulds et al. 2020, doi:10.1109/ICDE48307.2020.00203"
_intersecting = partial(
    Metric[Confusion], dimension=Dimension.TECHNICAL, rollup=INTERSECTIONS, owner=OWNER, apart=("model_id", "attributes"),
)  # fmt: skip
CROSSED_FIFTHS = _intersecting(
    key="fairness.intersection_four_fifths",
    title="Four-fifths rule where attributes meet",
    question="Is every intersection of two attributes selected at least four fifths as often as the most selected one?",
    definition=(
        "Selection rate of an intersection of two attributes / selection rate of the one where it is highest, of those "
        "with 30 decisions or more. The lowest ratio counts; groups of fewer than 10 are not shown."
    ),
    why="Harm gathers where two disadvantages meet, and no table of one attribute at a time can show it.",
    unit=Unit.RATIO,
    direction=Direction.HIGHER,
    interval=KOOPMAN,
    contrast=Contrast(INTERSECTION, _compare_ratio(SELECTION), _most_selected, badness=lambda ratio: -ratio),
    settings=(HIGHEST,),
    references=(GUIDELINES, KOOPMAN_1984, FOULDS),
)

REALISED = tuple(r for r in RATES if r is not SELECTION)  # rates that need an outcome
METRICS = (
    *(matured(_rate(rate), COHORTS) for rate in REALISED),
    *(matured(_difference(rate), COHORTS) for rate in REALISED),
    *(matured(_ratio(rate), COHORTS) for rate in REALISED),
    *(made(SELECTION) for made in (_rate, _difference, _ratio)),
    FOUR_FIFTHS,
    *(matured(gap, COHORTS) for gap in SCORE_GAPS),
    CROSSED_FIFTHS,
    matured(_crossed(FALSE_POSITIVE), COHORTS),
    _crossed(SELECTION),
)
