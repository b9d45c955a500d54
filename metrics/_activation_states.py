"""The state of every signal, in one statement: definitions section 1, decided in the order of its table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import Facts, day_number, double, micros, real, whole
from metrics._activation_grid import SECOND, began_bucket, began_us, beginnings, crowded_days, log_bucket
from metrics._activation_rivals import rivals_of
from metrics._activation_touch import BY_SIGNAL, days_of, persons_of, signals_of, signals_of_links, window_ms
from metrics.core.contact import end_of, first_sent, instant, never, real_activations
from metrics.core.metric import Reach, Rollup
from metrics.core.persons import rooted, roots
from metrics.core.shapes import Columns, Counts, Floats, Ints, Sums

SKEW_US = 5_000_000  # skew tolerance eps: clocks of two systems may differ by this much
STATES = (
    "excluded_test", "excluded_holdout", "excluded_no_action", "unlinked_identity", "invalid_negative", "in_window",
    "late", "competing_suppressed", "competing_converted", "open", "missed",
)  # fmt: skip
IN_WINDOW, LATE, OPEN, MISSED = (STATES.index(name) for name in ("in_window", "late", "open", "missed"))
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
AHEAD = -1  # bucket of signals scored after the observation end: in a state, but never followed


def is_waiting(state: np.ndarray) -> np.ndarray:
    """Cells of signals that were still waiting at the observation end."""
    return np.isin(state, ("open", "missed"))


@dataclass(frozen=True)
class StateCells:
    """Cells of one slice; arrays have one entry a cell.

    state: one of STATES. seconds: mean latency (in_window, late), time to the competing event (competing_*),
    or age at the observation end (open, missed); 0 elsewhere; -1 for signals scored after that end. window: W, seconds.
    n: signals. clamped: of them, latencies between -5 s and 0 taken as 0. expected: sum of the model's own expected
    value, money. observed_us: the observation end, epoch microseconds (one number for all cells).
    """

    state: np.ndarray
    window: Floats
    seconds: Floats
    n: Ints
    clamped: Ints
    expected: Floats
    observed_us: int

    @cached_property
    def totals(self) -> dict[str, int]:
        """Signals by state, 0 where there is none. Slices are small and many: adding them up in numpy takes longer."""
        found = dict.fromkeys(STATES, 0)
        for state, n in zip(self.state.tolist(), self.n.tolist(), strict=True):
            found[state] += n
        return found

    @classmethod
    def of(cls, columns: Columns) -> StateCells:
        state = np.array([STATES[int(c)] for c in columns["code"]], dtype=object)
        n = columns["n"].astype(np.int64)
        mean = columns["us"].astype(float) / np.maximum(n, 1)
        waiting = is_waiting(state)
        observed = int(columns["observed_us"][0])
        us = np.where(waiting, observed - beginnings(columns, mean), mean)
        us = np.where(columns["bucket"].astype(np.int64) == AHEAD, -SECOND, us)
        return cls(
            state, columns["window_ms"].astype(float) / 1e3, us / SECOND, n, columns["clamped"].astype(np.int64),
            columns["expected"].astype(float), observed,
        )  # fmt: skip


def signals(facts: Facts, known: sa.Subquery, *more: ColumnElement[object]) -> sa.Subquery:
    """Signals of the span with their person's root, scoring time and window, and `more` columns of theirs."""
    s = facts["signals"]
    joined, root = rooted(s, known)
    excluded = sa.case(
        (s.c.is_test == sa.true(), 0), (s.c.arm == "holdout", 1), (s.c.decision != "activate", 2),
        (s.c.person_id.is_(None), 3), else_=-1,
    )  # fmt: skip
    return (
        sa.select(
            s.c.signal_id, root.label("root"), s.c.model_id, s.c.model_version, s.c.signal_name,
            micros(s.c.scored_at).label("us"), window_ms(s).label("window_ms"),
            excluded.label("excluded"), sa.func.coalesce(double(s.c.expected_value), real(0)).label("expected"),
            *more,
        )
        .select_from(joined)
        .where(facts.within(s.c.scored_at), facts.pinned(s))
        .subquery("scored")
    )  # fmt: skip


