"""Colours, type and space: one theme, light and dark, as data that tests can measure and CSS can use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from metrics.core.verdict import State

CSS = Path(__file__).with_name("theme.css")


@dataclass(frozen=True)
class Pair:
    """A colour in the light and in the dark theme, as #RRGGBB."""

    light: str
    dark: str

    def css(self) -> str:
        return f"light-dark({self.light}, {self.dark})"


@dataclass(frozen=True)
class Tone:
    """Ink on its tinted ground; contrast is at least 4.5 in both themes (tested)."""

    ink: Pair
    ground: Pair


PAGE = Pair("#FFFFFF", "#0F151C")
INK = Pair("#15202B", "#E6EBF1")
MUTED = Pair("#566270", "#A3AFBC")
LINE = Pair("#DCE2E9", "#2C3947")
PANEL = Pair("#F4F6F9", "#18212B")
ACCENT = Pair("#0072B2", "#56B4E9")

GREEN = Tone(Pair("#006B4F", "#6FD9B1"), Pair("#E5F4EE", "#12312A"))
AMBER = Tone(Pair("#8A5000", "#F0B860"), Pair("#FFF3DF", "#37290F"))
RED = Tone(Pair("#B3261E", "#FFA399"), Pair("#FDECEA", "#45191A"))
CALM = Tone(Pair("#495665", "#AFBAC6"), Pair("#EDF0F4", "#222D39"))

TONES = {
    State.MET: GREEN,
    State.NOT_MET: RED,
    State.INCONCLUSIVE: AMBER,
    State.STALE: CALM,
    State.NO_DATA: CALM,
    State.NOT_ENOUGH_DATA: CALM,
    State.NOT_APPLICABLE: CALM,
    State.WAIVED: CALM,
}

# Charts are drawn before the browser's theme is known, so their own colours must do on both grounds (tested: 3.0).
SERIES = (
    "#0E7FBF",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#B8860B",
    "#6C7A89",
)  # Okabe-Ito, the light ones darkened
TARGET_LINE = "#7C8794"
REFERENCE_LINE = "#8A94A0"
ALARM = "#D9534A"


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _slug(state: State) -> str:
    return state.value.replace(" ", "-")


def css() -> str:
    """The style sheet: colour variables of both themes, one class a verdict, then the rules of theme.css."""
    named = {"page": PAGE, "ink": INK, "muted": MUTED, "line": LINE, "panel": PANEL, "accent": ACCENT}
    named |= {"good": GREEN.ink, "bad": RED.ink, "warn": AMBER.ink}
    variables = "".join(f"--tl-{name}: {pair.css()};" for name, pair in named.items())
    verdicts = "".join(
        f".tl-v-{_slug(state)} {{ color: {tone.ink.css()}; background: {tone.ground.css()}; }}"
        for state, tone in TONES.items()
    )
    return f":root {{ {variables} }}\n{verdicts}\n{CSS.read_text(encoding='utf-8')}"


def floating(scheme: str | None) -> str:
    """Drawers and popovers hang outside the app's own element, which carries the colour scheme: theirs, said once more."""
    return f'[data-testid="stDialog"], [data-testid="stPopoverBody"] {{ color-scheme: {scheme or "light"}; }}'


def verdict_class(state: State) -> str:
    return f"tl-v-{_slug(state)}"
