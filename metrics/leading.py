"""Leading indicators: what says early whether an initiative will arrive. Alignment, data, engagement, preparation."""

from __future__ import annotations

from functools import partial
from typing import Any

from metrics._leading_ledger import CHECKS, READY_DATA, SEATS, data_ready, prepared, turnout
from metrics._leading_survey import ANSWERS, alignment, heard
from metrics.core.estimates import WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

ROLLUPS = (ANSWERS, READY_DATA, SEATS, CHECKS)
KRIPPENDORFF = "Krippendorff 2004, Content Analysis, 2nd edition, chapter 11"
_sign = partial(
    Metric[Any],
    dimension=Dimension.PROCESS,
    direction=Direction.HIGHER,
    unit=Unit.SHARE,
    interval=WILSON,
    min_n=5,
)

METRICS = (
    _sign(
        key="leading.alignment",
        title="Technical and business alignment",
        question="Do the technical and the business side say the same of the same initiative?",
        definition=(
            "Krippendorff's alpha on the ordinal scale between the median answer of the technical side and that of the business "
            "side to the same question of the same survey on the same initiative. 1 is agreement, 0 is chance, below 0 is "
            "contradiction. Questions that one side alone answered are left out."
        ),
        why="Where the builders see success and the users do not, the number to mend is not in the model.",
        dimension=Dimension.LEARNING,
        unit=Unit.SCORE,
        rollup=ANSWERS,
        interval="bootstrap of the questions",
        owner="council chair",
        finalise=alignment,
        references=(KRIPPENDORFF,),
        min_n=10,
    ),
    _sign(
        key="leading.both_sides_heard",
        title="Surveys answered by both sides",
        question="Of the surveys about an initiative, how many were answered by both sides?",
        definition="Pairs of survey and initiative answered by the technical and by the business side / pairs answered by any.",
        why="Silence of one side is the earliest sign that it has stopped caring.",
        dimension=Dimension.LEARNING,
        rollup=ANSWERS,
        owner="council chair",
        finalise=heard,
    ),
    _sign(
        key="leading.council_turnout",
        title="Council seats that voted",
        question="Of the seats asked to decide, how many did?",
        definition=(
            "Votes cast in decided gate reviews, abstentions and recusals among them / seats frozen at the opening of these "
            "reviews."
        ),
        why="Sponsors who stop coming have already decided, and nobody has written it down.",
        rollup=SEATS,
        owner="council chair",
        finalise=turnout,
    ),
    _sign(
        key="leading.data_readiness",
        title="Data contracts kept",
        question="Of the data that initiatives rely on, how much is as promised today?",
        definition=(
            "Data contracts in force of which every promise is kept today / all in force. A contract that cannot be measured "
            "counts as not kept. They are measured as they are now, not as they were."
        ),
        why="An initiative built on data that nobody promised finds out in production.",
        dimension=Dimension.TECHNICAL,
        rollup=READY_DATA,
        owner="data steward",
        finalise=data_ready,
    ),
    _sign(
        key="leading.integration_prepared",
        title="Preparation for running",
        question="Of what an initiative needs to run and to be stopped, how much is there?",
        definition=(
            "Checks passed / checks, eight for each initiative past its hypothesis: rollback plan, rollback tested within 180 "
            "days, runbook, somebody on call, latency budget, cost budget, model card, review not overdue."
        ),
        why="What is not prepared before the launch is improvised during the first incident.",
        rollup=CHECKS,
        owner="head of delivery",
        finalise=prepared,
    ),
)  # fmt: skip
