"""Numbers and times in the reader's own marks, and documents in everybody's."""

import datetime as dt
import re

import pytest

from app.measure import manner, words
from app.measure.manner import PLAIN, Manner, manner_of, plainly
from metrics import ALL
from metrics.core.metric import Reading, Unit
from tests.app.test_pages import open_page, shown

NB, NNB = words.NBSP, manner.NARROW


@pytest.fixture
def written_as(monkeypatch: pytest.MonkeyPatch):
    """Write as somebody does, for one test."""

    def use(locale: str, zone: str = "UTC") -> None:
        monkeypatch.setattr(manner, "_ASKED", [lambda: manner_of(locale, zone)])
        manner._HERE.set(None)

    yield use
    manner._HERE.set(None)


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-US", "1,234,567.5"), ("de-DE", "1.234.567,5"), ("de-CH", "1’234’567.5"), ("fr-FR", f"1{NNB}234{NNB}567,5"),
        ("pl-PL", f"1{NNB}234{NNB}567,5"), ("en-IN", "12,34,567.5"), ("ar-EG", "1,234,567.5"), ("xx-nonsense", "1,234,567.5"),
        ("", "1,234,567.5"), ("../../etc", "1,234,567.5"),
    ],
)  # fmt: skip
def test_marks_and_groups_are_those_of_the_locale(locale, said):
    assert manner_of(locale or None, None).marked("1,234,567.5") == said


def test_a_sign_stays_and_small_numbers_get_no_group():
    german = manner_of("de-DE", None)
    assert german.marked("\u221212,345.60") == "\u221212.345,60"
    assert german.marked("+0.5") == "+0,5"
    assert german.marked("1e+06") == "1e+06"


def test_a_zone_that_does_not_exist_is_utc():
    assert manner_of("en", "Mars/Olympus") == PLAIN
    assert manner_of("en", "../../etc/passwd") == PLAIN
    assert manner_of("en", "Europe/Zurich").zone == "Europe/Zurich"


def test_every_number_of_the_product_follows_the_reader(written_as):
    written_as("de-DE", "Europe/Berlin")
    auc, precision = ALL["model.auc"], ALL["model.precision"]
    made = Reading("k", (), 0.8123, 0.80, 0.83, 12_345, None, None, Unit.SCORE, "m", "", (), None, "v")
    assert words.shown(auc, made) == words.Shown("0,81", "0,80 to 0,83", "12.345")
    assert words.target_number(precision, 0.625) == f"62,5{NB}%"
    assert words.plural(1234, "row") == "1.234 rows"
    assert words.compact(4_200_000) == f"4,2{NB}M"
    assert (
        words.moment(dt.datetime(2026, 11, 26, 23, 30, tzinfo=dt.UTC)) == f"27{NB}Nov{NB}2026, 00:30{NB}CET"
    )
    written_as("en-GB", "Asia/Dubai")
    assert words.moment(dt.datetime(2026, 11, 26, 23, 30, tzinfo=dt.UTC)).endswith(f"03:30{NB}UTC+04")


def test_a_document_is_written_plainly_whoever_asks_for_it(written_as):
    written_as("de-DE", "Europe/Berlin")
    with plainly():
        assert words.count(1234) == "1,234"
    assert words.count(1234) == "1.234"
    assert Manner() == PLAIN


def test_a_page_is_drawn_in_the_marks_of_its_browser(enterprise, monkeypatch):
    monkeypatch.setattr("app.ui.session.manner_of", lambda *_: manner_of("de-DE", "Asia/Kolkata"))
    at = open_page(enterprise.settings.home, "scorecard", monkeypatch)
    assert "IST" in shown(at)
    values = re.findall(r'class="tl-(?:value|range)">([^<]*)<', shown(at))
    assert any("," in v for v in values)
    assert not any(re.search(r"\d\.\d{1,2}\b", v) for v in values)
