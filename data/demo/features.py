"""Two features of every demo model, as its predictions keep them: a number and a category, with planted drift."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.demo import files
from data.demo.draws import Ints, World
from data.demo.specs import ModelSpec

SOURCES = ("web", "app", "branch", "partner")
_SHARES = np.array([0.5, 0.35, 0.15, 0.0])
_PARTNER = 0.12  # share of the new source once it has begun
_MISSING = 0.01


def feature_columns(world: World, spec: ModelSpec, day: Ints) -> dict[str, pa.Array]:
    """`feat_activity` and `feat_source` of predictions made on `day` (days of the demo, (n,)), as text."""
    draw = world.stream(f"features {spec.model_id}")
    age = day / max(world.days - 1, 1)
    activity = np.exp(2.0 + 0.8 * draw.standard_normal(day.size) + spec.activity_drift * age)
    known = pa.array(draw.random(day.size) >= _MISSING)
    text = pc.cast(pa.array(np.round(activity, 2)), pa.string())
    started = spec.new_source_from is not None and age >= spec.new_source_from
    partner = np.asarray(started) & (draw.random(day.size) < _PARTNER)
    source = np.where(partner, SOURCES.index("partner"), draw.choice(len(SOURCES), day.size, p=_SHARES))
    return {"feat_activity": pc.if_else(known, text, None), "feat_source": files.words(SOURCES, source)}
