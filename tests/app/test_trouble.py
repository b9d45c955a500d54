"""What the machine refuses is said in words, with what to do."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from app import report
from data.lake import Lake
from tests.data.load_homes import load, written

HEAD = "survey_id,question_id,respondent_id,initiative_id,side,answer,answered_at\n"


def test_a_full_disk_says_what_to_do():
    said = report.trouble(OSError(errno.ENOSPC, "No space left on device", "/data/home/x.parquet"))
    assert "No space left on device (/data/home/x.parquet)" in said
    assert "free some space" in said


@pytest.mark.parametrize("answer", ["0", "6"])
def test_a_survey_answer_off_the_scale_is_refused(answer: str, tmp_path: Path):
    row = f"s,q,r,i,business,{answer},2026-01-01T00:00:00Z\n"
    report_ = load(Lake(tmp_path / "home"), "survey_answers", written(tmp_path, "a.csv", HEAD + row))
    assert report_.outcome == "refused"
    assert "1, 2, 3, 4, 5" in report_.message()
