"""Readiness from evidence: six pillars and the minimum viable context. Each item names the record that shows it."""

from __future__ import annotations

from functools import partial

from metrics._readiness_cells import EVERY, ItemCells, shown
from metrics._readiness_items import (
    CONTEXT,
    HYBRID,
    ITEMS,
    MODELS,
    PROMPTS,
    TRUTH,
    VALUE,
    VIABLE,
)
from metrics.core.estimates import WILSON
from metrics.core.metric import Dimension, Direction, Metric, Unit

ROLLUPS = (EVERY,)
_pillar = partial(
    Metric[ItemCells], dimension=Dimension.PROCESS, unit=Unit.SHARE, direction=Direction.HIGHER, rollup=EVERY,
    interval=WILSON, owner="council chair", min_n=3,
)  # fmt: skip


def _ready(name: str, pillar: str, title: str, question: str, why: str) -> Metric[ItemCells]:
    items = "; ".join(f"{i.name} ({i.observed})" for i in ITEMS if i.pillar == pillar)
    return _pillar(
        key=f"readiness.{name}",
        title=title,
        question=question,
        definition=(
            f"Items observed / items, each asked of every initiative in use: {items}. What is only declared is inferred and not "
            "counted; broken down by item, basis and evidence it names the record."
        ),
        why=why,
        finalise=shown(pillar),
    )


METRICS = (
    _ready(
        "context_orchestration", CONTEXT, "Context orchestration in evidence", "Is it shown where the context comes from?",
        "A model is as right as what it is told, and nobody notices when that goes stale.",
    ),
    _ready(
        "prompt_management", PROMPTS, "Prompt management in evidence", "Is it shown what it may be asked, and who changes that?",
        "An instruction that anybody may change is a release that nobody has tested.",
    ),
    _ready(
        "model_orchestration", MODELS, "Model orchestration in evidence", "Is it shown that it can be run, watched and stopped?",
        "What cannot be stopped was never under control.",
    ),
    _ready(
        "hallucination_management", TRUTH, "Hallucination management in evidence", "Is it shown how wrong it may be, and is?",
        "An error rate that is declared and not measured is a wish.",
    ),
    _ready(
        "hybrid_integration", HYBRID, "Hybrid integration in evidence", "Is it shown how people and machine hand over?",
        "Most failures happen where one side believed that the other one was looking.",
    ),
    _ready(
        "value_measurement", VALUE, "KPI and ROI measurement in evidence", "Is it shown what it is measured against?",
        "Without a baseline every result is an improvement.",
    ),
    _ready(
        "minimum_viable_context", VIABLE, "Minimum viable context in evidence",
        "Is there one truth, an owner for conflicts, a known failure and a way back?",
        "Below this line an initiative is not a risk that somebody took but one that nobody has seen.",
    ),
)  # fmt: skip