def linked_sends(facts: Facts) -> sa.Subquery:
    """Qualifying sends of signals: signal_id, activation_id, sent_us, and the channel, campaign and provider."""
    a, link, sends = facts["activations"], facts["activation_signals"], first_sent(facts)
    joined = link.join(a, a.c.activation_id == link.c.activation_id).join(
        sends, sends.c.activation_id == a.c.activation_id
    )
    keys = (link.c.signal_id, a.c.activation_id, sends.c.sent_us, a.c.channel, a.c.campaign_id, a.c.provider)
    return (
        sa.select(*keys)
        .select_from(joined)
        .where(a.c.purpose == "marketing", real_activations(facts))
        .subquery("linked")
    )


def first_of(linked: sa.Subquery) -> sa.Subquery:
    """The first send of each signal; of sends at one instant that of the smallest activation_id."""
    order = [linked.c.sent_us, linked.c.activation_id]
    place = sa.func.row_number().over(partition_by=linked.c.signal_id, order_by=order)
    placed = sa.select(linked, place.label("place")).subquery("placed")
    return sa.select(placed).where(placed.c.place == 1).subquery("first")


def first_activations(facts: Facts) -> sa.Subquery:
    """First qualifying send of each signal: signal_id, sent_us, and its channel, campaign and provider."""
    return first_of(linked_sends(facts))


def resolved(scored: sa.Subquery, first: sa.Subquery, rivals: sa.Subquery, *more: str) -> sa.Subquery:
    """One row a signal: keys, scoring, first send (or never), first competing event (or never) and which.

    `more`: columns of `first` to bring along.
    """
    stop_us, won_us = (sa.func.coalesce(c, never()) for c in (rivals.c.stop_us, rivals.c.won_us))
    joined = scored.outerjoin(first, first.c.signal_id == scored.c.signal_id).outerjoin(
        rivals, rivals.c.signal_id == scored.c.signal_id
    )
    return (
        sa.select(
            scored, first.c.activation_id, first.c.channel, first.c.campaign_id, first.c.provider,
            sa.func.coalesce(first.c.sent_us, never()).label("sent_us"), *(first.c[name] for name in more),
            sa.case((won_us <= stop_us, won_us), else_=stop_us).label("rival_us"),
            sa.case((won_us <= stop_us, 8), else_=7).label("rival"),
        )
        .select_from(joined)
        .subquery("resolved")
    )  # fmt: skip


def _code(rows: sa.Subquery, observed_us: int) -> ColumnElement[int]:
    """The state, in the order of the definition's table (index into STATES)."""
    late = rows.c.sent_us - rows.c.us > rows.c.window_ms * 1000
    sent = rows.c.sent_us < never()
    age = instant(observed_us) - rows.c.us
    return sa.case(
        (rows.c.excluded >= 0, rows.c.excluded),
        (rows.c.us - rows.c.sent_us > SKEW_US, 4),
        (rows.c.rival_us < rows.c.sent_us, rows.c.rival),  # at the same instant the send came first
        (sa.and_(sent, late), 6),
        (sent, 5),
        (age < rows.c.window_ms * 1000, 9),
        else_=10,
    )


def resolved_states(facts: Facts) -> sa.Subquery:
    """One row a signal, with its state's code."""
    known = roots(facts)
    scored = signals(facts, known)
    return coded(facts, resolved(scored, first_activations(facts), rivals_of(facts, scored, known)))


def coded(facts: Facts, rows: sa.Subquery) -> sa.Subquery:
    """The resolved rows with their state's code."""
    return sa.select(rows, _code(rows, facts.observed_us).label("code")).subquery("coded")


def _timed(coded: sa.Subquery) -> sa.Subquery:
    """Adds the microseconds that the cell sums: latency, time to the rival, or scoring time of day."""
    latency = coded.c.sent_us - coded.c.us
    us = sa.case(
        (sa.and_(coded.c.code.in_((5, 6)), latency > 0), latency),
        (sa.and_(coded.c.code.in_((7, 8)), coded.c.rival_us > coded.c.us), coded.c.rival_us - coded.c.us),
        else_=0,
    )
    clamped = sa.case((sa.and_(coded.c.code == 5, latency < 0), 1), else_=0)
    return sa.select(
        coded, day_number(coded.c.us).label("day"), us.label("took_us"), clamped.label("clamped"),
        sa.case((coded.c.code >= 9, 1), else_=0).label("waiting"),
    ).subquery("timed")  # fmt: skip


