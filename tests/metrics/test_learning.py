"""Learning by hand, and the same rows counted once more in plain Python."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict

import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from app.runtime import Runtime
from metrics import ALL
from metrics._learning_cadence import CONCLUSIONS
from metrics._learning_events import COMPONENTS, TRANSFERS
from metrics.core.metric import Reading, Scope
from tests.metrics.homes import loaded_into
from tests.metrics.rows import DAY, estimate

LEARNING = "learning_id,initiative_id,event,subject,person,event_at\n"
DELIVERY = "delivery_id,initiative_id,event,event_at,ref,planned_at\n"
MARK = "source,complete_through_at\nall,2026-10-01T00:00:00Z\n"
SECONDS = 86_400
EVENTS = (
    ("a", "component_published", "features", "", 1), ("b", "component_reused", "features", "", 3),
    ("a", "component_reused", "features", "", 4),
    ("a", "component_published", "prompts", "", 2), ("a", "component_reused", "prompts", "", 9),
    ("", "component_published", "graph", "", 2), ("b", "component_reused", "graph", "", 5),
    ("a", "training_assigned", "course", "u1", 1), ("a", "training_assigned", "course", "u1", 2),
    ("a", "training_assigned", "course", "u2", 1), ("a", "training_assigned", "course", "u3", 1),
    ("a", "training_assigned", "course", "", 1), ("b", "training_assigned", "other", "u1", 1),
    ("", "training_completed", "course", "u1", 5), ("a", "training_completed", "course", "u2", 6),
    ("a", "training_completed", "other", "u3", 6),
    ("a", "knowledge_transfer", "holdouts", "", 7), ("b", "knowledge_transfer", "holdouts", "", 8),
)  # fmt: skip
RETRAINED = (("m", 1, 1), ("m", 5, 4), ("m", 11, 11), ("n", 2, None), ("n", 10, 9))  # model, day, planned day
CONCLUDED = (1, 8, 15, 29)


def learning(events: tuple[tuple[object, ...], ...] = EVENTS) -> str:
    return LEARNING + "".join(
        f"l{i},{e[0]},{e[1]},{e[2]},{e[3]},2026-09-{e[4]:02d}T06:00:00Z\n" for i, e in enumerate(events)
    )


def delivery() -> str:
    rows = [
        f"r{i},a,retrained,2026-09-{day:02d}T18:00:00Z,{model},{f'2026-09-{plan:02d}T00:00:00Z' if plan else ''}\n"
        for i, (model, day, plan) in enumerate(RETRAINED)
    ]
    rows += [
        f"c{i},a,experiment_concluded,2026-09-{day:02d}T00:00:00Z,x{i},\n" for i, day in enumerate(CONCLUDED)
    ]
    return DELIVERY + "".join(rows)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    tables = {"learning_events": learning(), "delivery_events": delivery(), "data_watermarks": MARK}
    return loaded_into(
        tmp_path_factory.mktemp("learning") / "home", tables, (COMPONENTS, TRANSFERS, CONCLUSIONS)
    )


def read(runtime: Runtime, name: str, scope: Scope | None = None) -> Reading:
    (found,) = runtime.readings.read(ALL[f"learning.{name}"], scope or Scope())
    return found


def test_a_component_is_reused_when_two_initiatives_use_it(home: Runtime):
    found = read(home, "component_reuse")
    assert (found.numerator, found.denominator) == (1, 3)  # features; prompts only by a; graph only by b
    (graph, prompts) = (
        read(home, "component_reuse", Scope(where=(("subject", name),))) for name in ("graph", "prompts")
    )
    assert graph.value == prompts.value == 0.0


def test_a_training_is_covered_when_the_same_person_completed_the_same_one(home: Runtime):
    found = read(home, "training_coverage")
    assert (found.numerator, found.denominator) == (
        2,
        4,
    )  # u1 and u2 of the course; u3 took another; u1 not the other
    found = read(home, "training_coverage", Scope(where=(("subject", "course"),)))
    assert (found.numerator, found.denominator) == (2, 3)


def test_transfers_are_a_complete_count(home: Runtime):
    assert read(home, "knowledge_transfers").value == 2
    assert read(home, "knowledge_transfers", Scope(where=(("initiative_id", "a"),))).value == 1


def test_experiments_a_quarter_lie_between_the_first_and_the_last(home: Runtime):
    found = read(home, "experiments_per_quarter")
    assert found.value == pytest.approx(3 / (28 / 91.3125))
    assert (found.low, found.high) == pytest.approx(
        (0.6187 / (28 / 91.3125), 8.7673 / (28 / 91.3125)), abs=1e-3
    )


def test_the_time_since_the_last_retraining_counts_as_long_as_it_lasted(home: Runtime):
    found = read(home, "retraining_interval")
    # ended 4, 6 and 8 days; open 19.25 (m) and 20.25 (n) days: the middle of five is 8
    assert (found.value, found.n, found.numerator) == (8 * SECONDS, 5, 3)


def test_a_retraining_on_its_planned_day_is_on_time_and_grace_is_asked_for(home: Runtime):
    found = read(home, "retraining_on_plan")
    assert (found.numerator, found.denominator) == (2, 4)
    assert found.warnings == ("1 retrainings had no planned day",)
    assert read(home, "retraining_on_plan", Scope(settings=(("grace_days", "1"),))).numerator == 4
    with pytest.raises(ValueError, match="whole number of days"):
        read(home, "retraining_on_plan", Scope(settings=(("grace_days", "soon"),)))


def test_random_rows_are_counted_as_plain_python_counts_them():
    draw = random.Random(5)
    kinds = (
        "component_published",
        "component_reused",
        "knowledge_transfer",
        "training_assigned",
        "training_completed",
    )
    for _ in range(6):
        rows = [
            (str(i), draw.choice(["a", "b", "c", None]), draw.choice(kinds), draw.choice("wxyz"),
             draw.choice(["p", "q", "r", None]), DAY)
            for i in range(draw.randint(30, 60))
        ]  # fmt: skip
        names = ["learning_id", "initiative_id", "event", "subject", "person", "event_at"]
        frame = pd.DataFrame(rows, columns=names, dtype=object)
        users: dict[str, set[str]] = defaultdict(set)
        asked, done = set(), set()
        for _, slug, event, subject, person, _ in rows:
            if event.startswith("component"):
                users[subject] |= {slug} if slug else set()
            if person and event == "training_assigned":
                asked.add((slug, subject, person))
            if person and event == "training_completed":
                done.add((subject, person))
        reuse = estimate(ALL["learning.component_reuse"], learning_events=frame)
        assert (reuse.numerator, reuse.denominator) == (sum(len(u) > 1 for u in users.values()), len(users))
        cover = estimate(ALL["learning.training_coverage"], learning_events=frame)
        assert (cover.numerator, cover.denominator) == (sum(a[1:] in done for a in asked), len(asked))


def test_gaps_are_those_of_lifelines(tmp_path):
    draw = random.Random(3)
    runs = {m: sorted(draw.sample(range(1, 29), draw.randint(1, 6))) for m in "abcdefgh"}
    rows = [f"{m}{d},a,retrained,2026-09-{d:02d}T00:00:00Z,{m},\n" for m, days in runs.items() for d in days]
    home = loaded_into(
        tmp_path / "home", {"delivery_events": DELIVERY + "".join(rows), "data_watermarks": MARK}, ()
    )
    found = read(home, "retraining_interval")
    gaps = [(b - a, 1) for days in runs.values() for a, b in itertools.pairwise(days)]
    gaps += [(31 - days[-1], 0) for days in runs.values()]
    fitter = KaplanMeierFitter().fit([g for g, _ in gaps], [e for _, e in gaps])
    assert found.value == fitter.median_survival_time_ * SECONDS
