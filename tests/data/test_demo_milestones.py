"""The diary of the eight initiatives: inside the contract, in order, and of one mind with what the ledger says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pytest

from app.govern import demo_acts, demo_gates, demo_learning, demo_risks
from app.govern.demo_acts import Act, InDays
from data import schema
from data.demo import INITIATIVES
from data.demo.draws import World, make_world
from data.demo.learned import learned_tables
from data.demo.milestones import milestone_table
from data.demo.usage import usage_table

UNTIL = dt.date(2026, 10, 31)
END = pd.Timestamp("2026-11-01", tz="UTC")
SLUGS = {i.slug for i in INITIATIVES}


@dataclass(frozen=True)
class Told:
    tables: dict[str, pa.Table]

    def frame(self, name: str) -> pd.DataFrame:
        return self.tables[name].to_pandas()

    def when(self, slug: str, event: str) -> pd.Timestamp | None:
        found = self.frame("delivery_events").query("initiative_id == @slug and event == @event")
        return None if found.empty else found.event_at.min()


def told_of(world: World) -> Told:
    return Told(
        {
            "delivery_events": milestone_table(world),
            "usage_events": usage_table(world),
            **learned_tables(world),
        }
    )


@pytest.fixture(scope="module")
def told() -> Told:
    return told_of(make_world(UNTIL, 180, 2000, 7))


@pytest.mark.parametrize("days", [1, 35, 180])
def test_every_table_keeps_its_contract_however_short_the_demo(days: int):
    for name, rows in told_of(make_world(UNTIL, days, 50, 3)).tables.items():
        table, frame = schema.METADATA.tables[name], rows.to_pandas()
        assert len(frame) > 0, name
        assert {c.name for c in table.c if not c.info["optional"]} <= set(frame)
        assert set(frame) <= set(table.c.keys())
        assert not frame.duplicated(list(table.info["key"])).any()
        for column in table.c:
            if column.name in frame and column.info["values"]:
                assert set(frame[column.name].dropna().astype(str)) <= set(column.info["values"])
        event = table.info["event"] or "eligible_from"
        assert (frame[event] <= frame.loaded_at).all()
        assert frame.loaded_at.max() < END


def test_every_initiative_has_an_idea_before_its_pilot_before_its_production(told: Told):
    for slug in SLUGS:
        idea, pilot, live = (told.when(slug, e) for e in ("idea", "pilot_started", "production"))
        assert idea < pilot
        assert live is None or pilot < live


def test_stages_of_the_ledger_and_milestones_of_the_warehouse_agree(told: Told):
    for act in demo_acts.INITIATIVES:
        stage = dict(act.values)["stage"]
        live = told.when(act.name, "production") is not None
        assert live is (stage in ("production", "scale", "sustain")), act.name
        assert told.when(act.name, "idea").date() == (END - pd.Timedelta(days=act.days_ago)).date()


def test_what_ended_began_and_what_broke_was_mended_or_is_still_broken(told: Told):
    frame = told.frame("delivery_events")
    for began, ended in (("experiment_started", "experiment_concluded"), ("incident", "restored")):
        pairs = frame[frame.event == began].merge(
            frame[frame.event == ended], on=["initiative_id", "ref"], suffixes=("", "_end")
        )
        assert (pairs.event_at < pairs.event_at_end).all()
        assert len(pairs) == (frame.event == ended).sum()


def test_conclusions_of_the_ledger_are_of_trials_that_ended_and_releases_are_deployments(told: Told):
    frame = told.frame("delivery_events")
    ended = frame[frame.event == "experiment_concluded"].set_index("ref")
    for act in demo_learning.CONCLUSIONS:
        values = dict(act.values)
        row = ended.loc[values["experiment"]]
        assert row.initiative_id == values["initiative"]
        concluded = values["concluded"]
        assert isinstance(concluded, InDays)
        assert row.event_at.date() == (END + pd.Timedelta(days=concluded.days)).date()
    released = set(frame[frame.event == "deployment"].ref)
    assert {"churn_v3 3.2", "offer_v5 5.1", "fraud_v7 7.1"} <= released


def rollbacks(acts: tuple[Act, ...]) -> dict[str, int]:
    tested = {a.record_id: dict(a.values).get("rollback_tested") for a in acts if a.register == "operability"}
    return {slug: -days.days for slug, days in tested.items() if isinstance(days, InDays)}


def test_rollback_tests_fell_on_the_days_that_the_ledger_names(told: Told):
    frame = told.frame("delivery_events").query("event == 'rollback_tested'")
    days = {r.initiative_id: (END.normalize() - r.event_at.normalize()).days for r in frame.itertuples()}
    assert days == rollbacks((*demo_risks.RUNNING, *demo_gates.READY))


def test_the_course_moved_the_sales_team_and_nobody_else(told: Told):
    frame = told.frame("usage_events")
    frame["after"] = frame.used_at >= END - pd.Timedelta(days=20)
    answered = frame[frame.action.isin(["accepted", "overridden", "ignored"])]
    share = (
        answered.groupby(["initiative_id", "after"])
        .action.apply(lambda a: (a == "accepted").mean())
        .unstack()
    )
    gain = share[True] - share[False]
    assert gain["lead-scoring"] > 0.08
    assert gain.drop("lead-scoring").abs().max() < 0.08


def test_users_are_among_the_eligible_and_some_eligible_never_use_it(told: Told):
    eligible = set(told.frame("eligible_users").user_id)
    users = set(told.frame("usage_events").user_id)
    assert users < eligible
