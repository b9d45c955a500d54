"""The chain: where value is lost between a model's signal and the money it brings.

Every signal that merited action is at exactly one link, so the links add up to the potential in counts and in money.
Money is measured against the holdout; where there is none it is the model's own claim, and the two are never added.
"""

from __future__ import annotations

from functools import partial

from metrics._chain_costs import COSTS, NET, CostCells, NetCells
from metrics._chain_figures import (
    CLOSED,
    LEFT,
    LINK,
    attributed_value,
    converted_share,
    cost,
    lost_value,
    merited,
    misallocation,
    net_value,
    potential_value,
    reached_share,
    recoverable_value,
    worth,
)
from metrics._chain_line import LineCells
from metrics._chain_rows import FOLLOW_DAYS, LINE
from metrics.core.estimates import WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

ROLLUPS = (LINE, COSTS, NET)
OWNER = "initiative owner"
WALD_1940 = "Angrist, Imbens and Rubin 1996, doi:10.1080/01621459.1996.10476902"
MOVER = "Zou and Donner 2008, doi:10.1002/sim.3095"
DELTA = "delta method, Welch degrees of freedom; none where the value is claimed"

_line = partial(
    Metric[LineCells], dimension=Dimension.BUSINESS, rollup=LINE, owner=OWNER, references=(WALD_1940, MOVER)
)
_net = partial(Metric[NetCells], dimension=Dimension.BUSINESS, rollup=NET, owner=OWNER)

METRICS = (
    _line(
        key="chain.recoverable_value",
        title="Recoverable value at the constraint",
        question="What would return if the link that loses most were closed, and the others stayed as they are?",
        definition=(
            "Units lost at a link, less the share `left` of those coming to it, x the share that passes the later links x "
            "the worth of a reached signal. The link is the one with the largest such value, unless `link` names another."
        ),
        why="Only work at the constraint brings money; work anywhere else moves the loss further down the line.",
        unit=Unit.MONEY,
        direction=Direction.LOWER,
        interval=DELTA,
        finalise=recoverable_value,
        settings=(CLOSED, LEFT),
    ),
    _line(
        key="chain.attributed_value",
        title="Attributed value of the chain",
        question="How much money did the signals bring that would not have come anyway?",
        definition=(
            "Units reached in their window x the worth of a reached signal, over the models with a holdout. Claimed values "
            "of models without one are named beside it and never added."
        ),
        why="It is the end of the chain: everything before it is cost until somebody is reached and moved.",
        unit=Unit.MONEY,
        direction=Direction.HIGHER,
        interval=DELTA,
        finalise=attributed_value,
    ),
    _line(
        key="chain.potential_value",
        title="Potential value of the signals",
        question="What could the signals that merited action have brought, had all of them reached somebody in time?",
        definition=(
            "Units of all links x the worth of a reached signal. A unit is a signal that repeats none of the same person and "
            "model within its window. Where no model has a holdout: the sum of the models' own expected values, claimed."
        ),
        why="It is the size of the prize, and the line against which every loss of the chain is measured.",
        unit=Unit.MONEY,
        direction=Direction.NEITHER,
        interval=DELTA,
        finalise=potential_value,
    ),
    _line(
        key="chain.lost_value",
        title="Value lost along the chain",
        question="How much of the potential is lost to identity, integration, latency and delivery?",
        definition=(
            "Units lost to identity, integration (missed), latency (late) and delivery (failed or bounced) x the worth of a "
            "reached signal. What was withheld rightly or is not decided yet is no loss."
        ),
        why="A good model in a leaking line earns nothing; this is the leak in money.",
        unit=Unit.MONEY,
        direction=Direction.LOWER,
        interval=DELTA,
        finalise=lost_value,
    ),
    _line(
        key="chain.worth",
        title="Worth of a reached signal",
        question="What does a signal bring that reaches its person in time?",
        definition=(
            f"(Mean revenue of treated units - mean revenue of held-out units, {FOLLOW_DAYS} days from scoring, both followed "
            "to the end) / share of treated units reached in their window. Revenue counts once, for the latest signal; "
            "churn and reversed outcomes do not count."
        ),
        why="It turns counts of lost signals into money without counting what would have come anyway.",
        unit=Unit.MONEY,
        direction=Direction.HIGHER,
        interval="delta method, Welch degrees of freedom",
        finalise=worth,
        apart=("model_id",),
    ),
    _line(
        key="chain.signals",
        title="Signals that merited action",
        question="How many signals merited action, and at which link of the chain is each of them?",
        definition=(
            "Signals to be activated or held out, tests apart. Each is at one link: identity, integration, latency, held out, "
            "suppressed, bought first, clocks disagree, open, delivery or reached. `link` counts one of them."
        ),
        why="The links add up to all signals, so no loss can hide between two of them.",
        dimension=Dimension.PROCESS,
        unit=Unit.COUNT,
        direction=Direction.NEITHER,
        interval="none: a complete count",
        finalise=merited,
        settings=(LINK,),
        references=(),
    ),
    _line(
        key="chain.reached_share",
        title="Signals that reached their person",
        question="Of the signals that could have reached somebody in time, how many did?",
        definition=(
            "Reached in window / (reached in window + lost to identity, integration, latency or delivery). A signal is reached "
            "when some message sent in its window neither failed nor bounced."
        ),
        why="It is the yield of the whole line, from score to person, in one number.",
        dimension=Dimension.PROCESS,
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        interval=WILSON,
        finalise=reached_share,
        references=(),
    ),
    _line(
        key="chain.converted_share",
        title="Reached signals followed by a conversion",
        question="Of the signals that reached their person, how many were followed by a conversion?",
        definition=(
            f"Units reached in window with a conversion within {FOLLOW_DAYS} days of scoring / units reached in window. Each "
            "outcome counts once, for the latest signal; churn and reversed outcomes do not count."
        ),
        why="It is gross: some would have converted anyway. It shows where people stop, not what was caused.",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        interval=WILSON,
        finalise=converted_share,
    ),
    Metric[CostCells](
        key="chain.cost",
        title="Total cost of ownership",
        question="What has been spent in this period?",
        definition=(
            "Sum of costs: build, run, licence, compute, message, maintenance, oversight, training, risk and exit, by the day "
            "that each cost belongs to."
        ),
        why="Value without its cost is half a sentence.",
        dimension=Dimension.BUSINESS,
        unit=Unit.MONEY,
        direction=Direction.LOWER,
        rollup=COSTS,
        interval="none: a complete sum",
        owner=OWNER,
        finalise=cost,
        min_n=1,
    ),
    _net(
        key="chain.net_value",
        title="Net value of the chain",
        question="What remains of the attributed value when everything spent in the same days is paid?",
        definition=(
            "Attributed value of the chain - total cost of ownership, over the same days; the cost of initiatives "
            "without a chain counts too."
        ),
        why="It is the last bar of the waterfall, and the only one that pays for anything.",
        unit=Unit.MONEY,
        direction=Direction.HIGHER,
        interval=DELTA,
        finalise=net_value,
    ),
    _net(
        key="chain.misallocation",
        title="Money spent beside the losses",
        question="How far does the spending by layer differ from where value is lost?",
        definition=(
            "Half the sum over layers of |share of spending - share of recoverable loss|: total-variation distance, 0 to 1. Loss "
            "to identity belongs to data, to integration and latency to orchestration, in delivery to infrastructure."
        ),
        why="Money tends to go to models, while value is lost between systems; 1 means that none of it meets a loss.",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        interval="none: a complete comparison of sums",
        finalise=misallocation,
        min_n=1,
    ),
)
