"""The rows behind the headlines: every violation, and every person at risk, as lists that somebody works through."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data.sql import Facts, day_number, double, real, whole
from metrics._suppression_attempts import attempts
from metrics._suppression_base import IN_FLIGHT_US, SENT, People, number, picked, text
from metrics._suppression_carried import SECOND_US
from metrics._suppression_carried import TABLES as RISK_TABLES
from metrics._suppression_law import TIERS, resolve, tier
from metrics._suppression_pairs import CLOCKS, POLICIES, Sides, charges
from metrics._suppression_risk import threatened
from metrics._suppression_sends import TABLES, models
from metrics.core.metric import Cases, Choice
from metrics.core.shapes import Columns

LISTED = (
    "person", "activation", "channel", "sent_us", "stop_event", "trigger", "origin_channel", "seconds_late", "tier",
)  # fmt: skip
AT_RISK_LISTED = ("person", "channel", "kind", "stop_trigger", "since_us")


def _violations(facts: Facts, choice: Choice) -> sa.Select[Any]:
    """One row a violation of the view chosen, the latest first; see `LISTED` for its columns."""
    people = People.of(facts)
    tried = attempts(facts, people, stopped_only=True)
    sides = Sides.of(facts, people, tried)
    charged, stop, model = charges(sides)[0], sides.stops, models(facts, tried)
    since = stop.c.from_us if choice["clock"] == "effective" else stop.c.known_us
    plain = sa.case((tried.c.us - since <= IN_FLIGHT_US, text(TIERS[0])), else_=text(TIERS[1]))
    rows = (
        sa.select(
            tried.c.root.label("person"), tried.c.activation_id.label("activation"), tried.c.channel, tried.c.campaign_id,
            tried.c.provider, model.c.model_id, tried.c.day, tried.c.us.label("sent_us"), stop.c.event_id.label("stop_event"),
            stop.c.trigger_type, stop.c.trigger_type.label("trigger"), stop.c.origin_channel, stop.c.jurisdiction,
            whole(sa.func.round(double(tried.c.us - since) / real(SECOND_US))).label("seconds_late"),
            tier(charged.c.due, tried.c.us, plain).label("tier"),
        )
        .select_from(
            charged.join(tried, sa.and_(tried.c.activation_id == charged.c.activation_id, tried.c.seq == charged.c.seq))
            .join(stop, stop.c.rank == charged.c.rank)
            .outerjoin(model, model.c.activation_id == tried.c.activation_id)
        )
        .where(
            charged.c.clock == number(CLOCKS.index(choice["clock"])), tried.c.kind == SENT,
            charged.c[f"{choice['policy']}_{choice['identity']}"] == 1,
        )
        .subquery("violations")
    )  # fmt: skip
    inside = sa.true() if facts.span is None else rows.c.day.between(facts.span.first, facts.span.last)
    return (
        sa.select(*(rows.c[name] for name in LISTED))
        .where(inside, picked(rows, facts))
        .order_by(rows.c.sent_us.desc(), rows.c.activation)
    )


def _settled(columns: Columns) -> Columns:
    """The listed columns with every tier decided on the calendar of its rule."""
    found = resolve(columns)
    return {name: found[name] for name in columns}


def _at_risk(facts: Facts, choice: Choice) -> sa.Select[Any]:
    """One row a person and channel at risk of the kind chosen: something waiting first, then the oldest stop."""
    risks = threatened(facts)
    dated = sa.select(risks, day_number(risks.c.from_us).label("stopped_on")).subquery("dated_risks")
    wanted = {"soft": dated.c.soft == 1, "hard": dated.c.hard == 1}
    place = sa.func.row_number().over(
        partition_by=[dated.c.root, dated.c.channel],
        order_by=[dated.c.hard.desc(), dated.c.from_us, dated.c.trigger_type],
    )
    inside = (
        sa.true() if facts.span is None else dated.c.stopped_on.between(facts.span.first, facts.span.last)
    )
    pinned = [(n, v) for n, v in facts.where if n in dated.c]
    rows = (
        sa.select(
            dated.c.root.label("person"), dated.c.channel, dated.c.hard, dated.c.trigger_type.label("stop_trigger"),
            dated.c.from_us.label("since_us"), whole(place).label("place"),
        )
        .where(
            dated.c.policy == number(POLICIES.index(choice["policy"])),
            dated.c.clock == number(CLOCKS.index(choice["clock"])),
            wanted.get(choice["kind"], dated.c.soft + dated.c.hard > 0), inside, *(dated.c[n] == v for n, v in pinned),
        )
        .subquery("at_risk")
    )  # fmt: skip
    kind = sa.case((rows.c.hard == 1, text("hard")), else_=text("soft")).label("kind")
    return (
        sa.select(rows.c.person, rows.c.channel, kind, rows.c.stop_trigger, rows.c.since_us)
        .where(rows.c.place == 1)
        .order_by(rows.c.hard.desc(), rows.c.since_us, rows.c.person, rows.c.channel)
    )


VIOLATIONS = Cases(
    title="messages sent after a stop, the latest first",
    tables=TABLES,
    select=_violations,
    derived=_settled,
)
PERSONS_AT_RISK = Cases(
    title="persons at risk by channel: with a message waiting first, then by the age of the stop",
    tables=RISK_TABLES,
    select=_at_risk,
    observed=("message_events", "suppression_events"),
)
