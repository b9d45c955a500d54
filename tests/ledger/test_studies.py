"""Studies in the ledger: the plan before the result, once for one content, read back digit for digit."""

import dataclasses

import numpy as np
import pytest
import yaml

from app.govern import evidence, rows
from app.govern.baselines.store import Series
from app.govern.model import CommandError, Denied
from app.govern.rebuild import rebuilt
from app.govern.studies import Registrar, newest, result_of
from app.govern.verify import verify
from app.measure.studies.outcome import StudyResult
from app.measure.studies.run import run_study
from app.settings import Settings
from data.ledger import AUDIT, TABLES
from tests.attribution.studies import ALWAYS, csv_of, no_warehouse
from tests.ledger.homes import who
from tests.ledger.test_baselines import SHARES, step, wanted

TRIAL = {
    "design": "randomised", "outcome": "y", "arm": "group", "treated": "ai", "control": "human", "expected_split": 0.5,
    "pre_outcome": "before", "data": "data.csv", "unit_value": {"low": 1, "mid": 2, "high": 3}, "costs": "costs.csv",
}  # fmt: skip


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def written(folder, **more):
    rng = np.random.default_rng(3)
    pre = rng.normal(10, 2, 400)
    arm = np.where(np.arange(400) % 2, "ai", "human")
    csv_of(folder, group=arm, before=pre, y=pre + rng.normal(0, 1, 400) + (arm == "ai"))
    (folder / "costs.csv").write_text("amount,category\n30,run\n50,build\n20,run\n")
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump({**ALWAYS, **TRIAL, **more}))
    return path


def run(desk, settings, path, actor="anna"):
    registrar = Registrar(desk.ledger, settings, who(actor))
    done = run_study(path, registrar.register, no_warehouse)
    return done, registrar.keep(done)


def held(desk, register):
    with desk.ledger.store.read() as db:
        return rows.rows(db, register)


def test_the_plan_is_registered_before_the_result_is_computed(lite, settings, tmp_path):
    path = written(tmp_path, data="data.csv")
    (tmp_path / "data.csv").write_text("group,before,y\nai,1,x\n")
    with pytest.raises(ValueError, match=r"is no number|no row"):
        run(lite, settings, path)
    assert lite.count(TABLES["studies"]) == 1
    assert lite.count(TABLES["study_results"]) == 0


def test_a_result_is_kept_with_its_rows_hash_versions_and_gates_and_read_back(lite, settings, tmp_path):
    done, receipt = run(lite, settings, written(tmp_path))
    assert receipt is not None
    study, result = held(lite, "studies")[0], held(lite, "study_results")[0]
    assert study.seq < result.seq
    assert (study["plan_hash"], result["data_hash"]) == (done.plan_hash, done.data_hash)
    assert (result["estimate"], result["grade"], result["counted"]) == (
        done.estimate,
        done.grade,
        done.counted,
    )
    assert any(v.startswith("numpy ") for v in result["versions"])
    assert '"sample_ratio"' in result.text("diagnostics")
    assert result_of(settings, result) == done
    assert [(c.category, c.amount) for c in done.costs] == [("run", 50.0), ("build", 50.0)]
    assert newest(held(lite, "study_results"), study.record_id) == result
    assert verify(lite.ledger.store, deep=True, files=evidence.folder(settings)).state == "intact"


def test_running_again_adds_nothing_and_other_rows_add_a_result_of_the_same_plan(lite, settings, tmp_path):
    path = written(tmp_path)
    run(lite, settings, path)
    before = lite.count(AUDIT)
    assert run(lite, settings, path)[1] is None
    assert lite.count(AUDIT) == before
    text = (tmp_path / "data.csv").read_text().splitlines()
    (tmp_path / "data.csv").write_text("\n".join(text[:-2]) + "\n")
    assert run(lite, settings, path)[1] is not None
    assert (lite.count(TABLES["studies"]), lite.count(TABLES["study_results"])) == (1, 2)


def test_a_changed_plan_is_another_study_and_says_what_it_changed(lite, settings, tmp_path):
    first, _ = run(lite, settings, written(tmp_path))
    assert first.warnings == ()
    changed, _ = run(lite, settings, written(tmp_path, expected_split=0.4))
    assert any("changed plan: expected_split" in w for w in changed.warnings)
    again, _ = run(lite, settings, written(tmp_path))
    assert again.warnings == ()
    assert lite.count(TABLES["studies"]) == 2


@pytest.mark.parametrize("actor", ["vera", "carl", "adam"])
def test_only_analysts_and_owners_register_plans(actor, lite, settings, tmp_path):
    with pytest.raises(Denied):
        run(lite, settings, written(tmp_path), actor)


def test_a_plan_names_only_a_baseline_that_somebody_approved(lite, settings, tmp_path):
    from app.govern.baselines.store import upload

    request = wanted(tmp_path, SHARES.format(120), series=Series("model.recall", "month"))
    _, receipt = upload(lite.ledger, settings, request, who("anna"))
    assert receipt is not None
    path = written(tmp_path, baseline=receipt.record_id)
    with pytest.raises(CommandError, match="no approved baseline"):
        run(lite, settings, path)
    step(lite, "submit", receipt.record_id, "anna")
    step(lite, "approve", receipt.record_id, "omar")
    done, _ = run(lite, settings, path)
    assert done.baseline == receipt.record_id
    assert held(lite, "studies")[0]["baseline"] == receipt.record_id


def test_an_altered_result_is_not_shown(lite, settings, tmp_path):
    run(lite, settings, written(tmp_path))
    row = held(lite, "study_results")[0]
    path = evidence.path_of(evidence.folder(settings), row.text("sha256"))
    path.write_bytes(path.read_bytes().replace(b"randomised", b"RANDOMISED"))
    with pytest.raises(evidence.EvidenceError, match="altered"):
        result_of(settings, row)


def test_what_an_older_writer_did_not_know_takes_its_default(lite, settings, tmp_path):
    done, _ = run(lite, settings, written(tmp_path))
    from orjson import loads

    from app.report import json_of

    found = loads(json_of(done))
    for name in ("series", "placebos", "costs"):
        del found[name]
    assert rebuilt(StudyResult, found) == dataclasses.replace(done, costs=())
    with pytest.raises(ValueError, match="no object"):
        rebuilt(StudyResult, [])
