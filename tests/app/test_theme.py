"""Colours can be read by everybody, in both themes, and the two places that hold them agree."""

import tomllib

import pytest

from app.measure.takeaway import plain
from app.ui import charts, marks, theme
from app.ui.marks import SHAPES
from metrics.core.verdict import State
from tests.cases import ROOT

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_verdict_can_be_read_on_its_ground_and_on_the_page(state, mode):
    tone = theme.TONES[state]
    ink = getattr(tone.ink, mode)
    assert theme.contrast(ink, getattr(tone.ground, mode)) >= 4.5
    assert theme.contrast(ink, getattr(theme.PAGE, mode)) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("ink", [theme.INK, theme.MUTED, theme.ACCENT])
def test_text_can_be_read_on_the_page_and_on_panels(ink, mode):
    for ground in (theme.PAGE, theme.PANEL):
        assert theme.contrast(getattr(ink, mode), getattr(ground, mode)) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("colour", [*theme.SERIES, theme.TARGET_LINE, theme.REFERENCE_LINE])
def test_a_line_of_a_chart_can_be_seen_in_both_themes(colour, mode):
    assert theme.contrast(colour, getattr(theme.PAGE, mode)) >= 3.0


def test_every_verdict_has_a_shape_of_its_own():
    drawn = [shape for state, shape in SHAPES.items() if state is not State.NOT_APPLICABLE]
    assert len(set(drawn)) == len(State) - 1


def test_not_met_looks_unlike_every_calm_state():
    calm = (State.INCONCLUSIVE, State.NO_DATA, State.NOT_ENOUGH_DATA, State.STALE)
    assert all(theme.TONES[state] is not theme.TONES[State.NOT_MET] for state in calm)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_style_sheet_and_the_configuration_agree(mode):
    held = CONFIG["theme"][mode]
    assert held["backgroundColor"] == getattr(theme.PAGE, mode)
    assert held["textColor"] == getattr(theme.INK, mode)
    assert held["primaryColor"] == getattr(theme.ACCENT, mode)


def test_contrast_is_that_of_the_standard():
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert theme.contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def test_fonts_are_served_by_the_app_itself_with_their_licence():
    for face in CONFIG["theme"]["fontFaces"]:
        assert (ROOT / face["url"]).exists()
    assert "SIL Open Font License" in (ROOT / "app/static/inter-LICENSE.txt").read_text()


def test_the_configuration_keeps_what_the_design_asks_for():
    assert CONFIG["runner"] == {"postScriptGC": False, "magicEnabled": False}
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["client"]["disableDataExport"] is True
    assert CONFIG["server"]["maxUploadSize"] == 50


def test_a_trace_never_draws_more_than_five_hundred_points():
    assert charts.thinned(400) == list(range(400))
    kept = charts.thinned(20_000)
    assert len(kept) == 500
    assert (kept[0], kept[-1]) == (0, 19_999)


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("churn_v3", "churn_v3"),  # no emphasis inside a word, so nothing to take away
        ("_v3_", r"\_v3\_"),
        ("![beacon](https://evil.test/a.png)", r"!\[beacon\](https\://evil.test/a.png)"),
        (":red[x] :material/home: $x$", r"\:red\[x\] \:material/home\: \$x\$"),
        ("<img src=x> *b* `c` ~d~ a@b.test", r"\<img src=x> \*b\* \`c\` \~d\~ a\@b.test"),
        ("see www.evil.test\nnow", r"see www\.evil.test now"),
    ],
)
def test_nothing_in_a_label_is_markup(written: str, label: str):
    assert marks.label(written) == label


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Churn retention: +2", "Churn retention: +2"),
        ("תחזית ביקוש, שנה 2", "\u2068תחזית ביקוש, שנה 2\u2069"),  # a name alone keeps its own number
        ("תחזית ביקוש: value is −0.27", "\u2068תחזית ביקוש\u2069: value is −0.27"),
        ("weakest of 6: توقع الطلب (v3)", "weakest of 6: \u2068توقع الطلب\u2069 (v3)"),
    ],
)
def test_words_from_right_to_left_are_kept_from_turning_their_neighbours_round(said: str, kept: str):
    assert marks.text(said) == marks.label(said).replace("\\:", ":") == kept
    assert plain(f"<b>{marks.text(said)}</b>") == said
