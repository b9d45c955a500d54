"""What a page run shares: the process's open stores, the reader's choice from the scope bar, and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.govern.identity import signed_in
from app.govern.model import Actor, Ledger
from app.govern.open import open_ledger
from app.govern.views import Room, open_room, personas
from app.measure.judged import Frame
from app.measure.manner import Manner, ask, manner_of
from app.measure.readings import Readings
from app.measure.scope import Ground, Period, View, window
from app.runtime import Runtime, shared_runtime, utc_now
from app.settings import LOOPBACK, Settings, load_settings

FRAME = "_frame"  # of this run
PERSONA, FIRST_PERSONA = "persona", "hanna"  # the council's chair sees what waits for a decision
MODEL, EXPERIMENT, PERIOD, AS_OF = (
    "model",
    "experiment",
    "period",
    "as_of",
)  # widget keys, and names in the link


def _manner() -> Manner | None:
    """As the browser of this run's reader writes numbers and tells the time; None outside a run."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    return manner_of(st.context.locale, st.context.timezone)


ask(_manner)


def runtime() -> Runtime:
    """The open stores of this process, one for each home."""
    return shared_runtime(load_settings())


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


@st.cache_resource(show_spinner=False, max_entries=8)
def _ledger(settings: Settings) -> Ledger:
    return open_ledger(settings, utc_now)


def room(*, watched: bool = True) -> Room:
    """The ledger as the reader of this run sees it. `watched`: with the live Readings of its bounds."""
    ledger = _ledger(load_settings())
    return open_room(ledger, actor(ledger), runtime().watch if watched else None)


def look() -> Room | None:
    """The ledger as the reader sees it where there is one; None where there is none, and none is made."""
    held = runtime().door.ledger()
    return None if held is None else open_room(held, actor(held))


def initiatives() -> Mapping[str, str]:
    """Titles of the initiatives in use by their name; none where the reader sees no ledger."""
    found = look()
    return {r.record_id: r.text("title") for r in found.live("initiatives")} if found else {}


def actor(ledger: Ledger) -> Actor | None:
    """Who acts: in the demo the persona chosen in the scope bar; in production whoever signed in, by issuer and subject."""
    settings = load_settings()
    if settings.mode != "demo":
        return signed_in(dict(st.user), utc_now(), settings.session_hours)
    if not _local():
        return None
    people = {p.subject for p in personas(ledger)}
    chosen = st.session_state.get(PERSONA) or FIRST_PERSONA
    return Actor("demo", chosen) if chosen in people else None


def _local() -> bool:
    """Whether the reader came by this machine's own name: nobody else may act in an invented person's place."""
    name = urlsplit(f"//{st.context.headers.get('Host') or 'localhost'}").hostname
    return name in LOOPBACK


def production() -> bool:
    return load_settings().mode == "production"


def pick_persona() -> None:
    """Let the reader of a demo choose in whose place to act. The server binds a demo to loopback only."""
    if load_settings().mode != "demo" or not _local():
        return
    people = {p.subject: p.label for p in personas(_ledger(load_settings()))}
    if people:
        names = list(people)
        at = names.index(FIRST_PERSONA) if FIRST_PERSONA in people else 0
        st.selectbox(
            "Acting as", names, index=at, format_func=lambda n: people.get(n, n), key=PERSONA,
            bind="query-params", persist_state="session", width=260,
            help="Demo only: everybody here is invented, and what you save is signed with this name.",
        )  # fmt: skip
