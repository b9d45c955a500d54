"""The chain from signal to value: which link each signal was lost at, and what its person brought afterwards.

A signal's link follows from its state of definitions section 1, so both say the same; only those in the window are
asked further, whether any message in time was neither failed nor bounced. Revenue goes to the latest signal of the
person and model, for FOLLOW_DAYS, so that no outcome is counted twice within a model.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.sql import DAY_US, WHOLE, Facts, Span, day_number, double, micros, real, whole
from metrics._activation_rivals import rivals_of
from metrics._activation_states import IN_WINDOW, OPEN, SOURCES, STATE_CELLS, coded, resolved, signals
from metrics._activation_touch import persons_of, window_ms
from metrics._chain_contacts import contacts_of
from metrics._chain_line import LINKS, SHAPES, LineCells
from metrics.core.contact import end_of, instant, never
from metrics.core.metric import Reach, Rollup
from metrics.core.persons import rooted, roots

FOLLOW_DAYS = 14
FOLLOW_US = FOLLOW_DAYS * DAY_US
# States by code; of a signal in its window the messages say whether it is reached or lost in delivery.
_LINK_OF = {1: "holdout", 3: "identity", 4: "clock", 6: "latency", 7: "suppressed", 8: "bought_first", 9: "open",
            10: "integration"}  # fmt: skip


def _merited(s: sa.FromClause) -> ColumnElement[bool]:
    """Signals that merited action: to be activated, or held out although they would have been."""
    held = sa.func.coalesce(s.c.arm, "treatment") == "holdout"
    return sa.and_(
        sa.or_(s.c.is_test.is_(None), s.c.is_test == sa.false()),
        sa.or_(s.c.decision == "activate", sa.and_(held, s.c.decision == "hold_out")),
    )


def _days(facts: Facts, before: int, after: int) -> Facts:
    """The days asked for and some before and after them."""
    if facts.span is None:
        return facts
    return replace(facts, span=Span(facts.span.first - before, facts.span.last + after))


def _gap(rows: sa.FromClause) -> ColumnElement[int]:
    """How far back a signal looks for one that it repeats, microseconds."""
    window_us = rows.c.window_ms * 1000
    return sa.case((window_us < instant(FOLLOW_US), window_us), else_=instant(FOLLOW_US))


def _near(facts: Facts, rows: sa.FromClause) -> ColumnElement[bool]:
    """Signals of the days asked for, and those that one of them may repeat: most windows are hours, not weeks."""
    if facts.span is None:
        return sa.true()
    s = facts["signals"]
    windows = (
        sa.select(window_ms(s).label("window_ms")).where(facts.within(s.c.scored_at)).subquery("windows")
    )
    longest = sa.select(sa.func.max(_gap(windows))).scalar_subquery()
    return rows.c.us >= instant(facts.span.first * DAY_US) - longest


def _in_turn(facts: Facts, known: sa.Subquery, of: sa.Select[tuple[str]] | None = None) -> sa.Subquery:
    """Merited signals (of some persons, by root) with `first`: 1 where a signal repeats none before it.

    A signal repeats where one of the same person and model lies no further back than its window. It is told here, where
    signals are read, so that no signal has to be found again by its id. `inside`: of the days asked for.
    """
    s = facts["signals"]
    merited = sa.case((_merited(s), 1), else_=0).label("merited")
    inside = sa.case((facts.within(s.c.scored_at), 1), else_=0).label("inside")
    rows = signals(_days(facts, FOLLOW_DAYS + 1, 0), known, s.c.currency, merited, inside)
    # A signal of nobody repeats none: it is somebody of its own. Names are long, so only this one is carried.
    who = sa.func.coalesce(rows.c.root, rows.c.signal_id).label("who")
    is_person = sa.case((rows.c.root.is_(None), 0), else_=1).label("is_person")
    theirs = sa.true() if of is None else rows.c.root.in_(of)
    named = (
        sa.select(*(c for c in rows.c if c.key != "root"), who, is_person)
        .where(rows.c.merited == 1, _near(facts, rows), theirs)
        .subquery("named_signals")
    )
    before = sa.func.lag(named.c.us, 1, -never()).over(
        partition_by=[named.c.who, named.c.model_id, named.c.is_person],
        order_by=[named.c.us, named.c.signal_id],
    )
    timed = sa.select(named, before.label("before_us")).subquery("timed_signals")
    # never as a difference with "no time": that would leave the range of whole numbers
    repeats = timed.c.before_us >= timed.c.us - _gap(timed)
    root = sa.case((timed.c.is_person == 1, timed.c.who)).label("root")
    return sa.select(timed, root, sa.case((repeats, 0), else_=1).label("first")).subquery("in_turn")


def _won(facts: Facts, known: sa.Subquery) -> sa.Subquery:
    """What persons brought in the days of `facts`: root, us, revenue."""
    o = facts["outcomes"]
    joined, root = rooted(o, known)
    return (
        sa.select(
            root.label("root"), micros(o.c.occurred_at).label("us"),
            sa.func.coalesce(double(o.c.revenue), real(0)).label("revenue"),
        )
        .select_from(joined)
        .where(facts.within(o.c.occurred_at), o.c.outcome_type != "churn", o.c.reversed_at.is_(None))
        .subquery("won")
    )  # fmt: skip


def _brought(facts: Facts, known: sa.Subquery) -> sa.Subquery:
    """What a first signal's person brought until the next one or the follow-up's end: signal_id, won, revenue.

    Only of signals that something came of, and only persons who brought anything are put in order: they are few.
    """
    later = _days(facts, 0, FOLLOW_DAYS + 1)
    won, any_won = _won(later, known), _won(later, known).alias("any_won")
    found = _in_turn(later, known, sa.select(any_won.c.root))
    next_us = sa.func.lead(found.c.us, 1, never()).over(
        partition_by=[found.c.model_id, found.c.root], order_by=[found.c.us, found.c.signal_id]
    )
    firsts = (
        sa.select(found.c.signal_id, found.c.root, found.c.us, next_us.label("next_us"))
        .where(found.c.first == 1)
        .subquery("firsts")
    )
    after = sa.and_(
        won.c.root == firsts.c.root, won.c.us >= firsts.c.us, won.c.us < firsts.c.next_us,
        won.c.us <= firsts.c.us + instant(FOLLOW_US),
    )  # fmt: skip
    return (
        sa.select(
            firsts.c.signal_id,
            sa.func.count(won.c.us).label("won"),
            sa.func.sum(won.c.revenue).label("revenue"),
        )
        .select_from(firsts.join(won, after))
        .group_by(firsts.c.signal_id)
        .subquery("brought")
    )


def _is_reached(states: sa.Subquery) -> ColumnElement[bool]:
    """Whether a message in time, before any competing event, did not fail."""
    in_time = states.c.arriving_us <= states.c.us + states.c.window_ms * 1000
    return sa.and_(states.c.code == IN_WINDOW, in_time, states.c.arriving_us <= states.c.rival_us)


def _states(facts: Facts, known: sa.Subquery) -> sa.Subquery:
    """Merited signals of the days asked for: state, contact, and whether each is a first one."""
    turned = _in_turn(facts, known)
    scored = sa.select(turned).where(turned.c.inside == 1).subquery("merited_signals")
    rivals = rivals_of(facts, signals(facts, known), known)  # of signals as they are: `scored` is read once
    return coded(facts, resolved(scored, contacts_of(facts), rivals, "arriving_us"))


def merited_rows(facts: Facts) -> sa.Subquery:
    """One row a merited signal: its link, its episode, what it brought, and whether its follow-up has ended."""
    known = roots(facts)
    states, brought = _states(facts, known), _brought(facts, known)
    link = sa.case(
        *((states.c.code == code, LINKS.index(name)) for code, name in _LINK_OF.items()),
        (_is_reached(states), LINKS.index("reached")), else_=LINKS.index("delivery"),
    )  # fmt: skip
    age = end_of(facts) - states.c.us
    young = sa.or_(states.c.code == OPEN, age < instant(FOLLOW_US))
    first = states.c.first == 1
    begins = sa.and_(first, states.c.root.is_not(None))
    revenue = sa.case((young, sa.null()), (begins, sa.func.coalesce(brought.c.revenue, real(0))))
    return (
        sa.select(
            day_number(states.c.us).label("day"), states.c.model_id, states.c.campaign_id, states.c.channel,
            sa.case((young, "no"), else_="yes").label("followed"),
            link.label("code"), sa.func.coalesce(states.c.model_id, "").label("line"),
            sa.func.coalesce(states.c.currency, "").label("currency"),
            states.c.first, sa.func.coalesce(brought.c.won, 0).label("won"),
            sa.case((first, states.c.expected), else_=real(0)).label("expected"),
            revenue.label("revenue"),
        )
        .select_from(states.outerjoin(brought, brought.c.signal_id == states.c.signal_id))
        .subquery("chained")
    )  # fmt: skip


def _select(facts: Facts) -> sa.Select[tuple[object, ...]]:
    return summed_rows(facts, merited_rows(facts))


def summed_rows(facts: Facts, rows: sa.Subquery) -> sa.Select[tuple[object, ...]]:
    """The rows summed to cells."""
    pins = [rows.c[name] == value for name, value in facts.where if name in rows.c]
    keys = [rows.c[k] for k in ("day", *facts.dims, *INNER)]
    is_reached = sa.and_(rows.c.code == LINKS.index("reached"), rows.c.won > 0)
    told = whole(sa.func.sum(sa.case((rows.c.revenue.is_not(None), 1), else_=0)))
    return (
        sa.select(
            *keys,
            whole(sa.func.count()).label("n"),
            whole(sa.func.sum(rows.c.first)).label("units"),
            whole(sa.func.sum(sa.case((is_reached, 1), else_=0))).label("converted"),
            sa.func.sum(rows.c.expected).label("expected"),
            told.label("revenue_n"),
            sa.func.coalesce(sa.func.avg(rows.c.revenue), real(0)).label("revenue_mean"),
            (sa.func.coalesce(sa.func.var_pop(rows.c.revenue), real(0)) * double(told)).label("revenue_m2"),
        )
        .where(*pins)
        .group_by(*keys)
    )


def _neighbours(facts: Facts) -> sa.Select[tuple[int]]:
    """Days of signals near new ones of the same persons: what those brought now ends at the new signal."""
    changed, every = facts["signals"], facts[WHOLE]
    persons = persons_of("signals")(facts).subquery("newcomers")
    new = sa.select(micros(changed.c.scored_at).label("us")).subquery("new_signals")
    ends = sa.select(
        whole(sa.func.min(new.c.us)).label("first_us"), whole(sa.func.max(new.c.us)).label("last_us")
    ).subquery("ends")
    theirs = (
        sa.select(micros(every.c.scored_at).label("us"))
        .where(every.c.person_id.in_(sa.select(persons.c[0])))
        .subquery("theirs")
    )
    near = theirs.c.us.between(ends.c.first_us - instant(FOLLOW_US), ends.c.last_us + instant(FOLLOW_US))
    days = (
        sa.select(day_number(theirs.c.us).label("day"))
        .select_from(theirs.join(ends, near))
        .subquery("near_days")
    )
    return sa.select(days.c.day).distinct()


INNER = ("code", "line", "currency")
LINE: Rollup[LineCells] = Rollup(
    key="chain.line",
    version=2,
    by_days=True,
    title="Merited signals by the link they were lost at",
    tables=STATE_CELLS.tables,
    dims=("model_id", "campaign_id", "channel", "followed"),
    inner=INNER,
    words=("line", "currency"),
    shapes=SHAPES,
    select=_select,
    cells=LineCells.of,
    touched=(("signals", _neighbours), *(t for t in STATE_CELLS.touched if t[0] != "signals")),
    reach=(("signals", Reach.ALL), *STATE_CELLS.reach),
    unsettled=("followed", "no"),
    observed=SOURCES,
)  # fmt: skip