def _bucketed(facts: Facts, coded: sa.Subquery) -> sa.Subquery:
    """Adds the last grouping key: the grid cell of the time taken or, of those still waiting, of the scoring."""
    rows, crowded = _timed(coded), crowded_days(facts, "signals", "scored_at")
    began, waits = began_us(rows.c.us, crowded), rows.c.waiting == 1
    ahead = (rows.c.us > end_of(facts), AHEAD)
    return (
        sa.select(
            rows, sa.case(ahead, (waits, began_bucket(began)), else_=log_bucket(rows.c.took_us)).label("bucket"),
            sa.case((waits, rows.c.us - began), else_=rows.c.took_us).label("summed_us"),
        )
        .select_from(rows.outerjoin(crowded, crowded.c.crowded_day == rows.c.day))
        .subquery("bucketed")
    )  # fmt: skip


# A watermark of any of these bounds what was observed.
SOURCES = (
    "signals", "activations", "activation_signals", "activation_hops", "message_events", "suppression_events",
    "outcomes",
)  # fmt: skip
DIMS = ("model_id", "model_version", "signal_name", "channel", "campaign_id", "provider", "state")
INNER = ("code", "window_ms", "bucket")


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    return celled(facts, resolved_states(facts))


def _named(code: ColumnElement[int]) -> ColumnElement[str]:
    return sa.case(*((code == i, sa.literal_column(f"'{name}'", sa.Text())) for i, name in enumerate(STATES)))


def celled(facts: Facts, coded: sa.Subquery) -> sa.Select[tuple[object, ...]]:
    """The rows summed to cells: state, window, bucket of the time taken. States get their names when all is summed."""
    rows = _bucketed(facts, coded)
    keys = [rows.c.day, *(rows.c[d] for d in facts.dims if d != "state"), *(rows.c[k] for k in INNER)]
    pins = [
        (_named(rows.c.code) if name == "state" else rows.c[name]) == value
        for name, value in facts.where
        if name == "state" or name in rows.c
    ]
    sums = (
        sa.func.count().label("n"),
        whole(sa.func.sum(rows.c.clamped)).label("clamped"),
        whole(sa.func.sum(rows.c.summed_us)).label("us"),
        sa.func.sum(rows.c.expected).label("expected"),
    )
    cells = sa.select(*keys, *sums).where(*pins).group_by(*keys).subquery("cells")
    dims = [_named(cells.c.code).label(d) if d == "state" else cells.c[d] for d in facts.dims]
    return sa.select(cells.c.day, *dims, *(cells.c[c] for c in (*INNER, *(s.name for s in sums))))


STATE_CELLS: Rollup[StateCells] = Rollup(
    key="activation.states",
    title="Signals by state and time taken",
    tables=(
        "signals", "activations", "activation_signals", "message_events", "suppression_events", "outcomes",
        "person_merges", "data_watermarks",
    ),
    dims=DIMS,
    inner=INNER,
    shapes=(Counts(("n", "clamped", "us")), Sums(("expected",))),
    select=_select,
    cells=StateCells.of,
    touched=(
        ("signals", days_of(signals_of_links("signals"), "signal_id")),  # those the observation end has overtaken
        ("activation_signals", days_of(signals_of_links("activation_signals"), "signal_id")),
        ("activations", days_of(signals_of("activations"), "signal_id")),
        ("message_events", days_of(signals_of("message_events"), "signal_id")),
        ("suppression_events", days_of(persons_of("suppression_events"), "person_id")),
        ("outcomes", days_of(persons_of("outcomes"), "person_id")),
        ("person_merges", days_of(persons_of("person_merges", "from_person_id"), "person_id")),
        ("data_watermarks", None),
    ),
    reach=(
        ("message_events", Reach.LATER), ("suppression_events", Reach.ALL), ("outcomes", Reach.LATER),
        ("person_merges", Reach.ALL),
    ),
    unsettled=("state", "open"),
    version=2,
    observed=SOURCES,
    keyed=BY_SIGNAL,
)  # fmt: skip
