"""How the company's own people take the recommendations of three initiatives, and what keeps them from following."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, World, hour_of_day, load_time

_ACTIONS = ("accepted", "overridden", "ignored", "opened")
_BARRIERS = ("too slow", "not trusted", "wrong context", "not trained")
_NAMED = 0.3  # of overridden or ignored recommendations, those whose user says why
COURSE_DAYS = 20  # before the end: the sales team is taught to read a score


@dataclass(frozen=True)
class Team:
    """Users, answers a user and day, and the chance of each action before and after the course."""

    slug: str
    users: int
    rate: float
    odds: tuple[float, float, float, float]
    after: tuple[float, float, float, float] | None = None


TEAMS = (
    Team("agent-assist", 24, 1.2, (0.62, 0.14, 0.18, 0.06)),
    Team("lead-scoring", 12, 0.8, (0.42, 0.30, 0.23, 0.05), (0.60, 0.20, 0.15, 0.05)),
    Team("developer-tool", 30, 0.5, (0.31, 0.22, 0.42, 0.05)),
)


def usage_table(world: World) -> pa.Table:
    """`usage_events`: answers to recommendations, weekdays and weekends alike."""
    draw = world.stream("usage")
    sizes = [max(3, round(t.users * t.rate * world.days)) for t in TEAMS]
    n = sum(sizes)
    team = np.repeat(np.arange(len(TEAMS)), sizes)
    user = np.concatenate([draw.integers(0, t.users, k) for t, k in zip(TEAMS, sizes, strict=True)])
    at = (world.first_day + draw.integers(0, world.days, n)) * DAY + hour_of_day(draw, n, None)
    taught = at >= world.end - COURSE_DAYS * DAY
    odds = np.array([[t.odds, t.after or t.odds] for t in TEAMS])[team, taught.astype(np.int64)]
    action = (draw.random(n)[:, np.newaxis] >= np.cumsum(odds, axis=1)[:, :-1]).sum(axis=1)
    loaded = load_time(draw, at, 30.0)
    says = ((action == 1) | (action == 2)) & (draw.random(n) < _NAMED)
    kept = loaded < world.end
    table = pa.table(
        {
            "usage_id": files.numbered("u-", n),
            "initiative_id": files.words([t.slug for t in TEAMS], team),
            "user_id": files.coded([f"{t.slug}-" for t in TEAMS], team, user),
            "used_at": files.times(at),
            "action": files.words(_ACTIONS, action),
            "barrier": files.known(files.words(_BARRIERS, draw.integers(0, len(_BARRIERS), n)), says),
            "loaded_at": files.times(loaded),
        }
    )
    return table.filter(pa.array(kept))
