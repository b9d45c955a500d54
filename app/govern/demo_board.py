"""What people of the simulated enterprise said of numbers, and what they did so that one would move."""

from __future__ import annotations

from app.govern.demo_acts import Act, InDays, add, person

_AUC, _TOOL, _STOPS = "model.auc", "value.mean_difference", "suppression.clean_stop_rate"
ACTS: tuple[Act, ...] = (
    add(
        62, "tom", "interventions", "int-training", metric="adoption.accepted_share", initiative="agent-assist",
        scope=("initiative_id=agent-assist",), done_on=InDays(-60), owner=person("elena"),
        what="Half a day of training for the service team, with their own cases.",
    ),
    add(
        41, "jonas", "interventions", "int-sync", metric=_STOPS, done_on=InDays(-40), owner=person("elena"),
        what="The nightly stop list is sent to every provider twice a day instead of once.",
    ),
    add(
        34, "priya", "comments", "com-demand", metric=_AUC, scope=("model_id=demand_v4",), about=InDays(-35),
        comment="Two suppliers changed their pack sizes in these weeks. Retraining is planned, not done.",
    ),
    add(
        16, "mira", "comments", "com-tool", metric=_TOOL, scope=("experiment_id=devtool_trial",),
        comment="The team still says it feels faster. The trial says otherwise, and the trial counted tasks.",
    ),
    add(
        9, "hanna", "comments", "com-stops", metric=_STOPS,
        comment="Before the scale gate I want to see this at 99 %, lower bound, not the average.",
    ),
    add(
        8, "hanna", "saved_views", "view-churn", title="Churn, the whole year", page="chain",
        choices="model=churn_v3&period=52+weeks",
    ),
    add(7, "vera", "saved_views", "view-models", title="Models, last four weeks", page="models", choices="period=4+weeks"),
)  # fmt: skip
