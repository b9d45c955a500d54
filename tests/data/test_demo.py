"""The demo: deterministic, inside the contract, and true to what it says of itself."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from data import schema
from data.demo import INITIATIVES, DemoTruth, demo_targets, write_demo
from data.demo.specs import Initiative
from data.demo.truth import ExperimentTruth, ModelTruth

UNTIL = dt.date(2026, 2, 28)
END = pd.Timestamp("2026-03-01", tz="UTC")
TABLES = ("data_watermarks", "experiment_units", "labels", "predictions", "reviews")
ARROW = {
    "text": pa.string(),
    "float": pa.float64(),
    "bit": pa.int8(),
    "time": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Demo:
    folder: Path
    truth: DemoTruth

    def frame(self, table: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / f"{table}.parquet")

    def model(self, model_id: str) -> ModelTruth:
        return next(m for m in self.truth.models if m.model_id == model_id)

    def experiment(self, experiment_id: str) -> ExperimentTruth:
        return next(e for e in self.truth.experiments if e.experiment_id == experiment_id)

    def scored(self, model_id: str) -> pd.DataFrame:
        """Usable predictions of one model, with their labels where known."""
        frame = self.frame("predictions").query("model_id == @model_id and score >= 0")
        return frame.merge(self.frame("labels"), on="prediction_id", how="left")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    return Demo(folder, write_demo(folder, until=UNTIL, days=120, persons=6000, seed=7))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    bytes_of = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_demo(tmp_path / name, until=UNTIL, days=20, persons=400, seed=seed)
        bytes_of.append({p.name: p.read_bytes() for p in sorted((tmp_path / name).iterdir())})
    assert bytes_of[0] == bytes_of[1]
    assert all(bytes_of[0][f"{t}.parquet"] != bytes_of[2][f"{t}.parquet"] for t in ("predictions", "labels"))


def test_one_day_and_one_person_are_enough_and_none_is_refused(tmp_path: Path) -> None:
    truth = write_demo(tmp_path, until=UNTIL, days=1, persons=1)
    assert dict(truth.rows)["predictions"] > 0
    json.loads((tmp_path / "truth.json").read_text())
    with pytest.raises(ValueError, match="days >= 1"):
        write_demo(tmp_path, until=UNTIL, days=0)


@pytest.mark.parametrize("name", TABLES)
def test_every_file_keeps_the_contract_of_its_table(demo: Demo, name: str) -> None:
    table, file = schema.METADATA.tables[name], pq.read_table(demo.folder / f"{name}.parquet")
    assert file.num_rows == dict(demo.truth.rows)[name]
    required = {c.name for c in table.c if not c.info["optional"]}
    assert required <= set(file.column_names)
    for column in file.column_names:
        declared = table.c.get(column)
        kind = declared.info["kind"] if declared is not None else schema.open_kind(column)
        assert kind is not None, f"{name}.{column} is not in the contract"
        assert file.schema.field(column).type == ARROW[kind]
        if column in required:
            assert file[column].null_count == 0
        if declared is not None and declared.info["values"]:
            assert set(file[column].unique().to_pylist()) <= {*declared.info["values"], None}
    keys = file.select(list(table.info["key"])).to_pandas()
    assert not keys.duplicated().any()


@pytest.mark.parametrize("name", TABLES)
def test_no_time_lies_outside_the_days_and_nothing_is_known_before_it_happened(demo: Demo, name: str) -> None:
    frame = demo.frame(name)
    for column in frame.select_dtypes("datetimetz").columns:
        known = frame[column].dropna()
        assert known.max() < END
        assert known.min() >= END - pd.Timedelta(days=120)
        assert (known <= frame.loc[known.index, "loaded_at"]).all()


def test_every_number_is_finite_and_only_planted_scores_are_out_of_range(demo: Demo) -> None:
    frame = demo.frame("predictions")
    assert np.isfinite(frame.select_dtypes("number").drop(columns="decision")).all(axis=None)
    odd = frame[(frame.score < 0) | (frame.score > 1)].groupby("model_id").size().to_dict()
    assert odd == {m.model_id: m.out_of_range_scores for m in demo.truth.models if m.out_of_range_scores}
    assert set(odd) == {"lead_v2"}


def test_every_label_belongs_to_a_prediction_and_comes_after_it(demo: Demo) -> None:
    both = demo.frame("labels").merge(demo.frame("predictions"), on="prediction_id", how="left")
    assert both.predicted_at.notna().all()
    assert (both.labelled_at > both.predicted_at).all()
    counts = both.groupby("model_id").size().to_dict()
    assert counts == {m.model_id: m.labels for m in demo.truth.models}


@pytest.mark.parametrize("model_id", ["churn_v3", "lead_v2", "offer_v5", "price_v1", "demand_v4", "fraud_v7"])
def test_measured_auc_base_rate_and_selection_equal_the_stated_truth_within_sampling_error(
    demo: Demo, model_id: str
) -> None:
    truth, frame = demo.model(model_id), demo.scored(model_id)
    known = frame.dropna(subset="label")
    positives, negatives = int(known.label.sum()), int((known.label == 0).sum())
    assert truth.auc is not None
    assert abs(roc_auc_score(known.label, known.score) - truth.auc) < 4 * _auc_error(
        truth.auc, positives, negatives
    )
    _near(known.label, truth.base_rate)
    _near(frame.score >= truth.threshold, truth.selection_rate)
    _near(known.score[known.label == 1] >= truth.threshold, truth.true_positive_rate)
    _near(known.score[known.label == 0] >= truth.threshold, truth.false_positive_rate)
    for band, rate in truth.selection_rate_by_age_band:
        _near(frame.score[frame.attr_age_band == band] >= truth.threshold, rate)


def test_only_the_offer_engine_fails_four_fifths_by_age(demo: Demo) -> None:
    ratio = {m.model_id: m.four_fifths_ratio_by_age_band for m in demo.truth.models}
    assert ratio.pop("offer_v5") == pytest.approx(0.75, abs=0.01)
    assert ratio.pop("demand_v4") is None
    assert all(r is not None and r > 0.95 for r in ratio.values())


def test_the_forecast_decays_week_by_week_and_the_churn_model_does_not(demo: Demo) -> None:
    weekly = [a for a in demo.model("demand_v4").auc_by_week if a is not None]
    assert weekly == sorted(weekly, reverse=True)
    assert weekly[0] - weekly[-1] > 0.05
    frame = demo.scored("demand_v4").dropna(subset="label").sort_values("predicted_at")
    early, late = frame.iloc[: len(frame) // 2], frame.iloc[len(frame) // 2 :]
    assert roc_auc_score(early.label, early.score) > roc_auc_score(late.label, late.score)
    churn = [a for a in demo.model("churn_v3").auc_by_week if a is not None]
    assert churn == pytest.approx(sorted(churn), abs=1e-12)
    assert churn[-1] > churn[0] + 0.005


def test_new_versions_take_over_once_and_recorded_decisions_follow_the_threshold(demo: Demo) -> None:
    frame = demo.frame("predictions")
    spans = frame[frame.model_id == "churn_v3"].groupby("model_version").predicted_at.agg(["min", "max"])
    assert list(spans.index) == ["3.1", "3.2"]
    assert spans.loc["3.1", "max"] < spans.loc["3.2", "min"]
    decided = frame.dropna(subset="decision")
    assert ((decided.score >= decided.threshold) == (decided.decision == 1)).all()
    assert frame[frame.model_id == "price_v1"].decision.isna().all()


def test_labels_are_months_late_for_fraud_and_a_month_late_for_churn(demo: Demo) -> None:
    for model_id, low, high in (("churn_v3", 28, 32), ("offer_v5", 5, 7)):
        frame = demo.scored(model_id).dropna(subset="label")
        days = (frame.labelled_at - frame.predicted_at).dt.total_seconds().median() / 86_400
        assert low < days < high
    fraud = demo.scored("fraud_v7")
    oldest = fraud[fraud.predicted_at < fraud.predicted_at.min() + pd.Timedelta(days=20)]
    waited = (oldest.labelled_at - oldest.predicted_at).dt.days
    assert waited.quantile(0.9) > 70
    assert fraud.label.notna().mean() < 0.75


@pytest.mark.parametrize("initiative", [i for i in INITIATIVES if i.experiments], ids=lambda i: str(i.slug))
def test_measured_effects_equal_the_planted_ones_within_sampling_error(
    demo: Demo, initiative: Initiative
) -> None:
    for spec in initiative.experiments:
        truth = demo.experiment(spec.experiment_id)
        frame = demo.frame("experiment_units").query("experiment_id == @spec.experiment_id")
        assert len(frame) == truth.units
        known = frame.dropna(subset="outcome")
        assert len(known) == truth.mature_units
        treated = known.outcome[known.arm == truth.treated]
        control = known.outcome[known.arm == truth.comparison]
        error = float(np.sqrt(treated.var() / len(treated) + control.var() / len(control)))
        assert truth.effect is not None
        assert abs(treated.mean() - control.mean() - truth.effect) < 4 * error
        assert abs(len(treated) - len(control)) < 4 * np.sqrt(len(known))
        if truth.responder_effect is not None:
            difference = (treated > 0).mean() - (control > 0).mean()
            assert difference == pytest.approx(truth.responder_effect, abs=4 * 0.5 * 2 / np.sqrt(len(known)))


def test_the_uplift_of_the_forecast_fades_and_the_stories_have_their_signs(demo: Demo) -> None:
    months = [m for m in demo.experiment("demand_trial").effect_by_month if m is not None]
    assert months == sorted(months, reverse=True)
    assert months[-1] < months[0] / 3
    assert demo.experiment("churn_holdout").effect == 0
    assert demo.experiment("devtool_trial").effect == pytest.approx(-0.25)
    assert demo.experiment("lead_holdout").effect == pytest.approx(7.2)


def test_weighted_reviews_give_the_true_hallucination_rate_above_the_posture(demo: Demo) -> None:
    truth = demo.truth.reviews[0]
    frame = demo.frame("reviews").query("rubric == 'hallucination'")
    human, judge = frame[frame.reviewer_type == "human"], frame[frame.reviewer_type == "judge"]
    assert (len(human), len(judge)) == (truth.human_items, truth.judged_items)
    _near(human.verdict, truth.unweighted_rate)
    _near(judge.verdict, truth.judged_rate)
    weighted = np.average(human.verdict, weights=human.weight)
    assert weighted == pytest.approx(truth.hallucination_rate, abs=4 * np.sqrt(0.04 / len(human)))
    assert truth.hallucination_rate > truth.posture
    assert len(set(human.item_id) - set(judge.item_id)) <= 0.02 * len(human)


def test_there_are_eight_initiatives_with_distinct_names() -> None:
    assert len({i.slug for i in INITIATIVES}) == len(INITIATIVES) == 8
    assert all(i.story and i.title for i in INITIATIVES)


def test_targets_are_dated_rows_that_name_models_and_experiments_of_the_demo() -> None:
    rows = tomllib.loads(demo_targets())["target"]
    models = {m.model_id for i in INITIATIVES for m in (*i.models, *i.reviews)}
    experiments = {e.experiment_id for i in INITIATIVES for e in i.experiments}
    for row in rows:
        assert row["comparator"] in ("at least", "at most")
        assert row["valid_from"] < row["valid_to"]
        assert row["min_n"] > 0
        assert row["max_age_days"] > 0
        assert row["note"]
        for dimension, name in row["where"].items():
            assert name in {"model_id": models, "experiment_id": experiments}[dimension]
    assert experiments == {r["where"]["experiment_id"] for r in rows if "experiment_id" in r["where"]}


def _near(events: pd.Series, rate: float) -> None:
    """The share of events is the rate, within four standard errors."""
    assert abs(float(events.mean()) - rate) < 4 * np.sqrt(rate * (1 - rate) / len(events))


def _auc_error(auc: float, positives: int, negatives: int) -> float:
    """Standard error of an AUC by Hanley and McNeil."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return float(np.sqrt(spread / (positives * negatives)))
