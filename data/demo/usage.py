"""How the company's own people take the recommendations of three initiatives, and what keeps them from following."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, World, hour_of_day, load_time

_ACTIONS = ("accepted", "overridden", "ignored", "opened")
# initiative: users, recommendations a user and day, and the chances of each action
_TEAMS = (
    ("agent-assist", 24, 1.2, (0.62, 0.14, 0.18, 0.06)),
    ("lead-scoring", 12, 0.8, (0.48, 0.27, 0.20, 0.05)),
    ("developer-tool", 30, 0.5, (0.31, 0.22, 0.42, 0.05)),
)
_BARRIERS = ("too slow", "not trusted", "wrong context", "not trained")
_NAMED = 0.3  # of overridden or ignored recommendations, those whose user says why


def usage_table(world: World) -> pa.Table:
    """`usage_events`: answers to recommendations, weekdays and weekends alike."""
    draw = world.stream("usage")
    sizes = [max(3, round(users * rate * world.days)) for _, users, rate, _ in _TEAMS]
    n = sum(sizes)
    team = np.repeat(np.arange(len(_TEAMS)), sizes)
    user = np.concatenate(
        [draw.integers(0, users, k) for (_, users, _, _), k in zip(_TEAMS, sizes, strict=True)]
    )
    odds = [draw.choice(len(_ACTIONS), k, p=p) for (_, _, _, p), k in zip(_TEAMS, sizes, strict=True)]
    action = np.concatenate(odds)
    at = (world.first_day + draw.integers(0, world.days, n)) * DAY + hour_of_day(draw, n, None)
    loaded = load_time(draw, at, 30.0)
    says = ((action == 1) | (action == 2)) & (draw.random(n) < _NAMED)
    kept = loaded < world.end
    table = pa.table(
        {
            "usage_id": files.numbered("u-", n),
            "initiative_id": files.words([t[0] for t in _TEAMS], team),
            "user_id": files.coded([f"{t[0]}-" for t in _TEAMS], team, user),
            "used_at": files.times(at),
            "action": files.words(_ACTIONS, action),
            "barrier": files.known(files.words(_BARRIERS, draw.integers(0, len(_BARRIERS), n)), says),
            "loaded_at": files.times(loaded),
        }
    )
    return table.filter(pa.array(kept))
