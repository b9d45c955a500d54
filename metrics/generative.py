"""Does the text that models write hold up? Human verdicts, and what a judge model adds once it has been judged itself.

A judge's raw rate is never a headline: it is corrected for the judge's own faults, and its agreement with humans is told
beside it.
"""

from __future__ import annotations

from functools import partial

from metrics._generative_figures import (
    alpha_of,
    corrected_of,
    human_rate,
    judged_of,
    kappa_of,
    powered_of,
    sensitivity_of,
    specificity_of,
)
from metrics._generative_reviews import VERDICTS, Reviewed
from metrics.core.estimates import WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

ROLLUPS = (VERDICTS,)
OWNER = "model owner"
EFFECTIVE = "Wilson, effective number of items"

_metric = partial(
    Metric[Reviewed],
    dimension=Dimension.TECHNICAL,
    rollup=VERDICTS,
    owner=OWNER,
    unit=Unit.SHARE,
    apart=("model_id",),
)
_rubric = partial(_metric, apart=("model_id", "rubric"))


KORN = "Korn and Graubard 1998, Survey Methodology 24:193"
WILSON_1927 = "Wilson 1927, doi:10.1080/01621459.1927.10502953"


def _rate(
    name: str, title: str, question: str, marked: str, why: str, direction: Direction
) -> Metric[Reviewed]:
    return _metric(
        key=f"generative.{name}_rate",
        title=title,
        question=question,
        definition=f"Items that human reviewers found {marked} / items they reviewed, each by its sampling weight.",
        why=why,
        direction=direction,
        finalise=human_rate(name),
        interval=EFFECTIVE,
        references=(WILSON_1927, KORN),
    )


HALLUCINATION = _rate(
    "hallucination", "Answers that invent facts (hallucination)", "How many answers state what is not so?",
    "to state what is not so", "One invented fact in front of a customer costs more trust than many dull answers earn.",
    Direction.LOWER,
)  # fmt: skip
GROUNDEDNESS = _rate(
    "groundedness", "Answers that their sources bear out (groundedness)", "How many answers rest on the sources given?",
    "borne out by their sources", "An answer that cannot be traced cannot be defended, even where it happens to be right.",
    Direction.HIGHER,
)  # fmt: skip
CORRECTNESS = _rate(
    "correctness", "Answers that are right (correctness)", "How many answers are right?", "right",
    "It is what the reader came for.", Direction.HIGHER,
)  # fmt: skip
OVERRIDE = _rate(
    "override", "Answers that people replaced (override)", "How many answers did people throw away for their own?",
    "replaced by their own", "People vote with their hands: what they replace has not helped them.", Direction.LOWER,
)  # fmt: skip
CORRECTED = _rubric(
    key="generative.corrected_rate",
    title="Judge's rate, corrected (Rogan-Gladen)",
    question="How many items does the rubric truly apply to, once the judge's own errors are taken out?",
    definition=(
        "(Rate the judge reports + specificity - 1) / (sensitivity + specificity - 1), with both learned from the items "
        "that humans read too, all by sampling weight."
    ),
    why="A judge reads everything and errs in its own way; uncorrected, its rate measures the judge.",
    direction=Direction.NEITHER,
    finalise=corrected_of,
    interval="Lang and Reiczigel 2014",
    references=(
        "Rogan and Gladen 1978, doi:10.1093/oxfordjournals.aje.a112510",
        "Lang and Reiczigel 2014, doi:10.1016/j.prevetmed.2013.09.015",
    ),
)
POWERED = _rubric(
    key="generative.prediction_powered_rate",
    title="Human rate, sharpened by the judge",
    question="How many items does the rubric apply to, by human verdict, with what the judge can add?",
    definition=(
        "Human rate + weight x (judge's rate on items only it read - judge's rate on the human's items); the weight is "
        "the one of least variance. The judge's faults cancel."
    ),
    why="It is as sound as human review alone, and tighter where the judge is any good.",
    direction=Direction.NEITHER,
    finalise=powered_of,
    interval=EFFECTIVE,
    references=("Angelopoulos et al. 2023, doi:10.1126/science.adi6000", "Angelopoulos, Duchi and Zrnic 2023, arXiv:2311.01453"),
)  # fmt: skip
JUDGED = _rubric(
    key="generative.judged_rate",
    title="Rate as the judge reports it",
    question="How many items does the judge model mark?",
    definition="Items the judge marked / items it read, each by its sampling weight. Not corrected for its errors.",
    why="It is the raw material of the corrected rate and no more: alone it must not be acted on.",
    direction=Direction.NEITHER,
    finalise=judged_of,
    interval=EFFECTIVE,
    references=(KORN,),
)
SENSITIVITY = _rubric(
    key="generative.judge_sensitivity",
    title="What the judge finds (sensitivity)",
    question="Of the items that humans mark, how many does the judge mark too?",
    definition="Items that human and judge marked / items that humans marked and the judge read.",
    why="What the judge overlooks nobody will see, for nobody reads what it let pass.",
    direction=Direction.HIGHER,
    finalise=sensitivity_of,
    interval=WILSON,
    references=(WILSON_1927,),
)
SPECIFICITY = _rubric(
    key="generative.judge_specificity",
    title="What the judge rightly passes (specificity)",
    question="Of the items that humans let pass, how many does the judge let pass?",
    definition="Items that human and judge let pass / items that humans let pass and the judge read.",
    why="Where good answers are many, a few false marks in a hundred drown the true ones.",
    direction=Direction.HIGHER,
    finalise=specificity_of,
    interval=WILSON,
    references=(WILSON_1927,),
)
KAPPA = _rubric(
    key="generative.judge_kappa",
    title="Judge and human agree, beyond chance (kappa)",
    question="How well does the judge agree with humans, beyond what chance gives?",
    definition="Cohen's kappa of the human's and the judge's verdict on items read by both; 1 is full, 0 is chance.",
    why="A falling kappa says that the judge has changed, before its rates do harm.",
    unit=Unit.SCORE,
    direction=Direction.HIGHER,
    finalise=kappa_of,
    interval="Fleiss, Cohen and Everitt 1969",
    references=(
        "Cohen 1960, doi:10.1177/001316446002000104",
        "Fleiss, Cohen and Everitt 1969, doi:10.1037/h0028106",
    ),
)
ALPHA = _rubric(
    key="generative.reviewer_agreement",
    title="Human reviewers agree (Krippendorff's alpha)",
    question="Do human reviewers mean the same by the rubric?",
    definition="Krippendorff's alpha of yes-or-no verdicts on items that two humans or more reviewed; 1 is full, 0 is chance.",
    why="Where people do not agree there is no truth to hold a model to: the rubric must be mended first.",
    unit=Unit.SCORE,
    direction=Direction.HIGHER,
    finalise=alpha_of,
    interval="Poisson bootstrap of the items",
    references=(
        "Krippendorff 2004, Content Analysis, ISBN 978-0-7619-1545-4",
        "Hayes and Krippendorff 2007, doi:10.1080/19312450709336664",
    ),
)

METRICS = (
    HALLUCINATION, GROUNDEDNESS, CORRECTNESS, OVERRIDE, CORRECTED, POWERED, SENSITIVITY, SPECIFICITY, KAPPA, JUDGED, ALPHA,
)  # fmt: skip
