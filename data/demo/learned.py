"""What the company learned and how its people feel about it: learning events, answers of both sides, who may use what."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, SECOND, World
from data.demo.milestones import ago
from data.demo.usage import TEAMS

_Row = tuple[str, str | None, str, str | None, int]  # event, initiative, subject, person, microseconds
# component: days ago and initiative of its publication, then of each reuse
_COMPONENTS: tuple[tuple[str, tuple[tuple[int, str], ...]], ...] = (
    ("person features", ((360, "fraud-screening"), (300, "churn-retention"), (255, "lead-scoring"), (150, "offer-engine"))),
    ("holdout service", ((330, "lead-scoring"), (260, "offer-engine"), (245, "churn-retention"))),
    ("stop list client", ((310, "offer-engine"), (180, "churn-retention"))),
    ("drift monitor", ((240, "fraud-screening"), (110, "demand-forecast"))),
    ("prompt library", ((140, "agent-assist"),)),
    ("answer reviewer", ((120, "agent-assist"),)),
    ("price simulator", ((35, "pricing-pilot"),)),
    ("assortment features", ((280, "demand-forecast"),)),
    ("payment graph", ((230, "fraud-screening"),)),
    ("call recorder", ((200, "lead-scoring"), (60, "agent-assist"))),
)  # fmt: skip
# initiative, training, days ago of its assignment, share of the users who have completed it by now
_TRAININGS = (
    ("agent-assist", "reading a draft", 130, 0.92), ("lead-scoring", "what a score says", 205, 0.83),
    ("developer-tool", "working with suggestions", 240, 0.40), ("lead-scoring", "short course", 20, 0.55),
)  # fmt: skip
_TRANSFERS = (
    (290, "fraud-screening", "features of persons"), (250, "lead-scoring", "holding out a group"),
    (175, "offer-engine", "stops at send time"), (105, "fraud-screening", "watching for drift"),
    (55, "lead-scoring", "recording calls"), (25, "agent-assist", "reviewing answers"), (12, "demand-forecast", "seasons"),
)  # fmt: skip
_QUESTIONS = (
    "purpose is clear", "data can be trusted", "errors are known", "output is used", "value is measured",
    "somebody owns it",
)  # fmt: skip
# initiative: what the technical and what the business side answers on average, question by question
_VIEWS: tuple[tuple[str, tuple[float, ...], tuple[float, ...]], ...] = (
    ("churn-retention", (4.2, 4.0, 4.1, 3.9, 3.0, 4.1), (4.1, 3.6, 3.7, 2.1, 2.2, 3.9)),
    ("lead-scoring", (4.3, 3.9, 3.8, 4.4, 4.2, 4.5), (4.4, 3.8, 3.5, 4.3, 4.2, 4.4)),
    ("offer-engine", (3.9, 3.2, 3.4, 4.2, 3.8, 3.6), (4.0, 2.9, 2.7, 4.1, 3.6, 3.3)),
    ("agent-assist", (4.0, 3.0, 2.4, 3.8, 2.2, 3.1), (4.1, 3.3, 2.9, 3.6, 2.3, 2.8)),
    ("developer-tool", (4.4, 4.1, 3.9, 4.6, 3.9, 3.8), (2.6, 3.0, 2.4, 2.2, 1.8, 2.4)),
    ("fraud-screening", (4.5, 4.3, 4.0, 4.5, 3.9, 4.6), (4.4, 4.0, 3.6, 4.4, 3.6, 4.5)),
)
_ROUNDS = (("spring", 190), ("autumn", 20))  # survey and days ago
_ASKED = 6  # people of each side, initiative and survey
_MORE = 1.3  # eligible users for each one who uses it


def learned_tables(world: World) -> dict[str, pa.Table]:
    """`learning_events`, `survey_answers` and `eligible_users`; the oldest rows are a year before the end."""
    return {
        "learning_events": _learning(world),
        "survey_answers": _survey(world),
        "eligible_users": _eligible(world),
    }


def _learning(world: World) -> pa.Table:
    rows: list[_Row] = []
    for name, uses in _COMPONENTS:
        for at, (days, slug) in enumerate(uses):
            event = "component_reused" if at else "component_published"
            rows.append((event, slug, name, None, ago(world, days)))
    rows += [("knowledge_transfer", slug, what, None, ago(world, days)) for days, slug, what in _TRANSFERS]
    rows += _trainings(world)
    rows.sort(key=lambda r: (r[4], r[0], r[2], r[3] or ""))
    what, whose, subject, person, at_ = (list(c) for c in zip(*rows, strict=True))
    times = np.array(at_, np.int64)
    return pa.table(
        {
            "learning_id": files.numbered("learning-", len(rows)),
            "initiative_id": pa.array(whose, pa.string()),
            "event": pa.array(what, pa.string()),
            "subject": pa.array(subject, pa.string()),
            "person": pa.array(person, pa.string()),
            "event_at": files.times(times),
            "loaded_at": files.times(times + 60 * SECOND),
        }
    )


def _trainings(world: World) -> list[_Row]:
    """Each user of a team is asked to a training on one day; some complete it within the next weeks."""
    users = {team.slug: team.users for team in TEAMS}
    rows: list[_Row] = []
    for slug, course, days, share in _TRAININGS:
        draw, asked = world.stream(f"training {course}"), ago(world, days)
        for at in range(eligible(users[slug])):
            who = user_id(slug, at)
            rows.append(("training_assigned", slug, course, who, asked))
            done = asked + int(draw.uniform(1, min(days, 45) - 1) * DAY)
            if draw.random() < share:
                rows.append(("training_completed", slug, course, who, done))
    return rows


def eligible(users: int) -> int:
    """How many may use what `users` people do use."""
    return round(users * _MORE)


def user_id(slug: str, at: int) -> str:
    """As in `usage_events`."""
    return f"{slug}-{at:07d}"


def _survey(world: World) -> pa.Table:
    """The same questions to both sides, twice; a person answers around the mean of their side."""
    rows = []
    for name, days in _ROUNDS:
        for slug, *sides in _VIEWS:
            for side, means in zip(("technical", "business"), sides, strict=True):
                draw = world.stream(f"survey {name} {slug} {side}")
                said = np.clip(np.rint(draw.normal(means, 0.7, (_ASKED, len(means)))), 1, 5).astype(int)
                for person in range(_ASKED - int(draw.integers(0, 3))):
                    who = f"{side}-{slug}-{person}"
                    at = ago(world, days) + int(draw.uniform(0, 5) * DAY)
                    rows += [
                        (name, q, who, slug, side, int(a), at)
                        for q, a in zip(_QUESTIONS, said[person], strict=True)
                    ]
    survey, question, whom, about, sides_, answer, at_ = (list(c) for c in zip(*rows, strict=True))
    times = np.array(at_, np.int64)
    return pa.table(
        {
            "survey_id": pa.array(survey, pa.string()),
            "question_id": pa.array(question, pa.string()),
            "respondent_id": pa.array(whom, pa.string()),
            "initiative_id": pa.array(about, pa.string()),
            "side": pa.array(sides_, pa.string()),
            "answer": pa.array(answer, pa.int64()),
            "answered_at": files.times(times),
            "loaded_at": files.times(times + 60 * SECOND),
        }
    )


def _eligible(world: World) -> pa.Table:
    """Users of three teams: two thirds from the start, the rest one by one. Some never use it."""
    parts = []
    for team in TEAMS:
        n, draw = eligible(team.users), world.stream(f"eligible {team.slug}")
        began = world.first_day * DAY
        later = np.arange(n) % 3 == 2
        since = np.where(later, began + (draw.random(n) * 0.6 * world.days * DAY).astype(np.int64), began)
        parts.append(
            pa.table(
                {
                    "initiative_id": files.constant(team.slug, n),
                    "user_id": pa.array([user_id(team.slug, at) for at in range(n)], pa.string()),
                    "eligible_from": files.times(since),
                    "unit": files.words(("north", "south"), (np.arange(n) % 2).astype(np.int64)),
                    "loaded_at": files.times(since + 60 * SECOND),
                }
            )
        )
    return pa.concat_tables(parts)
