"""Which design can be used, from the columns alone: on the published cases, and on what people bring."""

import pytest

from app.measure.studies.advise import FIT, NEEDS, NO, advise
from tests.attribution.studies import csv_of
from tests.cases import CASES

A = CASES / "attribution"


def verdicts(path) -> dict[str, str]:
    return {d.design: d.verdict for d in advise(path).designs}


@pytest.mark.skipif(not A.exists(), reason="the cases are not here")
@pytest.mark.parametrize(
    ("file", "design"),
    [("mpdta.csv", "staggered"), ("california_prop99.csv", "synthetic_control"), ("ci_google_data.csv", "interrupted_series")],
)  # fmt: skip
def test_published_files_are_advised_their_own_design(file, design):
    delimiter = ";" if file == "california_prop99.csv" and ";" in (A / file).read_text()[:200] else ","
    found = {d.design: d.verdict for d in advise(A / file, delimiter).designs}
    assert found[design] == FIT, advise(A / file, delimiter).message()


def test_arms_in_a_file_fit_a_randomised_study_and_say_what_must_be_true(tmp_path):
    csv_of(tmp_path, unit=range(40), arm=["a", "b"] * 20, before=range(40), y=range(40))
    found = advise(tmp_path / "data.csv")
    first = found.designs[0]
    assert (first.design, first.verdict) == ("randomised", FIT)
    assert "drawn by lot" in first.wanting[0]
    assert "pre_outcome: before" in first.spec
    assert "outcome: y" in first.spec


def test_a_unit_in_two_arms_cannot_be_randomised(tmp_path):
    csv_of(tmp_path, unit=[1, 1, 2, 2], arm=["a", "b", "a", "a"], y=range(4))
    assert verdicts(tmp_path / "data.csv")["randomised"] == NO


def test_two_periods_do_not_show_whether_units_moved_alike(tmp_path):
    csv_of(
        tmp_path,
        unit=[*range(30)] * 2,
        month=["2026-01-01"] * 30 + ["2026-02-01"] * 30,
        treated=[0, 1] * 30,
        y=range(60),
    )
    assert verdicts(tmp_path / "data.csv")["did"] == NEEDS


def test_a_file_without_anything_allows_nothing_and_says_what_to_add(tmp_path):
    csv_of(tmp_path, y=range(10))
    found = advise(tmp_path / "data.csv")
    assert {d.verdict for d in found.designs} == {NO}
    assert all(d.wanting for d in found.designs)
