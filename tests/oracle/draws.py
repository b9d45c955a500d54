"""One random row of each table, for `warehouses`: every trap of sections 1 to 3, without its time yet.

A `Drawn` row is placed at a moment afterwards (`placed`), so that a send can be laid exactly on the scoring, the
opt-out, the release or the end of the window it is to be judged against.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]

BASE = dt.datetime(2026, 3, 9, 9, tzinfo=dt.UTC)
GRID = 30.0
END = 60 * GRID  # the usual observation end, seconds after BASE
LATER = 40 * 86_400.0  # an end at which 30-day stops are matured
DAY = 86_400.0
CHANNELS = ("email", "sms", "push", "whatsapp")
# At most 12 nodes: eight persons and four records that merges speak of.
PEOPLE = tuple(f"p{i}" for i in range(8))
RECORDS = tuple(f"r{i}" for i in range(4))


def iso(after: float | None) -> str | None:
    """ISO text of so many seconds after BASE; None stays None."""
    if after is None:
        return None
    return (BASE + dt.timedelta(seconds=after)).isoformat().replace("+00:00", "Z")


def after_base(text: str) -> float:
    return (dt.datetime.fromisoformat(text) - BASE).total_seconds()


@dataclass(frozen=True)
class Drawn:
    """A row without its time: the other columns; times relative to it; and how late it was received and loaded."""

    columns: Row
    spans: dict[str, float | None] = field(default_factory=dict)
    received: float | None = None
    loaded: float | None = None


def placed(drawn: Drawn, column: str, at: float) -> Row:
    """The row with its event `column` at a moment, seconds after BASE."""
    load = None if drawn.loaded is None else at + max(drawn.loaded, drawn.received or 0.0)
    received = None if drawn.received is None else at + drawn.received
    spans = {name: iso(None if s is None else at + s) for name, s in drawn.spans.items()}
    times = {column: iso(at), "received_at": iso(received), "loaded_at": iso(load)}
    return {**drawn.columns, **spans, **times}


def one(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def several(n: int, value: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The value n times as likely as each of the others; the simplest choice too."""
    return st.sampled_from((value,) * n + others)


