"""The canonical warehouse tables (`shared/schema.md`), as SQLAlchemy Core tables.

Each column carries in `info` what the loader and the laws need: `kind` (how its text is typed), `optional`
(may be absent or empty), `personal` (identifies a person: never selected by a metric except inside an
aggregate), `values` (closed vocabulary), `future_ok` (a plan, so it may lie ahead of the clock).
Each table carries in `info`: `key`, `event` (the column that says when it happened), `day_of` (the table and
key whose day it is stored under) and `mutable` (a later row with the same key replaces the earlier one).
"""

from __future__ import annotations

import sqlalchemy as sa

from data.columns import CLOCKS, METADATA, Col, id_, one_of, open_kind, opt, person, table, time

__all__ = ["CLOCKS", "METADATA", "extended", "open_kind"]

# fmt: off
CHANNELS_COMMENT = "email, sms, mms, rcs, whatsapp, push, web_push, in_app, voice, line, direct_mail, ads"
HOPS = (
    "scored exported synced eligible approved queued sent delivered opened clicked converted fed_back".split()
)
MESSAGE_EVENTS = (
    "queued sent delivered opened clicked bounced_hard bounced_soft deferred blocked skipped rejected failed "
    "complained unsubscribed read replied"
).split()
TRIGGERS = (
    "opt_out opt_out_suspected complaint hard_bounce conversion consent_withdrawn consent_expired dnc_registry "
    "erasure_request deceased manual re_opt_in"
).split()
PURPOSES = ("marketing", "transactional", "service", "legal", "opt_out_confirmation")
MODES = ("automatic", "manual", "unknown")
people = table(
    "people", "One row a person record.", ("person_id",),
    person(), time("created_at", optional=True), opt("country"), opt("region"),
    opt("timezone", comment="IANA name"), opt("is_test", "bool"), mutable=True,
)
identity_links = table(
    "identity_links", "Which record or address belongs to which person.", ("link_id",),
    id_("link_id"), person(), Col("record_id", comment="record in the source system", personal=True),
    Col("id_type", comment="email, phone, user_id, device_id, ..."),
    Col("id_value", comment="the identifier itself", personal=True), opt("link_method"),
    opt("match_probability", "float"), opt("source"), time("valid_from", optional=True),
    time("valid_to", optional=True, future_ok=True),
    Col("truth_entity_id", comment="true person, in labelled samples", optional=True, personal=True),
    mutable=True,
)
person_merges = table(
    "person_merges", "Two person records found to be one.", ("from_person_id", "to_person_id", "merged_at"),
    id_("merge_id", optional=True), person("from_person_id"), person("to_person_id"), time("merged_at"),
    opt("method"), time("reverted_at", optional=True), event="merged_at", mutable=True,
)
signals = table(
    "signals", "What a model said about a person, and what was decided.", ("signal_id",),
    id_("signal_id"), person(optional=True), id_("model_id"), opt("model_version"),
    Col("signal_name", comment="what the signal means"), opt("score", "float"),
    one_of("decision", "activate", "hold_out", "suppress", "no_action"),
    one_of("arm", "treatment", "holdout"), time("scored_at"),
    time("features_as_of", "newest data the score used", optional=True),
    Col("window_seconds", "float", "engagement window W, seconds"),
    opt("expected_value", "float", "the model's own estimate, money"), opt("currency"),
    opt("is_test", "bool"), event="scored_at",
)
activations = table(
    "activations", "A message or action meant for a person.", ("activation_id",),
    id_("activation_id"), person(optional=True),
    Col("record_id", comment="record in the source system", personal=True, optional=True),
    Col("channel", comment=CHANNELS_COMMENT), one_of("purpose", *PURPOSES), opt("campaign_id"),
    opt("provider"), opt("provider_message_id"),
    Col("address", comment="where it went", personal=True, optional=True), time("created_at", optional=True),
    time("scheduled_for", optional=True, future_ok=True), opt("is_test", "bool"), opt("cost_amount", "float"),
    opt("cost_currency"),
)
activation_signals = table(
    "activation_signals", "Which signal led to which activation.", ("signal_id", "activation_id"),
    id_("signal_id"), id_("activation_id"), opt("role"),
    opt("weight", "float", "share of the activation's cost and revenue; default 1/k"),
)
activation_hops = table(
    "activation_hops", "Steps a signal took on its way to the person.", ("signal_id", "activation_id", "hop"),
    id_("signal_id"), id_("activation_id", optional=True), one_of("hop", *HOPS), time("entered_at"),
    time("entered_at_lo", "earliest it can have been", optional=True),
    time("entered_at_hi", "latest it can have been", optional=True), one_of("mode", *MODES), opt("outcome"),
    event="entered_at",
)
message_events = table(
    "message_events", "What the provider said of an activation.", ("source", "event_id"),
    Col("source", comment="system that reported it"), id_("event_id"), id_("activation_id"),
    one_of("event_type", *MESSAGE_EVENTS), time("event_at"), opt("reason"), opt("provider_code"),
    opt("is_machine", "bool", "opened or clicked by a machine"), event="event_at",
)
suppression_events = table(
    "suppression_events", "A person is to be left alone, or released again.", ("suppression_event_id",),
    id_("suppression_event_id"), person(),
    Col("record_id", comment="record in the source system", personal=True, optional=True),
    one_of("trigger_type", *TRIGGERS), one_of("action", "suppress", "release"),
    Col("origin_channel", comment=CHANNELS_COMMENT), Col("scope_channels", comment="'*' or a list with |"),
    one_of("scope_purpose", "marketing", "all"), opt("scope_program"), time("effective_at"),
    time("expires_at", optional=True, future_ok=True), opt("jurisdiction"), event="effective_at",
)
suppression_propagations = table(
    "suppression_propagations", "When a channel or system acknowledged a suppression.",
    ("suppression_event_id", "channel", "system"),
    id_("suppression_event_id"), Col("channel", comment=CHANNELS_COMMENT), opt("system"),
    time("acknowledged_at", optional=True), time("ack_lo", optional=True), time("ack_hi", optional=True),
    opt("method"), one_of("mode", *MODES, optional=True),
)
consents = table(
    "consents", "What a person agreed to, and the proof.", ("consent_id",),
    id_("consent_id"), person(), Col("channel", comment=CHANNELS_COMMENT),
    Col("purpose", comment="what the consent is for"),
    one_of("status", "subscribed", "unsubscribed", "did_not_subscribe", "unknown"), time("captured_at"),
    time("expires_at", optional=True, future_ok=True), opt("proof_ref"), opt("jurisdiction"),
    event="captured_at",
)
outcomes = table(
    "outcomes", "What the person did: bought, churned, answered.", ("outcome_id",),
    id_("outcome_id"), person(), Col("outcome_type", comment="purchase, churn, ..."), time("occurred_at"),
    opt("revenue", "float"), opt("currency"), time("reversed_at", "refund or cancellation", optional=True),
    event="occurred_at", mutable=True,
)
feedback_events = table(
    "feedback_events", "An outcome that reached the model again.", ("signal_id", "outcome_id"),
    id_("signal_id"), id_("outcome_id"), opt("label", "float"), time("ingested_at"), event="ingested_at",
)
experiment_units = table(
    "experiment_units", "Units assigned to the arms of an experiment, with what they did.",
    ("experiment_id", "unit_id"),
    id_("experiment_id"), Col("unit_id", comment="person, shop or region", personal=True),
    Col("arm", comment="`control` or `holdout` is the comparison; any other value is a treated arm"),
    time("assigned_at"), opt("stratum"), opt("cluster_id"), opt("outcome", "float"),
    opt("pre_outcome", "float"), opt("denominator", "float"), time("exposed_at", optional=True),
    event="assigned_at", mutable=True,
)
predictions = table(
    "predictions", "What a model predicted; `attr_*` are protected attributes, `feat_*` are features.",
    ("prediction_id",),
    id_("prediction_id"), id_("model_id"), opt("model_version"),
    Col("entity_id", comment="person or thing scored", personal=True), time("predicted_at"),
    Col("score", "float", "probability in [0, 1]; others are counted apart"),
    opt("threshold", "float", "deployed cut-off"), opt("decision", "bit", "decision taken: 1 flagged, 0 not"),
    opt("latency_ms", "float"), opt("cost_amount", "float"), event="predicted_at",
)
labels = table(
    "labels", "What turned out to be true of a prediction.", ("prediction_id",),
    id_("prediction_id"), Col("label", "bit", "1 the event happened, 0 it did not"), time("labelled_at"),
    event="labelled_at", day_of=("predictions", "prediction_id"),
)
reviews = table(
    "reviews", "A human's or a judge model's verdict on a generated item.", ("review_id",),
    id_("review_id"), id_("model_id"), id_("item_id"), time("reviewed_at"),
    Col("rubric", comment="hallucination, groundedness, correctness, override, ..."),
    one_of("reviewer_type", "human", "judge"), Col("verdict", "bit", "1 the rubric applies"),
    opt("weight", "float", "sampling weight"), opt("stratum"), event="reviewed_at",
)
usage_events = table(
    "usage_events", "A user met a recommendation.", ("usage_id",),
    id_("usage_id"), id_("initiative_id"), Col("user_id", comment="employee", personal=True), time("used_at"),
    one_of("action", "recommended", "accepted", "overridden", "ignored", "opened"), opt("barrier"),
    event="used_at",
)
eligible_users = table(
    "eligible_users", "Who is meant to use an initiative.", ("initiative_id", "user_id"),
    id_("initiative_id"), Col("user_id", comment="employee", personal=True), time("eligible_from"),
    time("eligible_to", optional=True, future_ok=True), opt("unit"), mutable=True,
)
delivery_events = table(
    "delivery_events", "Milestones and incidents of an initiative.", ("delivery_id",),
    id_("delivery_id"), id_("initiative_id"),
    one_of(
        "event", *"idea pilot_started production deployment deployment_failed incident restored".split(),
        *"rollback_tested experiment_started experiment_concluded retrained retired".split()),
    time("event_at"), opt("ref"), time("planned_at", optional=True, future_ok=True), event="event_at",
)
learning_events = table(
    "learning_events", "What the organisation learned.", ("learning_id",),
    id_("learning_id"), id_("initiative_id", optional=True),
    one_of(
        "event", *"component_published component_reused milestone_reached training_assigned".split(),
        *"training_completed knowledge_transfer".split()),
    Col("subject", comment="component, course or milestone"),
    Col("person", comment="employee", personal=True, optional=True), time("event_at"),
    time("planned_at", optional=True, future_ok=True), event="event_at",
)
survey_answers = table(
    "survey_answers", "Answers to the same question from both sides.",
    ("survey_id", "question_id", "respondent_id", "initiative_id"),
    id_("survey_id"), id_("question_id"), Col("respondent_id", comment="employee", personal=True),
    id_("initiative_id"), one_of("side", "technical", "business"),
    Col("answer", "int", "ordinal 1 to 5", values=("1", "2", "3", "4", "5")), time("answered_at"), event="answered_at",
)
costs = table(
    "costs", "Money spent on an initiative.", ("cost_id",),
    id_("cost_id"), id_("initiative_id"), Col("cost_date", "date", "day the cost belongs to", future_ok=True),
    one_of("category", *"build run licence compute message maintenance oversight training risk exit".split()),
    one_of("layer", *"infrastructure data models orchestration inference".split(), optional=True),
    opt("quantity", "float"), opt("unit"), Col("amount", "float", "money"),
    Col("currency", comment="ISO 4217"), event="cost_date",
)
data_watermarks = table(
    "data_watermarks", "How far each source is complete.", ("source",),
    Col("source", comment="table or system; 'all' for every source"), time("complete_through_at"),
    mutable=True,
)
# fmt: on


def extended(table: sa.Table, extra: tuple[str, ...]) -> sa.Table:
    """`table` with the open columns `extra` that a warehouse really holds, in their given order."""
    if not extra:
        return table
    copy = table.to_metadata(sa.MetaData())
    copy.info.update(table.info)
    for name in extra:
        copy.append_column(Col(name, open_kind(name) or "text", optional=True, personal=False).column())
    return copy


def renamed(table: sa.FromClause, name: str) -> sa.Table:
    """The columns of a table of the contract under another name."""
    assert isinstance(table, sa.Table)
    copy = table.to_metadata(sa.MetaData(), name=name)
    for column in copy.c:
        column.info.update(table.c[column.name].info)
    return copy
