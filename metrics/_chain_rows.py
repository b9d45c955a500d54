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
from metrics._activation_states import (
    SOURCES,
    STATE_CELLS,
    coded,
    first_activations,
    linked_sends,
    resolved,
    signals,
)
from metrics._activation_touch import persons_of, window_ms
from metrics._chain_line import LINKS, SHAPES, LineCells
from metrics.core.contact import end_of, instant, never, real_activations
from metrics.core.metric import Reach, Rollup
from metrics.core.persons import rooted, roots

FOLLOW_DAYS = 14
FOLLOW_US = FOLLOW_DAYS * DAY_US
UNDELIVERED = ("failed", "rejected", "blocked", "bounced_hard", "bounced_soft")
ARRIVED = ("delivered", "opened", "clicked", "read", "replied", "complained", "unsubscribed")
_IN_WINDOW = 5  # the state's code; which of delivery and reached it is, its messages say
_LINK_OF = {1: "holdout", 3: "identity", 4: "clock", 6: "latency", 7: "suppressed", 8: "bought_first", 9: "open",
            10: "integration"}  # fmt: skip


def _merited(s: sa.FromClause) -> ColumnElement[bool]:
    """Signals that merited action: to be activated, or held out although they would have been."""
    held = sa.func.coalesce(s.c.arm, "treatment") == "holdout"
    return sa.and_(
        sa.or_(s.c.is_test.is_(None), s.c.is_test == sa.false()),
        sa.or_(s.c.decision == "activate", sa.and_(held, s.c.decision == "hold_out")),
    )


def _near(facts: Facts, column: ColumnElement[object]) -> ColumnElement[bool]:
    """Rows of the days asked for and of a follow-up before and after them."""
    if facts.span is None:
        return sa.true()
    wide = Span(facts.span.first - FOLLOW_DAYS - 1, facts.span.last + FOLLOW_DAYS + 1)
    return replace(facts, span=wide).within(column)


def _episodes(facts: Facts, known: sa.Subquery) -> sa.Subquery:
    """Merited signals of persons: signal_id, root, model_id, us, and whether each repeats the one before it.

    A signal repeats where one of the same person and model lies no further back than its window.
    """
    s = facts["signals"]
    joined, root = rooted(s, known)
    rows = (
        sa.select(
            s.c.signal_id, root.label("root"), s.c.model_id, micros(s.c.scored_at).label("us"),
            window_ms(s).label("window_ms"),
        )
        .select_from(joined)
        .where(_merited(s), s.c.person_id.is_not(None), _near(facts, s.c.scored_at))
        .subquery("merited")
    )  # fmt: skip
    before = sa.func.lag(rows.c.us, 1, -never()).over(
        partition_by=[rows.c.model_id, rows.c.root], order_by=[rows.c.us, rows.c.signal_id]
    )
    timed = sa.select(rows, before.label("before_us")).subquery("timed_signals")
    gap = sa.case(
        (timed.c.window_ms * 1000 < instant(FOLLOW_US), timed.c.window_ms * 1000), else_=instant(FOLLOW_US)
    )
    # never as a difference with "no time": that would leave the range of whole numbers
    repeats = timed.c.before_us >= timed.c.us - gap
    return sa.select(
        timed.c.signal_id, timed.c.root, timed.c.model_id, timed.c.us, sa.case((repeats, 1), else_=0).label("repeat")
    ).subquery("episodes")  # fmt: skip


def _won(facts: Facts, known: sa.Subquery) -> sa.Subquery:
    """What persons brought: root, us, revenue."""
    o = facts["outcomes"]
    joined, root = rooted(o, known)
    return (
        sa.select(
            root.label("root"), micros(o.c.occurred_at).label("us"),
            sa.func.coalesce(double(o.c.revenue), real(0)).label("revenue"),
        )
        .select_from(joined)
        .where(o.c.outcome_type != "churn", o.c.reversed_at.is_(None))
        .subquery("won")
    )  # fmt: skip


