"""The page of value: studies by evidence, sums of what is attributed only, one study in full."""

import pytest

from app.govern import demo_studies, evidence, studies
from app.govern.rebuild import rebuilt
from app.govern.study_words import amount, told
from app.measure.studies.outcome import StudyResult
from app.settings import Settings
from app.ui import charts_studies
from tests.app.test_pages import open_page, shown
from tests.app.test_register_pages import ledger_of
from tests.attribution.studies import ALWAYS, csv_of, study


def losses(folder) -> StudyResult:
    (folder / "fraud-losses.csv").write_text(demo_studies._losses())
    keys = {k: v for k, v in demo_studies._LOSSES.items() if k != "costs"}
    return study(folder, **keys)


def test_the_demo_shows_a_blocked_study_grey_and_out_of_every_sum(study_home, monkeypatch):
    home = study_home
    text = shown(open_page(home, "value", monkeypatch))
    assert "Minutes with drafted answers" in text
    assert "blocked by coding confirmed" in text
    assert "<s class" in text


def test_every_study_of_the_demo_opens_for_everybody(study_home, monkeypatch):
    home = study_home
    at = open_page(home, "value", monkeypatch)
    for chosen in list(at.selectbox(key="study").options):
        at.selectbox(key="study").select(chosen).run()
        assert not at.exception
        assert "What would raise the grade" in shown(at)


def test_an_altered_result_is_said_and_not_shown(study_home, monkeypatch):
    home = study_home
    settings = Settings(home=home)
    with ledger_of(home).store.read() as db:
        from app.govern import rows

        for row in rows.rows(db, "study_results"):
            evidence.path_of(evidence.folder(settings), row.text("sha256")).write_text("{}")
    text = shown(open_page(home, "value", monkeypatch))
    assert "missing or was altered" in text


def test_a_single_treated_region_shows_actual_counterfactual_path_and_placebos(tmp_path):
    result = losses(tmp_path)
    assert result.grade == "quasi-experimental"
    late = [p for p in result.series if p.treated]
    assert len(late) == 10
    assert sum(p.actual - p.counterfactual for p in late) / len(late) == pytest.approx(result.estimate)
    assert all(p.low <= p.counterfactual <= p.high for p in result.series if p.low is not None)
    assert len(result.placebos) == 25
    charts = [
        c(result) for c in (charts_studies.counterfactual, charts_studies.path, charts_studies.placebos)
    ]
    assert all(c is not None and c.figure for c in charts)
    without, pretended = charts_studies.left_out(result), charts_studies.in_time(result)
    assert without is not None
    assert without.figure["data"][0]["x"] == sorted(o.estimate for o in result.left_out)
    assert len(result.left_out) > 1
    (gate,) = [d for d in result.diagnostics if d.name == "placebo_in_time"]
    assert pretended is not None
    assert (
        f"{sum(p.alarm for p in result.pretended)} of {len(result.pretended)} pretended dates"
        in pretended.finding
    )
    assert gate.value == sum(p.alarm for p in result.pretended) / len(result.pretended)
    assert {p.label for p in result.pretended} <= {p.period for p in result.series if not p.treated}
    assert charts_studies.cumulative(result) is None  # the plan does not say that the outcome flows


def test_words_go_no_further_than_the_grade(tmp_path):
    arm = [*["ai"] * 200, *["human"] * 200]
    data = csv_of(tmp_path, group=arm, y=[(i * 37 % 11) + 3 * (i < 200) for i in range(400)])
    keys = {"design": "randomised", "outcome": "y", "arm": "group", "treated": "ai", "control": "human", "expected_split": 0.5,
            "data": data, **ALWAYS}  # fmt: skip
    assert "improved the outcome" in told(study(tmp_path, **keys)).report[0]
    worse = told(study(tmp_path, **{**keys, "direction": "lower_is_better"}))
    assert "made the outcome worse" in worse.report[0]
    blocked = told(study(tmp_path, **{**keys, "coding_confirmed": False}))
    assert "Nobody should say that it was caused" in blocked.report[0]
    assert any("coding_confirmed: true" in line for line in blocked.raises)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234, "1.23\xa0k"), (-5.5e6, "\N{MINUS SIGN}5.5\xa0m"), (2e9, "2\xa0bn"), (12.34, "12.3")],
)
def test_money_is_told_to_three_digits(value, text):
    assert amount(value) == text


def test_a_result_read_back_keeps_every_part(tmp_path):
    import orjson

    from app.report import json_of

    result = losses(tmp_path)
    assert rebuilt(StudyResult, orjson.loads(json_of(result))) == result
    assert studies.versions()[0].startswith("python 3")
