"""The journeys of the demo: inside the contract, true to their truth, and each story visible in the rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import schema
from data.demo import DemoTruth, write_demo
from data.demo.draws import DAY, make_world
from data.demo.draws import World as Calendar
from data.demo.frames import after_work, daylight, next_run, office_hours, span_of
from data.demo.routes import EXPORT_DOWN, ROUTES, WEBHOOK_DROPPED
from tests.oracle import activation, suppression
from tests.oracle.engine import KEYS, Tables, World, world

UNTIL = dt.date(2026, 2, 28)
END = pd.Timestamp("2026-03-01", tz="UTC")
DAYS = 120
TABLES = (
    "people", "identity_links", "person_merges", "signals", "activations", "activation_signals", "activation_hops",
    "message_events", "suppression_events", "suppression_propagations", "consents", "outcomes", "feedback_events",
    "costs", "delivery_events",
)  # fmt: skip
ARROW = {
    "text": pa.string(), "float": pa.float64(), "bit": pa.int8(), "bool": pa.bool_(), "date": pa.date32(),
    "time": pa.timestamp("us", tz="UTC"),
}  # fmt: skip
PARENTS = (
    ("activation_signals", "signal_id", "signals"), ("activation_signals", "activation_id", "activations"),
    ("activation_hops", "signal_id", "signals"), ("activation_hops", "activation_id", "activations"),
    ("message_events", "activation_id", "activations"), ("feedback_events", "signal_id", "signals"),
    ("feedback_events", "outcome_id", "outcomes"), ("signals", "person_id", "people"),
    ("activations", "person_id", "people"), ("suppression_events", "person_id", "people"),
    ("consents", "person_id", "people"), ("outcomes", "person_id", "people"),
    ("suppression_propagations", "suppression_event_id", "suppression_events"),
)  # fmt: skip
STATES = set(activation.STATES)
OLDER = ("delivery_events",)  # the diary of initiatives that are older than the days


@dataclass(frozen=True)
class Demo:
    folder: Path
    truth: DemoTruth

    def frame(self, table: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / f"{table}.parquet")

    def secret(self, table: str) -> pd.DataFrame:
        return pd.read_feather(self.folder / f"{table}.arrow")

    def share(self, model_id: str) -> float:
        route = next(r for r in self.truth.journeys.routes if r.model_id == model_id)
        assert route.in_window_share is not None
        return route.in_window_share

    def sends(self) -> pd.DataFrame:
        """Every send with its time (`sent_at`) and activation."""
        sent = self.frame("message_events").query("event_type == 'sent'")[["activation_id", "event_at"]]
        return sent.rename(columns={"event_at": "sent_at"}).merge(
            self.frame("activations"), on="activation_id"
        )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    return Demo(folder, write_demo(folder, until=UNTIL, days=DAYS, persons=6000, seed=7))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """As small as the enterprise of the laws."""
    folder = tmp_path_factory.mktemp("small")
    return Demo(folder, write_demo(folder, until=dt.date(2026, 10, 31), days=35, persons=800, seed=11))


def plain(demo: Demo) -> World:
    """The demo as the plain engine of tests/oracle reads it."""
    tables: Tables = {
        name: [
            {k: v.isoformat() if isinstance(v, dt.datetime) else v for k, v in row.items()}
            for row in pq.read_table(demo.folder / f"{name}.parquet").to_pylist()
        ]
        for name in KEYS
    }
    return world(tables)


@pytest.mark.parametrize("name", TABLES)
def test_every_file_keeps_the_contract_of_its_table(demo: Demo, name: str) -> None:
    table, file = schema.METADATA.tables[name], pq.read_table(demo.folder / f"{name}.parquet")
    assert file.num_rows == dict(demo.truth.rows)[name] > 0
    required = {c.name for c in table.c if not c.info["optional"]}
    assert required <= set(file.column_names)
    for column in file.column_names:
        declared = table.c[column]
        assert file.schema.field(column).type == ARROW[declared.info["kind"]], column
        if column in required:
            assert file[column].null_count == 0, column
        if declared.info["values"]:
            assert set(file[column].unique().to_pylist()) <= {*declared.info["values"], None}
    assert not file.select(list(table.info["key"])).to_pandas().duplicated().any()


@pytest.mark.parametrize("name", TABLES)
def test_nothing_happens_outside_the_days_or_is_known_before_it_happened(demo: Demo, name: str) -> None:
    frame, table = demo.frame(name), schema.METADATA.tables[name]
    assert frame.loaded_at.max() < END
    event = table.info["event"]
    if event and event != "cost_date" and name not in OLDER:
        assert frame[event].min() >= END - pd.Timedelta(days=DAYS) - pd.Timedelta(minutes=2)
    for column in frame.select_dtypes("datetimetz").columns:
        if not table.c[column].info["future_ok"]:
            known = frame[column].dropna()
            assert (known <= frame.loc[known.index, "loaded_at"]).all(), column


def test_every_reference_leads_to_a_row(demo: Demo) -> None:
    for table, column, parent in PARENTS:
        known = set(demo.frame(parent)[column])
        assert set(demo.frame(table)[column].dropna()) <= known, (table, column)


def test_the_same_seed_gives_the_same_bytes_in_every_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_demo(tmp_path / name, until=UNTIL, days=20, persons=400, seed=3)
    first = {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir()}
    assert first == {p.name: p.read_bytes() for p in (tmp_path / "b").iterdir()}
    assert {"truth_signals.arrow", "truth_violations.arrow", "truth_records.arrow"} <= set(first)


@pytest.mark.parametrize(("days", "persons"), [(1, 1), (1, 4), (3, 2), (9, 30)])
@pytest.mark.parametrize("seed", [0, 8, 20])
def test_the_smallest_demos_work(tmp_path: Path, days: int, persons: int, seed: int) -> None:
    truth = write_demo(tmp_path, until=UNTIL, days=days, persons=persons, seed=seed)
    assert sum(n for r in truth.journeys.routes for _, n in r.states) == dict(truth.rows).get("signals", 0)


# ----- the truth is what the definitions give -----


def test_the_plain_engine_agrees_with_the_truth_of_every_signal_and_violation(small: Demo) -> None:
    w = plain(small)
    truth = small.secret("truth_signals").set_index("signal_id")
    found = activation.states(w)
    assert {s: x.state for s, x in found.items()} == truth.state.to_dict()
    for s, x in found.items():
        told = x.competing if x.state.startswith("competing") else x.latency
        assert (told is None) == bool(np.isnan(truth.seconds[s]))
        assert told is None or told == pytest.approx(truth.seconds[s], abs=1e-6)
    violations = suppression.violations(w)
    shown = small.secret("truth_violations").query("shown_by_merges").set_index("activation_id")
    assert {
        v.activation_id: v.suppression_event_id for v in violations
    } == shown.suppression_event_id.to_dict()
    assert {v.activation_id: v.cross_record for v in violations} == shown.cross_record.to_dict()
    assert len(violations) == small.truth.journeys.violations


def test_a_small_enterprise_has_rows_of_every_kind(small: Demo) -> None:
    assert all(dict(small.truth.rows)[name] > 0 for name in TABLES)
    assert set(small.secret("truth_signals").state) == STATES
    violations, events = small.secret("truth_violations"), small.frame("message_events")
    assert len(violations) >= 5
    assert violations.cross_channel.any()
    assert violations.cross_record.any()
    assert (violations.delay_seconds <= 60).any()
    assert {"blocked", "skipped", "failed", "unsubscribed", "bounced_hard", "opened"} <= set(
        events.event_type
    )
    stops = small.frame("suppression_events")
    assert {"re_opt_in", "manual"} <= set(stops.trigger_type[stops.action == "release"])
    links = small.frame("identity_links").dropna(subset="truth_entity_id")
    assert links.record_id.nunique() > links.truth_entity_id.nunique()


def test_labelled_records_name_their_true_person(demo: Demo) -> None:
    truth = demo.secret("truth_records").set_index("record_id")
    links = demo.frame("identity_links").dropna(subset="truth_entity_id")
    assert (links.truth_entity_id == links.record_id.map(truth.person)).all()
    filed = demo.frame("identity_links")
    assert (filed.person_id == filed.record_id.map(truth.person_id)).all()
    wrong = truth.person.str[2:] != truth.person_id.str[2:]
    assert 0.02 < wrong.mean() < 0.15


def test_merges_come_in_the_middle_in_chains_and_some_are_undone(demo: Demo) -> None:
    merges = demo.frame("person_merges")
    assert (merges.merged_at > END - pd.Timedelta(days=DAYS / 2)).mean() > 0.2
    assert set(merges.from_person_id) & set(merges.to_person_id)
    undone = merges.dropna(subset="reverted_at")
    assert len(undone) > 0
    assert (undone.reverted_at > undone.merged_at).all()


# ----- the stories -----


def test_churn_arrives_after_the_window_and_leads_within_it(demo: Demo) -> None:
    assert demo.share("churn_v3") < 0.25
    assert demo.share("lead_v2") > 0.8
    assert demo.share("offer_v5") > 0.85
    truth = demo.secret("truth_signals")
    took = truth[truth.state.isin(["in_window", "late"])].groupby("model_id").seconds.median()
    assert took["churn_v3"] > 24 * 3600
    assert took["lead_v2"] < 900


def test_people_held_out_of_a_trial_are_not_activated(demo: Demo) -> None:
    signals = demo.frame("signals").merge(
        demo.secret("truth_signals")[["signal_id", "person"]], on="signal_id"
    )
    signals["unit"] = "p" + signals.person.str[1:]
    trials = {r.model_id: r.experiment for r in ROUTES if r.experiment}
    units = demo.frame("experiment_units")
    for model_id, trial in trials.items():
        held = units[(units.experiment_id == trial) & units.arm.isin(["holdout", "control"])]
        since = held.set_index("unit_id").assigned_at
        own = signals[(signals.model_id == model_id) & signals.unit.isin(since.index)]
        after = own.scored_at >= own.unit.map(since)
        assert (own.arm[after] == "holdout").all()
        assert set(own.decision[after]) <= {"hold_out", "no_action"}
    linked = demo.frame("activation_signals").merge(signals, on="signal_id")
    assert set(linked.arm) == {"treatment"}


def test_flagged_predictions_and_signals_are_the_same_scores(demo: Demo) -> None:
    predictions = demo.frame("predictions")
    for route in ROUTES:
        own = predictions[predictions.model_id == route.model_id]
        flagged = set(own.score[own.score >= own.threshold])
        signals = demo.frame("signals").query("model_id == @route.model_id and decision != 'no_action'")
        assert flagged <= set(signals.score)


def test_the_nightly_sync_lets_messages_through_in_other_channels(demo: Demo) -> None:
    violations = demo.secret("truth_violations")
    sync = violations[(violations.trigger_type == "opt_out") & violations.channel.isin(["sms", "whatsapp"])]
    assert len(sync) > 20
    assert sync.cross_channel.mean() > 0.7
    assert (sync.delay_seconds < 48 * 3600).mean() > 0.6
    assert len(violations) < 0.02 * len(demo.sends())


def test_while_the_export_is_down_leads_wait_for_hours(demo: Demo) -> None:
    began, ended = (pd.Timestamp(t, unit="us", tz="UTC") for t in span_of(_world(), EXPORT_DOWN))
    signals = demo.frame("signals").merge(
        demo.secret("truth_signals")[["signal_id", "state"]], on="signal_id"
    )
    leads = signals[(signals.model_id == "lead_v2") & signals.state.isin(["in_window", "late"])]
    down = (leads.scored_at >= began) & (leads.scored_at < ended - pd.Timedelta(hours=1))
    assert down.sum() > 5
    assert (leads.state[down] == "late").mean() > 0.9
    assert (leads.state[~down] == "late").mean() < 0.2


def test_on_the_day_of_the_dropped_webhook_no_channel_hears_of_a_stop(demo: Demo) -> None:
    began, ended = (pd.Timestamp(t, unit="us", tz="UTC") for t in span_of(_world(), WEBHOOK_DROPPED))
    stops = demo.frame("suppression_events")
    acks = demo.frame("suppression_propagations").merge(
        stops, on="suppression_event_id", suffixes=("_ack", "")
    )
    told = acks.acknowledged_at.fillna(acks.ack_lo)
    waited = (told - acks.received_at).dt.total_seconds()
    quick = acks.channel == acks.origin_channel
    dropped = quick & (acks.received_at >= began) & (acks.received_at < ended) & waited.notna()
    assert dropped.sum() > 0
    assert (waited[dropped] > 6 * 3600).all()
    assert waited[quick & ~dropped].median() < 300
    events = demo.frame("delivery_events")
    bad = events[events.ref == WEBHOOK_DROPPED.what].set_index("event")
    assert bad.event_at.to_dict() == {"incident": began, "restored": ended}


def test_order_mail_is_mostly_exempt_and_sometimes_wrongly_withheld(demo: Demo) -> None:
    sends = demo.sends()
    assert {"marketing", "transactional", "service", "legal", "opt_out_confirmation"} == set(sends.purpose)
    events = demo.frame("message_events").merge(demo.frame("activations"), on="activation_id")
    withheld = events[events.event_type.isin(["skipped", "blocked"]) & (events.purpose == "transactional")]
    assert len(withheld) > 0


def test_messages_cost_what_the_costs_say(demo: Demo) -> None:
    costs = demo.frame("costs")
    booked = costs[costs.category == "message"].amount.sum()
    paid = (
        demo.sends().dropna(subset="campaign_id").merge(demo.frame("activation_signals"), on="activation_id")
    )
    assert booked == pytest.approx(paid.drop_duplicates("activation_id").cost_amount.sum(), rel=0.01)
    assert set(costs.initiative_id) >= {r.slug for r in ROUTES}


def test_weights_of_an_activation_add_up_to_one(demo: Demo) -> None:
    weights = demo.frame("activation_signals").groupby("activation_id").weight.agg(["sum", "size"])
    assert np.allclose(weights["sum"], 1.0)
    assert (weights["size"] == 2).any()


@pytest.mark.slow
def test_the_default_demo_has_the_size_of_an_enterprise(tmp_path: Path) -> None:
    rows = dict(write_demo(tmp_path, until=UNTIL).rows)
    assert 60_000 < rows["signals"] < 120_000
    assert 40_000 < rows["activations"] < 80_000
    assert 3_000 < rows["suppression_events"] < 6_000


# ----- clocks -----


def test_clocks_wait_for_runs_offices_and_daylight() -> None:
    hour = DAY // 24
    monday = np.array([4 * DAY])  # Monday 5 January 1970, midnight
    assert next_run(monday + 1, 3600.0, 0.0).tolist() == [4 * DAY + hour]
    assert next_run(monday, 3600.0, 0.0).tolist() == monday.tolist()
    assert next_run(monday + 3 * hour, 86_400.0, 7200.0).tolist() == [5 * DAY + 2 * hour]
    assert office_hours(monday + 10 * hour).tolist() == [4 * DAY + 10 * hour]
    assert office_hours(monday + 18 * hour).tolist() == [5 * DAY + 9 * hour]
    friday = monday + 4 * DAY
    assert office_hours(friday + 17 * hour).tolist() == [11 * DAY + 9 * hour]
    assert office_hours(friday + DAY).tolist() == [11 * DAY + 9 * hour]
    assert after_work(friday + 16 * hour, np.array([3 * hour])).tolist() == [11 * DAY + 11 * hour]
    assert after_work(monday + 10 * hour, np.array([2 * hour])).tolist() == [4 * DAY + 12 * hour]
    assert daylight(monday + 7 * hour).tolist() == [4 * DAY + 8 * hour]
    assert daylight(monday + 21 * hour).tolist() == [5 * DAY + 8 * hour]
    assert daylight(monday + 12 * hour).tolist() == [4 * DAY + 12 * hour]


def _world() -> Calendar:
    return make_world(UNTIL, DAYS, 6000, 7)