def _brought(facts: Facts, known: sa.Subquery, found: sa.CTE) -> sa.Subquery:
    """What a first signal's person brought until the next one or the follow-up's end: signal_id, won, revenue.

    Only of signals that something came of, and only persons who brought anything are put in order: they are few.
    """
    won, any_won = _won(facts, known), _won(facts, known).alias("any_won")
    next_us = sa.func.lead(found.c.us, 1, never()).over(
        partition_by=[found.c.model_id, found.c.root], order_by=[found.c.us, found.c.signal_id]
    )
    firsts = (
        sa.select(found, next_us.label("next_us"))
        .where(found.c.repeat == 0, found.c.root.in_(sa.select(any_won.c.root)))
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


def _undelivered(facts: Facts) -> sa.Subquery:
    """Activations that failed or bounced and never arrived: activation_id."""
    e = facts["message_events"]
    rows = (
        sa.select(e.c.activation_id, e.c.event_type, micros(e.c.event_at).label("us"))
        .where(e.c.event_type.in_((*UNDELIVERED, *ARRIVED)))
        .subquery("reports")
    )
    bad, good = (
        sa.func.max(sa.case((rows.c.event_type.in_(kinds), 1), else_=0)) for kinds in (UNDELIVERED, ARRIVED)
    )
    each = (
        sa.select(rows.c.activation_id, bad.label("bad"), good.label("good"))
        .where(rows.c.us <= end_of(facts))
        .group_by(rows.c.activation_id)
        .subquery("fates")
    )
    return sa.select(each.c.activation_id).where(each.c.bad == 1, each.c.good == 0).subquery("undelivered")


def _arriving(facts: Facts) -> sa.Subquery:
    """The first message of each signal that did not fail: signal_id, sent_us."""
    sends, lost = linked_sends(facts), _undelivered(facts)
    return (
        sa.select(sends.c.signal_id, sa.func.min(sends.c.sent_us).label("sent_us"))
        .select_from(sends.outerjoin(lost, lost.c.activation_id == sends.c.activation_id))
        .where(lost.c.activation_id.is_(None))
        .group_by(sends.c.signal_id)
        .subquery("arriving")
    )


def _is_reached(states: sa.Subquery, arriving: sa.Subquery) -> ColumnElement[bool]:
    """Whether a message in time, before any competing event, did not fail."""
    in_time = arriving.c.sent_us <= states.c.us + states.c.window_ms * 1000
    return sa.and_(states.c.code == _IN_WINDOW, in_time, arriving.c.sent_us <= states.c.rival_us)


def _meant(facts: Facts) -> sa.Subquery:
    """Channel and campaign of each signal's first planned activation, sent or not: signal_id, channel, campaign_id."""
    a, link = facts["activations"], facts["activation_signals"]
    made = sa.func.coalesce(micros(a.c.created_at), never())
    rows = (
        sa.select(link.c.signal_id, a.c.activation_id, a.c.channel, a.c.campaign_id, made.label("us"))
        .select_from(link.join(a, a.c.activation_id == link.c.activation_id))
        .where(a.c.purpose == "marketing", real_activations(facts))
        .subquery("planned")
    )
    turn = sa.func.row_number().over(
        partition_by=rows.c.signal_id, order_by=[rows.c.us, rows.c.activation_id]
    )
    turned = sa.select(rows, turn.label("turn")).subquery("plans")
    return sa.select(turned).where(turned.c.turn == 1).subquery("meant")


def merited_rows(facts: Facts) -> sa.Subquery:
    """One row a merited signal: its link, its episode, what it brought, and whether its follow-up has ended."""
    known = roots(facts)
    s = facts["signals"]
    merited = sa.case((_merited(s), 1), else_=0).label("merited")
    each = resolved(facts, known, signals(facts, known, s.c.currency, merited), first_activations(facts))
    states, plan, arriving = coded(facts, each), _meant(facts), _arriving(facts)
    episodes = sa.select(_episodes(facts, known)).cte("chain_episodes")
    brought = _brought(facts, known, episodes)
    link = sa.case(
        *((states.c.code == code, LINKS.index(name)) for code, name in _LINK_OF.items()),
        (_is_reached(states, arriving), LINKS.index("reached")), else_=LINKS.index("delivery"),
    )  # fmt: skip
    joined: sa.FromClause = states
    for part in (plan, arriving, episodes, brought):
        joined = joined.outerjoin(part, part.c.signal_id == states.c.signal_id)
    age = end_of(facts) - states.c.us
    young = sa.or_(states.c.code == 9, age < instant(FOLLOW_US))
    begins = episodes.c.repeat == 0
    first = sa.or_(states.c.root.is_(None), begins)
    revenue = sa.case((young, sa.null()), (begins, sa.func.coalesce(brought.c.revenue, real(0))))
    return (
        sa.select(
            day_number(states.c.us).label("day"), states.c.model_id,
            sa.func.coalesce(states.c.campaign_id, plan.c.campaign_id).label("campaign_id"),
            sa.func.coalesce(states.c.channel, plan.c.channel).label("channel"),
            sa.case((young, "no"), else_="yes").label("followed"),
            link.label("code"), sa.func.coalesce(states.c.model_id, "").label("line"),
            sa.func.coalesce(states.c.currency, "").label("currency"),
            sa.case((first, 1), else_=0).label("first"), sa.func.coalesce(brought.c.won, 0).label("won"),
            sa.case((first, states.c.expected), else_=real(0)).label("expected"),
            revenue.label("revenue"),
        )
        .select_from(joined)
        .where(states.c.merited == 1)
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
