"""What only the ledger can tell of a study: whether it was run before with the same digits, and when its baseline was frozen."""

from __future__ import annotations

import dataclasses

import pytest

from app.govern import evidence, studies
from app.govern.baselines.store import Series, upload
from app.govern.studies import Registrar, result_of
from app.govern.study_record import audited, figures
from app.measure.studies.run import judged, run_study
from app.settings import Settings
from metrics.attribution.result import Diagnostic, Verdict
from tests.attribution.studies import no_warehouse
from tests.ledger.homes import who
from tests.ledger.test_baselines import SHARES, step, wanted
from tests.ledger.test_studies import held, written


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def run(desk, settings, path):
    registrar = Registrar(desk.ledger, settings, who("anna"))
    done = audited(desk.ledger, settings, run_study(path, registrar.register, no_warehouse))
    return done, registrar.keep(done)


def gate(done, name):
    (found,) = [d for d in done.diagnostics if d.name == name]
    return found


def test_the_first_run_says_so_and_the_second_compares_every_figure_and_adds_nothing(
    lite, settings, tmp_path
):
    path = written(tmp_path)
    first, receipt = run(lite, settings, path)
    assert receipt is not None
    assert gate(first, "reproducibility").verdict is Verdict.UNKNOWN
    assert first.grade == "randomised"
    again, nothing = run(lite, settings, path)
    assert nothing is None
    told = gate(again, "reproducibility")
    assert (told.verdict, told.value) == (Verdict.PASS, 0)
    assert f"{len(figures(first))} figures" in told.why
    assert again.grade == "randomised"
    assert len(held(lite, "study_results")) == 1
    assert (
        len(list(evidence.folder(settings).rglob("*"))) == 2
    )  # one file in its folder: no orphan of the second run


def test_other_digits_from_the_same_versions_block_and_are_kept_beside_the_first(lite, settings, tmp_path):
    path = written(tmp_path)
    first, _ = run(lite, settings, path)
    moved = dataclasses.replace(
        judged(first, ()), diagnostics=first.diagnostics[:-2], estimate=first.estimate + 1e-6
    )
    found = audited(lite.ledger, settings, moved)
    assert gate(found, "reproducibility").verdict is Verdict.BLOCK
    assert (found.grade, found.counted, found.roi.counted) == ("blocked", False, False)
    assert "reproducibility" in found.blocked_by
    assert Registrar(lite.ledger, settings, who("anna")).keep(found) is not None
    assert [r["grade"] for r in sorted(held(lite, "study_results"), key=lambda r: r.seq)] == [
        "randomised",
        "blocked",
    ]


def test_other_digits_from_other_versions_are_told_and_keep_their_grade(
    lite, settings, tmp_path, monkeypatch
):
    path = written(tmp_path)
    monkeypatch.setattr(studies, "versions", lambda: ("numpy 0.1",))
    first, _ = run(lite, settings, path)
    monkeypatch.undo()
    moved = dataclasses.replace(first, diagnostics=first.diagnostics[:-2], estimate=first.estimate + 1e-6)
    found = audited(lite.ledger, settings, moved)
    assert gate(found, "reproducibility").verdict is Verdict.WARN
    assert "numpy 0.1" in gate(found, "reproducibility").why
    assert found.grade == "randomised"


def test_an_altered_file_of_the_first_run_leaves_nothing_to_compare_with(lite, settings, tmp_path):
    path = written(tmp_path)
    run(lite, settings, path)
    kept = evidence.path_of(evidence.folder(settings), held(lite, "study_results")[0].text("sha256"))
    kept.write_text("{}")
    told = gate(run(lite, settings, path)[0], "reproducibility")
    assert told.verdict is Verdict.UNKNOWN
    assert "altered" in told.why


def approved(desk, settings, tmp_path):
    _, receipt = upload(
        desk.ledger,
        settings,
        wanted(tmp_path, SHARES.format(120), series=Series("model.recall", "month")),
        who("anna"),
    )
    step(desk, "submit", receipt.record_id, "anna")
    step(desk, "approve", receipt.record_id, "omar")
    return receipt.record_id


def test_a_baseline_approved_before_the_first_look_is_frozen_with_its_hash_and_time(lite, settings, tmp_path):
    name = approved(lite, settings, tmp_path)
    done, _ = run(lite, settings, written(tmp_path, baseline=name))
    found = gate(done, "baseline_frozen")
    assert found.verdict is Verdict.PASS
    assert found.value > 0
    assert held(lite, "baselines")[0].text("rows_sha256")[:12] in found.why


def test_a_baseline_approved_after_somebody_had_seen_the_rows_is_not_frozen_in_time(lite, settings, tmp_path):
    run(lite, settings, written(tmp_path))
    name = approved(lite, settings, tmp_path)
    done, _ = run(lite, settings, written(tmp_path, baseline=name))
    found = gate(done, "baseline_frozen")
    assert found.verdict is Verdict.WARN
    assert found.value < 0


def test_the_kept_result_is_read_back_with_the_gates_of_its_run(lite, settings, tmp_path):
    done, _ = run(lite, settings, written(tmp_path))
    assert result_of(settings, held(lite, "study_results")[0]) == done
    assert isinstance(gate(done, "baseline_frozen"), Diagnostic)
