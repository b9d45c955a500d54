"""What a page run shares: the process's open stores, the reader's choice from the scope bar, and the clock."""

from __future__ import annotations

import streamlit as st

from app.measure.judged import Frame
from app.measure.readings import Readings
from app.measure.scope import Ground, Period, View, window
from app.runtime import Runtime, open_runtime, utc_now
from app.settings import Settings, load_settings

FRAME = "_frame"  # of this run
MODEL, EXPERIMENT, PERIOD, AS_OF = (
    "model",
    "experiment",
    "period",
    "as_of",
)  # widget keys, and names in the link


@st.cache_resource(show_spinner=False, max_entries=8)
def _opened(settings: Settings) -> Runtime:
    return open_runtime(settings)


def runtime() -> Runtime:
    """The open stores of this process, one for each home."""
    return _opened(load_settings())


def view() -> View:
    """The scope bar's choice as it stands in this run."""
    state = st.session_state
    return View(
        model=state.get(MODEL) or "",
        experiment=state.get(EXPERIMENT) or "",
        period=Period(state.get(PERIOD) or Period.WEEKS_13),
        as_of=state.get(AS_OF),
    )


def begin(on: Ground, readings: Readings) -> Frame:
    """Make this run's frame: the choice as it stands, and the data as they are now."""
    opened, chosen = runtime(), view()
    made = Frame(opened, readings, chosen, window(chosen, on), opened.targets(), utc_now())
    st.session_state[FRAME] = made
    return made


def frame() -> Frame:
    """Everything a page's view-models ask for, as main.py began it in this run."""
    found = st.session_state[FRAME]
    assert isinstance(found, Frame)
    return found