def rows(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(columns)


# Moments on the grid, and steps from what a row is to be judged against: ties, the grace minute (60), the
# confirmation's 300 s, the windows (300, 600) and just inside and outside the skew tolerance.
on_grid = st.integers(0, 40).map(lambda k: k * GRID)
steps = one(
    30.0,
    60.0,
    300.0,
    0.0,
    120.0,
    30.0,
    60.0,
    -3.0,
    -5.0,
    -5.000001,
    90.0,
    600.0,
    61.0,
    301.0,
    599.999999,
    660.0,
)
forward = one(30.0, 0.0, 60.0, 300.0, 120.0, 600.0, 900.0)
around = one(0.0, 30.0, -30.0, 60.0, -DAY, 300.0, -300.0, 120.0, 2.0, -2.0)
ends = one(END, 20 * GRID, LATER, None)
as_ofs = one(None, 10 * GRID, 20 * GRID, END, LATER).map(iso)
loads = several(4, None, 0.0, 0.0, GRID, 600.0, 2 * DAY)
persons = st.sampled_from(PEOPLE)
some_record = several(3, None, *RECORDS, *RECORDS, *PEOPLE[:2])
scopes = several(3, "*", "email", "sms", "email|sms", "push|whatsapp")
programmes = several(5, None, "*", "c1", "abandoned_cart", "c1|other")
rarely = several(15, 0, 1)

signal = st.builds(
    Drawn,
    rows(
        person_id=st.sampled_from((*PEOPLE, *PEOPLE, None)),
        model_id=several(3, "m1", "m2"),
        signal_name=several(4, "hot", "cold"),
        decision=several(15, "activate", "no_action", "suppress"),
        arm=several(15, "treatment", "holdout"),
        window_seconds=one(300.0, 60.0, 600.0),
        expected_value=one(50.0, 10.0, None),
        currency=one("USD"),
        is_test=rarely,
    ),
    rows(features_as_of=one(None, -3600.0, 0.0, 3.0, 30.0)),
    loaded=loads,
)
activation = rows(
    record_id=some_record,
    channel=st.sampled_from(CHANNELS),
    purpose=several(
        12, "marketing", *"transactional transactional service legal".split(), *("opt_out_confirmation",) * 3
    ),
    campaign_id=one("c1", None, "abandoned_cart"),
    scheduled_for=several(5, None, iso(END)),
    is_test=rarely,
)
event = st.builds(
    Drawn,
    rows(
        source=one("prov"),
        event_type=several(
            8, "sent", *"queued blocked skipped failed failed delivered opened deferred".split()
        ),
        provider_code=one("21610", "131050", "30007", None),
        is_machine=rarely,
    ),
    loaded=loads,
)
TRIGGERS = "opt_out complaint hard_bounce hard_bounce conversion conversion erasure_request deceased manual"
suppress = st.builds(
    Drawn,
    rows(
        record_id=some_record,
        trigger_type=several(3, *TRIGGERS.split()),
        action=one("suppress"),
        origin_channel=st.sampled_from((*CHANNELS, "web")),
        scope_channels=scopes,
        scope_purpose=several(6, "marketing", "all"),
        scope_program=programmes,
    ),
    rows(expires_at=several(5, None, 60.0, 300.0, DAY)),
    several(3, None, 0.0, 30.0, 300.0, 900.0, -30.0),
    loads,
)
release = st.builds(
    Drawn,
    rows(
        record_id=one(None),
        trigger_type=several(4, "re_opt_in", "manual"),
        action=one("release"),
        origin_channel=st.sampled_from(CHANNELS),
        scope_channels=scopes,
        scope_purpose=one("marketing", "all"),
        scope_program=several(4, None, "c1"),
    ),
    loaded=loads,
)
merge = st.builds(
    Drawn,
    rows(from_person_id=one(*RECORDS, *RECORDS, *PEOPLE), to_person_id=one(*PEOPLE, *RECORDS)),
    rows(reverted_at=several(6, None, 120.0, 0.0)),
    loaded=loads,
)
consent = st.builds(
    Drawn,
    rows(
        purpose=several(5, "marketing", "service"),
        status=several(5, "subscribed", "unsubscribed", "unknown"),
        proof_ref=one("form:1", None),
    ),
    rows(expires_at=several(3, None, 60.0, 300.0)),
    loaded=loads,
)
outcome = st.builds(
    Drawn,
    rows(
        outcome_type=one("purchase", "signup", "churn"),
        revenue=one(10.0),
        currency=one("USD"),
    ),
    rows(reversed_at=one(None, None, 30.0)),
    loaded=loads,
)
link = rows(
    person_id=persons,
    record_id=st.sampled_from([f"k{i}" for i in range(8)]),
    id_type=one("email", "phone", "device_id"),
    id_value=one("A@x", "a@x ", "b@x", "1"),
    truth_entity_id=one("e1", "e2", "e3", None),
    valid_from=one(iso(-DAY), iso(300.0), None),
    valid_to=several(4, None, iso(600.0)),
)
HOPS = ("scored", "exported", "approved", "sent", "delivered", "converted", "fed_back")
hop = st.builds(
    Drawn,
    rows(mode=one("automatic", "manual", "unknown"), outcome=several(6, "ok", None, "failed")),
    loaded=several(6, None, 0.0, 600.0),
)
ack = rows(
    channel=st.sampled_from(CHANNELS),
    system=one("s1", "s2", None),
    acknowledged_at=st.one_of(st.none(), on_grid.map(iso)),
    ack_lo=st.one_of(st.none(), st.integers(0, 10).map(lambda k: iso(k * GRID))),
    ack_hi=st.one_of(st.none(), st.integers(10, 40).map(lambda k: iso(k * GRID))),
)
